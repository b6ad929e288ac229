"""The rows that a statement visits and the size of a group, counted instead of timed."""

import asyncio
import re
from collections.abc import Sequence

import apsw

from secondpost.mail.address import Mailbox
from secondpost.mail.content import InTable
from secondpost.mail.delivery import KeptFor, State
from secondpost.mail.subscriber_states import Reason
from secondpost.store.owner_ports import InState, Selection
from secondpost.store.sqlite.group import GROUP_UNITS_MAX
from secondpost.store.sqlite.statements import QUERIES, Statements, statement
from secondpost.store.subscriber_ports import SignedUp
from secondpost.store.verbs.engine import BATCH_ROWS
from secondpost.store.verbs.named import shared_queries
from secondpost.store.verbs.selecting import page
from secondpost.store.verbs.steps import Query, number
from tests.store.letters import Letters
from tests.store.place import SqlitePlace, database_of, engine_of
from tests.store.readers import WEEKLY, Publisher

# Their work grows with the data, on purpose.
ASKED_BY_PEOPLE = {"counts", "claimed_counts", "aside_oldest", "kept_for", "waiting_domains"} | {
    *("reader_tally_of_mail", "deferred_of_issues", "deferred_own"),
}
# The last one also if a limit may have been passed.
ASKED_AT_THE_START = {"put_off", "paused_too_long", "learned_count"}
PARTS_OF_PAGES = {"columns", "beside", "page"}
PARTS = {"selected", "listed", "reader", "goes_by_hand", "feed_columns"} | PARTS_OF_PAGES
TABLES = ("message", "content", "domain", "tally", "queue", "delivery", "event", "learned", "day_tally")
OF_READERS = (
    *("subscriber", "reader", "reader_event", "consent", "bounce", "suppression", "article"),
    *("feed", "issue", "slot", "sign_up", "sign_up_outcome"),
)
# Full scans of few rows: the last 20 of a table, and the issues.
FEW = {"same_consent": ["SCAN consent"], "abandoned": ["SCAN issue USING INDEX issue_unfinished"]}
FEW["old_issue"] = ["SCAN issue"]
FEW["issues_under_way"] = FEW["abandoned"]
# Run by people: deferred mail of all issues.
FEW["last_deferred"] = ["SCAN delivery USING INDEX delivery_tried"]


def queries(*files: str) -> list[tuple[str, str]]:
    """Name and text of each query, with three rows where a set is inserted."""
    return [
        (name.partition(".")[2], statement(named, rows=3))
        for name, named in QUERIES.items()
        if name.partition(".")[0] in files
    ]


async def test_no_query_of_the_service_reads_a_whole_table(place: SqlitePlace) -> None:
    db = database_of(place.open())
    for name, query in queries("engine", "intake", "claims", "desk", "keeping", "primaries", "days"):
        if name in PARTS_OF_PAGES:
            continue
        whole = scans(db, query.replace("{conditions}", ""), TABLES)
        assert name in ASKED_BY_PEOPLE | ASKED_AT_THE_START or whole == [], name


async def test_no_query_about_readers_reads_a_whole_table(place: SqlitePlace) -> None:
    db = database_of(place.open_newsletter())
    named = queries(
        *(
            "engine",
            "intake",
            "claims",
            "desk",
            "keeping",
            "ledger",
            "issues",
            "readers",
            "importing",
            "suppressing",
            "reader_mail",
            "standing",
        )
    )
    for name, query in named:
        if name in PARTS | ASKED_BY_PEOPLE | ASKED_AT_THE_START:
            continue
        whole = scans(db, query.replace("{conditions}", ""), (*TABLES, *OF_READERS))
        assert whole == FEW.get(name, []), name


def scans(db: apsw.Connection, query: str, tables: Sequence[str]) -> list[str]:
    plan = [str(row[3]) for row in db.execute(f"EXPLAIN QUERY PLAN {query}", _nothing(query)).fetchall()]
    starts = tuple(f"SCAN {table}{end}" for table in tables for end in (" ", "\0"))
    return [step for step in plan if f"{step}\0".startswith(starts)]


def _nothing(query: str) -> tuple[None, ...]:
    numbered = [int(n) for n in re.findall(r"\?(\d+)", query)]
    return (None,) * max([*numbered, len(re.findall(r"\?(?!\d)", query))], default=0)


async def test_dead_letters_are_listed_by_their_own_index(place: SqlitePlace) -> None:
    store = place.open()
    refused = InState(State.KEPT, KeptFor.REFUSED)
    for selection in (Selection(states=(State.KEPT, State.HELD)), Selection(in_states=(refused,))):
        query = next(page(selection, (), None, 10))
        [(text, values)] = engine_of(store).statements.runs_of(query)
        steps = database_of(store).execute(f"EXPLAIN QUERY PLAN {text}", values)
        plan = " ".join(str(row[3]) for row in steps)
        assert "delivery_aside" in plan


async def test_a_group_is_few_statements_and_never_more_than_its_bound(place: SqlitePlace) -> None:
    store = place.open()
    letters = Letters(place, store)
    groups: list[int] = []
    statements = 0

    def trace(cursor: apsw.Cursor, statement: str, bindings: object) -> bool:
        nonlocal statements
        statements = 0 if statement.startswith("BEGIN") else statements + 1
        if statement == "COMMIT":
            groups.append(statements)
        return True

    database_of(store).set_exec_trace(trace)
    arrivals = [letters.arrival(f"u{n}@example.net", content=InTable(b"x" * 100)) for n in range(2000)]
    await asyncio.gather(*(store.accept(arrival) for arrival in arrivals))
    units = 2  # of a message with one recipient
    rows_max = GROUP_UNITS_MAX // units
    assert len(groups) >= 2000 // rows_max
    assert max(groups) <= 2 + 3 * (rows_max // 64 + 1)


async def test_sweeping_and_moving_change_a_bounded_number_of_rows_under_one_lock(place: SqlitePlace) -> None:
    store = place.open()
    await Letters(place, store).send(*(f"u{n}@example.net" for n in range(1000)))
    changes: list[int] = []
    db = database_of(store)
    before = 0

    def trace(cursor: apsw.Cursor, statement: str, bindings: object) -> bool:
        nonlocal before
        if statement.startswith("BEGIN"):
            before = db.total_changes()
        if statement == "COMMIT":
            changes.append(db.total_changes() - before)
        return True

    db.set_exec_trace(trace)
    await store.move(Selection(), (State.WAITING,), State.HELD, place.clock.ms, "held", "")
    assert len(changes) >= 1000 // BATCH_ROWS
    per_row = 8  # the row, its event, and the triggers' counts
    assert max(changes) <= BATCH_ROWS * per_row


def test_rows_are_cut_into_statements_without_losing_any() -> None:
    statements = Statements(shared_queries())
    for many in (0, 1, 64, 65, 129):
        rows = [("relay", f"{n}.example") for n in range(many)]
        pieces = list(statements.runs_of(Query("intake.add_domains", (), rows)))
        assert [value for _, values in pieces for value in values] == [v for row in rows for v in row]
        assert all(text.count("?") == len(values) for text, values in pieces)


def test_every_query_has_a_sentence() -> None:
    assert len(shared_queries()) > 40


async def test_a_sign_up_takes_the_same_steps_whoever_has_the_address(place: SqlitePlace) -> None:
    """Otherwise its duration would reveal who is a reader."""
    store = place.open_newsletter()
    publisher = Publisher(place, store)
    [left, spam] = await publisher.readers("left@example.net", "spam@example.net")
    await publisher.readers("active@example.net")
    await publisher.sign_up("pending@example.net")
    await store.leave(left, 1, "page")
    await store.complain(spam, 1, "report")
    spam_lifted = Mailbox.parse("spam@example.net")
    suppressed = Mailbox.parse("suppressed@example.net")
    await store.suppress(WEEKLY, [suppressed], Reason.OWNER, 1, "")
    await store.suppress(WEEKLY, [Mailbox.parse("erased@example.net")], Reason.ERASED, 1, "")
    steps: list[str] = []

    def noted(cursor: apsw.Cursor, statement: str, bindings: object) -> bool:
        steps.append(" ".join(statement.split()))
        return True

    async def signed_up(address: str, prefix: str = "192.0.2.0/24") -> tuple[SignedUp, list[str]]:
        steps.clear()
        outcome = await publisher.sign_up(address, prefix)
        return outcome, [step for step in steps if step != "ROLLBACK TO SAVEPOINT asking"]

    rows = "SELECT count(*) FROM sign_up UNION ALL SELECT count(*) FROM sign_up_outcome"
    database_of(store).exec_trace = noted
    wanted = await signed_up("new@example.net")
    assert wanted[0] is SignedUp.CONFIRM
    for address, outcome in (
        ("newer@example.net", SignedUp.CONFIRM),
        ("left@example.net", SignedUp.CONFIRM),
        ("pending@example.net", SignedUp.REPEATED),
        ("active@example.net", SignedUp.ALREADY),
        ("spam@example.net", SignedUp.SUPPRESSED),
        ("suppressed@example.net", SignedUp.SUPPRESSED),
        ("erased@example.net", SignedUp.CONFIRM),
    ):
        before = [number(many) for (many,) in database_of(store).execute(rows)]
        assert await signed_up(address) == (outcome, wanted[1]), address
        after = [number(many) for (many,) in database_of(store).execute(rows)]
        assert after == [before[0] + 1, before[1] + 1], "every sign-up writes the same, and is synced"
    assert await store.unsuppress(WEEKLY, spam_lifted)
    assert await signed_up("spam@example.net") == (SignedUp.SUPPRESSED, wanted[1])
    database_of(store).exec_trace = None
    assert await store.find(WEEKLY, suppressed) is None
    assert [event.what for event in await store.events_of(spam)] == ["added", "complained"]
    [asked] = await store.counts()
    assert asked.deliveries == 5, "pending, new, newer, and the two who come back"
