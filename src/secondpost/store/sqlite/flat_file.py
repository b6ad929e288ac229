"""A database made to be one file, without log or index beside it, so that it can be moved."""

import apsw

from secondpost.store.ports import StoreRefused, StoreUnavailable
from secondpost.store.sqlite.connection import port_error
from secondpost.world.ports import Disk

BESIDE = ("-wal", "-journal")  # what SQLite could still need of a database that was not closed


def settle_database(disk: Disk, name: str) -> None:
    """Copy the log into the database, durably, and remove it; the next process to open the database
    begins a log anew.

    Raises StoreUnavailable if another process has it open, StoreRefused if it is none, StoreFull and
    DiskFailed.
    """
    path = disk.path(name)
    db = apsw.Connection(path, flags=apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOFOLLOW, vfs=disk.vfs)
    try:
        db.execute("PRAGMA synchronous = FULL").fetchall()
        # Needs the database for itself, and leaves nothing in the log.
        if db.execute("PRAGMA journal_mode = DELETE").fetchall() != [("delete",)]:
            raise StoreUnavailable(f"another process has {path} open")
    except apsw.NotADBError:
        raise StoreRefused(f"{path} is not a database; move it away, or restore a snapshot") from None
    except apsw.Error as error:
        raise port_error(error, db) from error
    finally:
        db.close()
    for suffix in BESIDE:
        if disk.size(f"{name}{suffix}") > 0:
            raise StoreUnavailable(f"{path}{suffix} is still in use")
    disk.sync_folder(name.rpartition("/")[0])
