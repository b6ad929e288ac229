"""The wiring, top to bottom like the drawing in docs/flow.md: which station is given what.

A role is a world, a store and the stations that work in it. The world is the real one here; simulation/
hands in another. This and processes are the only modules that know the real things by name.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

from starlette.applications import Starlette

from secondpost.compose.confirmation import ConfirmationComposer
from secondpost.config.recipients import read_recipients
from secondpost.config.records import Config, Newsletter
from secondpost.deliver.assemble import OwnAddresses, ReaderKeys
from secondpost.deliver.learning import Learning
from secondpost.deliver.loop import DeliverLoop
from secondpost.deliver.post import Post
from secondpost.deliver.readers import Readers
from secondpost.deliver.settling import Settler
from secondpost.deliver.stock import StockAlarm, fillings
from secondpost.mail.delivery import Claimed
from secondpost.mail.envelope import Lane
from secondpost.mail.issue_content import IssueContent
from secondpost.mail.queue_id import QueueIds
from secondpost.maillog import MailLog, Sink
from secondpost.newsletter.fetching import FeedFetching
from secondpost.newsletter.links import canonical
from secondpost.newsletter.publish import Publisher
from secondpost.newsletter.reading import FeedReading
from secondpost.newsletter.render import DigestRenderer
from secondpost.protocols.issue_mail import SEED_OCTETS
from secondpost.protocols.tokens import KeyRing
from secondpost.receive.body import CONTENT_FOLDER
from secondpost.receive.knowledge import RecipientKnowledge
from secondpost.receive.listener import Listener
from secondpost.receive.lists import RecipientLists
from secondpost.receive.reception import Reception
from secondpost.route.destination import ourselves
from secondpost.store.newsletter_ports import LeadershipLost
from secondpost.store.ports import Claims, Desk, MailStore, StoreFull, StoreUnavailable
from secondpost.store.sqlite import SqliteStore
from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from secondpost.store.subscriber_ports import NewsletterStore
from secondpost.subscribers.signup import SignUps
from secondpost.web.app import make_app
from secondpost.world.asking import names_from
from secondpost.world.feed_socket import FeedAnswerer, FeedAsker, Look
from secondpost.world.ports import Clock, Dice, Disk, Fetcher, Listening, Net, Resolver, Work
from secondpost.world.real_clock import RealClock
from secondpost.world.real_dice import RealDice
from secondpost.world.real_disk import RealDisk
from secondpost.world.real_dns import RealResolver
from secondpost.world.real_fetch import RealFetcher
from secondpost.world.real_files import file_stamp
from secondpost.world.real_local import hint_once
from secondpost.world.real_net import RealNet
from secondpost.world.real_work import RealWork
from secondpost.world.role_socket import RoleAnswerer, RoleAsker
from secondpost.world.steady_clock import SteadyClock

QUESTIONS = "deliver.socket"  # where the deliver role answers
FEEDS = "fetch.socket"  # where the fetch role answers
PUBLISH = "publish"  # what one process at a time leads
TURN_SECONDS = 2.0
HINTS = "deliver.hints"  # where it hears that there is mail
WRITE_AHEAD_LOG = "mail.db-wal"
CHECKPOINT_SECONDS = 1.0
PRUNE_SECONDS = 60.0
STOCK_SECONDS = 30.0
HISTORY_MS = 14 * 86_400_000  # how long `trace` remembers what has ended


@dataclass(frozen=True, slots=True)
class World:
    clock: Clock
    dice: Dice
    net: Net
    resolver: Resolver
    work: Work
    disk: Disk


class Background:
    """Tasks that are seen through by themselves. One that fails takes its role down: `failed` is told."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()


def free_octets(disk: Disk, reserve: int) -> int:
    """What the disk has beyond the reserve; may be negative. What lies in the write-ahead log will be
    written a second time when it moves into the database, so its room is spoken for.
    """
    return disk.free_octets() - disk.size(WRITE_AHEAD_LOG) - reserve


class Hinter:
    """Tells the deliver role that there is mail, once for all that arrived in one turn of the loop."""

    def __init__(self, net: Net, path: str) -> None:
        self._net = net
        self._path = path
        self._is_due = False

    def arrived(self) -> None:
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._hint)

    def _hint(self) -> None:
        self._is_due = False
        self._net.hint(self._path)


@dataclass(frozen=True, slots=True)
class NewsletterDelivery:
    """What the deliver role needs for mail to readers."""

    store: NewsletterStore
    keys: ReaderKeys


class Confirmations:
    """Composes the mail that asks a reader to confirm, at its delivery."""

    def __init__(self, config: Config, store: NewsletterStore) -> None:
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


def publisher_of(
    config: Config, clock: Clock, dice: Dice, store: NewsletterStore, log: MailLog, look: Look
) -> Publisher:
    """`look` asks the fetch role, or plays it."""

    def feed_title(newsletter: Newsletter) -> str:
        return store.feed(newsletter.name, newsletter.feeds[0]).title

    own = tuple(
        canonical(f"{config.web.url}/{newsletter.name}/feed.xml") for newsletter in config.newsletters
    )
    renderer = DigestRenderer(config.web, dice, feed_title)
    reading = FeedReading(store, clock, look, own if config.web.url is not None else ())
    return Publisher(reading, store, clock, QueueIds(store.worker), renderer.compose, log.alarm)


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
        """Led for one turn only, so that a command of the owner can lead between two."""
        leader = await self._store.lead(PUBLISH)
        if leader is None:
            return
        try:
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


def public_pages(config: Config, world: World, store: NewsletterStore, links: KeyRing) -> Starlette:
    """What the web role serves."""
    hinter = Hinter(world.net, world.disk.path(HINTS))
    sign_ups = SignUps(store, world.clock, QueueIds(store.worker), hinter.arrived)
    return make_app(config, store, links, sign_ups, world.clock)


class ReceiveRole:
    """SMTP in."""

    def __init__(
        self,
        config: Config,
        world: World,
        store: MailStore,
        sink: Sink,
        failed: Callable[[BaseException], None],
    ) -> None:
        log = MailLog(sink)
        self._world = world
        self._background = Background(failed)
        lists = RecipientLists(config, world.clock, log, file_stamp, read_recipients)
        asker = RoleAsker(world.net, world.disk.path(QUESTIONS))
        knowledge = RecipientKnowledge(store, world.clock, asker.knows)
        self._listener = Listener(
            Reception(
                config=config,
                clock=world.clock,
                net=world.net,
                disk=world.disk,
                work=world.work,
                intake=store,
                ids=QueueIds(store.worker),
                log=log,
                answerer=knowledge.answer,
                recipients=lists.domains,
                free=partial(free_octets, world.disk, config.reserve),
                arrived=Hinter(world.net, world.disk.path(HINTS)).arrived,
                failed=failed,
                background=self._background.run,
            )
        )

    @property
    def doors(self) -> tuple[Listening, ...]:
        return self._listener.doors

    async def start(self) -> None:
        self._world.disk.make_folder(CONTENT_FOLDER)
        await self._listener.open()

    async def drain(self) -> None:
        await self._listener.drain()
        self._background.cancel()


class DeliverRole:
    """SMTP out, and the housekeeping of the store."""

    def __init__(
        self,
        config: Config,
        world: World,
        store: MailStore,
        sink: Sink,
        failed: Callable[[BaseException], None],
        newsletter: "NewsletterDelivery | None" = None,
    ) -> None:
        self._log = MailLog(sink)
        # Never behind the clock by which mail arrives, and never stepping back: see the receive role, whose
        # times are the wall's.
        self._clock = SteadyClock(world.clock)
        self._config = config
        self._world = world
        self._store = store
        self._stock = StockAlarm(self._log)
        self._background = Background(failed)
        self._loop = DeliverLoop(self._post(store, None), (Lane.RELAY, Lane.OWN))
        self._reader_loop: DeliverLoop | None = None
        if newsletter is not None:
            own = OwnAddresses(config.web.url, config.bounces)
            readers = Readers(
                newsletter.store,
                newsletter.keys,
                own,
                world.work,
                self._log,
                Confirmations(config, newsletter.store).content,
                self._background.run,
            )
            post = self._post(newsletter.store, readers)
            self._reader_loop = DeliverLoop(post, (Lane.OWN, Lane.ISSUES))
        self._answerer = RoleAnswerer(self._loop.probe.knows, self._background.run)
        self._doors: list[Listening] = []

    def _post(self, store: Claims, readers: Readers | None) -> Post:
        """What delivering from one of the two stores needs."""
        config, world = self._config, self._world
        return Post(
            config=config,
            clock=self._clock,
            dice=world.dice,
            net=world.net,
            disk=world.disk,
            work=world.work,
            claims=store,
            settler=Settler(store, self._log),
            learning=Learning(config, store, self._log),
            readers=readers,
            log=self._log,
            answerer=names_from(world.resolver),
            us=ourselves(config, world.net.own_addresses()),
            background=self._background.run,
        )

    def _hinted(self) -> None:
        self._loop.hinted()
        if self._reader_loop is not None:
            self._reader_loop.hinted()

    async def start(self) -> None:
        disk, net = self._world.disk, self._world.net
        self._doors.append(await net.listen_hints(disk.path(HINTS), self._hinted))
        self._doors.append(await self._answerer.open(net, disk.path(QUESTIONS)))
        await self._loop.start()
        if self._reader_loop is not None:
            await self._reader_loop.start()
        self._background.run(self._every(CHECKPOINT_SECONDS, self._checkpoint))
        self._background.run(self._every(PRUNE_SECONDS, self._prune))
        self._background.run(self._every(STOCK_SECONDS, self._look_at_stock))

    async def _every(self, seconds: float, work: Callable[[], Coroutine[None, None, None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except (StoreUnavailable, StoreFull) as error:
                self._log.alarm("housekeeping-waits", str(error))

    async def _checkpoint(self) -> None:
        await self._store.checkpoint()

    async def _look_at_stock(self) -> None:
        free = free_octets(self._world.disk, self._config.reserve)
        self._stock.look(fillings(self._config, self._store.counts(), free))

    async def _prune(self) -> None:
        while await self._store.prune(self._clock.now_ms() - HISTORY_MS) > 0:
            pass

    async def drain(self) -> None:
        for door in self._doors:
            door.close()
        await self._loop.drain()
        if self._reader_loop is not None:
            await self._reader_loop.drain()
        self._background.cancel()


@dataclass(frozen=True, slots=True)
class OpenDesk:
    desk: Desk
    clock: Clock
    changed: Callable[[], None]  # tell whoever delivers that there may be something due


@asynccontextmanager
async def open_desk(config: Config) -> AsyncIterator[OpenDesk]:
    """The owner's view of the store, service or not. Raises StoreRefused."""
    clock, work, store_disk = RealClock(), RealWork(), RealDisk(config.store)
    try:
        # What fails is raised where it was asked for; a command has no other work to stop.
        store = SqliteStore.open_desk(store_disk, work, clock, failed=lambda error: None)
        try:
            yield OpenDesk(store, clock, lambda: hint_once(store_disk.path(HINTS)))
        finally:
            store.close()
    finally:
        work.close()


@dataclass(frozen=True, slots=True)
class OpenNewsletter:
    store: NewsletterStore
    clock: Clock
    publisher: Publisher
    sign_ups: SignUps


@asynccontextmanager
async def open_newsletter(config: Config) -> AsyncIterator[OpenNewsletter]:
    """The owner's view of the newsletter, service or not; feeds are fetched here. Raises StoreRefused."""
    clock, work, dice = RealClock(), RealWork(), RealDice()
    disk, net = RealDisk(config.store), RealNet()
    try:
        # A command enters as a worker, since it may lead for a moment.
        store = SqliteNewsletterStore.open(disk, work, clock, role="command", failed=lambda error: None)
        try:
            resolver = RealResolver(config.dns.servers, dice)
            fetcher = RealFetcher(resolver, allow_private=config.fetch.allow_private)
            look = FeedFetching(fetcher, work).look
            sign_ups = SignUps(store, clock, QueueIds(store.worker), Hinter(net, disk.path(HINTS)).arrived)
            # What an alarm would say, the command says itself.
            log = MailLog(lambda line: None)
            publisher = publisher_of(config, clock, dice, store, log, look)
            yield OpenNewsletter(store, clock, publisher, sign_ups)
        finally:
            net.hint(disk.path(HINTS))
            store.close()
    finally:
        work.close()
        net.close()
