"""The schema refuses every state change of a delivery that the table does not have."""

from itertools import product

import pytest

from secondpost.mail.delivery import State
from secondpost.mail.delivery_states import DELIVERY_EDGES
from secondpost.store.sqlite.schema import Database, migrations
from secondpost.store.verbs.named import read_queries
from secondpost.store.verbs.transitions import refused_beginning, refused_change
from tests.store.letters import Letters
from tests.store.place import Change, Place
from tests.store.readers import Publisher

NUMBER = 19
PAIRS = {(edge.source, edge.target) for edge in DELIVERY_EDGES}


CHANGED = "no edge leads from this state of a delivery to that"
BEGUN = "no delivery comes into being in this state"


async def sent(place: Place, database: Database) -> None:
    """Create one delivery."""
    if database is Database.MAIL:
        await Letters(place, place.open()).send("one@example.org")
    else:
        await Publisher(place, place.open_newsletter()).sign_up("one@example.org")


@pytest.mark.parametrize("database", list(Database))
async def test_each_edge_passes_and_each_other_pair_of_states_is_refused(
    place: Place, database: Database
) -> None:
    await sent(place, database)
    pairs = list(product(State, State))
    found = await place.refusals(database, [change(source, target) for source, target in pairs])
    assert dict(zip(pairs, found, strict=True)) == {pair: "" if pair in PAIRS else CHANGED for pair in pairs}


def change(source: State, target: State) -> Change:
    led = "UPDATE delivery SET last_ms = 1, state = "
    return Change("delivery", f"{led} '{source}'", f"{led} '{target}'")


@pytest.mark.parametrize("database", list(Database))
async def test_a_delivery_comes_into_being_only_where_the_table_begins(
    place: Place, database: Database
) -> None:
    await sent(place, database)
    found = await place.refusals(database, [beginning(state) for state in State])
    begins = {state: "" if (None, state) in PAIRS else BEGUN for state in State}
    assert dict(zip(State, found, strict=True)) == begins


def beginning(state: State) -> Change:
    columns = "domain, recipient, octets, arrived_ms, due_ms"
    return Change(
        "delivery",
        "DELETE FROM delivery WHERE number = 2",
        f"INSERT INTO delivery (message, number, state, {columns})"
        f" SELECT message, 2, '{state}', {columns} FROM delivery",
    )


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
