"""The hosts of a route, in order: MX with the RFC 5321 §5.1 cut, null MX, implicit MX, named hosts.

As a backup we drop ourselves (known by name and address) and every host whose preference is not
better than ours: it would send the mail back. For a backup domain no DNS answer is final, since it
may be forged or an accident: the site is treated as down and probed again.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from secondpost.mail.address import Domain, Endpoint, as_ip
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import NO_WAY, SUBMISSIONS_PORT, Hop, Login, NoPlan, Plan, Routed, TlsDemand
from secondpost.mail.questions import (
    Addresses,
    Asking,
    Finding,
    Mx,
    MxRecord,
)
from secondpost.mail.reply import Reply

HOSTS_MAX = 10  # the best hosts of an MX set
ADDRESSES_PER_HOST_MAX = 8
NULL_MX = "."


@dataclass(frozen=True, slots=True)
class Ourselves:
    """How this server recognises itself in a domain's DNS."""

    names: frozenset[str]
    addresses: frozenset[str]  # our addresses on any port, as configured
    doors: frozenset[Endpoint]  # listeners; other servers may use the same address on other ports

    def is_name(self, host: str) -> bool:
        return host in self.names

    def is_address(self, address: str, port: int) -> bool:
        return address in self.addresses or Endpoint(address, port) in self.doors


def plan_for_hosts(
    hosts: tuple[Endpoint, ...], tls: TlsDemand | None, us: Ourselves, login: Login | None = None
) -> Asking[Routed]:
    """Plan for hosts named in the configuration; those that do not resolve are skipped."""
    site = _site_of(hosts, login)
    hops: list[Hop] = []
    wrong: list[str] = []
    for host in hosts:
        addresses = yield from _addresses_of(host.host)
        usable = tuple(a for a in addresses if not us.is_address(a, host.port) and not us.is_name(host.host))
        if len(usable) > 0:
            demand = _usual_demand(host, usable, login) if tls is None else tls
            hops.append(Hop(host.host, usable, host.port, demand, login))
        elif len(addresses) > 0:
            wrong.append(f"{host} is this server itself")
        else:
            wrong.append(f"{host.host} does not resolve")
    if len(hops) > 0:
        return Plan(site, tuple(hops))
    cause = Cause.LOOP if any("itself" in why for why in wrong) else Cause.DNS
    return NoPlan(site, cause, _temporary(cause, "; ".join(wrong)))


def unanswered_hosts(hosts: tuple[Endpoint, ...], login: Login | None) -> NoPlan:
    """The result when DNS does not resolve the hosts within the time that a route may take."""
    return NoPlan(_site_of(hosts, login), Cause.DNS, _temporary(Cause.DNS, "DNS did not answer in time"))


def unanswered_mx(domain: Domain) -> NoPlan:
    return _nowhere(domain, Cause.DNS, "4.4.3", f"DNS did not say in time where mail for {domain} goes")


def plan_for_mx(domain: Domain, as_backup: bool, port: int, us: Ourselves) -> Asking[Routed]:
    if domain.is_literal:
        return _literal_plan(domain, port, us)
    answer = yield from Mx(domain).ask()
    match answer.finding:
        case Finding.FAILED:
            return _nowhere(domain, Cause.DNS, "4.4.3", f"the MX of {domain} cannot be looked up now")
        case Finding.NO_NAME:
            if as_backup:
                return _nowhere(domain, Cause.DNS, "4.4.4", f"DNS says that {domain} does not exist")
            return _never(domain, "5.1.2", f"{domain} does not exist")
        case Finding.NO_DATA:
            if as_backup:
                # An implicit MX cannot be better than ours (RFC 5321 §5.1: it counts as 0), and a
                # backup domain without an MX record is a broken zone, not one whose host is its
                # primary.
                return _nowhere(domain, Cause.DNS, "4.4.4", f"{domain} has no MX record")
            return (yield from _implicit(domain, port, us))
        case Finding.FOUND:
            return (yield from _ranked(domain, answer.records, as_backup, port, us))


def _site_of(hosts: tuple[Endpoint, ...], login: Login | None) -> str:
    """Two logins at the same hosts are two sites: each has its own pace, and can be refused alone."""
    named = ",".join(str(host) for host in hosts)
    return named if login is None else f"{named} as {login.username}"


def _usual_demand(host: Endpoint, addresses: tuple[str, ...], login: Login | None) -> TlsDemand:
    """The TLS demand of a host named in the configuration: a password goes only over TLS."""
    if login is not None or host.port == SUBMISSIONS_PORT:
        return TlsDemand.ENCRYPT
    return _usual_tls(addresses)


def _ranked(
    domain: Domain, records: tuple[MxRecord, ...], as_backup: bool, port: int, us: Ourselves
) -> Asking[Routed]:
    if len(records) == 1 and records[0].host == NULL_MX:  # RFC 7505
        if as_backup:
            return _nowhere(domain, Cause.DNS, "4.4.4", f"{domain} says it takes no mail (null MX)")
        return _never(domain, "5.1.10", f"{domain} takes no mail (null MX)", code=556)
    # Hosts of equal preference keep the order of the answer, which is random.
    named = sorted((r for r in records if r.host != NULL_MX), key=lambda r: r.preference)[:HOSTS_MAX]
    resolved: list[tuple[MxRecord, tuple[str, ...]]] = []
    for record in named:
        resolved.append((record, (yield from _addresses_of(record.host))))
    own = _own_preference(resolved, port, us)
    better = [(record, found) for record, found in resolved if own is None or record.preference < own]
    hops = tuple(
        Hop(record.host, found, port, _usual_tls(found)) for record, found in better if len(found) > 0
    )
    if len(hops) > 0:
        return Plan(",".join(sorted(record.host for record, _ in better)), hops)
    if len(better) == 0:
        text = f"the best MX of {domain} is this server itself"
        # RFC 5321 §5.1: with nothing better left, mail would come back to us.
        return _nowhere(domain, Cause.LOOP, "4.4.6", text) if as_backup else _never(domain, "5.4.6", text)
    return _nowhere(domain, Cause.DNS, "4.4.4", f"no MX host of {domain} resolves")


def _own_preference(
    resolved: Iterable[tuple[MxRecord, tuple[str, ...]]], port: int, us: Ourselves
) -> int | None:
    ours = [
        record.preference
        for record, addresses in resolved
        if us.is_name(record.host) or any(us.is_address(address, port) for address in addresses)
    ]
    return min(ours) if len(ours) > 0 else None


def _implicit(domain: Domain, port: int, us: Ourselves) -> Asking[Routed]:
    """RFC 5321 §5.1: without MX records the domain's own host is the MX."""
    answer = yield from Addresses(domain.name).ask()
    if answer.finding is Finding.FAILED:
        return _nowhere(domain, Cause.DNS, "4.4.3", f"{domain} cannot be looked up now")
    if len(answer.addresses) == 0:
        return _never(domain, "5.1.2", f"{domain} has neither MX nor address")
    if us.is_name(domain.name) or any(us.is_address(address, port) for address in answer.addresses):
        return _never(domain, "5.4.6", f"{domain} is this server itself")
    addresses = answer.addresses[:ADDRESSES_PER_HOST_MAX]
    return Plan(domain.name, (Hop(domain.name, addresses, port, _usual_tls(addresses)),))


def _literal_plan(domain: Domain, port: int, us: Ourselves) -> Routed:
    address = domain.name.strip("[]").removeprefix("IPv6:")
    if us.is_address(address, port):
        return _never(domain, "5.4.6", f"{domain} is this server itself")
    return Plan(domain.name, (Hop(address, (address,), port, _usual_tls((address,))),))


def _addresses_of(host: str) -> Asking[tuple[str, ...]]:
    """The host's addresses; empty if it does not resolve for any reason."""
    address = as_ip(host)
    if address is not None:
        return (str(address),)
    answer = yield from Addresses(host).ask()
    return answer.addresses[:ADDRESSES_PER_HOST_MAX]


def _usual_tls(addresses: tuple[str, ...]) -> TlsDemand:
    """The default TLS demand: none on loopback, where traffic cannot be overheard."""
    loopback = all(ip_address(address).is_loopback for address in addresses)
    return TlsDemand.NONE if loopback else TlsDemand.OPPORTUNISTIC


def _temporary(cause: Cause, text: str) -> Reply:
    return Reply.of(451, "4.4.6" if cause is Cause.LOOP else "4.4.4", text)


def _nowhere(domain: Domain, cause: Cause, status: str, text: str) -> NoPlan:
    return NoPlan(f"{NO_WAY}{domain}", cause, Reply.of(451, status, text))


def _never(domain: Domain, status: str, text: str, code: int = 550) -> NoPlan:
    cause = Cause.LOOP if status == "5.4.6" else Cause.DNS
    return NoPlan(f"{NO_WAY}{domain}", cause, Reply.of(code, status, text))
