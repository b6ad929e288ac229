"""Find a client's address, also behind a proxy, and limit requests per network."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from starlette.requests import Request

from secondpost.mail.address import as_ip, without_zone
from secondpost.mail.network import site_prefix
from secondpost.policy.rate import PrefixRate
from secondpost.world.ports import Clock

FORWARDED_MAX = 10  # addresses read from X-Forwarded-For


def caller_of(request: Request, trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """The client's IP address, or "" if unknown.

    X-Forwarded-For counts only from trusted proxies: the last address in it that is not a trusted
    proxy's is the client's, whatever precedes it.
    """
    address = "" if request.client is None else without_zone(request.client.host)
    if not is_trusted(address, trusted):
        return _plain(address)
    named = [one.strip() for one in ",".join(request.headers.getlist("x-forwarded-for")).split(",")]
    for one in reversed(named[-FORWARDED_MAX:]):
        if as_ip(one) is None:
            break
        address = one
        if not is_trusted(one, trusted):
            break
    return _plain(address)


def trusted_networks(texts: Sequence[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(text, strict=False) for text in texts)


def is_trusted(text: str, trusted: Sequence[IPv4Network | IPv6Network]) -> bool:
    """Whether this is one of our proxies. An empty address is a Unix socket, which only a proxy can
    reach.
    """
    address = as_ip(text)
    return len(text) == 0 or (
        address is not None
        and any(address.version == network.version and address in network for network in trusted)
    )


def _plain(text: str) -> str:
    address = as_ip(text)
    return "" if address is None else str(address)


@dataclass(frozen=True, slots=True)
class Rate:
    """Limits how often one network may do a thing in a span of time, within one process.

    The limit across processes is in the store (SignUpLimits).
    """

    clock: Clock
    counted: PrefixRate

    def allows(self, caller: str) -> bool:
        """Count one more, and say whether it is within the limit."""
        return self.counted.allows(site_prefix(caller), self.clock.now_ms())
