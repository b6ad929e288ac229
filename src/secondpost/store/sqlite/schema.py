"""Migrate a database to this program's schema, by the numbered files in migrations/.

NNNN_name.sql is for both databases, NNNN_name.newsletter.sql for newsletter.db only.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from importlib.resources import files

import apsw

from secondpost.mail.queue_id import WORKERS_MAX
from secondpost.mail.store_rooms import StoreRoom
from secondpost.store.ports import StoreRefused
from secondpost.store.verbs.steps import number

_VERSIONS = """
CREATE TABLE IF NOT EXISTS migration (
  number     INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL,
  applied_ms INTEGER NOT NULL
) STRICT
"""


class Database(Enum):
    """Which database. Queue ids contain the worker's number, so each has its own range of numbers."""

    MAIL = (StoreRoom.MAIL, "mail.db", range(WORKERS_MAX // 2))
    NEWSLETTER = (StoreRoom.NEWSLETTER, "newsletter.db", range(WORKERS_MAX // 2, WORKERS_MAX))

    def __init__(self, room: StoreRoom, file_name: str, workers: range) -> None:
        self.room = room
        self.file_name = file_name
        self.workers = workers

    @property
    def path_name(self) -> str:
        """Its name below the store."""
        return f"{self.room.folder}/{self.file_name}"


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    text: str


def migrations(database: Database) -> list[Migration]:
    """In order of number; numbers are unique across both databases."""
    return sorted(_migrations(database), key=lambda migration: migration.number)


def _migrations(database: Database) -> Iterator[Migration]:
    for file in files("secondpost.store.sqlite").joinpath("migrations").iterdir():
        named, _, suffix = file.name.partition(".")
        if suffix == "sql" or (suffix == "newsletter.sql" and database is Database.NEWSLETTER):
            number, _, name = named.partition("_")
            yield Migration(int(number), name, file.read_text(encoding="utf-8"))


def version(db: apsw.Connection) -> int:
    """The schema's number; 0 for an empty database."""
    # Read from the database: the connection's cached schema may be older than this transaction.
    if len(db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'migration'").fetchall()) == 0:
        return 0
    found = db.execute("SELECT coalesce(max(number), 0) FROM migration").fetchall()
    return number(found[0][0])


def migrate(db: apsw.Connection, database: Database, now_ms: int) -> None:
    """Migrate, inside the caller's transaction. Raises StoreRefused for a newer schema."""
    known = migrations(database)
    present = version(db)
    refuse_newer(present, known[-1].number)
    if present == 0:
        db.execute(_VERSIONS)
    for migration in known:
        if migration.number <= present:
            continue
        db.execute(migration.text)
        db.execute(
            "INSERT INTO migration (number, name, applied_ms) VALUES (?, ?, ?)",
            (migration.number, migration.name, now_ms),
        )


def check(db: apsw.Connection, database: Database) -> None:
    """Check the schema where it is not migrated. Raises StoreRefused unless it is exactly this
    program's.
    """
    present, known = version(db), migrations(database)[-1].number
    refuse_newer(present, known)
    if present < known:
        raise StoreRefused(
            f"the store has schema {present} and this Secondpost needs {known}; start the service once, "
            "it brings the store up to date"
        )


def refuse_newer(present: int, known: int) -> None:
    if present > known:
        raise StoreRefused(
            f"the store was written by a newer Secondpost (schema {present}, this one knows {known}); "
            "install that version again, or restore a snapshot made before it"
        )
