"""Who calls, behind which proxy, and whether their network has asked too often."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from starlette.requests import Request

from secondpost.mail.address import as_ip, without_zone
from secondpost.mail.prefix import site_prefix
from secondpost.policy.rate import PrefixRate
from secondpost.world.ports import Clock

FORWARDED_MAX = 10  # addresses in one X-Forwarded-For that are looked at


def caller_of(request: Request, trusted: Sequence[IPv4Network | IPv6Network]) -> str:
    """The IP address of whoever asks, "" when it cannot be known. A proxy's word counts only when we trust
    it: the last address that no trusted proxy has is the caller's, whatever stands before it.
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
    """Whether a proxy of ours has this address. One on a Unix socket has none; nothing else gets there."""
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
    """So many of a thing for one network in a span of time, in one process.

    The bound over all processes stands in the store (SignUpLimits).
    """

    clock: Clock
    counted: PrefixRate

    def allows(self, caller: str) -> bool:
        """Counts one more."""
        return self.counted.allows(site_prefix(caller), self.clock.now_ms())
