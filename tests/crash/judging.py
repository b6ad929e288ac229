"""Reopens a crash state with the production store and compares it with the story."""

import shutil
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import apsw

from secondpost.mail.content import CONTENT_FOLDER
from secondpost.mail.delivery import State
from secondpost.mail.delivery_states import KEEPING_CONTENT
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import UNSORTED
from secondpost.mail.queue_id import QueueId
from secondpost.mail.store_rooms import StoreRoom
from secondpost.store.owner_ports import Selection
from secondpost.store.ports import StoreRefused
from secondpost.store.sqlite import SqliteStore
from secondpost.store.sqlite.schema import Database
from secondpost.world.ports import DiskFailed
from secondpost.world.real.disk import RealDisk
from secondpost.world.room_disk import RoomDisk
from simulation.dice import SimDice
from simulation.disk.crash import WHOLE, Depth, Model, crash_states, write_image
from simulation.disk.disk import MACHINE
from simulation.disk.operations import Operation
from tests.clock import SetClock
from tests.crash.stage import clock_of_the_story, open_store
from tests.crash.story import Found, Seen, Story, complaints
from tests.store.place import content_in

LISTED_MAX = 1000
YEAR_MS = 365 * 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Verdict:
    states: int
    faults: tuple[str, ...]


async def judge(
    log: list[Operation],
    first: int,
    stories: Mapping[QueueId, Story],
    folder: Path,
    *,
    model: Model = Model.POSIX,
    depth: Depth = WHOLE,
    faults_max: int = 10,
) -> Verdict:
    """Judge every crash state from position `first` on; stop early once there are enough faults."""
    states = 0
    faults: list[str] = []
    for state in crash_states(log, first, dice=SimDice("cuts"), model=model, depth=depth):
        states += 1
        image = folder / "image"
        write_image(state.image, image)
        faults.extend(
            f"cut after {state.upto} of {len(log)} operations: {fault}"
            for fault in await faults_of_image(image, stories, state.upto)
        )
        shutil.rmtree(image)
        if len(faults) >= faults_max:
            break
    return Verdict(states, tuple(faults))


class ImageDisk(RealDisk):
    """An image in the place of the disk that it is of."""

    def identity(self, name: str) -> str:
        return MACHINE


async def faults_of_image(image: Path, stories: Mapping[QueueId, Story], upto: int) -> list[str]:
    disk = ImageDisk(str(image))
    failures: list[BaseException] = []
    clock = clock_of_the_story()
    clock.ms += YEAR_MS  # so that all deferred mail is due
    try:
        store = open_store(disk, failures.append, clock)
    except (apsw.Error, StoreRefused, DiskFailed) as error:
        return [f"everything is lost, the store does not open: {error!r}"]
    try:
        await store.sweep()
        return [
            *_integrity(disk.path(Database.MAIL.path_name)),
            *complaints(stories, await found_in(store), upto),
            *await _miscounted(store),
            *await _files_left_over(disk, store, stories),
            *await _not_claimable(store, clock),
            *(f"the disk failed: {error!r}" for error in failures),
        ]
    except (apsw.Error, DiskFailed) as error:
        return [f"everything is lost, the store does not work: {error!r}"]
    finally:
        store.close()


async def found_in(store: SqliteStore) -> dict[QueueId, Found]:
    deliveries: dict[QueueId, dict[int, Seen]] = {}
    for row in await store.listed(Selection(), None, LISTED_MAX):
        seen = Seen(row.state, row.maybe_duplicate)
        deliveries.setdefault(row.id.queue_id, {})[row.id.number] = seen
    return {queue_id: Found(rows, await _content(store, queue_id)) for queue_id, rows in deliveries.items()}


async def _content(store: SqliteStore, queue_id: QueueId) -> bytes | None:
    try:
        return await content_in(store, queue_id, 256 * 1024)
    except (LookupError, FileNotFoundError):
        return None


def _integrity(path: str) -> list[str]:
    with closing(apsw.Connection(path)) as connection:
        found = [str(line) for (line,) in connection.execute("PRAGMA integrity_check")]
    return [] if found == ["ok"] else [f"integrity_check: {found}"]


async def _miscounted(store: SqliteStore) -> list[str]:
    """Wrong counts: quotas depend on them."""
    there = Counter(
        row.state for row in await store.listed(Selection(), None, LISTED_MAX) if row.state in KEEPING_CONTENT
    )
    counted: Counter[State] = Counter()
    for count in await store.counts():
        counted[count.state] += count.deliveries
    return [] if counted == there else [f"counted {counted} where {there} are"]


async def _files_left_over(disk: RealDisk, store: SqliteStore, stories: Mapping[QueueId, Story]) -> list[str]:
    """Content files that no message needs must be swept, since their worker is dead."""
    needed = {
        stories[row.id.queue_id].file
        for row in await store.listed(Selection(), None, LISTED_MAX)
        if row.state in KEEPING_CONTENT and row.id.queue_id in stories
    }
    there = {f"{CONTENT_FOLDER}/{name}" for name in RoomDisk(disk, StoreRoom.MAIL).names(CONTENT_FOLDER)}
    return [f"{name} is left over" for name in sorted(there - needed)]


async def _not_claimable(store: SqliteStore, clock: SetClock) -> list[str]:
    """Waiting deliveries that a worker cannot claim."""
    waiting = {row.id for row in await store.listed(Selection(states=(State.WAITING,)), None, LISTED_MAX)}
    lease = await store.lease(Lane.RELAY, UNSORTED)
    if lease is None:
        return ["the site is still leased by the dead"]
    claimed = {one.id for one in await store.claim(lease, clock.now_ms(), LISTED_MAX)}
    return [] if claimed == waiting else [f"{waiting - claimed} waits and cannot be claimed: lost"]
