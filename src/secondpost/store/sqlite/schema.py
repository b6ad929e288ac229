"""Migrate a database to this program's schema, by the numbered files in migrations/.

NNNN_name.sql is for both databases, NNNN_name.newsletter.sql for newsletter.db only. A file of the
same name in migrations/back/ undoes it, and loses nothing but what the older schema has no place for.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from importlib.resources import files
from importlib.resources.abc import Traversable

import apsw

from secondpost import __version__
from secondpost.mail.queue_id import WORKERS_MAX
from secondpost.mail.store_rooms import StoreRoom
from secondpost.store.ports import StoreNewer, StoreRefused
from secondpost.store.sqlite.kept import kept_copies
from secondpost.store.verbs.steps import number

BACK = "back"  # the folder of what undoes migrations

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


def newest_schema(database: Database) -> int:
    """The schema of this program."""
    return max(schema for schema, _, _ in _named_files(database))


def _migrations(database: Database, *folders: str) -> Iterator[Migration]:
    for schema, name, file in _named_files(database, *folders):
        yield Migration(schema, name, file.read_text(encoding="utf-8"))


def _named_files(database: Database, *folders: str) -> Iterator[tuple[int, str, Traversable]]:
    for file in files("secondpost.store.sqlite").joinpath("migrations", *folders).iterdir():
        named, _, suffix = file.name.partition(".")
        if suffix == "sql" or (suffix == "newsletter.sql" and database is Database.NEWSLETTER):
            schema, _, name = named.partition("_")
            yield int(schema), name, file


def version(db: apsw.Connection) -> int:
    """The schema's number; 0 for an empty database."""
    # Read from the database: the connection's cached schema may be older than this transaction.
    if len(db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'migration'").fetchall()) == 0:
        return 0
    found = db.execute("SELECT coalesce(max(number), 0) FROM migration").fetchall()
    return number(found[0][0])


def unheard(_migration: Migration, _seconds: float) -> None:
    """For those who do not ask how long each migration took."""


def migrate(
    db: apsw.Connection,
    database: Database,
    now_ms: int,
    applied: Callable[[Migration, float], None] = unheard,
) -> None:
    """Migrate, inside the caller's transaction; `applied` gets the seconds of each migration. Raises
    StoreNewer for a newer schema.
    """
    refuse_newer(db, database)
    present = version(db)
    if present == 0:
        db.execute(_VERSIONS)
    for migration in migrations(database):
        if migration.number <= present:
            continue
        began = time.perf_counter()
        db.execute(migration.text)
        db.execute(
            "INSERT INTO migration (number, name, applied_ms) VALUES (?, ?, ?)",
            (migration.number, migration.name, now_ms),
        )
        applied(migration, time.perf_counter() - began)
    note_program(db, database, now_ms)


def note_program(db: apsw.Connection, database: Database, now_ms: int) -> None:
    """Note that this version of the program works with the database, for the refusal that an older
    one gives.
    """
    if not has_table(db, "program"):
        return  # a schema before 33, as tests make it
    db.execute(
        "INSERT INTO program (version, schema, first_ms, last_ms) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (version, schema) DO UPDATE SET last_ms = max(last_ms, excluded.last_ms)",
        (__version__, version(db), now_ms, now_ms),
    )


def program_of(db: apsw.Connection) -> str:
    """The version of the program that wrote the present schema; "" if it is not known."""
    if not has_table(db, "program"):
        return ""
    found = db.execute(
        "SELECT version FROM program WHERE schema = ? ORDER BY last_ms DESC LIMIT 1", (version(db),)
    ).fetchall()
    return "" if len(found) == 0 else str(found[0][0])


def has_table(db: apsw.Connection, name: str) -> bool:
    found = db.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?", (name,))
    return len(found.fetchall()) > 0


def steps_back(database: Database, present: int, to: int) -> Sequence[Migration] | None:
    """What undoes the migrations above `to`, newest first; None if one of them cannot be undone, or
    is not known to this program.
    """
    if present > newest_schema(database):
        return None
    texts = {each.number: each for each in _migrations(database, BACK)}
    known = sorted((schema for schema, _, _ in _named_files(database)), reverse=True)
    undone = [schema for schema in known if to < schema <= present]
    return [texts[schema] for schema in undone] if texts.keys() >= set(undone) else None


def migrate_back(db: apsw.Connection, steps: Sequence[Migration]) -> None:
    """Undo these migrations, inside the caller's transaction."""
    for step in steps:
        db.execute(step.text)
        db.execute("DELETE FROM migration WHERE number = ?", (step.number,))


def check(db: apsw.Connection, database: Database) -> None:
    """Check the schema where it is not migrated. Raises StoreNewer, and StoreRefused unless it is exactly
    this program's.
    """
    refuse_newer(db, database)
    present, known = version(db), newest_schema(database)
    if present < known:
        raise StoreRefused(
            f"the store has schema {present} and this Secondpost needs {known}; start the service once, "
            "it brings the store up to date"
        )


def refuse_newer(db: apsw.Connection, database: Database) -> None:
    """Raises StoreNewer, with the ways forward and back, if a newer program wrote the database."""
    present, known = version(db), newest_schema(database)
    if present > known:
        kept = [each for each in kept_copies(db.filename) if each.schema <= known]
        raise StoreNewer(present, known, program_of(db), __version__, None if len(kept) == 0 else kept[-1])
