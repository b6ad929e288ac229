"""Open connections as the store needs them, and translate SQLite's errors into the port's."""

import errno
import time
from collections.abc import Callable
from typing import TypeVar

import apsw

from secondpost.store.ports import StoreFull, StoreRefused, StoreUnavailable
from secondpost.world.ports import Disk, DiskFailed, OpenFile

T = TypeVar("T")

# 3.7.0 to 3.51.2 can lose committed data if two connections write and checkpoint at once.
SQLITE_VERSION_MIN = (3, 51, 3)
PAGE_OCTETS = 4096
WRITER_CACHE_KIB = 8192
READER_CACHE_KIB = 2048
PREPARED_MAX = 400
READER_BUSY_MS = 5_000  # a reader waits only while another process opens or closes the database
BUSY_POLL_SECONDS = 0.0005
BUSY_POLL_SECONDS_MAX = 0.002
BUSY_POLLS_SHORT = 100
CHECKPOINT_POLLS_MAX = 40  # about 25 ms: SQLite waits for readers while holding the write lock


def library_version() -> str:
    """The version of the SQLite inside apsw."""
    return apsw.sqlite_lib_version()


def check_version() -> None:
    version = tuple(int(part) for part in library_version().split("."))
    if version < SQLITE_VERSION_MIN:
        least = ".".join(str(part) for part in SQLITE_VERSION_MIN)
        raise StoreRefused(
            f"SQLite {library_version()} can lose mail; install apsw with SQLite {least} or newer"
        )


def port_error(error: Exception, db: apsw.Connection) -> Exception:
    """The port's error for an SQLite error; other errors are returned as they are.

    CORRUPT, NOTADB and every IOERR (including a failed sync) mean that the disk's state is unknown.
    So does CANTOPEN caused by the disk, rather than by missing rights or file descriptors.
    """
    if isinstance(error, apsw.FullError):
        return StoreFull(str(error))
    # SQLite reports ENOSPC as "full", but an exceeded quota as an I/O error.
    if isinstance(error, apsw.IOError) and db.system_errno == errno.EDQUOT:
        return StoreFull(f"over quota: {error}")
    if isinstance(error, apsw.BusyError | apsw.LockedError):
        return StoreUnavailable(f"another process has the store locked: {error}")
    if isinstance(error, apsw.CantOpenError) and db.system_errno != errno.EIO:
        return error
    if isinstance(error, apsw.IOError | apsw.CorruptError | apsw.NotADBError | apsw.CantOpenError):
        return DiskFailed(f"{db.filename}: {type(error).__name__}: {error}")
    return error


def patiently(attempt: Callable[[], T], busy_seconds: float) -> T:
    """Retry while another process has the lock. Raises StoreUnavailable after `busy_seconds`.

    We poll ourselves: SQLite's sleeps grow to 100 ms, and polls that far apart almost always miss
    the gap between two groups of a busy process.
    """
    deadline = time.monotonic() + busy_seconds
    polls = 0
    while True:
        try:
            return attempt()
        except apsw.BusyError as error:
            if time.monotonic() >= deadline:
                raise StoreUnavailable(
                    f"another process has had the store locked for {busy_seconds:g} seconds"
                ) from error
        polls += 1
        time.sleep(BUSY_POLL_SECONDS if polls < BUSY_POLLS_SHORT else BUSY_POLL_SECONDS_MAX)


def open_writer(
    disk: Disk, name: str, *, create: bool, exclusive: bool, busy_seconds: float
) -> apsw.Connection:
    """Open this process's only writing connection.

    Raises StoreRefused, StoreUnavailable, StoreFull, DiskFailed, and apsw.Error for anything else.
    """
    flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
    db = _open(disk, name, flags)
    try:
        if exclusive:
            db.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
        patiently(lambda: _make_ready(db, disk.path(name)), busy_seconds)
        _copy_log(db)
    except (apsw.IOError, apsw.CorruptError, apsw.CantOpenError) as error:
        fault = port_error(error, db)
        db.close()
        raise fault from (None if fault is error else error)
    except BaseException:
        db.close()
        raise
    return db


def _make_ready(db: apsw.Connection, path: str) -> None:
    """Configure the database. Raises apsw.BusyError while another process opens it: then repeat all
    of it.

    NORMAL omits only the sync of a commit; SQLite keeps those around a checkpoint.
    """
    db.execute("PRAGMA synchronous = FULL").fetchall()  # while the file is created
    db.execute(f"PRAGMA page_size = {PAGE_OCTETS}").fetchall()
    db.execute("PRAGMA auto_vacuum = INCREMENTAL").fetchall()
    if db.execute("PRAGMA journal_mode = WAL").fetchall() != [("wal",)]:
        raise StoreRefused(f"{path} cannot have a write-ahead log: its file system does not allow it")
    db.execute("PRAGMA synchronous = NORMAL").fetchall()
    db.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}").fetchall()


def _copy_log(db: apsw.Connection) -> None:
    """Copy what another process left in the log, since writing after it could lose both.

    If that process's sync failed, Linux reported it once and still shows the data. A lost frame
    takes all later ones with it; so the log's content is first copied into the database, and the
    log restarted.
    """
    try:
        db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_PASSIVE)
    except apsw.BusyError:
        return  # another process uses it, and did this when it opened the database
    except apsw.Error as error:
        if not isinstance(port_error(error, db), StoreFull):
            raise


def open_log(disk: Disk, name: str) -> OpenFile:
    """Open the log, which the writer syncs after each commit; it is synced now. Raises DiskFull,
    DiskFailed.
    """
    log = disk.open(f"{name}-wal")
    try:
        disk.sync_folder("")
        log.sync()
    except BaseException:
        log.close()
        raise
    return log


def open_reader(disk: Disk, name: str) -> apsw.Connection:
    db = _open(disk, name, apsw.SQLITE_OPEN_READONLY)
    db.set_busy_timeout(READER_BUSY_MS)
    db.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB}")
    return db


def open_checkpointer(disk: Disk, name: str) -> apsw.Connection:
    """Open a connection for checkpoints only, so that the writer need not wait for them."""
    db = _open(disk, name, apsw.SQLITE_OPEN_READWRITE)
    db.set_busy_handler(_poll)
    return db


def _poll(polls: int) -> bool:
    """Busy handler: wait for a gap between groups, for a while."""
    time.sleep(BUSY_POLL_SECONDS)
    return polls < CHECKPOINT_POLLS_MAX


def distrust(db: apsw.Connection) -> None:
    """Another role that was taken over may have written the database, also its schema: no function with
    effects outside is called from there, no view stands in for a table, and nothing writes the schema or
    pages past SQLite.
    """
    db.config(apsw.SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0)
    db.config(apsw.SQLITE_DBCONFIG_ENABLE_VIEW, 0)
    db.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)


def _open(disk: Disk, name: str, flags: int) -> apsw.Connection:
    """Open a connection. Raises DiskFailed, and apsw.Error for anything else."""
    path = disk.path(name)
    try:
        # No link of another role leads to another database.
        flags |= apsw.SQLITE_OPEN_NOFOLLOW
        db = apsw.Connection(path, flags=flags, vfs=disk.vfs, statementcachesize=PREPARED_MAX)
    except apsw.IOError as error:
        raise DiskFailed(f"{path}: {type(error).__name__}: {error}") from error
    distrust(db)
    db.wal_autocheckpoint(0)
    db.execute("PRAGMA mmap_size = 0")
    db.execute("PRAGMA temp_store = MEMORY")
    return db
