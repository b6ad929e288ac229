"""Housekeeping: workers that died, the log of the database, what nobody asks for any more."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from functools import partial

import apsw

from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.queue_id import QueueId
from secondpost.store.ports import StoreUnavailable, Swept
from secondpost.store.sqlite.base import BATCH_ROWS, CONTENT_FOLDER, Worker, as_json
from secondpost.store.sqlite.checkpoint import Checkpoints
from secondpost.store.sqlite.connection import patiently
from secondpost.store.sqlite.queries import read_queries
from secondpost.store.verbs.steps import Value, number
from secondpost.world.ports import Clock, Disk

WORKERS_FOLDER = "workers"

LEAVE_SECONDS_MAX = 2.0
_QUERIES = read_queries("keeping")


def lock_name(worker: int) -> str:
    return f"{WORKERS_FOLDER}/{worker}.lock"


def enter(db: apsw.Connection, disk: Disk, clock: Clock, role: str, numbers: range) -> Worker:
    """Inside a transaction: the lock is held before anybody can read the row and find it free."""
    taken = {row[0] for row in db.execute(_QUERIES["worker_numbers"])}
    [(given,)] = db.execute(_QUERIES["last_run"]).fetchall()
    last = number(given)
    for run in range(last + 1, last + 1 + len(numbers)):
        worker = numbers[run % len(numbers)]
        if worker in taken:
            continue
        held = disk.hold(lock_name(worker))
        if held is None:
            continue
        db.execute(_QUERIES["enter_worker"], (run, worker, role, clock.now_ms(), lock_name(worker)))
        return Worker(worker, lock_name(worker), held)
    raise RuntimeError(f"{len(numbers)} workers are entered: one of them has to be swept first")


@dataclass(frozen=True, slots=True)
class _Doubted:
    """What a dead worker may have delivered."""

    maybe_duplicates: list[DeliveryId]
    unknown: list[DeliveryId]


class SqliteKeeping(Checkpoints):
    @property
    def worker(self) -> int:
        """Raises RuntimeError for a command's store."""
        if self._opened.worker is None:
            raise RuntimeError("a command is no worker")
        return self._opened.worker.number

    # ---- the dead

    async def sweep(self) -> Swept:
        own = None if self._opened.worker is None else self._opened.worker.number
        workers, doubted, unknown, files = 0, [], [], 0
        for value, lock in self._read(_QUERIES["other_workers"], (own,)):
            worker = number(value)
            held = self._opened.disk.hold(str(lock))
            if held is None:
                continue
            try:
                found = await self._doubt(worker)
                doubted += found.maybe_duplicates
                unknown += found.unknown
                files += await self._remove_nameless(worker)
                await self._bury(worker, str(lock))
            finally:
                held.release()
            workers += 1
        await self._remove_leaving()
        return Swept(workers, tuple(doubted), files, tuple(unknown))

    async def _doubt(self, worker: int) -> "_Doubted":
        now_ms = self._opened.clock.now_ms()

        def batch(db: apsw.Connection) -> list[tuple[Value, ...]]:
            rows = db.execute(_QUERIES["claimed_of"], (worker, BATCH_ROWS)).fetchall()
            if len(rows) == 0:
                db.execute(_QUERIES["drop_leases"], (worker,))
            else:
                chosen = as_json([row[:2] for row in rows])
                db.execute(_QUERIES["tell_doubt_again"], (chosen, now_ms))
                db.execute(_QUERIES["doubt"], (chosen, now_ms))
            return rows

        doubted = _Doubted([], [])
        while len(rows := await self._writer.change(batch, BATCH_ROWS)) > 0:
            for message, n, state, of_issue in rows:
                id = DeliveryId(QueueId(number(message)), number(n))
                if state == State.COMMITTING:
                    doubted.unknown.append(id)
                elif of_issue == 0:
                    doubted.maybe_duplicates.append(id)
        return doubted

    async def _remove_nameless(self, worker: int) -> int:
        """Files that the worker wrote and whose row never came."""
        written = await self._opened.work.run(lambda: self._written_by(worker))
        removed = 0
        for start in range(0, len(written), BATCH_ROWS):
            some = written[start : start + BATCH_ROWS]
            needed = await self._writer.change(partial(_needed_files, names=some))
            nameless = [name for name in some if name not in needed]
            if len(nameless) > 0:
                await self._remove_files(nameless)
            removed += len(nameless)
        return removed

    def _written_by(self, worker: int) -> list[str]:
        """The content files of a worker; their names begin with its number."""
        names = self._opened.disk.names(CONTENT_FOLDER)
        return [f"{CONTENT_FOLDER}/{name}" for name in names if name.startswith(f"{worker}-")]

    async def _bury(self, worker: int, lock: str) -> None:
        def write(db: apsw.Connection) -> None:
            db.execute(_QUERIES["drop_worker"], (worker,))

        await self._writer.change(write)
        self._opened.disk.remove(lock)

    # ---- the forgotten

    def prune(self, finished_before_ms: int) -> Awaitable[int]:
        def batch(db: apsw.Connection) -> int:
            ended = db.execute(_QUERIES["ended_messages"], (finished_before_ms, BATCH_ROWS)).fetchall()
            some = as_json(_up_to(ended, BATCH_ROWS))
            for query in ("forget_deliveries", "forget_events", "forget_messages"):
                db.execute(_QUERIES[query], (some,))
            return db.changes()

        return self._change_some(batch, 3 * BATCH_ROWS)

    def forget_learned(self, known_before_ms: int, unknown_before_ms: int) -> Awaitable[int]:
        def batch(db: apsw.Connection) -> int:
            forgotten = 0
            for known, before_ms in ((1, known_before_ms), (0, unknown_before_ms)):
                db.execute(_QUERIES["forget_learned"], (known, before_ms, BATCH_ROWS))
                forgotten += db.changes()
            return forgotten

        return self._change_some(batch, 2 * BATCH_ROWS)

    async def bound_learned(self, most: int) -> int:
        [(count,)] = self._read(_QUERIES["learned_count"])
        surplus = min(number(count) - most, BATCH_ROWS)
        if surplus <= 0:
            return 0

        def batch(db: apsw.Connection) -> int:
            db.execute(_QUERIES["forget_oldest_learned"], (surplus,))
            return db.changes()

        return await self._change_some(batch, BATCH_ROWS)

    def forget_prefixes(self, proven_before_ms: int) -> Awaitable[int]:
        def batch(db: apsw.Connection) -> int:
            db.execute(_QUERIES["forget_prefixes"], (proven_before_ms, BATCH_ROWS))
            return db.changes()

        return self._change_some(batch, BATCH_ROWS)

    def close(self) -> None:
        self._writer.close()
        worker = self._opened.worker
        if worker is not None and self._leave(worker.number):
            self._opened.disk.remove(worker.lock)
        self._close_checkpointer()
        if not self._opened.in_line:
            self._opened.reader.close()
        self._opened.db.close()
        if worker is not None:
            worker.held.release()

    def _leave(self, worker: int) -> bool:
        """With a lease or a file without a row left, something was under way: we are swept like the
        dead."""
        if self._writer.is_distrusted:
            return False
        db = self._opened.db
        written = self._written_by(worker)
        try:
            if db.execute(_QUERIES["leases_of"], (worker,)).fetchall() != [(0,)]:
                return False
            if len(_needed_files(db, written)) < len(written):
                return False
            # The others may be leaving at the same moment.
            patiently(lambda: db.execute(_QUERIES["drop_worker"], (worker,)), LEAVE_SECONDS_MAX)
        except (apsw.Error, StoreUnavailable):
            return False
        return True


def _needed_files(db: apsw.Connection, names: Sequence[str]) -> set[str]:
    """In a group: what a plain read sees of a message's end may not be durable yet."""
    return {str(name) for (name,) in db.execute(_QUERIES["needed_files"], (as_json(names),)).fetchall()}


def _up_to(ended: Sequence[tuple[Value, ...]], rows: int) -> list[int]:
    """The first messages, until they have that many deliveries; at least one message."""
    chosen: list[int] = []
    for id, deliveries in ended:
        if len(chosen) > 0 and number(deliveries) > rows:
            break
        chosen.append(number(id))
        rows -= number(deliveries)
    return chosen
