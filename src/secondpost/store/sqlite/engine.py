"""Runs the store's verbs on SQLite: reads directly in the loop, writes in a group."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar, cast

import apsw

from secondpost.mail.content import CONTENT_FOLDER
from secondpost.store.ports import StoreUnavailable
from secondpost.store.sqlite.checkpoint import Checkpoints
from secondpost.store.sqlite.connection import patiently
from secondpost.store.sqlite.group import Writer
from secondpost.store.sqlite.leaving import LeavingFiles, leaving_files
from secondpost.store.sqlite.opened import Opened
from secondpost.store.sqlite.statements import QUERIES, Statements, run_on
from secondpost.store.sqlite.witness_file import write_witness
from secondpost.store.verbs.engine import CHANGE_UNITS, EACH, EACH_ENDING, Verb
from secondpost.store.verbs.steps import Steps
from secondpost.store.verbs.workers import leave
from secondpost.world.ports import Clock, Held

LEAVE_SECONDS_MAX = 2.0

P = TypeVar("P")
R = TypeVar("R")


class SqliteEngine:
    """The Engine of one database for one process."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.statements = Statements(QUERIES)
        self.writer = Writer(
            opened.db,
            opened.log,
            opened.line,
            self._apply,
            opened.failed,
            busy_seconds=opened.busy_seconds,
            alone=opened.in_line,
        )
        self._checkpoints = Checkpoints(opened, self, self.writer.fail)
        self.leaving = LeavingFiles(self, opened.failed)
        self.writer.after_group = self.leaving.begin

    @property
    def clock(self) -> Clock:
        return self.opened.clock

    @property
    def worker_number(self) -> int | None:
        worker = self.opened.worker
        return None if worker is None else worker.number

    # ---- verbs

    def write(self, verb: Verb[P, R], payload: P, units: int) -> Awaitable[R]:
        return self.writer.write(verb, payload, units)

    def change(
        self, verb: Callable[[], Steps[R]], units: int = CHANGE_UNITS, *, ends_mail: bool = False
    ) -> Awaitable[R]:
        each = cast("Verb[Callable[[], Steps[R]], R]", EACH_ENDING if ends_mail else EACH)
        return self.write(each, verb, units)

    def change_some(
        self, verb: Callable[[], Steps[R]], units: int, *, ends_mail: bool = False
    ) -> Awaitable[R]:
        """`change`, with a pause now and then while the log is copied."""
        return self._checkpoints.after(self.change(verb, units, ends_mail=ends_mail), units)

    async def read(self, steps: Steps[R]) -> R:
        """Run without suspending, on the loop's own connection and in the caller's thread."""
        return self.opened.look(lambda db: run_on(db, self.statements, steps))

    def _apply(self, verb: Verb[object, object], payloads: Sequence[object]) -> Sequence[object]:
        """Run one verb of a group; called in the store's thread."""
        results = run_on(self.opened.db, self.statements, verb.steps(payloads))
        if verb.ends_mail and len(run_on(self.opened.db, self.statements, leaving_files())) > 0:
            self.leaving.are_there = True
        return results

    # ---- workers' locks and content files

    def hold(self, lock: str) -> Held | None:
        return self.opened.disk.hold(lock)

    def remove_lock(self, lock: str) -> None:
        self.opened.disk.remove(lock)

    async def read_file(self, name: str, at: int, octets: int) -> bytes:
        """Read without suspending: for commands and what is small. The deliver role reads files in its
        pool.
        """
        return self.opened.disk.read(name, at, octets)

    async def files_of(self, worker: int) -> list[str]:
        return await self.opened.work.run(lambda: self.opened.files_of(worker))

    async def remove_files(self, names: Sequence[str]) -> None:
        disk = self.opened.disk

        def remove() -> None:
            for name in names:
                disk.remove(name)
            disk.sync_folder(CONTENT_FOLDER)

        await self.opened.work.run(remove)

    async def write_witness(self, epoch: int) -> None:
        opened = self.opened
        await opened.work.run(lambda: write_witness(opened.disk, opened.path_name, epoch))

    async def remove_leaving(self) -> None:
        await self.leaving.remove()

    # ---- the log, the end

    async def checkpoint(self) -> int:
        """See the port Keeping."""
        return await self._checkpoints.run()

    def close(self) -> None:
        opened = self.opened
        self.writer.close()
        worker = opened.worker
        if worker is not None and self._leave(worker.number):
            opened.disk.remove(worker.lock)
        self._checkpoints.close()
        if not opened.in_line:
            opened.reader.close()
        opened.db.close()
        if worker is not None:
            worker.held.release()

    def _leave(self, worker: int) -> bool:
        """Remove our worker's row, once the writer is closed; False if we must be swept like a dead
        worker.
        """
        opened = self.opened
        if self.writer.is_distrusted:
            return False
        written = opened.files_of(worker)
        try:
            # Retried: other processes may be leaving too.
            return patiently(
                lambda: run_on(opened.db, self.statements, leave(worker, written)), LEAVE_SECONDS_MAX
            )
        except (apsw.Error, StoreUnavailable):
            return False
