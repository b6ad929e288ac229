"""The road of a delivery: to ourselves, a smart host, the backup domain's named primary, or its MX."""

from dataclasses import dataclass

from secondpost.config.records import Config, Route
from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import Inside, TlsDemand
from secondpost.route.hosts import Ourselves


@dataclass(frozen=True, slots=True)
class ByHosts:
    """Hosts that the owner named, in order."""

    hosts: tuple[Endpoint, ...]  # at least one
    tls: TlsDemand | None
    route: Route | None = None  # the smart host's, for its login


@dataclass(frozen=True, slots=True)
class ByMx:
    """The MX of the domain. As its backup we use only what is better than ourselves."""

    domain: Domain
    as_backup: bool


Road = Inside | ByHosts | ByMx


def road_to(config: Config, lane: Lane, domain: Domain) -> Road:
    """First ourselves, then the route made for this lane and domain, then the primary, then DNS. What is
    unverified goes where the domain's other mail goes.
    """
    lane = Lane.RELAY if lane is Lane.UNVERIFIED else lane
    if domain in (config.bounces, config.hostname):
        return Inside()
    route = _route(config, lane, domain)
    if route is not None:
        return ByHosts((route.host,), route.tls, route)
    backup = config.backup_for(domain)
    if backup is not None and len(backup.primary) > 0:
        return ByHosts(backup.primary, None)
    return ByMx(domain, as_backup=backup is not None)


def _route(config: Config, lane: Lane, domain: Domain) -> Route | None:
    """The most particular one: domain before `*`, a named lane before all."""
    best: Route | None = None
    best_rank = -1
    for route in config.routes:
        # A `*` route never applies to the relay lane unless it names it: held mail would otherwise go to
        # a smart host that knows nothing of the primary.
        everywhere = route.domain is None
        if everywhere and lane is Lane.RELAY and route.lane is not Lane.RELAY:
            continue
        if (not everywhere and route.domain != domain) or (route.lane is not None and route.lane is not lane):
            continue
        rank = (0 if everywhere else 2) + (0 if route.lane is None else 1)
        if rank > best_rank:
            best, best_rank = route, rank
    return best


def ourselves(config: Config, machine: frozenset[str]) -> Ourselves:
    """Every name and address under which we might meet ourselves. `machine` has the addresses of this
    machine's interfaces, for doors that are open on all of them.
    """
    doors: set[Endpoint] = set()
    for endpoint in config.receive.listen:
        everywhere = endpoint.host in ("::", "0.0.0.0")
        doors.update(Endpoint(host, endpoint.port) for host in (machine if everywhere else {endpoint.host}))
    return Ourselves(
        names=frozenset({config.hostname.name, config.bounces.name}),
        addresses=frozenset(config.addresses),
        doors=frozenset(doors),
    )
