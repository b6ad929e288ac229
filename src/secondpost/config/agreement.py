"""Check keys against each other: contradictions, duplicates, and mail loops."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from secondpost.config.addresses import is_loopback
from secondpost.config.faults import quoted
from secondpost.config.positions import KeyPath
from secondpost.config.records import Backup, Config, Newsletter, Route
from secondpost.config.section import Findings
from secondpost.mail.address import Endpoint

T = TypeVar("T")
K = TypeVar("K")

WILDCARDS = ("::", "0.0.0.0")


@dataclass(frozen=True, slots=True)
class Read:
    """The configuration as read. Tables are numbered from 0, with gaps for those that could not be
    made.
    """

    config: Config
    backups: Mapping[int, Backup]
    routes: Mapping[int, Route]
    newsletters: Mapping[int, Newsletter]


def check_agreement(read: Read, findings: Findings) -> None:
    config = read.config
    _check_unique(
        read.backups, "backup", "domain", lambda one: one.domain, findings, "this domain has a [[backup]]"
    )
    _check_unique(
        read.routes,
        "route",
        "domain",
        lambda one: (one.domain, one.lane),
        findings,
        "this domain has a [[route]] for the same lane",
    )
    _check_unique(
        read.newsletters, "newsletter", "name", lambda one: one.name, findings, "this name is taken by one"
    )
    for number, backup in read.backups.items():
        _check_own_names(config, number, backup, findings)
        place = ("backup", number, "primary")
        if findings.is_clean(place):
            for position, host in enumerate(backup.primary):
                _check_loop(config, host, (*place, position), findings)
    for number, route in read.routes.items():
        _check_loop(config, route.host, ("route", number, "host"), findings)
    _check_logins(read.routes, findings)
    _check_doors(config, findings)
    _check_owner(read, findings)
    _check_proxies(config, findings)
    _check_database(config, findings)


def _check_unique(
    made: Mapping[int, T],
    table: str,
    key: str,
    identity: Callable[[T], object],
    findings: Findings,
    reason: str,
) -> None:
    first: dict[object, int] = {}
    for number, one in made.items():
        earlier = first.setdefault(identity(one), number)
        if earlier != number:
            line = findings.positions.line((table, earlier, key))
            findings.add((table, number, key), f"{reason} already, in line {line}", "leave one out")


def _check_own_names(config: Config, number: int, backup: Backup, findings: Findings) -> None:
    place = ("backup", number, "domain")
    if backup.domain == config.hostname:
        reason = "this is our own hostname: mail to it ends here, there is no primary behind it"
        findings.add(place, reason, "name the domain whose second MX we are")
    elif backup.domain == config.bounces:
        reason = "this is `bounces`, where reports come back to us: its only MX is this server"
        findings.add(place, reason, "give `bounces` a name of its own, such as the hostname")


def _check_loop(config: Config, host: Endpoint, place: KeyPath, findings: Findings) -> None:
    """Report a next host that is this server itself, by name, address or listening port."""
    if host.host in (config.hostname.name, config.bounces.name):
        hint = "for another server on this machine, write its address and port, such as 127.0.0.1:2500"
        findings.add(place, f"{quoted(host.host)} is this server: mail would go round in circles", hint)
    elif host.host in config.addresses:
        reason = f"{quoted(host.host)} is in `addresses`, so it is this server: mail would go in circles"
        findings.add(place, reason, "name the server of the domain")
    elif any(_leads_to(host, door) for door in config.receive.listen):
        reason = f"{quoted(str(host))} is where this server listens: mail would go round in circles"
        findings.add(place, reason, "name the server of the domain")


def _leads_to(host: Endpoint, door: Endpoint) -> bool:
    if host.port != door.port:
        return False
    return host.host == door.host or (door.host in WILDCARDS and is_loopback(host.host))


def _check_logins(routes: Mapping[int, Route], findings: Findings) -> None:
    """Report two routes with the same login that differ in its password or in TLS: they share
    connections.
    """
    first: dict[object, int] = {}
    for number, route in routes.items():
        if route.login is None:
            continue
        earlier = first.setdefault((route.host, route.username), number)
        for key in ("password_file", "tls"):
            if getattr(route, key) != getattr(routes[earlier], key):
                line = findings.positions.line(("route", earlier, "username"))
                reason = f"the same login at the same host has another {key} in line {line}"
                findings.add(("route", number, key), reason, "write the same in both")


def _check_doors(config: Config, findings: Findings) -> None:
    """Report ports to listen on that are named twice or covered by a wildcard address."""
    tables = {"receive": config.receive.listen, "web": config.web.doors, "metrics": config.metrics.listen}
    if not all(findings.is_clean((table, "listen")) for table in tables):
        return
    places: list[KeyPath] = [
        (table, "listen", number) for table, listen in tables.items() for number in range(len(listen))
    ]
    doors = [door for listen in tables.values() for door in listen]
    for at, door in enumerate(doors):
        for other_at, other in enumerate(doors):
            if door == other and other_at < at:
                findings.add(places[at], f"{quoted(str(door))} is taken already", "leave one out")
            elif door != other and _covers(other, door):
                findings.add(
                    places[at], f"{quoted(str(door))} is part of {quoted(str(other))}", "leave one out"
                )


def _covers(wide: Endpoint, door: Endpoint) -> bool:
    if wide.port != door.port:
        return False
    # An IPv6 wildcard socket takes IPv4 callers too.
    return wide.host in (door.host, "::") or (wide.host == "0.0.0.0" and ":" not in door.host)


def _check_owner(read: Read, findings: Findings) -> None:
    """Report an owner whose addresses all lie in our own domains: an alarm that the primary is down
    must not wait for that primary.
    """
    config = read.config
    ours = {backup.domain for backup in read.backups.values()} | {config.hostname, config.bounces}
    if len(config.owner) > 0 and all(owner.domain in ours for owner in config.owner):
        reason = "every owner address is at a domain that is backed up here: alarms would not arrive"
        findings.add(("owner",), reason, "add an address somewhere else")


def _check_proxies(config: Config, findings: Findings) -> None:
    if len(config.web.trusted_proxies) > 0 and config.web.url is None:
        findings.add(("web", "trusted_proxies"), 'with url = "none" there are no pages', "leave it out")


def _check_database(config: Config, findings: Findings) -> None:
    if config.database is not None:
        # Falling back to SQLite would put the mail where the owner did not say.
        findings.add(("database",), "this version keeps its mail in SQLite only", "leave the key out")
