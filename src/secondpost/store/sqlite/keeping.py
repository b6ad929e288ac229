"""Workers' locks and files: register a worker, sweep dead ones, leave."""

from collections.abc import Sequence

import apsw

from secondpost.mail.content import CONTENT_FOLDER
from secondpost.store.ports import StoreUnavailable, Swept
from secondpost.store.sqlite.base import Worker
from secondpost.store.sqlite.checkpoint import Checkpoints
from secondpost.store.sqlite.connection import patiently
from secondpost.store.sqlite.statements import QUERIES, Statements, answer
from secondpost.store.verbs.engine import BATCH_ROWS
from secondpost.store.verbs.keeping import KeepingVerbs, needed_files
from secondpost.store.verbs.steps import Steps, drive, number, rows, run
from secondpost.world.ports import Clock, Disk

WORKERS_FOLDER = "workers"
LEAVE_SECONDS_MAX = 2.0


def lock_name(worker: int) -> str:
    return f"{WORKERS_FOLDER}/{worker}.lock"


def enter(db: apsw.Connection, disk: Disk, clock: Clock, role: str, numbers: range) -> Worker:
    """Register a worker, inside a transaction: its lock is held before another process can see the
    row.
    """
    statements = Statements(QUERIES)
    steps = _enter(disk, clock, role, numbers)
    return drive(steps, lambda query: answer(db, statements, query))


def _enter(disk: Disk, clock: Clock, role: str, numbers: range) -> Steps[Worker]:
    taken = {row[0] for row in (yield from rows("keeping.worker_numbers"))}
    [(given,)] = yield from rows("engine.last_run")
    last = number(given)
    for n in range(last + 1, last + 1 + len(numbers)):
        worker = numbers[n % len(numbers)]
        if worker in taken:
            continue
        held = disk.hold(lock_name(worker))
        if held is None:
            continue
        yield from run("keeping.enter_worker", n, worker, role, clock.now_ms(), lock_name(worker))
        return Worker(worker, lock_name(worker), held)
    raise RuntimeError(f"{len(numbers)} workers are entered: one of them has to be swept first")


class SqliteKeeping(KeepingVerbs, Checkpoints):
    @property
    def worker(self) -> int:
        """Our number. Raises RuntimeError for a command's store."""
        if self._opened.worker is None:
            raise RuntimeError("a command is no worker")
        return self._opened.worker.number

    # ---- dead workers

    async def sweep(self) -> Swept:
        workers, doubted, unknown, files = 0, [], [], 0
        for worker, lock in self._other_workers():
            held = self._opened.disk.hold(lock)
            if held is None:
                continue
            try:
                found = await self._doubt(worker)
                doubted += found.maybe_duplicates
                unknown += found.unknown
                files += await self._remove_nameless(worker)
                await self._bury(worker)
                self._opened.disk.remove(lock)
            finally:
                held.release()
            workers += 1
        await self._remove_leaving()
        return Swept(workers, tuple(doubted), files, tuple(unknown))

    async def _remove_nameless(self, worker: int) -> int:
        """Delete files that the worker wrote and that have no row; returns their number."""
        written = await self._opened.work.run(lambda: self._written_by(worker))
        removed = 0
        for start in range(0, len(written), BATCH_ROWS):
            some = written[start : start + BATCH_ROWS]
            needed = await self._needed(some)
            nameless = [name for name in some if name not in needed]
            if len(nameless) > 0:
                await self._remove_files(nameless)
            removed += len(nameless)
        return removed

    def _written_by(self, worker: int) -> list[str]:
        """A worker's content files; their names begin with its number."""
        names = self._opened.disk.names(CONTENT_FOLDER)
        return [f"{CONTENT_FOLDER}/{name}" for name in names if name.startswith(f"{worker}-")]

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
        """Remove our worker; False if a lease or a file without a row is left, so that we must be
        swept like a dead one.
        """
        if self._writer.is_distrusted:
            return False
        written = self._written_by(worker)
        try:
            if not self._drive(self._opened.db, _has_nothing_under_way(worker, written)):
                return False
            # Retried: other processes may be leaving too.
            patiently(lambda: self._drop(worker), LEAVE_SECONDS_MAX)
        except (apsw.Error, StoreUnavailable):
            return False
        return True

    def _drop(self, worker: int) -> int:
        return self._drive(self._opened.db, run("keeping.drop_worker", worker))


def _has_nothing_under_way(worker: int, written: Sequence[str]) -> Steps[bool]:
    [(leases,)] = yield from rows("keeping.leases_of", worker)
    needed = yield from needed_files(written)
    return leases == 0 and len(needed) == len(written)
