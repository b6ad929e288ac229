"""The route of a delivery: local, a smart host, the backup domain's named primary, or its MX."""

from dataclasses import dataclass

from secondpost.config.records import Config, Route
from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import Inside, Login, TlsDemand
from secondpost.route.hosts import Ourselves


@dataclass(frozen=True, slots=True)
class ByHosts:
    """Hosts named in the configuration, in order."""

    hosts: tuple[Endpoint, ...]  # at least one
    tls: TlsDemand | None
    login: Login | None = None  # to a smart host


@dataclass(frozen=True, slots=True)
class ByMx:
    """The MX hosts of the domain; `as_backup`: only those with a better preference than ours."""

    domain: Domain
    as_backup: bool


Road = Inside | ByHosts | ByMx


def road_to(config: Config, lane: Lane, domain: Domain) -> Road:
    """Choose the route: our own domains, then a configured route, then a named primary, then MX.

    Unverified mail takes the route of the relay lane.
    """
    lane = Lane.RELAY if lane is Lane.UNVERIFIED else lane
    if domain in (config.bounces, config.hostname):
        return Inside()
    route = route_for(config, lane, domain)
    if route is not None:
        return ByHosts((route.host,), route.tls, route.login)
    backup = config.backup_for(domain)
    if backup is not None and len(backup.primary) > 0:
        return ByHosts(backup.primary, None)
    return ByMx(domain, as_backup=backup is not None)


def route_for(config: Config, lane: Lane, domain: Domain) -> Route | None:
    """The most specific [[route]]: a domain before `*`, then a named lane before any lane."""
    best: Route | None = None
    best_rank = -1
    for route in config.routes:
        # A `*` route applies to the relay lane only if it names that lane: otherwise mail held for
        # a primary would go to a smart host that knows nothing of it.
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
    """All names and addresses that mean this server.

    `machine`: the addresses of the machine's interfaces, for listeners bound to all of them.
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
