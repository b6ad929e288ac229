"""Keeps the write-ahead log short and gives room back, without ever holding up the writer for long.

A log that is all in the database is begun anew by the next who writes: whoever writes without a pause
makes one, so that this can be. Only when that is not enough is the log begun anew with the write lock
held.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import TypeVar

import apsw

from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.store.sqlite.base import Base, Opened
from secondpost.store.sqlite.connection import PAGE_OCTETS, open_checkpointer, told
from secondpost.store.verbs.steps import Steps, number
from secondpost.world.ports import DiskFailed, DiskFull

R = TypeVar("R")

PASSIVE_OCTETS = 4 * 1024 * 1024
PAUSE_OCTETS = 32 * 1024 * 1024  # of the log: whoever writes without a pause copies it beyond that
PAUSE_UNITS = 2000  # written between two looks at it: some MB of it
RESTART_OCTETS = 48 * 1024 * 1024  # of the log: begun anew beyond it
PASSIVE_RUNS_MAX = 4  # before it is begun anew
ROOM_OCTETS_MAX = 64 * 1024 * 1024  # of the log's file: given back beyond it, when all is quiet
# Hardly anybody wrote: whoever leads takes a lease anew every other second, in a handful of frames.
QUIET_SECONDS = 10.0
QUIET_FRAMES = 256
# Free pages are used again first: only a surplus is given back, and little at a time.
SPARE_PAGES = 256
VACUUM_PAGES = 64  # per job: each page costs a step
VACUUM_JOBS_MAX = 64  # per call
VACUUM_JOBS_MAX_BUSY = 4  # while pages are freed or used between two calls


class Checkpoints(Base):
    def __init__(self, opened: Opened) -> None:
        super().__init__(opened)
        self._checkpointer: apsw.Connection | None = None
        self._checkpointing = False
        self._copying = threading.Lock()
        self._closed = False
        self._free_pages = 0
        self._frames = 0  # in the log, when it last was quiet or became so
        self._quiet_since = 0.0  # by the loop's time
        self._units = 0  # written without a pause since the last one

    async def checkpoint(self) -> int:
        """Raises StoreUnavailable and DiskFailed."""
        if self._checkpointing:
            return 0
        self._checkpointing = True
        try:
            now = asyncio.get_running_loop().time()
            copied = await self._opened.work.run(lambda: self._alone(lambda db: self._copy_log(db, now)))
            await self._give_back_pages()
            return copied
        except DiskFailed as failed:
            self._writer.fail(failed)
            raise
        finally:
            self._checkpointing = False

    def change_some(
        self, verb: Callable[[], Steps[R]], units: int, *, ends_mail: bool = False
    ) -> Awaitable[R]:
        """With a pause now and then, in which the log is copied. No other write waits for it, and as long
        as it lasts this writer adds nothing: it may find all.
        """
        return self._pausing(self.change(verb, units, ends_mail=ends_mail), units)

    async def _pausing(self, batch: Awaitable[R], units: int) -> R:
        result = await batch
        self._units += units
        if self._units >= PAUSE_UNITS:
            self._units = 0
            await self._pause()
        return result

    async def _pause(self) -> None:
        try:
            await self._opened.work.run(lambda: self._alone(self._copy_long_log))
        except DiskFailed as failed:
            self._writer.fail(failed)
        except (StoreUnavailable, StoreFull, apsw.Error):
            return  # another time: the batch is durable, whatever the copying says

    def _alone(self, copy: Callable[[apsw.Connection], int]) -> int:
        with self._copying:
            if self._closed:
                return 0
            db = self._checkpoint_connection()
            try:
                return copy(db)
            except (apsw.BusyError, apsw.CantOpenError):
                # A reader or another process stands in the way, or too many files are open, the log's
                # among them only with the first look: the next call tries again.
                return 0
            except apsw.Error as error:
                fault = told(error, db)
                raise fault from (None if fault is error else error)

    def _copy_log(self, db: apsw.Connection, now: float) -> int:
        """Passive copies beside the writers. What holds them up has passive runs before it, and gives
        no room back while they write: to free it takes a millisecond per MB, and to take it anew delays
        every sync of the file system.
        """
        frames, copied = _look(db)
        if not self._frames <= frames <= self._frames + QUIET_FRAMES:
            self._frames, self._quiet_since = frames, now
        is_quiet = now - self._quiet_since >= QUIET_SECONDS
        if is_quiet and self._opened.disk.size(f"{self._opened.path_name}-wal") >= ROOM_OCTETS_MAX:
            self._copy_passively(db)
            _checkpoint_alone(db, "TRUNCATE")
        elif frames * PAGE_OCTETS >= RESTART_OCTETS:
            self._copy_passively(db)
            _checkpoint_alone(db, "RESTART")
        elif (frames - copied) * PAGE_OCTETS >= PASSIVE_OCTETS:
            db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_PASSIVE)
        else:
            return 0
        return (frames - copied) * PAGE_OCTETS

    def _copy_long_log(self, db: apsw.Connection) -> int:
        frames, copied = _look(db)
        if frames * PAGE_OCTETS < PAUSE_OCTETS:
            return 0
        self._copy_passively(db)
        return (frames - copied) * PAGE_OCTETS

    def _copy_passively(self, db: apsw.Connection) -> None:
        """Copy until nothing is left: each run finds what came during the one before, so that the last, which
        holds the write lock, has little to copy.

        SQLite syncs the database only behind a run during which nothing came. So that it is not all
        written out by the one that holds the lock, we sync it before.
        """
        for _ in range(PASSIVE_RUNS_MAX):
            db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_PASSIVE)
            frames, copied = _look(db)
            if frames == copied:
                return
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

    def _close_checkpointer(self) -> None:
        """Waits for a run that is under way."""
        with self._copying:
            self._closed = True
            if self._checkpointer is not None:
                self._checkpointer.close()

    async def _give_back_pages(self) -> None:
        try:
            await self._give_back_some()
        except (StoreUnavailable, StoreFull):
            return  # another time: it is no reason to let the log grow

    async def _give_back_some(self) -> None:
        before, self._free_pages = self._free_pages, self._count_free()
        jobs = VACUUM_JOBS_MAX if self._free_pages == before else VACUUM_JOBS_MAX_BUSY
        for _ in range(jobs):
            if self._free_pages <= SPARE_PAGES:
                return
            self._free_pages = await self._writer.change(_vacuum, VACUUM_PAGES)

    def _count_free(self) -> int:
        [(free,)] = self._read("PRAGMA freelist_count")
        return number(free)


def _look(db: apsw.Connection) -> tuple[int, int]:
    """How many frames the log has, and how many of them are in the database."""
    db.execute("SELECT count(*) FROM migration").fetchall()  # only a read looks at how long the log is
    return db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_NOOP)


def _checkpoint_alone(db: apsw.Connection, mode: str) -> None:
    """One that holds the write lock. Raises apsw.BusyError.

    By pragma: whoever traces statements sees for how long, as of any other that holds it.
    """
    [(busy, frames, copied)] = db.execute(f"PRAGMA wal_checkpoint({mode})").fetchall()
    if busy == 1:
        raise apsw.BusyError
    assert frames == copied, f"{frames} frames, {copied} of them copied by {mode}"


def _vacuum(db: apsw.Connection) -> int:
    """How many pages are free after it."""
    db.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()
    [(free,)] = db.execute("PRAGMA freelist_count").fetchall()
    return number(free)
