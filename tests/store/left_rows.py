"""The rows that a test left in a store, in a form that can be compared between engines.

Rows are compared unchanged, with three exceptions (reasons in docs/decisions/0024): numbers
assigned by an engine are replaced by their rank, events are numbered per delivery, and the octets
of a delivery that has ended are left out.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from secondpost.store.verbs.steps import Row, Value, number

# Tables that differ between engines: the migrations that made the schema, the versions of the program
# that worked with it, and the epoch, which only a database in a file begins when it is opened.
OWN_TO_AN_ENGINE = frozenset({"migration", "program", "witness"})

# By kind, the columns with numbers that an engine assigned. A delivery of an issue, and its events,
# are numbered by reader: that number is compared in a separate column.
GIVEN_NUMBERS: Mapping[str, Sequence[str]] = {
    kind: columns.split()
    for kind, columns in (
        ("domain", "domain.id delivery.domain tally.domain day_tally.domain subscriber.domain"),
        ("consent", "consent.id subscriber.consent reader_event.consent"),
        (
            "reader",
            "subscriber.id delivery.subscriber delivery.reader event.reader reader_event.subscriber "
            "bounce.subscriber sign_up.subscriber issue.frozen_upto issue.sent_upto",
        ),
        ("event of a reader", "reader_event.number subscriber.since_event issue.event"),
        (
            "issue",
            "issue.id delivery.issue article.issue slot.issue issue_tally.issue issue_deferral.issue "
            "bounce.issue",
        ),
        ("slot", "slot.id"),
        ("article", "article.id"),
        ("outcome of a sign-up", "sign_up_outcome.id"),
        ("lease", "lease.fence delivery.fence issue.fence"),
        ("run of a worker", "worker.run"),
    )
}


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    rows: Sequence[Row]


Tables = Mapping[str, Table]  # of one database, by name
Dump = Mapping[str, Tables]  # by database name


def differences(one: Dump, other: Dump) -> list[str]:
    """A line for each row or table that only one of them has."""
    return [
        f"{database} {line}"
        for database in sorted(one.keys() | other.keys())
        for line in _differences(canonical(one.get(database, {})), canonical(other.get(database, {})))
    ]


def _differences(one: Tables, other: Tables) -> Iterator[str]:
    for name in sorted(one.keys() | other.keys()):
        here, there = one.get(name), other.get(name)
        if here is None or there is None:
            yield f"{name}: only in one of them"
        elif here.columns != there.columns:
            yield f"{name}: {here.columns} and {there.columns}"
        else:
            for sign, rows, others in (("-", here.rows, there.rows), ("+", there.rows, here.rows)):
                for row in (Counter(rows) - Counter(others)).elements():
                    yield f"{name}: {sign} {_in_words(here.columns, row)}"


def _in_words(columns: Sequence[str], row: Row) -> str:
    return ", ".join(f"{column}={value!r}" for column, value in zip(columns, row, strict=True))


def canonical(tables: Tables) -> Tables:
    """The tables in the form in which they are compared."""
    found = dict(tables)
    if "event" in tables:
        found["event"] = _numbered_by_delivery(tables["event"])
    if "delivery" in tables:
        found["delivery"] = _without_octets_that_ended(tables["delivery"])
        of_issues = _messages_of_issues(tables["delivery"])
        for name in found.keys() & {"delivery", "event"}:
            found[name] = _with_readers(found[name], of_issues)
    places = {kind: _places(found, columns) for kind, columns in GIVEN_NUMBERS.items()}
    return {name: _placed(name, table, places) for name, table in found.items()}


def _numbered_by_delivery(events: Table) -> Table:
    """Replace the numbers of events by their position within their delivery."""
    id, message, delivery = (events.columns.index(column) for column in ("id", "message", "number"))
    given: Counter[Row] = Counter()
    rows = []
    for row in sorted(events.rows, key=lambda row: number(row[id])):
        given[row[message], row[delivery]] += 1
        rows.append(_with(row, id, given[row[message], row[delivery]]))
    return Table(events.columns, rows)


def _without_octets_that_ended(deliveries: Table) -> Table:
    octets, ended = deliveries.columns.index("octets"), deliveries.columns.index("ended_ms")
    return Table(
        deliveries.columns,
        [row if row[ended] is None else _with(row, octets, 0) for row in deliveries.rows],
    )


def _messages_of_issues(deliveries: Table) -> frozenset[Value]:
    message, issue = deliveries.columns.index("message"), deliveries.columns.index("issue")
    return frozenset(row[message] for row in deliveries.rows if row[issue] is not None)


def _with_readers(table: Table, of_issues: frozenset[Value]) -> Table:
    """Move the number of an issue's delivery into a separate column."""
    message, delivery = table.columns.index("message"), table.columns.index("number")
    rows = [
        (*_with(row, delivery, None), row[delivery]) if row[message] in of_issues else (*row, None)
        for row in table.rows
    ]
    return Table((*table.columns, "reader"), rows)


def _with(row: Row, at: int, value: Value) -> Row:
    return (*row[:at], value, *row[at + 1 :])


def _places(tables: Tables, columns: Sequence[str]) -> dict[Value, Value]:
    """The replacement of each number of a kind; 0 means "none yet" and is kept."""
    given = {value for column in columns for value in _values(tables, column) if value > 0}
    return {value: place for place, value in enumerate(sorted(given), 1)}


def _values(tables: Tables, column: str) -> Iterator[int]:
    name, _, column = column.partition(".")
    if name in tables and column in tables[name].columns:
        at = tables[name].columns.index(column)
        for row in tables[name].rows:
            value = row[at]
            if isinstance(value, int):
                yield value


def _placed(name: str, table: Table, places: Mapping[str, Mapping[Value, Value]]) -> Table:
    kinds = {column: kind for kind, columns in GIVEN_NUMBERS.items() for column in columns}
    known = [places.get(kinds.get(f"{name}.{column}", ""), {}) for column in table.columns]
    rows = [
        tuple(of_kind.get(value, value) for of_kind, value in zip(known, row, strict=True))
        for row in table.rows
    ]
    return Table(table.columns, rows)
