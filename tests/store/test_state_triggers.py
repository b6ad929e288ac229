"""The schema refuses every state change of a delivery, an article or a reader that their tables do
not have.

For issues see test_newsletter_triggers.py.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import product

import apsw
import pytest

from secondpost.store.sqlite import schema
from secondpost.store.sqlite.schema import Database
from secondpost.store.verbs.named import read_queries
from secondpost.store.verbs.transitions import STATE_TABLES, refused_beginning, refused_change
from tests.store.letters import Letters
from tests.store.place import Change, Place
from tests.store.readers import Publisher

# Columns without which a row cannot be written.
DELIVERY = "message, domain, recipient, octets, arrived_ms, due_ms"
ARTICLE = (
    "newsletter, url, link, canonical_link, fingerprint, title, summary, html, author, first_seen_ms,"
    " last_seen_ms, good_fetches, reason"
)
READER = "newsletter, mailbox, domain, hash, since_ms, since_event, created_ms"


@dataclass(frozen=True, slots=True)
class Law:
    """The table of the schema with these states, and how a test writes one of its rows."""

    table: str
    database: Database
    made: Callable[[Place], Awaitable[object]]  # creates a row
    named: str  # in the triggers' words
    columns: str  # that another row takes from the first, besides its state
    own: tuple[str, str]  # a column in which the other row differs, and its value there
    beside: str = ""  # what other triggers expect to be set before its state changes

    @property
    def pairs(self) -> set[tuple[str | None, str | None]]:
        return {(edge.source, edge.target) for edge in STATE_TABLES[self.table].edges}

    @property
    def states(self) -> list[str]:
        return [state.value for state in STATE_TABLES[self.table].states]

    def change(self, source: str, target: str) -> Change:
        led = f"UPDATE {self.table} SET {self.beside} state ="
        return Change(self.table, f"{led} '{source}'", f"{led} '{target}'")

    def beginning(self, state: str) -> Change:
        column, value = self.own
        return Change(
            self.table,
            f"DELETE FROM {self.table} WHERE {column} = {value}",
            f"INSERT INTO {self.table} ({column}, state, {self.columns})"
            f" SELECT {value}, '{state}', {self.columns} FROM {self.table} LIMIT 1",
        )


async def mail(place: Place) -> None:
    await Letters(place, place.open()).send("one@example.org")


async def signed_up(place: Place) -> None:
    await Publisher(place, place.open_newsletter()).sign_up("one@example.org")


async def articles(place: Place) -> None:
    await Publisher(place, place.open_newsletter()).digest()


TRIED = "last_ms = 1,"
SECOND = ("number", "2")
LAWS = (
    Law("delivery", Database.MAIL, mail, "a delivery", DELIVERY, SECOND, TRIED),
    Law("delivery", Database.NEWSLETTER, signed_up, "a delivery", DELIVERY, SECOND, TRIED),
    Law("article", Database.NEWSLETTER, articles, "an article", ARTICLE, ("guid", "'other'")),
    Law("subscriber", Database.NEWSLETTER, signed_up, "a reader", READER, ("key", "'other'")),
)
each_law = pytest.mark.parametrize("law", LAWS, ids=lambda law: f"{law.table}-{law.database.file_name}")


@each_law
async def test_each_edge_passes_and_each_other_pair_of_states_is_refused(place: Place, law: Law) -> None:
    await law.made(place)
    pairs = list(product(law.states, law.states))
    found = await place.refusals(law.database, [law.change(*pair) for pair in pairs])
    refused = f"no edge leads from this state of {law.named} to that"
    assert dict(zip(pairs, found, strict=True)) == {
        pair: "" if pair in law.pairs else refused for pair in pairs
    }


@each_law
async def test_a_row_comes_into_being_only_where_its_table_begins(place: Place, law: Law) -> None:
    await law.made(place)
    found = await place.refusals(law.database, [law.beginning(state) for state in law.states])
    refused = f"no {law.named.split()[1]} comes into being in this state"
    assert dict(zip(law.states, found, strict=True)) == {
        state: "" if (None, state) in law.pairs else refused for state in law.states
    }


@each_law
def test_the_triggers_of_the_schema_are_made_from_the_table(law: Law) -> None:
    changes = condition(law.database, f"{law.table}_changes_by_the_table")
    assert changes == refused_change(law.table), "another edge needs a migration that makes the trigger anew"
    begins = condition(law.database, f"{law.table}_begins_by_the_table")
    if all((None, state) in law.pairs for state in law.states):
        assert begins is None
    else:
        assert begins == refused_beginning(law.table), "another beginning needs a migration as well"


def condition(database: Database, trigger: str) -> str | None:
    """The condition of a trigger in a new database; None if there is no such trigger."""
    db = apsw.Connection(":memory:")
    schema.migrate(db, database, 0)
    for (text,) in db.execute(
        "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?", (trigger,)
    ):
        return str(text).partition(" WHEN\n")[2].partition("\nBEGIN")[0]
    return None


def test_a_query_gets_its_source_states_from_the_table_it_names() -> None:
    text = "-- name: led\n-- Led.\nUPDATE d SET state = '' WHERE state IN ({sources delivery held owner});\n"
    assert read_queries(text, "x")["x.led"].text.endswith("WHERE state IN ('waiting')")
    of_articles = text.replace("delivery held owner", "article taken publish")
    assert read_queries(of_articles, "x")["x.led"].text.endswith("WHERE state IN ('waiting')")
    of_readers = text.replace("delivery held owner", "subscriber pending reader")
    assert read_queries(of_readers, "x")["x.led"].text.endswith("WHERE state IN ('left', 'suspended')")
    with pytest.raises(ValueError, match="no edge of owner leads to delivered"):
        read_queries(text.replace("held owner", "delivered owner"), "x")
