"""How a primary sees this server: its name, and the addresses from which it hands over mail."""

import asyncio
from dataclasses import dataclass
from ipaddress import ip_address

from secondpost.config.records import Config
from secondpost.deliver.routes import Routes
from secondpost.mail.address import Domain
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import Plan
from secondpost.route.destination import ourselves
from secondpost.route.hosts import Ourselves
from secondpost.setup.header_diagnosis import HeaderReading, read_header
from secondpost.setup.pasted_headers import PastedField
from secondpost.setup.trust_settings import Relay
from secondpost.world.asking import names_from
from secondpost.world.ports import Resolver
from secondpost.world.real.dice import RealDice
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.interfaces import interface_addresses

NAMES_SECONDS_MAX = 10.0  # without an answer of DNS the configuration has to do


@dataclass(frozen=True, slots=True)
class RelayNames:
    us: Ourselves  # with every address that may be ours
    relay: Relay  # as the primary has to enter it


async def relay_names(config: Config, resolver: Resolver) -> RelayNames:
    """From the configuration, the machine and DNS; never fails."""
    machine = interface_addresses()
    of_machine = {one for one in machine if not _is_inner(one)}
    named = {*config.addresses, *await _addresses_in_dns(config.hostname, resolver)}
    shown = tuple(sorted(named if len(named) > 0 else of_machine, key=_version_first))
    us = ourselves(config, machine)
    known = Ourselves(us.names, frozenset(named | of_machine), us.doors)
    return RelayNames(known, Relay(config.hostname.name, shown))


async def _addresses_in_dns(host: Domain, resolver: Resolver) -> tuple[str, ...]:
    try:
        async with asyncio.timeout(NAMES_SECONDS_MAX):
            return (await resolver.addresses(host.name)).addresses
    except TimeoutError:
        return ()


def _is_inner(address: str) -> bool:
    """Whether no other machine, or none beyond the next switch, knows the address."""
    parsed = ip_address(address)
    return parsed.is_loopback or parsed.is_link_local


def _version_first(address: str) -> tuple[int, bytes]:
    parsed = ip_address(address)
    return parsed.version, parsed.packed


async def explain_header(config: Config, domain: Domain, fields: tuple[PastedField, ...]) -> HeaderReading:
    """What a header from the domain's mailbox says. Without DNS the kind of its primary shows in the
    header alone.
    """
    resolver = RealResolver(config.dns.servers, RealDice())
    try:
        names = await relay_names(config, resolver)
        routed = await Routes(config, names_from(resolver), names.us).route(Lane.RELAY, domain)
        hosts = [hop.name for hop in routed.hops] if isinstance(routed, Plan) else []
        return read_header(fields, names.us, names.relay, hosts)
    finally:
        resolver.close()
