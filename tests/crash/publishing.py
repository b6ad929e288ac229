"""newsletter.db in use on a recorded disk: an issue to nine readers.

Recorded with its position in the log is each step, each promise, and each mail that a reader's
server accepted.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from secondpost.mail.address import Mailbox
from secondpost.mail.article import Article
from secondpost.mail.article_states import ArticleState
from secondpost.mail.delivery import Claimed, State
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import DigestDraft, IssueId, IssueState
from secondpost.mail.plan import UNSORTED
from secondpost.mail.queue_id import QueueIds
from secondpost.mail.subscriber import Consent, SubscriberId, SubscriberState
from secondpost.store.feed_ports import Feed
from secondpost.store.newsletter_ports import (
    FetchRecord,
    NewArticle,
)
from secondpost.store.ports import Lease, Settlement
from secondpost.store.provider_ports import PauseCause, ProviderPause
from secondpost.store.sqlite import SqliteNewsletterStore
from secondpost.store.subscriber_ports import Imported, SignUpLimits
from secondpost.world.ports import Disk
from simulation.disk.disk import RecordedDisk
from tests.clock import SetClock
from tests.crash.stage import clock_of_the_story
from tests.in_line_work import InLineWork

V = TypeVar("V")
WEEKLY = "weekly"
PROVIDER = "google"
FEED = "https://www.example.net/feed.xml"
READERS = 9
BATCH = 2  # readers, or rows
CONTENT = b"what the issue says"


@dataclass(slots=True)
class Done(Generic[V]):
    """A change that may be on the disk from its beginning, and must be from its completion."""

    what: V
    begun: int
    done: int | None = None

    def is_promised(self, upto: int) -> bool:
        return self.done is not None and self.done <= upto


def allowed(steps: Sequence[Done[V]], upto: int) -> tuple[V, ...]:
    """The values that may be found after a cut, if each step replaces the one before."""
    promised = [place for place, step in enumerate(steps) if step.is_promised(upto)]
    first = promised[-1] if len(promised) > 0 else 0
    return tuple(step.what for step in steps[first:] if step.begun <= upto)


def open_newsletter(
    disk: Disk, failed: Callable[[BaseException], None], clock: SetClock
) -> SqliteNewsletterStore:
    return SqliteNewsletterStore.open(disk, InLineWork(), clock, role="publish", failed=failed)


@dataclass(slots=True)
class Publishing:
    """Every verb is a step, from its start until its awaitable is done."""

    disk: RecordedDisk
    store: SqliteNewsletterStore
    clock: SetClock
    failures: list[BaseException]
    ids: QueueIds
    issue: IssueId
    readers: tuple[SubscriberId, ...]
    issue_steps: list[Done[IssueState]] = field(default_factory=list)
    steps: dict[SubscriberId, list[Done[State]]] = field(default_factory=dict)
    accepted: list[Done[SubscriberId]] = field(default_factory=list)  # by the reader's server
    left: list[Done[SubscriberId]] = field(default_factory=list)
    signed_up: list[Done[str]] = field(default_factory=list)
    paused: list[Done[bool]] = field(default_factory=lambda: [Done(False, 0, 0)])  # PROVIDER
    leader: Lease | None = None

    @classmethod
    async def on(cls, disk: RecordedDisk) -> "Publishing":
        """Open it in a place made by `prepare`."""
        failures: list[BaseException] = []
        clock = clock_of_the_story()
        store = open_newsletter(disk, failures.append, clock)
        [issue] = await store.issues_under_way()
        readers = tuple(reader.id for reader in await store.readers(WEEKLY, (), None, 100))
        publishing = cls(disk, store, clock, failures, QueueIds(store.worker), issue.id, readers)
        publishing.issue_steps.append(Done(IssueState.OPEN, 0, 0))
        publishing.steps = {id: [] for id in readers}
        return publishing

    # ---- the issue

    @contextmanager
    def _issue_is(self, state: IssueState) -> Iterator[None]:
        step = Done(state, self.disk.position)
        self.issue_steps.append(step)
        yield
        step.done = self.disk.position

    @contextmanager
    def _readers_are(self, state: State, ids: Sequence[SubscriberId]) -> Iterator[None]:
        steps = [Done(state, self.disk.position) for _ in ids]
        for id, step in zip(ids, steps, strict=True):
            self.steps[id].append(step)
        yield
        for step in steps:
            step.done = self.disk.position

    async def lead(self) -> Lease:
        self.leader = await self.store.lead("publish")
        assert self.leader is not None
        return self.leader

    async def begin_freeze(self) -> None:
        leader = await self.lead()
        # After a crash it is open again.
        with self._issue_is(IssueState.OPEN):
            await self.store.begin_freeze(self.issue, leader)

    async def freeze_batch(self) -> bool:
        assert self.leader is not None
        return (await self.store.freeze_batch(self.issue, self.leader, BATCH)).is_last

    async def freeze(self) -> None:
        await self.begin_freeze()
        await self.freeze_rest()

    async def freeze_rest(self) -> None:
        assert self.leader is not None
        while not await self.freeze_batch():
            pass
        with self._issue_is(IssueState.FROZEN), self._readers_are(State.FROZEN, self.readers):
            await self.store.freeze_done(self.issue, self.leader, self.clock.now_ms())

    async def send(self) -> None:
        with self._issue_is(IssueState.SENDING):
            assert await self.store.start(self.issue, self.clock.now_ms())
        with self._readers_are(State.WAITING, self.readers):
            while await self.store.send_batch(self.issue, self.clock.now_ms(), BATCH) > 0:
                pass

    async def stop(self) -> None:
        now = self._those(State.FROZEN, State.WAITING, State.HELD)
        with self._issue_is(IssueState.STOPPED), self._readers_are(State.STOPPED, now):
            await self.store.stop(self.issue, self.clock.now_ms(), "enough")

    async def hold(self, lease: Lease, claimed: Sequence[Claimed]) -> None:
        """Hold the issue. The marks of claimed rows are refused from here on, and no row is claimed."""
        with self._issue_is(IssueState.HELD):
            await self.store.hold(self.issue, "a wrong picture")
        with self._readers_are(State.HELD, self.ids_of(claimed)):
            assert await self.store.commit_marks(lease, [one.id for one in claimed]) == frozenset()
        with self._readers_are(State.HELD, self._those(State.WAITING)):
            assert await self.claim(lease, READERS) == []

    async def resume(self) -> None:
        held = self._those(State.HELD)
        with self._issue_is(IssueState.SENDING):
            await self.store.resume(self.issue, self.clock.now_ms())
        with self._readers_are(State.WAITING, held):
            while await self.store.release_batch(self.issue, self.clock.now_ms(), BATCH) > 0:
                pass

    def _those(self, *states: State) -> list[SubscriberId]:
        """The readers whose mail is in one of these states by the last step."""
        return [id for id in self.readers if self.steps[id][-1].what in states]

    async def finish(self) -> None:
        with self._issue_is(IssueState.DONE):
            assert await self.store.finish(self.issue, self.clock.now_ms())

    # ---- deliver

    async def lease(self) -> Lease:
        lease = await self.store.lease(Lane.ISSUES, UNSORTED)
        assert lease is not None
        return lease

    async def claim(self, lease: Lease, limit: int) -> list[Claimed]:
        # Claims of an issue by a dead worker wait again.
        return await self.store.claim(lease, self.clock.now_ms(), limit)

    async def commit(self, lease: Lease, claimed: Sequence[Claimed]) -> None:
        """Mark rows before their final dots; after that the readers' servers accept."""
        ids = self.ids_of(claimed)
        with self._readers_are(State.UNKNOWN, ids):
            hold = await self.store.commit_marks(lease, [one.id for one in claimed])
        assert len(hold) == len(ids)

    def accept(self, claimed: Sequence[Claimed]) -> None:
        here = self.disk.position
        self.accepted += [Done(id, here, here) for id in self.ids_of(claimed)]

    async def settle(self, lease: Lease, claimed: Sequence[Claimed], state: State) -> None:
        now_ms = self.clock.now_ms()
        due_ms = now_ms + HOUR_MS if state is State.WAITING else 0
        cause = "" if state is State.DELIVERED else "recipient"
        settlements = [
            Settlement(one.id, state, now_ms, due_ms=due_ms, cause=cause, host="mx.example", reply="250 ok")
            for one in claimed
        ]
        with self._readers_are(state, self.ids_of(claimed)):
            assert await self.store.settle(lease, settlements) == len(claimed)

    async def pause(self) -> None:
        """The owner pauses the provider."""
        pausing = Done(True, self.disk.position)
        self.paused.append(pausing)
        pause = ProviderPause(PROVIDER, PauseCause.OWNER, self.clock.now_ms(), "wait")
        assert await self.store.pause_provider(pause)
        pausing.done = self.disk.position

    async def unpause(self) -> None:
        going_on = Done(False, self.disk.position)
        self.paused.append(going_on)
        assert await self.store.resume_provider(PROVIDER, PauseCause.OWNER)
        going_on.done = self.disk.position

    def ids_of(self, claimed: Sequence[Claimed]) -> list[SubscriberId]:
        return [one.subscriber for one in claimed if one.subscriber is not None]

    # ---- readers

    async def leave(self, id: SubscriberId) -> None:
        going = Done(id, self.disk.position)
        self.left.append(going)
        assert await self.store.leave(id, self.clock.now_ms(), "one-click")
        going.done = self.disk.position

    async def sign_up(self, address: str) -> None:
        coming = Done(address, self.disk.position)
        self.signed_up.append(coming)
        mailbox, message = Mailbox.parse(address), self.ids.next(self.clock.now_ms())
        consent = Consent("/weekly/", "form", "yes", self.clock.now_ms(), "192.0.2.0/24")
        await self.store.sign_up(WEEKLY, mailbox, consent, message, SignUpLimits())
        coming.done = self.disk.position

    async def die_and_come_back(self) -> None:
        """kill -9 of the only worker; its successor sweeps up after it."""
        successor = self.disk.process()
        self.disk.kill()
        self.disk = successor
        self.store = open_newsletter(successor, self.failures.append, self.clock)
        self.ids = QueueIds(self.store.worker)
        await self.store.sweep()
        await self.store.sweep_freezing()


async def prepare(disk: RecordedDisk) -> None:
    """Nine readers at three domains and an open digest with its content."""
    clock, failures = clock_of_the_story(), list[BaseException]()
    store = open_newsletter(disk, failures.append, clock)
    lines = [Imported(Mailbox.parse(f"r{n}@d{n % 3}.example")) for n in range(READERS)]
    consent = Consent("readers.csv", "import", "on paper", 1)
    await store.import_batch(WEEKLY, lines, SubscriberState.ACTIVE, consent, clock.now_ms())
    told = [
        Article(f"g{n}", f"https://www.example.net/{n}", f"No. {n}", "", "", "", None, f"p{n}")
        for n in (1, 2)
    ]
    new = tuple(NewArticle(each, each.link, ArticleState.WAITING) for each in told)
    await store.record_fetch(FetchRecord(Feed(WEEKLY, FEED), clock.now_ms(), new=new))
    articles = tuple(entry.id for entry in await store.entries(WEEKLY, ArticleState.WAITING, 10))
    message = QueueIds(store.worker).next(clock.now_ms())
    issue = await store.create_digest(DigestDraft(WEEKLY, "first", articles, 2), message, clock.now_ms())
    await store.write_content(issue.id, "News", CONTENT)
    store.close()
    assert failures == []
