"""Copies a database while the service uses it, and examines such a copy.

One read transaction covers the whole copy, so that it is one state of the database whatever is
written meanwhile. Writers do not wait for it, but the write-ahead log cannot be begun anew before it
ends; so it only copies, as fast as the disk takes it, and gives up if the log grows too long.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import apsw

from secondpost.mail.content import CONTENT_FOLDER
from secondpost.mail.snapshot import SnapshotFault, is_member_name
from secondpost.store.ports import StoreRefused
from secondpost.store.sqlite.connection import PAGE_OCTETS, READER_BUSY_MS, distrust
from secondpost.store.sqlite.schema import Database, has_table, newest_schema, program_of, version

STEP_PAGES = 2048  # between two looks at the log, and two reports of progress
LOG_OCTETS_MAX = 2_000_000_000  # written meanwhile; beyond it the disk is too slow for so much mail

_COUNTED = ("message", "delivery", "subscriber", "issue", "article", "suppression")


@contextmanager
def _shown_as_fault(path: str) -> Iterator[None]:
    try:
        yield
    except apsw.FullError as error:
        raise OSError(28, "No space left on device") from error
    except apsw.Error as error:
        raise SnapshotFault(f"{path} cannot be read: {error}") from error


def copy_database(path: str, to: str, progress: Callable[[int], None]) -> None:
    """Copy the database at `path` into the new file `to`, and mark the copy as one.

    `progress` gets the octets of each step. Raises SnapshotFault, and OSError for a full disk.
    """
    with (
        _shown_as_fault(path),
        closing(apsw.Connection(path, flags=apsw.SQLITE_OPEN_READONLY)) as source,
        closing(apsw.Connection(to)) as copy,
    ):
        source.set_busy_timeout(READER_BUSY_MS)
        # The copy needs neither: it is worth nothing until all of it is there.
        copy.execute("PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF").fetchall()
        source.execute("BEGIN")
        source.execute("SELECT count(*) FROM migration").fetchall()  # from here on one state is read
        log_octets = _size(f"{path}-wal")
        with copy.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(STEP_PAGES)
                progress(STEP_PAGES * PAGE_OCTETS)
                if _size(f"{path}-wal") - log_octets > LOG_OCTETS_MAX:
                    raise SnapshotFault(
                        f"so much is written to {path} that it cannot be copied in time; "
                        "try again when less mail comes in, or name a faster disk"
                    )
        source.execute("ROLLBACK")
        _mark(copy)


def _mark(copy: apsw.Connection) -> None:
    """Mark the copy, so that a process that opens it as a store sees that it is a copy. Schemas before
    27 have no place for the mark.
    """
    copy.execute("PRAGMA journal_mode = DELETE").fetchall()
    if has_table(copy, "witness"):
        copy.execute(
            "INSERT INTO witness (one, epoch, is_copy) VALUES (1, 0, 1)"
            " ON CONFLICT (one) DO UPDATE SET is_copy = 1"
        )


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


class DatabaseCopy:
    """A copy in a file that no other process uses."""

    def __init__(self, path: str, database: Database) -> None:
        self.path = path
        self._database = database

    @contextmanager
    def _opened(self) -> Iterator[apsw.Connection]:
        with (
            _shown_as_fault(self.path),
            closing(apsw.Connection(self.path, flags=apsw.SQLITE_OPEN_READONLY)) as db,
        ):
            distrust(db)
            yield db

    def schema(self) -> int:
        with self._opened() as db:
            return version(db)

    def writer(self) -> str:
        """The version of the program that wrote its schema; "" if that is not known."""
        with self._opened() as db:
            return program_of(db)

    def counts(self) -> dict[str, int]:
        with self._opened() as db:
            tables = {str(name) for (name,) in db.execute("SELECT name FROM sqlite_schema").fetchall()}
            return {
                table: int(str(db.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]))
                for table in _COUNTED
                if table in tables
            }

    def content_files(self) -> list[str]:
        """The content files that messages of the copy still need. Raises SnapshotFault for a name that a
        snapshot could not be restored with: only a role that was taken over writes one.
        """
        with self._opened() as db:
            found = db.execute(
                "SELECT DISTINCT file FROM message WHERE file IS NOT NULL AND ended_ms IS NULL ORDER BY file"
            ).fetchall()
        names = [str(name) for (name,) in found]
        for name in names:
            if not (name.startswith(f"{CONTENT_FOLDER}/") and is_member_name(name)):
                raise SnapshotFault(
                    f"{self._database.file_name} names {name[:100]!r} as the file of a message, which no "
                    "role does that is in order; find out who wrote it before you rely on this store"
                )
        return names

    def examine(self) -> None:
        """Raises SnapshotFault if it is damaged, and StoreRefused if a newer version wrote it."""
        with self._opened() as db:
            found = [str(text) for (text,) in db.execute("PRAGMA integrity_check").fetchall()]
            if found != ["ok"]:
                raise SnapshotFault(f"{self._database.file_name} is damaged: {found[0]}")
            present, known = version(db), newest_schema(self._database)
            if present > known:
                writer = f"Secondpost {program_of(db)}".rstrip()
                raise StoreRefused(
                    f"{self._database.file_name} in it was written by a newer {writer} (schema {present}, "
                    f"this one knows {known}); use that version"
                )
