"""The wiring, top to bottom like the drawing in docs/flow.md: which station is given what.

A role is a world, a store and the stations that work in it. The world is the real one here; simulation/
hands in another. This and processes are the only modules that know the real things by name.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from secondpost.bounce.intake import BounceIntake
from secondpost.config.recipients import read_recipients
from secondpost.config.records import Config
from secondpost.deliver.assemble import OwnAddresses, ReaderKeys
from secondpost.deliver.entrances import Entrances
from secondpost.deliver.inside import InsideDoor, nobody
from secondpost.deliver.learning import Learning
from secondpost.deliver.loop import DeliverLoop
from secondpost.deliver.makers import Makers
from secondpost.deliver.making import MailMaker
from secondpost.deliver.places import UpLately
from secondpost.deliver.post import Post
from secondpost.deliver.primaries import Primaries
from secondpost.deliver.readers import Readers
from secondpost.deliver.refusal_budget import RefusalBudgets
from secondpost.deliver.refused import RefusedMail
from secondpost.deliver.settling import Settler
from secondpost.deliver.stock import StockAlarm, fillings
from secondpost.mail.address import Mailbox
from secondpost.mail.daily import day_of
from secondpost.mail.delivery import Claimed
from secondpost.mail.envelope import Lane
from secondpost.mail.issue_content import IssueContent
from secondpost.mail.questions import Knowledge
from secondpost.mail.queue_id import QueueId, QueueIds
from secondpost.maillog import MailLog, Sink
from secondpost.policy.recipient import own_domains
from secondpost.receive.body import CONTENT_FOLDER
from secondpost.receive.disk_room import DiskRoom
from secondpost.receive.knowledge import KNOWN_KEPT_MS, UNKNOWN_FRESH_MS, RecipientKnowledge
from secondpost.receive.listener import Listener
from secondpost.receive.lists import RecipientLists
from secondpost.receive.offers import PrimaryOffers
from secondpost.receive.proven import PROVEN_MS
from secondpost.receive.reception import Reception
from secondpost.receive.refusals import WRITE_SECONDS, RefusalTally
from secondpost.receive.unverified import UnverifiedMail
from secondpost.route.destination import ourselves
from secondpost.spool.accept import Acceptance
from secondpost.store.owner_ports import Desk
from secondpost.store.ports import Claims, MailStore, StoreFull, StoreUnavailable
from secondpost.store.sqlite import SqliteStore
from secondpost.store.subscriber_ports import NewsletterStore
from secondpost.subscribers.leave import ReadersDesk
from secondpost.subscribers.signup import CrowdLog, SignUps
from secondpost.subscribers.writing import ReadersWriting
from secondpost.world.asking import names_from
from secondpost.world.ports import Clock, Dice, Disk, DiskFailed, Listening, Net, Resolver, Work, Workshop
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.files import file_stamp
from secondpost.world.real.local import hint_once
from secondpost.world.real.work import RealWork
from secondpost.world.sockets.hints import Hinter
from secondpost.world.sockets.questions import RoleAnswerer, RoleAsker
from secondpost.world.steady_clock import SteadyClock

QUESTIONS = "deliver.socket"  # where the deliver role answers
HINTS = "deliver.hints"  # where it hears that there is mail
WRITE_AHEAD_LOGS = ("mail.db-wal", "newsletter.db-wal")
CHECKPOINT_SECONDS = 1.0
CHECKPOINT_SECONDS_BUSY = 0.25
PRUNE_SECONDS = 60.0
CATCH_ALL_SECONDS = 60.0
REFUSED_SECONDS = 60.0
STOCK_SECONDS = 30.0
DAY_MS = 86_400_000
LEARNED_MAX = 200_000  # recipients; guesses bring more than people do
HISTORY_MS = 14 * DAY_MS  # how long `trace` remembers what has ended
PRIMARY_MS = 31 * DAY_MS  # what is known of a primary that nothing leads to any more
PENDING_MS = 14 * DAY_MS  # how long somebody may take to confirm
ISSUE_ROWS_MS = 365 * DAY_MS  # how long it is remembered what became of each reader of an issue


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
    """What the disk has beyond the reserve; may be negative. What lies in the write-ahead logs will be
    written a second time when it moves into the databases, so its room is spoken for.
    """
    spoken_for = sum(disk.size(log) for log in WRITE_AHEAD_LOGS)
    return disk.free_octets() - spoken_for - reserve


@dataclass(frozen=True, slots=True)
class NewsletterDelivery:
    """What the deliver role needs for mail to readers."""

    store: NewsletterStore
    keys: ReaderKeys
    confirmation: Callable[[Claimed], IssueContent]
    workshop: Workshop | None = None  # where mails are made; None: in threads of the role


def own_addresses(config: Config) -> OwnAddresses:
    return OwnAddresses(config.web.url, config.bounces)


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
        log = MailLog(sink, config.bounces)
        self._world = world
        self._background = Background(failed)
        lists = RecipientLists(config, world.clock, log, file_stamp, read_recipients)
        self._refusals = RefusalTally(
            frozenset(backup.domain for backup in config.backups), store, world.clock
        )
        self._asker = RoleAsker(world.net, world.disk.path(QUESTIONS))
        knowledge = RecipientKnowledge(store, world.clock, self._asker.knows)
        free = DiskRoom(partial(self._free_octets, config.reserve, failed), world.clock).free
        hinter = Hinter(partial(world.net.hint, world.disk.path(HINTS)))
        self._listener = Listener(
            Reception(
                config=config,
                clock=world.clock,
                net=world.net,
                disk=world.disk,
                work=world.work,
                intake=store,
                spool=Acceptance(store, world.disk, world.work, log, hinter.arrived),
                ids=QueueIds(store.worker),
                log=log,
                answerer=knowledge.answer,
                unverified=UnverifiedMail(store, world.clock, free),
                recipients=lists.domains,
                own=own_domains(config),
                offers=PrimaryOffers(config, store, world.clock),
                refusals=self._refusals,
                free=free,
                failed=failed,
                background=self._background.run,
            )
        )

    def _free_octets(self, reserve: int, failed: Callable[[BaseException], None]) -> int:
        """None when the disk cannot even be asked: then the role ends."""
        try:
            return free_octets(self._world.disk, reserve)
        except DiskFailed as error:
            failed(error)
            return 0

    @property
    def doors(self) -> tuple[Listening, ...]:
        return self._listener.doors

    async def start(self) -> None:
        self._world.disk.make_folder(CONTENT_FOLDER)
        await self._listener.open()
        self._background.run(self._write_refusals())

    async def _write_refusals(self) -> None:
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            await self._refusals.write()

    async def drain(self) -> None:
        await self._listener.drain()
        await self._refusals.write()
        self._asker.close()
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
        self._log = MailLog(sink, config.bounces)
        # Never behind the clock by which mail arrives, and never stepping back: see the receive role, whose
        # times are the wall's.
        self._clock = SteadyClock(world.clock)
        self._config = config
        self._world = world
        self._store = store
        self._reader_store = None if newsletter is None else newsletter.store
        self._stock = StockAlarm(self._log)
        free = partial(free_octets, world.disk, config.reserve)
        self._refused = RefusedMail(config, store, self._clock, self._log, free)
        self._background = Background(failed)
        self._entrances = Entrances(config.deliver.connections_per_site)
        self._up_lately = UpLately()
        self._inside: InsideDoor | None = None
        self._reader_loop: DeliverLoop | None = None
        if newsletter is not None:
            self._inside = self._inside_door(newsletter)
            maker = MailMaker(newsletter.keys, own_addresses(config))
            readers = Readers(
                newsletter.store,
                Makers(maker, world.work, newsletter.workshop, lambda: self._loop.has_work),
                self._log,
                newsletter.confirmation,
                config.send.allows,
                self._background.run,
            )
            post = self._post(newsletter.store, readers)
            self._reader_loop = DeliverLoop(post, (Lane.OWN, Lane.ISSUES))
        self._loop = DeliverLoop(self._post(store, None), (Lane.RELAY, Lane.UNVERIFIED, Lane.OWN))
        self._answerer = RoleAnswerer(self._knows, self._background.run)
        self._doors: list[Listening] = []

    def _inside_door(self, newsletter: NewsletterDelivery) -> InsideDoor:
        """What becomes of mail to ourselves, by the stations whose matter it is."""
        config, world, readers = self._config, self._world, newsletter.store
        came_back = BounceIntake(readers, readers, self._clock, world.work).came_back
        sign_ups = SignUps(
            readers,
            self._clock,
            QueueIds(readers.worker),
            self._hinted,
            own_domains(config).names,
            CrowdLog(self._log).met,
        )
        writing = ReadersWriting(sign_ups, ReadersDesk(readers, self._clock), config.bounces)
        return InsideDoor(
            bounces=config.bounces,
            keys=newsletter.keys.addresses,
            caller_of=self._caller_of,
            came_back=came_back,
            leaves=writing.leaves,
            confirms=writing.confirms,
            joins=writing.joins,
            now_named=self._now_named,
        )

    def _now_named(self, name: str) -> str | None:
        named = [newsletter.name for newsletter in self._config.newsletters]
        if name in named or self._reader_store is None:
            return name if name in named else None
        now = self._reader_store.now_named(name)
        return now if now in named else None

    def _caller_of(self, id: QueueId) -> str:
        message = self._store.message(id)
        return "" if message is None else message.peer_address

    async def _knows(self, mailbox: Mailbox, network: str) -> Knowledge:
        """Of our own addresses we know ourselves; of all others the primary does."""
        if mailbox.domain != self._config.bounces:
            return await self._loop.recipients.knows(mailbox, network)
        return Knowledge.UNKNOWN if self._inside is None else self._inside.knows(mailbox)

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
            budgets=RefusalBudgets(),
            primaries=Primaries(config, store, self._clock, self._log, self._background.run),
            readers=readers,
            inside=self._inside.take if readers is None and self._inside is not None else nobody,
            log=self._log,
            answerer=names_from(world.resolver),
            us=ourselves(config, world.net.own_addresses()),
            entrances=self._entrances,
            up_lately=self._up_lately,
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
        self._background.run(self._every(CATCH_ALL_SECONDS, self._loop.recipients.look_for_catch_alls))
        self._background.run(self._every(REFUSED_SECONDS, self._refused.end))
        self._background.run(self._every(STOCK_SECONDS, self._look_at_stock))

    async def _every(self, seconds: float, work: Callable[[], Coroutine[None, None, None]]) -> None:
        while True:
            await asyncio.sleep(seconds)
            try:
                await work()
            except (StoreUnavailable, StoreFull) as error:
                self._log.alarm("housekeeping-waits", str(error))

    async def _checkpoint(self) -> None:
        """Much is copied in many small pieces: a large one delays every sync of the disk."""
        while await self._copy_logs() > 0:
            await asyncio.sleep(CHECKPOINT_SECONDS_BUSY)

    async def _copy_logs(self) -> int:
        copied = await self._store.checkpoint()
        return copied if self._reader_store is None else copied + await self._reader_store.checkpoint()

    async def _look_at_stock(self) -> None:
        free = free_octets(self._world.disk, self._config.reserve)
        self._stock.look(fillings(self._config, self._store.counts(), free))

    async def _prune(self) -> None:
        now_ms = self._clock.now_ms()
        while await self._store.prune(now_ms - HISTORY_MS) > 0:
            pass
        while await self._store.forget_learned(now_ms - KNOWN_KEPT_MS, now_ms - UNKNOWN_FRESH_MS) > 0:
            pass
        while await self._store.bound_learned(LEARNED_MAX) > 0:
            pass
        while await self._store.forget_prefixes(now_ms - PROVEN_MS) > 0:
            pass
        await self._store.forget_primaries(now_ms - PRIMARY_MS)
        await self._store.forget_days(day_of(now_ms - HISTORY_MS))
        if self._reader_store is not None:
            await forget_readers(self._reader_store, now_ms)

    async def drain(self) -> None:
        for door in self._doors:
            door.close()
        await self._loop.drain()
        if self._reader_loop is not None:
            await self._reader_loop.drain()
        self._background.cancel()


async def forget_readers(store: NewsletterStore, now_ms: int) -> None:
    """Whoever never confirmed, confirmations of long ago, and each reader's part in issues of long ago."""
    while await store.prune(now_ms - HISTORY_MS) > 0:
        pass
    while await store.forget_pending(now_ms - PENDING_MS) > 0:
        pass
    while await store.forget_rows(now_ms - ISSUE_ROWS_MS) > 0:
        pass


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
