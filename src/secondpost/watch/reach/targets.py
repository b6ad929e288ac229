"""Which addresses are looked at: those of the MX hosts of every backup domain, and our own. Pure."""

from dataclasses import dataclass
from ipaddress import ip_network

from secondpost.config.records import Config
from secondpost.mail.address import as_ip
from secondpost.mail.questions import Addresses, Asking, Finding, Mx
from secondpost.mail.reach import ReachTarget

HOSTS_MAX = 10  # of one domain
TARGETS_MAX = 30
NULL_MX = "."  # RFC 7505
# From elsewhere they mean other machines.
_PRIVATE = tuple(
    ip_network(each)
    for each in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.168.0.0/16", "::/127", "fc00::/7", "fe80::/10",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ReachTargets:
    targets: tuple[ReachTarget, ...]
    is_whole: bool  # every question of DNS was answered


def reach_targets(config: Config, own_addresses: tuple[str, ...]) -> Asking[ReachTargets]:
    """`own_addresses`: public addresses of this server; if none is known, DNS is asked for them."""
    hosts: dict[str, dict[str, None]] = {config.hostname.name: {}}  # the domains of each host, in order
    is_whole = True
    for domain in (backup.domain for backup in config.backups if not backup.domain.is_literal):
        answer = yield from Mx(domain).ask()
        is_whole &= answer.finding is not Finding.FAILED
        for record in sorted(answer.records)[:HOSTS_MAX]:
            if record.host != NULL_MX:
                hosts.setdefault(record.host, {})[domain.name] = None
        if answer.finding is Finding.NO_DATA:  # RFC 5321 §5.1: the domain is its own MX
            hosts.setdefault(domain.name, {})[domain.name] = None
    found: dict[str, ReachTarget] = {}
    for host, domains in hosts.items():
        addresses = own_addresses if host == config.hostname.name else ()
        if len(addresses) == 0:
            answered = yield from Addresses(host).ask()
            is_whole &= answered.finding is not Finding.FAILED
            addresses = answered.addresses
        for address in filter(_is_public, addresses):
            found.setdefault(address, ReachTarget(address, host, tuple(domains)))
    return ReachTargets(tuple(found.values())[:TARGETS_MAX], is_whole)


def _is_public(address: str) -> bool:
    ip = as_ip(address)
    return ip is not None and not any(ip in network for network in _PRIVATE)
