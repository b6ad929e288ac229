"""The table of a delivery's states is law: the schema refuses every change that it does not have."""

from itertools import product

import apsw
import pytest

from secondpost.mail.delivery import State
from secondpost.mail.delivery_states import EDGES, ENDED
from secondpost.store.sqlite.schema import Database, migrations
from secondpost.store.verbs.named import read_queries
from secondpost.store.verbs.transitions import refused_beginning, refused_change
from tests.store.letters import Letters
from tests.store.place import SqlitePlace

CHANGES = "delivery_changes_by_the_table"
NUMBER = 19
PAIRS = {(edge.source, edge.target) for edge in EDGES}
UNDER_A_FENCE = (State.CLAIMED, State.COMMITTING)


def put_in(db: apsw.Connection, state: State) -> None:
    db.execute(
        "UPDATE delivery SET state = ?, fence = ?, kept_for = ?, ended_ms = ?, last_ms = 1",
        (
            state.value,
            1 if state in UNDER_A_FENCE else None,
            "expired" if state is State.KEPT else None,
            1 if state in ENDED else None,
        ),
    )


def is_refused(db: apsw.Connection, source: State, target: State, trigger: str) -> bool:
    """A delivery is put into the first state as if there were no law, then led to the second."""
    db.execute(f"BEGIN; DROP TRIGGER {CHANGES}")
    try:
        put_in(db, source)
        db.execute(trigger)
        put_in(db, target)
    except apsw.ConstraintError as error:
        assert "no edge leads" in str(error), (source, target, error)
        return True
    finally:
        db.execute("ROLLBACK")
    return False


@pytest.mark.parametrize("database", list(Database))
async def test_each_edge_passes_and_each_other_pair_of_states_is_refused(
    place: SqlitePlace, database: Database
) -> None:
    store = place.open() if database is Database.MAIL else place.open_newsletter()
    await Letters(place, store).send("one@example.org")
    db = store._opened.db
    [(trigger,)] = db.execute("SELECT sql FROM sqlite_schema WHERE name = ?", (CHANGES,)).fetchall()
    passed = {
        (source, target)
        for source, target in product(State, State)
        if not is_refused(db, source, target, str(trigger))
    }
    assert passed == {(source, target) for source, target in PAIRS if source is not None}


async def test_a_delivery_comes_into_being_only_where_the_table_begins(place: SqlitePlace) -> None:
    store = place.open()
    await Letters(place, store).send("one@example.org")
    db = store._opened.db
    began = set()
    for state in State:
        db.execute("BEGIN")
        try:
            db.execute(
                "INSERT INTO delivery (message, number, domain, recipient, state, fence, kept_for, ended_ms,"
                " octets, arrived_ms, due_ms) SELECT message, 2, domain, recipient, ?, ?, ?, ?, 0, 1, 1"
                " FROM delivery",
                (
                    state.value,
                    1 if state in UNDER_A_FENCE else None,
                    "expired" if state is State.KEPT else None,
                    1 if state in ENDED else None,
                ),
            )
            began.add(state)
        except apsw.ConstraintError as error:
            assert "comes into being" in str(error), (state, error)
        finally:
            db.execute("ROLLBACK")
    assert began == {target for source, target in PAIRS if source is None}


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
