"""Keeps the write-ahead log short and gives room back, without ever holding up the writer for long."""

import threading

import apsw

from secondpost.store.ports import StoreUnavailable
from secondpost.store.sqlite.base import Base, Opened
from secondpost.store.sqlite.connection import PAGE_OCTETS, open_checkpointer, told
from secondpost.store.sqlite.queries import number
from secondpost.world.ports import DiskFailed

PASSIVE_OCTETS = 4 * 1024 * 1024
LOG_OCTETS_MAX = 64 * 1024 * 1024  # begun anew beyond it, and given back when nobody writes
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
        self._frames = 0  # in the log, the last time it was looked at

    async def checkpoint(self) -> None:
        """Call it every few seconds. Raises StoreUnavailable and DiskFailed."""
        if self._checkpointing:
            return
        self._checkpointing = True
        try:
            await self._give_back_pages()
            await self._opened.work.run(self._copy_log_alone)
        except DiskFailed as failed:
            self._writer.distrust(failed)
            self._opened.failed(failed)
            raise
        finally:
            self._checkpointing = False

    def _copy_log_alone(self) -> None:
        with self._copying:
            if not self._closed:
                self._copy_log()

    def _copy_log(self) -> None:
        """Passive copies beside the writers. What holds them up has a passive run before it, and gives no
        room back while they write: to free it and take it anew delays every sync of the file system.
        """
        db = self._checkpoint_connection()
        try:
            db.execute(
                "SELECT count(*) FROM migration"
            ).fetchall()  # only a read looks at how long the log is
            frames, copied = db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_NOOP)
            is_quiet, self._frames = frames == self._frames, frames
            if is_quiet and self._opened.disk.size(f"{self._opened.path_name}-wal") >= LOG_OCTETS_MAX:
                left, _ = db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_TRUNCATE)
                assert left == 0, f"{left} frames are left in the log after it was truncated"
            elif frames * PAGE_OCTETS >= LOG_OCTETS_MAX:
                # The first run takes long, the second finds what came meanwhile: little is left for the
                # one that holds the writers up, after which they begin the log anew.
                db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_PASSIVE)
                db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_PASSIVE)
                frames, copied = db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_RESTART)
                assert frames == copied, f"{frames - copied} frames were not copied by a restart"
            elif (frames - copied) * PAGE_OCTETS >= PASSIVE_OCTETS:
                db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_PASSIVE)
        except apsw.BusyError:
            return  # a reader or another process stands in the way; the next call tries again
        except apsw.Error as error:
            raise told(error, db) from error

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
        before, self._free_pages = self._free_pages, self._count_free()
        jobs = VACUUM_JOBS_MAX if self._free_pages == before else VACUUM_JOBS_MAX_BUSY
        for _ in range(jobs):
            if self._free_pages <= SPARE_PAGES:
                return
            self._free_pages = await self._writer.change(_vacuum, VACUUM_PAGES)

    def _count_free(self) -> int:
        [(free,)] = self._read("PRAGMA freelist_count")
        return number(free)


def _vacuum(db: apsw.Connection) -> int:
    """How many pages are free after it."""
    db.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()
    [(free,)] = db.execute("PRAGMA freelist_count").fetchall()
    return number(free)
