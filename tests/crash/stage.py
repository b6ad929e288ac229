"""The store in use on a recorded disk; records the story of every message."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.content import Content, InFile, InTable
from secondpost.mail.delivery import Claimed, KeptFor, State
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.envelope import Arrival, Envelope, Lane, Peer
from secondpost.mail.plan import UNSORTED
from secondpost.mail.queue_id import QUEUE_EPOCH_MS, QueueId, QueueIds, queue_id_text
from secondpost.mail.store_rooms import StoreRoom
from secondpost.receive.body import BodyKeeper
from secondpost.store.ports import Lease, Settlement, StoreFull
from secondpost.store.sqlite import SqliteStore
from secondpost.world.ports import Disk, DiskFailed, DiskFull
from secondpost.world.room_disk import RoomDisk
from simulation.dice import SimDice
from simulation.disk.disk import RecordedDisk
from tests.clock import SetClock
from tests.crash.story import ACCEPTED, CLAIMED, Seen, Step, Story
from tests.in_line_work import InLineWork

T = TypeVar("T")
PIECE_OCTETS = 64 * 1024  # as they come from a socket


def clock_of_the_story() -> SetClock:
    return SetClock(QUEUE_EPOCH_MS + 10 * HOUR_MS, look_ms=1)


def open_store(disk: Disk, failed: Callable[[BaseException], None], clock: SetClock) -> SqliteStore:
    return SqliteStore.open(disk, InLineWork(), clock, role="deliver", failed=failed)


@dataclass(slots=True)
class Stage:
    """Every verb is a step of a story, from its start until its awaitable is done."""

    disk: RecordedDisk
    store: SqliteStore
    clock: SetClock
    failures: list[BaseException]
    ids: QueueIds
    dice: SimDice = field(default_factory=lambda: SimDice("stage"))
    stories: dict[QueueId, Story] = field(default_factory=dict)

    @property
    def mail_disk(self) -> RoomDisk:
        return RoomDisk(self.disk, StoreRoom.MAIL)

    @classmethod
    def on(cls, disk: RecordedDisk) -> "Stage":
        failures: list[BaseException] = []
        clock = clock_of_the_story()
        store = open_store(disk, failures.append, clock)
        return cls(disk, store, clock, failures, QueueIds(store.worker))

    async def accept(self, octets: int, recipients: int = 1) -> Story:
        """Accept like a conversation: the body piece by piece, then the row. Raises as accept."""
        queue_id = self.ids.next(self.clock.now_ms())
        data = b"Subject: crash\r\n\r\n" + self.dice.token(octets // 2).hex().encode("ascii")
        prefix = f"Received: id {queue_id_text(queue_id)}\r\n".encode()
        story = Story(queue_id, prefix + data, None)
        self.stories[queue_id] = story
        numbers = range(1, recipients + 1)
        story.deliveries = {number: [Step(ACCEPTED, self.disk.position)] for number in numbers}
        try:
            content = await self._kept(queue_id, data)
            if isinstance(content, InFile):
                story.file = content.name
            await self.store.accept(self._arrival(queue_id, prefix, content, recipients))
        except (StoreFull, DiskFull):
            del self.stories[queue_id]  # not kept: finding it later would be an invention
            if story.file is not None:
                self.mail_disk.remove(story.file)
            raise
        for steps in story.deliveries.values():
            steps[0].done = self.disk.position
        return story

    async def _kept(self, queue_id: QueueId, data: bytes) -> Content:
        def ignored() -> None: ...

        body = BodyKeeper(
            self.mail_disk,
            InLineWork(),
            f"{self.ids.worker}-{queue_id_text(queue_id)}",
            drained=ignored,
            failed=lambda error: None,  # finish raises it
        )
        for start in range(0, len(data), PIECE_OCTETS):
            body.add(data[start : start + PIECE_OCTETS])
            await asyncio.sleep(0)
        try:
            return await body.finish()
        except Exception:
            forgetting = body.forget()
            if forgetting is not None:
                await forgetting
            raise

    def _arrival(
        self, queue_id: QueueId, prefix: bytes, content: InTable | InFile, recipients: int
    ) -> Arrival:
        return Arrival(
            queue_id,
            Lane.RELAY,
            Envelope(
                Mailbox("sender", Domain("a.example")),
                tuple(Mailbox(f"r{n}", Domain("example.net")) for n in range(1, recipients + 1)),
            ),
            Peer("192.0.2.1", "a.example", "ESMTP"),
            self.clock.now_ms(),
            content,
            prefix=prefix,
        )

    async def abandon(self, octets: int) -> None:
        """A complete body whose receiver dies before the row."""
        await self._kept(self.ids.next(self.clock.now_ms()), self.dice.token(octets))

    async def die_and_come_back(self) -> None:
        """kill -9 of the only worker; its successor sweeps up after it."""
        successor = self.disk.process()
        self.disk.kill()
        self.disk = successor
        self.store = open_store(successor, self.failures.append, self.clock)
        self.ids = QueueIds(self.store.worker)
        await self.store.sweep()

    async def lease(self) -> Lease:
        lease = await self.store.lease(Lane.RELAY, UNSORTED)
        assert lease is not None
        return lease

    async def claim(self, lease: Lease, limit: int) -> list[Claimed]:
        begun = self.disk.position
        try:
            claimed = await self.store.claim(lease, self.clock.now_ms(), limit)
        except DiskFailed:  # the outcome is unknown, and the next process may find them claimed
            for story in self.stories.values():
                for steps in story.deliveries.values():
                    steps.append(Step(CLAIMED, begun))
            raise
        for one in claimed:
            step = Step(CLAIMED, begun, self.disk.position)
            self.stories[one.id.queue_id].deliveries[one.id.number].append(step)
        return claimed

    async def settle(self, lease: Lease, claimed: Sequence[Claimed], state: State) -> None:
        """Settle as delivered, kept (refused) or waiting (deferred)."""
        now_ms = self.clock.now_ms()
        settlements = [
            Settlement(
                one.id,
                state,
                now_ms,
                due_ms=now_ms + HOUR_MS if state is State.WAITING else 0,
                kept_for=KeptFor.REFUSED if state is State.KEPT else None,
                cause="" if state is State.DELIVERED else "message",
                host="mx.example.net",
                reply="250 2.0.0 thanks" if state is State.DELIVERED else "451 4.2.0 later",
            )
            for one in claimed
        ]
        steps = [Step(Seen(state, one.maybe_duplicate), self.disk.position) for one in claimed]
        for one, step in zip(claimed, steps, strict=True):
            self.stories[one.id.queue_id].deliveries[one.id.number].append(step)
        try:
            assert await self.store.settle(lease, settlements) == len(claimed)
        except StoreFull:
            for one in claimed:
                self.stories[one.id.queue_id].deliveries[one.id.number].pop()
            raise
        for step in steps:
            step.done = self.disk.position
