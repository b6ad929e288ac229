"""The tables are what docs/store.md says, and refuse what may not be."""

import re
from pathlib import Path

import apsw
import pytest

from tests.store.letters import Letters
from tests.store.place import SqlitePlace

PAGE = Path(__file__).parent.parent.parent / "docs" / "store.md"


async def test_every_table_is_documented_and_nothing_else(place: SqlitePlace) -> None:
    db = place.open()._opened.db
    tables = {
        str(row[0])
        for row in db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
    }
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)) == tables


@pytest.mark.parametrize(
    "wrong",
    [
        "state = 'kept'",
        "kept_for = 'loop'",
        "state = 'claimed'",
        "fence = 7",
        "state = 'delivered'",
        "ended_ms = 1",
        "state = 'lost'",
        "due_ms = 'tomorrow'",
        "maybe_duplicate = 2",
    ],
)
async def test_a_delivery_that_contradicts_itself_cannot_be_written(place: SqlitePlace, wrong: str) -> None:
    store = place.open()
    await Letters(place, store).send("one@example.net")
    with pytest.raises(apsw.ConstraintError):
        store._opened.db.execute(f"UPDATE delivery SET {wrong}")


async def test_the_database_is_synced_in_full_and_checkpoints_only_when_told(place: SqlitePlace) -> None:
    db = place.open()._opened.db
    facts = {
        name: db.execute(f"PRAGMA {name}").fetchall()[0][0]
        for name in (
            "journal_mode",
            "synchronous",
            "wal_autocheckpoint",
            "auto_vacuum",
            "page_size",
            "mmap_size",
        )
    }
    full, incremental = 2, 2
    assert facts == {
        "journal_mode": "wal",
        "synchronous": full,
        "wal_autocheckpoint": 0,
        "auto_vacuum": incremental,
        "page_size": 4096,
        "mmap_size": 0,
    }
