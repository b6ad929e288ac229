"""The table of a delivery's states is law: the schema refuses every change that it does not have."""

from itertools import product

import apsw
import pytest

from secondpost.mail.delivery import State
from secondpost.mail.delivery_states import DELIVERY_EDGES
from secondpost.store.sqlite.schema import Database, migrations
from secondpost.store.verbs.named import read_queries
from secondpost.store.verbs.transitions import refused_beginning, refused_change
from tests.store.letters import Letters
from tests.store.place import SqlitePlace

CHANGES = "delivery_changes_by_the_table"
NUMBER = 19
PAIRS = {(edge.source, edge.target) for edge in DELIVERY_EDGES}


def refusal(db: apsw.Connection, *statements: str) -> str:
    """What the last of these is refused with, "" when it is not; nothing of them stays."""
    db.execute("PRAGMA ignore_check_constraints = ON")  # other columns are not looked at here
    db.execute("BEGIN")
    try:
        for statement in statements:
            db.execute(statement)
    except apsw.ConstraintError as error:
        return str(error)
    finally:
        db.execute("ROLLBACK")
    return ""


@pytest.mark.parametrize("database", list(Database))
async def test_each_edge_passes_and_each_other_pair_of_states_is_refused(
    place: SqlitePlace, database: Database
) -> None:
    store = place.open() if database is Database.MAIL else place.open_newsletter()
    await Letters(place, store).send("one@example.org")
    db = store._opened.db
    [(trigger,)] = db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (CHANGES,)).fetchall()
    for source, target in product(State, State):
        found = refusal(
            db,
            f"DROP TRIGGER {CHANGES}",
            f"UPDATE delivery SET state = '{source}', last_ms = 1",
            str(trigger),
            f"UPDATE delivery SET state = '{target}', last_ms = 1",
        )
        is_edge = (source, target) in PAIRS
        assert found == ("" if is_edge else "no edge leads from this state of a delivery to that"), (
            source,
            target,
        )


async def test_a_delivery_comes_into_being_only_where_the_table_begins(place: SqlitePlace) -> None:
    store = place.open()
    await Letters(place, store).send("one@example.org")
    db = store._opened.db
    for state in State:
        found = refusal(
            db,
            "INSERT INTO delivery (message, number, domain, recipient, state, octets, arrived_ms, due_ms)"
            f" SELECT message, 2, domain, recipient, '{state}', 0, 1, 1 FROM delivery",
        )
        begins = (None, state) in PAIRS
        assert found == ("" if begins else "no delivery comes into being in this state"), state


@pytest.mark.parametrize("database", list(Database))
def test_the_triggers_of_the_schema_are_made_from_the_table(database: Database) -> None:
    [text] = [migration.text for migration in migrations(database) if migration.number == NUMBER]
    assert f"ON delivery WHEN\n{refused_change()}\nBEGIN" in text
    assert f"ON delivery WHEN\n{refused_beginning()}\nBEGIN" in text


def test_a_query_gets_its_source_states_from_the_table() -> None:
    text = "-- name: hold\n-- Held.\nUPDATE d SET state = 'held' WHERE state IN ({sources held owner});\n"
    assert read_queries(text, "x")["x.hold"].text.endswith("WHERE state IN ('waiting')")
    with pytest.raises(ValueError, match="no edge of owner leads to delivered"):
        read_queries(text.replace("held owner", "delivered owner"), "x")
