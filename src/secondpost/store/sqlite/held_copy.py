"""A copy of a database as it was before a new program changed its schema, and the way back to it.

Unlike a snapshot it goes back into the file that it came from, while nothing was accepted or sent in
between: so it bears no mark of a copy, and the file keeps its place on the disk (mail/witness).
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import apsw

from secondpost.store.ports import StoreRefused
from secondpost.store.sqlite.connection import port_error

BUSY_MS = 5_000  # processes that just ended may still be closing it
STEP_PAGES = 2048


def copy_held(path: str, copy: str) -> None:
    """Copy the database at `path` into the file `copy`, durably. Raises StoreRefused, StoreFull and
    DiskFailed.
    """
    with _opened(path, apsw.SQLITE_OPEN_READONLY) as source:
        _copy(source, copy)


def put_held_back(copy: str, path: str) -> None:
    """Make the database at `path` what the copy is, in one transaction. Raises as `copy_held` does."""
    with _opened(copy, apsw.SQLITE_OPEN_READONLY) as source:
        _copy(source, path)


def _copy(source: apsw.Connection, to: str) -> None:
    with _opened(to, apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE) as target:
        target.execute("PRAGMA synchronous = FULL").fetchall()
        with target.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(STEP_PAGES)
        # So that the file alone is all of it, and synced.
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


@contextmanager
def _opened(path: str, flags: int) -> Iterator[apsw.Connection]:
    try:
        db = apsw.Connection(path, flags=flags | apsw.SQLITE_OPEN_NOFOLLOW)
    except apsw.Error as error:
        raise StoreRefused(f"{path} cannot be opened: {error}") from None
    with closing(db):
        db.set_busy_timeout(BUSY_MS)
        try:
            yield db
        except apsw.NotADBError:
            raise StoreRefused(f"{path} is not a database; move it away, or restore a snapshot") from None
        except apsw.Error as error:
            raise port_error(error, db) from error
