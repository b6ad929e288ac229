"""Answers the questions of `secondpost check` from the network, all at once and within a minute."""

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from secondpost.config.records import Config
from secondpost.mail.dns_questions import ZoneOf
from secondpost.mail.questions import Addresses, Mx, Txt
from secondpost.newsletter.fetching import FeedFetching, parse_in_line
from secondpost.protocols.tokens import base32_text
from secondpost.roles.doctor_machine import FoundInStore, tls_files
from secondpost.roles.leave_look import leave_token, see_page
from secondpost.roles.zones import examine_dns
from secondpost.route.destination import ourselves
from secondpost.setup.block_lists import BlockList, block_lists, examine_block_list
from secondpost.setup.certificate import CertificateFiles
from secondpost.setup.diagnosis import Area, Check, Diagnosis, Grade
from secondpost.setup.facts import Facts
from secondpost.setup.leave_link import examine_leave_link
from secondpost.setup.looks import (
    Look,
    Looking,
    PageLook,
    ReadFeed,
    Seen,
    SmtpLook,
    SmtpLooks,
    SmtpSeen,
)
from secondpost.setup.newsletter_look import examine_newsletter
from secondpost.setup.own_mail import examine_owner_route, examine_smart_host, smart_hosts
from secondpost.setup.primary_look import examine_primary
from secondpost.setup.reach import examine_port_in, examine_port_out, public_addresses, registrable
from secondpost.setup.resolver_look import examine_resolver
from secondpost.setup.smtp_visit import visit
from secondpost.setup.surroundings import Surroundings
from secondpost.setup.trust_settings import Relay
from secondpost.world.asking import drive, names_from
from secondpost.world.ports import Fetcher, KeyFault, Net, Poster, ZoneResolver
from secondpost.world.real.dice import RealDice
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.fetch import RealFetcher
from secondpost.world.real.net import RealNet
from secondpost.world.real.work import RealWork

LOOKING_SECONDS_MAX = 50.0
FETCH_SECONDS_MAX = 20.0
MADE_UP_OCTETS = 10
Diagnoses = tuple[Diagnosis, ...]


@dataclass(frozen=True, slots=True)
class Eyes:
    """Answers what is asked."""

    net: Net
    resolver: ZoneResolver
    pages: Fetcher  # of our own URL, which may lead to a private address from here
    poster: Poster
    feeds: FeedFetching
    hello: str
    # Every server is talked to once, however often it is asked for.
    visits: dict[SmtpLook, "asyncio.Task[SmtpSeen]"] = field(default_factory=dict)

    async def answer(self, question: Look) -> Seen:
        match question:
            case Mx() | Addresses() | Txt():
                return await names_from(self.resolver)(question)
            case ZoneOf(name):
                return await self.resolver.zone_of(name)
            case SmtpLooks(looks):
                return tuple(await asyncio.gather(*map(self._visit, looks)))
            case PageLook():
                return await see_page(self.pages, self.poster, question)
            case ReadFeed(asked):
                return await self.feeds.look(asked)

    async def _visit(self, look: SmtpLook) -> SmtpSeen:
        if look not in self.visits:
            self.visits[look] = asyncio.create_task(visit(self.net, self.hello, look))
        return await asyncio.shield(self.visits[look])  # others may wait for it longer than we do


@dataclass(frozen=True, slots=True)
class Planned:
    """What is looked at, with what to say if it is not finished in time."""

    check: Check
    subject: str
    looking: Looking[Diagnoses]


def planned(
    config: Config, areas: Collection[Area], store: FoundInStore, here: Surroundings
) -> list[Planned]:
    """What is looked at for these areas."""
    looks = [_own_door(config, store, here)]  # says something about both
    if Area.SECURITY in areas:
        looks.append(_resolver(config, here))
    if Area.DELIVERY in areas:
        looks.extend(_delivery(config, store, here))
    return looks


def _own_door(config: Config, store: FoundInStore, here: Surroundings) -> Planned:
    files = tls_files(config)
    certificate = files.certificate if isinstance(files, CertificateFiles) else None
    answers = store.is_served and not store.is_held
    looking = examine_port_in(config, here.addresses, answers, certificate)
    return Planned(Check.PORT_25_IN, config.hostname.name, looking)


def _delivery(config: Config, store: FoundInStore, here: Surroundings) -> Iterator[Planned]:
    us, dice = ourselves(config, here.addresses), RealDice()
    addresses = config.addresses if len(config.addresses) > 0 else here.public_addresses
    relay = Relay(config.hostname.name, addresses)
    yield Planned(Check.PORT_25_OUT, "", examine_port_out(config, us))
    for backup in config.backups:
        stored, made_up = store.stored.get(backup.domain), base32_text(dice.token(MADE_UP_OCTETS))
        looking = examine_primary(config, backup, us, relay, stored, made_up)
        yield Planned(Check.PRIMARY_REACHABLE, backup.domain.name, looking)
    for domain in dict.fromkeys(owner.domain for owner in config.owner):
        yield Planned(Check.OWNER_ROUTE, domain.name, examine_owner_route(config, domain, us))
    for route in smart_hosts(config):
        yield Planned(Check.SMART_HOST, str(route.host), examine_smart_host(config, route, us))
    for one in block_lists():
        yield Planned(Check.BLOCK_LIST, one.name, _block_list(config, one))
    for newsletter in config.newsletters:
        looking = examine_newsletter(config, newsletter, store.has_begun)
        yield Planned(Check.SIGN_UP_PAGE, newsletter.name, looking)
    if len(config.newsletters) > 0 and store.has_begun:
        yield from _leave_link(config, here)


def _leave_link(config: Config, here: Surroundings) -> Iterator[Planned]:
    if config.web.url is None:
        return
    try:
        token = leave_token(config)
    except KeyFault:
        return  # another check says that keys are missing
    yield Planned(Check.LEAVE_LINK, config.web.url, examine_leave_link(config, token, here.addresses))


def _resolver(config: Config, here: Surroundings) -> Planned:
    made_up = base32_text(RealDice().token(MADE_UP_OCTETS))
    servers = config.dns.servers if len(config.dns.servers) > 0 else here.resolvers
    return Planned(Check.RESOLVER, "", examine_resolver(config, servers, made_up))


def _block_list(config: Config, one: BlockList) -> Looking[Diagnoses]:
    if one.kind == "domain":
        return (yield from examine_block_list(one, (registrable(config.hostname),)))
    addresses = yield from public_addresses(config)
    return (yield from examine_block_list(one, addresses))


async def examine_all(
    config: Config, looks: Sequence[Planned], seconds_max: float = LOOKING_SECONDS_MAX
) -> list[Diagnosis]:
    """The results of everything that is planned, looked at at once."""
    async with open_eyes(config) as eyes:
        found = await asyncio.gather(*(_finished(one, eyes, seconds_max) for one in looks))
    return [diagnosis for some in found for diagnosis in some]


async def examine_records(config: Config, known: Facts) -> Diagnoses:
    """What `check dns` finds; while there are no keys, why it was not looked at. Raises DiskFailed."""
    try:
        return await examine_dns(config, known)
    except KeyFault as fault:
        text = f"DNS was not looked at, since its records hold the keys: {fault}."
        remedy = "secondpost serve makes them when it starts"
        return (Diagnosis(Check.SIGNING_KEYS, "", Grade.NOTE, text, remedy),)


async def _finished(look: Planned, eyes: Eyes, seconds_max: float) -> Diagnoses:
    try:
        async with asyncio.timeout(seconds_max):
            return await drive(look.looking, eyes.answer)
    except TimeoutError:
        text = f"It was not looked at to the end: no answer came in {seconds_max:g} seconds."
        return (Diagnosis(look.check, look.subject, Grade.NOTE, text, "look again later"),)


@asynccontextmanager
async def open_eyes(config: Config) -> AsyncIterator[Eyes]:
    resolver, net, work = RealResolver(config.dns.servers, RealDice()), RealNet(), RealWork()
    private = config.fetch.allow_private
    blogs = RealFetcher(resolver, allow_private=private, total_seconds=FETCH_SECONDS_MAX)
    pages = RealFetcher(resolver, allow_private=True, total_seconds=FETCH_SECONDS_MAX)
    eyes = Eyes(net, resolver, pages, pages, FeedFetching(blogs, parse_in_line(work)), config.hostname.name)
    try:
        yield eyes
    finally:
        for visiting in eyes.visits.values():
            visiting.cancel()
        resolver.close()
        net.close()
        work.close()
