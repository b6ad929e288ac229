"""Keep the write-ahead log short and return free space, without blocking the writer for long.

SQLite restarts a log that is fully copied at the next write. A writer that never pauses therefore
makes a pause, so that the log can be copied. Only if that is not enough is the log restarted with
the write lock held.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import apsw

from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.store.sqlite.connection import PAGE_OCTETS, open_checkpointer, port_error
from secondpost.store.sqlite.opened import Opened
from secondpost.store.verbs.engine import Engine
from secondpost.store.verbs.steps import Steps, number, rows
from secondpost.world.ports import DiskFailed, DiskFull

R = TypeVar("R")

PASSIVE_RUNS_MAX = 4  # before the log is restarted
# Below this the server counts as idle: lease renewal alone writes a few frames every 2 s.
QUIET_FRAMES = 256
# Free pages are reused first: only a surplus is returned, and little at a time.
SPARE_PAGES = 256
VACUUM_PAGES = 64  # per job: each page costs a step
VACUUM_JOBS_MAX = 64  # per call
VACUUM_JOBS_MAX_BUSY = 4  # while the number of free pages changes between calls


class Checkpoints:
    """`fail` is called if the disk can no longer be trusted."""

    def __init__(self, opened: Opened, engine: Engine, fail: Callable[[DiskFailed], None]) -> None:
        self._opened = opened
        self._engine = engine
        self._fail = fail
        self._bounds = opened.log_bounds
        self._checkpointer: apsw.Connection | None = None
        self._checkpointing = False
        self._copying = threading.Lock()
        self._closed = False
        self._free_pages = 0
        self._frames = 0  # in the log, when it last was or became quiet
        self._quiet_since = 0.0  # loop time
        self._units = 0  # written without a pause since the last checkpoint

    async def run(self) -> int:
        """Checkpoint the log; returns octets copied. Raises StoreUnavailable and DiskFailed."""
        if self._checkpointing:
            return 0
        self._checkpointing = True
        try:
            now = asyncio.get_running_loop().time()
            copied = await self._opened.work.run(lambda: self._alone(lambda db: self._copy_log(db, now)))
            await self._give_back_pages()
            return copied
        except DiskFailed as failed:
            self._fail(failed)
            raise
        finally:
            self._checkpointing = False

    async def after(self, batch: Awaitable[R], units: int) -> R:
        """Wait for a batch, and now and then pause behind it while the log is copied.

        Other writes do not wait for the pause; and since this writer adds nothing meanwhile, the
        copy can be complete.
        """
        result = await batch
        self._units += units
        if self._units >= self._bounds.pause_units:
            self._units = 0
            await self._pause()
        return result

    async def _pause(self) -> None:
        try:
            await self._opened.work.run(lambda: self._alone(self._copy_long_log))
        except DiskFailed as failed:
            self._fail(failed)
        except (StoreUnavailable, StoreFull, apsw.Error):
            return  # try again later: the batch is durable in any case

    def _alone(self, copy: Callable[[apsw.Connection], int]) -> int:
        with self._copying:
            if self._closed:
                return 0
            db = self._checkpoint_connection()
            try:
                return copy(db)
            except (apsw.BusyError, apsw.CantOpenError):
                # A reader or another process is in the way, or too many files are open, perhaps
                # including the log's: the next call tries again.
                return 0
            except apsw.Error as error:
                fault = port_error(error, db)
                raise fault from (None if fault is error else error)

    def _copy_log(self, db: apsw.Connection, now: float) -> int:
        """Checkpoint by size; passive runs do not block writers.

        Runs that do block them follow passive ones, and space is not returned while others write:
        freeing it takes a millisecond per MB, and allocating it again delays every sync of the file
        system.
        """
        frames, copied = _look(db)
        if not self._frames <= frames <= self._frames + QUIET_FRAMES:
            self._frames, self._quiet_since = frames, now
        is_quiet = now - self._quiet_since >= self._bounds.quiet_seconds
        room = self._opened.disk.size(f"{self._opened.path_name}-wal") if is_quiet else 0
        if is_quiet and room >= self._bounds.room_octets_max:
            self._copy_passively(db)
            _checkpoint_alone(db, "TRUNCATE")
        elif frames * PAGE_OCTETS >= self._bounds.restart_octets:
            self._copy_passively(db)
            _checkpoint_alone(db, "RESTART")
        elif (frames - copied) * PAGE_OCTETS >= self._bounds.passive_octets:
            db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_PASSIVE)
        else:
            return 0
        return (frames - copied) * PAGE_OCTETS

    def _copy_long_log(self, db: apsw.Connection) -> int:
        frames, copied = _look(db)
        if frames * PAGE_OCTETS < self._bounds.pause_octets:
            return 0
        self._copy_passively(db)
        return (frames - copied) * PAGE_OCTETS

    def _copy_passively(self, db: apsw.Connection) -> None:
        """Copy until nothing is left, so that a blocking checkpoint after it has little to copy.

        Each run copies what arrived during the one before. SQLite syncs the database only after a
        run in which nothing arrived; we sync it here, so that the blocking run need not write it
        all out. Raises apsw.BusyError if a run copies nothing: a long reader is in the way, as
        while a snapshot is made, and waiting for it would hold the write lock in vain.
        """
        before = -1
        for _ in range(PASSIVE_RUNS_MAX):
            db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_PASSIVE)
            frames, copied = _look(db)
            if frames == copied:
                return
            if copied == before:
                raise apsw.BusyError
            before = copied
        try:
            self._opened.disk.sync_database(self._opened.path_name)
        except DiskFull as error:
            raise StoreUnavailable(f"the log is not begun anew: {error}") from error

    def _checkpoint_connection(self) -> apsw.Connection:
        if self._opened.in_line:
            return self._opened.db
        if self._checkpointer is None:
            try:
                self._checkpointer = open_checkpointer(self._opened.disk, self._opened.path_name)
            except apsw.CantOpenError as error:
                raise StoreUnavailable(f"no connection for the checkpoint: {error}") from error
        return self._checkpointer

    def close(self) -> None:
        """Waits for a copy in progress."""
        with self._copying:
            self._closed = True
            if self._checkpointer is not None:
                self._checkpointer.close()

    async def _give_back_pages(self) -> None:
        try:
            await self._give_back_some()
        except (StoreUnavailable, StoreFull):
            return  # try again later: the log must not grow for it

    async def _give_back_some(self) -> None:
        before, self._free_pages = self._free_pages, await self._engine.read(_free_pages())
        jobs = VACUUM_JOBS_MAX if self._free_pages == before else VACUUM_JOBS_MAX_BUSY
        for _ in range(jobs):
            if self._free_pages <= SPARE_PAGES:
                return
            self._free_pages = await self._engine.change(_vacuum, VACUUM_PAGES)


def _look(db: apsw.Connection) -> tuple[int, int]:
    """The number of frames in the log, and of those already copied."""
    # Only a read updates the log's known length.
    db.execute("SELECT count(*) FROM migration").fetchall()
    return db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_NOOP)


def _checkpoint_alone(db: apsw.Connection, mode: str) -> None:
    """Checkpoint while holding the write lock. Raises apsw.BusyError.

    By pragma, so that tracing statements shows how long the lock is held.
    """
    [(busy, frames, copied)] = db.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
    if busy == 1:
        raise apsw.BusyError
    assert frames == copied, f"{frames} frames, {copied} of them copied by {mode}"


def _vacuum() -> Steps[int]:
    """Free some pages; returns how many are still free."""
    yield from rows("log.vacuum")
    return (yield from _free_pages())


def _free_pages() -> Steps[int]:
    [(free,)] = yield from rows("log.free_pages")
    return number(free)
