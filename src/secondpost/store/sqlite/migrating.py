"""Migrates a whole database while no process works with it, and keeps a copy of it first.

A migration is one transaction, whatever it changes: after a crash the database has its old schema or
the new one. The copy is durable before the migration begins.
"""

import errno
import os
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass

import apsw

from secondpost.mail.kept_copy import KEPT_FOLDER, UNFINISHED, KeptCopy, free_dated_name
from secondpost.mail.snapshot import SnapshotFault
from secondpost.store.ports import StoreRefused, StoreUnavailable
from secondpost.store.sqlite.connection import distrust, open_writer, port_error
from secondpost.store.sqlite.copying import copy_database
from secondpost.store.sqlite.kept import kept_copies
from secondpost.store.sqlite.schema import (
    Database,
    Migration,
    migrate,
    migrate_back,
    refuse_newer,
    version,
)
from secondpost.world.ports import Disk, DiskFailed, DiskFull

BUSY_SECONDS = 5.0  # other processes only look
KEPT_COPIES_MAX = 2  # of a database; the oldest goes when another is kept
KEPT_MS_MAX = 31 * 24 * 3600 * 1000  # a copy has what readers had erased since
GROWTH_OCTETS = 64 * 1024 * 1024  # of a database and its log during a migration, besides a tenth of it
SQLITE_SUFFIXES = ("", "-journal", "-wal", "-shm")


def schema_of(disk: Disk, database: Database, *, refuses_newer: bool = True) -> int:
    """0 if there is no such database, or an empty one. Raises StoreNewer, StoreRefused for a file that is no
    database, StoreUnavailable and DiskFailed.
    """
    path = disk.path(database.file_name)
    if disk.size(database.file_name) == 0:
        return 0
    try:
        with closing(_reader(path)) as db:
            if refuses_newer:
                refuse_newer(db, database)
            return version(db)
    except apsw.NotADBError:
        raise StoreRefused(f"{path} is not a database; move it away, or restore a snapshot") from None
    except (apsw.CantOpenError, apsw.PermissionsError, apsw.ReadOnlyError):
        raise StoreRefused(f"{path} cannot be opened by you; become its owner") from None
    except (apsw.BusyError, apsw.LockedError) as error:
        raise StoreUnavailable(f"another process has {path} locked: {error}") from None
    except apsw.Error as error:
        raise DiskFailed(f"{path}: {type(error).__name__}: {error}") from error


def _reader(path: str) -> apsw.Connection:
    db = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_NOFOLLOW)
    distrust(db)
    db.set_busy_timeout(int(BUSY_SECONDS * 1000))
    return db


def room_for(sizes: Sequence[int]) -> int:
    """Octets that copies of databases of these sizes, and migrating them, may need."""
    return sum(size + size // 10 + GROWTH_OCTETS for size in sizes)


def keep_copy(
    disk: Disk, database: Database, schema: int, now_ms: int, progress: Callable[[int], None]
) -> KeptCopy:
    """Copy the database beside itself, durably. Raises StoreRefused if it cannot be read, DiskFull and
    DiskFailed.
    """
    try:
        return _kept(disk, database, schema, now_ms, progress)
    except SnapshotFault as fault:
        raise StoreRefused(f"no copy of {database.file_name} can be kept: {fault}") from None
    except OSError as error:
        text = f"keeping a copy of {disk.path(database.file_name)}: {error.strerror}"
        raise DiskFull(text) if error.errno in (errno.ENOSPC, errno.EDQUOT) else DiskFailed(text) from error


def _kept(
    disk: Disk, database: Database, schema: int, now_ms: int, progress: Callable[[int], None]
) -> KeptCopy:
    folder = f"{KEPT_FOLDER}/{free_dated_name(schema, now_ms, disk.names(KEPT_FOLDER))}"
    unfinished = f"{folder}{UNFINISHED}"
    disk.make_folder(unfinished)
    name = f"{unfinished}/{database.file_name}"
    disk.create(name).close()  # with the mode of its room, which SQLite would not give it
    copy_database(disk.path(database.file_name), disk.path(name), progress)
    copied = disk.open(name)
    try:
        copied.sync()
    finally:
        copied.close()
    disk.sync_folder(unfinished)
    os.rename(disk.path(unfinished), disk.path(folder))
    disk.sync_folder(KEPT_FOLDER)
    path = disk.path(f"{folder}/{database.file_name}")
    return KeptCopy(now_ms, schema, path, os.stat(path).st_size)


def sweep_copies(disk: Disk, database: Database, now_ms: int) -> None:
    """Remove unfinished copies, which a crash leaves, and those that are old or too many."""
    for folder in disk.names(KEPT_FOLDER):
        if folder.endswith(UNFINISHED):
            _remove(disk, f"{KEPT_FOLDER}/{folder}", database)
    kept = kept_copies(disk.path(database.file_name))
    for number, copy in enumerate(reversed(kept)):
        if number >= KEPT_COPIES_MAX or copy.made_ms < now_ms - KEPT_MS_MAX:
            _remove(disk, f"{KEPT_FOLDER}/{os.path.basename(os.path.dirname(copy.path))}", database)


def _remove(disk: Disk, folder: str, database: Database) -> None:
    for suffix in SQLITE_SUFFIXES:
        disk.remove(f"{folder}/{database.file_name}{suffix}")
    with suppress(OSError):  # what the owner put there stays
        os.rmdir(disk.path(folder))


@dataclass(frozen=True, slots=True)
class ChangeTaken:
    """What it took to change a database."""

    seconds: float
    log_octets: int  # of the write-ahead log at its end


def migrate_database(
    disk: Disk, database: Database, now_ms: int, applied: Callable[[Migration, float], None]
) -> ChangeTaken:
    """Migrate, durably. `applied` gets the seconds of each migration. Raises what opening a store raises."""
    return _changed(disk, database, lambda db: migrate(db, database, now_ms, applied))


def migrate_database_back(disk: Disk, database: Database, steps: Sequence[Migration]) -> ChangeTaken:
    """Undo these migrations, durably. Raises as `migrate_database` does."""
    return _changed(disk, database, lambda db: migrate_back(db, steps))


def _changed(disk: Disk, database: Database, change: Callable[[apsw.Connection], None]) -> ChangeTaken:
    began = time.perf_counter()
    try:
        db = open_writer(disk, database.file_name, create=False, exclusive=False, busy_seconds=BUSY_SECONDS)
    except (apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError):
        path = disk.path(database.file_name)
        raise StoreRefused(f"you may not write to {path}; become its owner") from None
    try:
        db.execute("PRAGMA synchronous = FULL").fetchall()  # the commit is durable when it returns
        db.execute("BEGIN IMMEDIATE")
        change(db)
        db.execute("COMMIT")
        log_octets = disk.size(f"{database.file_name}-wal")
        db.wal_checkpoint("main", apsw.SQLITE_CHECKPOINT_PASSIVE)
    except apsw.Error as error:
        fault = port_error(error, db)
        if fault is not error:
            raise fault from error
        raise StoreRefused(
            f"{database.file_name} cannot be changed to another schema, and stays as it is: {error}; install "
            "the version again that worked with it"
        ) from error
    finally:
        db.close()
    return ChangeTaken(time.perf_counter() - began, log_octets)
