"""The wiring of the newsletter: who fetches, who publishes, who shows pages, and what a command is given.

The deliver role, which carries its mail, is wired in app beside the mail that it carries too. What is large
and needed by one role alone is imported where it is used: five processes have it in memory otherwise.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING

from secondpost.app import HINTS, Background, World
from secondpost.config.records import Config, Newsletter
from secondpost.mail.delivery import Claimed
from secondpost.mail.issue_content import IssueContent
from secondpost.mail.queue_id import QueueIds
from secondpost.maillog import MailLog, Sink
from secondpost.newsletter.links import canonical
from secondpost.newsletter.publish import Publisher
from secondpost.newsletter.reading import FeedReading
from secondpost.newsletter.renaming import finish_renames
from secondpost.policy.recipient import own_domains
from secondpost.protocols.mime.issue_mail import SEED_OCTETS
from secondpost.protocols.tokens import KeyRing
from secondpost.setup.dns_records import DkimKey, Examined, examine
from secondpost.store.naming_ports import FormerName, KnownNewsletter
from secondpost.store.newsletter_ports import LeadershipLost
from secondpost.store.ports import COMMAND, StoreFull, StoreRefused, StoreUnavailable
from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from secondpost.store.sqlite.schema import Database
from secondpost.store.subscriber_ports import NewsletterStore
from secondpost.subscribers.signup import CrowdLog, SignUps
from secondpost.world.asking import drive, names_from
from secondpost.world.ports import Clock, Dice, Fetcher, Listening
from secondpost.world.real.clock import RealClock
from secondpost.world.real.dice import RealDice
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.keys import dkim_records
from secondpost.world.real.net import RealNet
from secondpost.world.real.work import SWITCH_SECONDS, RealWork
from secondpost.world.sockets.feeds import FeedAnswerer, FeedAsker, Look
from secondpost.world.sockets.hints import Hinter

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from secondpost.newsletter.render import DigestRenderer

FEEDS = "fetch.socket"  # where the fetch role answers
PUBLISH = "publish"  # what one process at a time leads
TURN_SECONDS = 2.0


class Confirmations:
    """Composes the mail that asks a reader to confirm, at its delivery."""

    def __init__(self, config: Config, store: NewsletterStore) -> None:
        from secondpost.compose.confirmation import ConfirmationComposer

        self._config = config
        self._store = store
        self._composer = ConfirmationComposer()

    def content(self, claimed: Claimed) -> IssueContent:
        """The same for the same row, so that its Message-ID is too. Raises LookupError."""
        subscriber = self._store.subscriber(claimed.subscriber) if claimed.subscriber is not None else None
        newsletter = None if subscriber is None else newsletter_named(self._config, subscriber.newsletter)
        if newsletter is None:
            raise LookupError(f"{claimed.id} belongs to no newsletter of {self._config.path}")
        seed = sha256(f"confirmation {claimed.id}".encode()).digest()[:SEED_OCTETS]
        title = self._store.feed(newsletter.name, newsletter.feeds[0]).title
        return self._composer.content(newsletter, self._config.web, title, claimed.arrived_ms, seed)


def newsletter_named(config: Config, name: str) -> Newsletter | None:
    for newsletter in config.newsletters:
        if newsletter.name == name:
            return newsletter
    return None


def renderer_of(config: Config, dice: Dice, store: NewsletterStore) -> "DigestRenderer":
    from secondpost.newsletter.render import DigestRenderer

    def feed_title(newsletter: Newsletter) -> str:
        return store.feed(newsletter.name, newsletter.feeds[0]).title

    return DigestRenderer(config.web, dice, feed_title)


def publisher_of(
    config: Config, clock: Clock, dice: Dice, store: NewsletterStore, log: MailLog, look: Look
) -> Publisher:
    """`look` asks the fetch role, or plays it."""

    own = tuple(
        canonical(f"{config.web.url}/{newsletter.name}/feed.xml") for newsletter in config.newsletters
    )
    renderer = renderer_of(config, dice, store)
    reading = FeedReading(store, clock, look, own if config.web.url is not None else ())
    return Publisher(reading, store, clock, QueueIds(store.worker), renderer.compose, log)


class PublishRole:
    """From the feeds to issues, and every issue to its end. No network: it asks the fetch role."""

    def __init__(
        self,
        config: Config,
        world: World,
        store: NewsletterStore,
        sink: Sink,
        failed: Callable[[BaseException], None],
    ) -> None:
        self._config = config
        self._world = world
        self._store = store
        self._log = MailLog(sink)
        self._background = Background(failed)
        asker = FeedAsker(world.net, world.disk.path(FEEDS))
        self._publisher = publisher_of(config, world.clock, world.dice, store, self._log, asker.look)

    async def start(self) -> None:
        self._background.run(self._turns())

    async def _turns(self) -> None:
        while True:
            try:
                await self._turn()
            except (StoreUnavailable, StoreFull, LeadershipLost) as error:
                self._log.alarm("publish-waits", f"{type(error).__name__} {error}")
            await asyncio.sleep(TURN_SECONDS)

    async def _turn(self) -> None:
        """Led for one turn only, and not while the feeds are looked at, so that a command of the owner can
        lead between two.
        """
        for newsletter in self._config.newsletters:
            await self._publisher.look(newsletter)
        leader = await self._store.lead(PUBLISH)
        if leader is None:
            return
        try:
            await finish_renames(self._store, leader)
            for newsletter in self._config.newsletters:
                await self._publisher.turn(newsletter, leader)
            await self._publisher.go_on(self._config.newsletters, leader)
        finally:
            await self._store.give_back(leader)
        self._world.net.hint(self._world.disk.path(HINTS))

    async def drain(self) -> None:
        self._background.cancel()


class FetchRole:
    """All that is fetched from the web, and where its hostile documents are read. No store."""

    def __init__(
        self,
        world: World,
        fetcher: Fetcher,
        failed: Callable[[BaseException], None],
    ) -> None:
        from secondpost.newsletter.fetching import FeedFetching

        self._world = world
        self._background = Background(failed)
        self._answerer = FeedAnswerer(FeedFetching(fetcher, world.work).look, self._background.run)
        self._doors: list[Listening] = []

    async def start(self) -> None:
        self._doors.append(await self._answerer.open(self._world.net, self._world.disk.path(FEEDS)))

    async def drain(self) -> None:
        for door in self._doors:
            door.close()
        self._background.cancel()


def public_pages(
    config: Config, world: World, store: NewsletterStore, links: KeyRing, log: MailLog
) -> "Starlette":
    """What the web role serves."""
    from secondpost.web.app import make_app

    hinter = Hinter(partial(world.net.hint, world.disk.path(HINTS)))
    own, ids = own_domains(config).names, QueueIds(store.worker)
    sign_ups = SignUps(store, world.clock, ids, hinter.arrived, own, CrowdLog(log).met)
    return make_app(config, store, links, sign_ups, world.clock)


async def examine_dns(config: Config) -> tuple[Examined, ...]:
    """What DNS must say, and does. Raises KeyFault while there are no keys."""
    keys = tuple(DkimKey(record.selector, record.text) for record in dkim_records(config.store, config.dkim))
    resolver = RealResolver(config.dns.servers, RealDice())
    try:
        return await drive(examine(config, keys), names_from(resolver))
    finally:
        resolver.close()


@dataclass(frozen=True, slots=True)
class NamesInStore:
    """What the store knows and the file does not name, and renames that are not done."""

    left_behind: tuple[KnownNewsletter, ...]
    half_renamed: tuple[FormerName, ...]
    unused: tuple[str, ...] | None  # newsletters of the file without readers and issues; None: it has none


NOTHING_LEFT_BEHIND = NamesInStore((), (), ())


def has_newsletter_store(config: Config) -> bool:
    return os.path.exists(os.path.join(config.store, Database.NEWSLETTER.file_name))


def names_in_store(config: Config, store: NewsletterStore) -> NamesInStore:
    known = store.left_behind(())
    named = [newsletter.name for newsletter in config.newsletters]
    used = {one.name for one in known if one.active + one.issues > 0}
    left_behind = [one for one in known if one.name not in named]
    half = [former for former in store.former_names() if not former.is_done]
    moving = {former.name for former in half}
    return NamesInStore(
        tuple(one for one in left_behind if one.name not in moving),
        tuple(half),
        tuple(name for name in named if name not in used) if len(named) > 0 else None,
    )


def look_at_names(config: Config) -> NamesInStore:
    """Without bringing the store up to date: one that is not there, or is older, knows no names. Raises what
    opening a store raises, but not StoreRefused.
    """
    if not has_newsletter_store(config):
        return NOTHING_LEFT_BEHIND
    work = RealWork()
    try:
        disk, clock = RealDisk(config.store), RealClock()
        try:
            store = SqliteNewsletterStore.open_desk(disk, work, clock, failed=lambda error: None)
        except StoreRefused:
            return NOTHING_LEFT_BEHIND
        try:
            return names_in_store(config, store)
        finally:
            store.close()
    finally:
        work.close()


@dataclass(frozen=True, slots=True)
class OpenNewsletter:
    store: NewsletterStore
    clock: Clock
    publisher: Publisher
    renderer: "DigestRenderer"
    sign_ups: SignUps


@asynccontextmanager
async def open_newsletter(config: Config) -> AsyncIterator[OpenNewsletter]:
    """The owner's view of the newsletter, service or not. Feeds are fetched by the fetch role, and where none
    is running, here. Raises StoreRefused.
    """
    from secondpost.newsletter.fetching import FeedFetching
    from secondpost.world.real.fetch import RealFetcher

    sys.setswitchinterval(SWITCH_SECONDS)
    clock, work, dice = RealClock(), RealWork(), RealDice()
    disk, net = RealDisk(config.store), RealNet()
    try:
        # A command enters as a worker, since it may lead for a moment.
        store = SqliteNewsletterStore.open(disk, work, clock, role=COMMAND, failed=lambda error: None)
        try:
            resolver = RealResolver(config.dns.servers, dice)
            fetcher = RealFetcher(resolver, allow_private=config.fetch.allow_private)
            asker = FeedAsker(net, disk.path(FEEDS), FeedFetching(fetcher, work).look)
            # What an alarm would say, the command says itself.
            log = MailLog(lambda line: None)
            # The one hint at the end is enough: a later turn of the loop would find the net closed.
            own, ids = own_domains(config).names, QueueIds(store.worker)
            sign_ups = SignUps(store, clock, ids, lambda: None, own, CrowdLog(log).met)
            publisher = publisher_of(config, clock, dice, store, log, asker.look)
            yield OpenNewsletter(store, clock, publisher, renderer_of(config, dice, store), sign_ups)
        finally:
            net.hint(disk.path(HINTS))
            store.close()
    finally:
        work.close()
        net.close()
