"""Brings a database to the schema that this program knows, by the numbered files of migrations/."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

import apsw

from secondpost.store.ports import StoreRefused
from secondpost.store.sqlite.queries import number

_VERSIONS = """
CREATE TABLE IF NOT EXISTS migration (
  number     INTEGER PRIMARY KEY,
  name       TEXT    NOT NULL,
  applied_ms INTEGER NOT NULL
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Migration:
    number: int
    name: str
    text: str


def migrations() -> list[Migration]:
    """In order; numbered from 1 without a gap."""
    return sorted(_migrations(), key=lambda migration: migration.number)


def _migrations() -> Iterator[Migration]:
    for file in files("secondpost.store.sqlite").joinpath("migrations").iterdir():
        if file.name.endswith(".sql"):
            number, _, name = file.name.removesuffix(".sql").partition("_")
            yield Migration(int(number), name, file.read_text(encoding="utf-8"))


def version(db: apsw.Connection) -> int:
    """0 for an empty database."""
    # Asked of the database: a connection's own notion of its tables may be older than this transaction.
    if len(db.execute("SELECT 1 FROM sqlite_schema WHERE name = 'migration'").fetchall()) == 0:
        return 0
    found = db.execute("SELECT coalesce(max(number), 0) FROM migration").fetchall()
    return number(found[0][0])


def migrate(db: apsw.Connection, now_ms: int) -> None:
    """Inside the caller's transaction. Raises StoreRefused for a newer schema."""
    known = migrations()
    present = version(db)
    refuse_newer(present, len(known))
    if present == 0:
        db.execute(_VERSIONS)
    for migration in known[present:]:
        db.execute(migration.text)
        db.execute(
            "INSERT INTO migration (number, name, applied_ms) VALUES (?, ?, ?)",
            (migration.number, migration.name, now_ms),
        )


def check(db: apsw.Connection) -> None:
    """For those who do not migrate. Raises StoreRefused unless the schema is the one that we know."""
    present, known = version(db), len(migrations())
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
