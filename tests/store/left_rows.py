"""The rows that a test left in a store, in a form in which two engines can be compared.

Compared as they stand, but for three things (docs/decisions/0024 has their reasons): numbers that an
engine gives out are replaced by their places in order, events of deliveries are numbered delivery by
delivery, and what a delivery that has ended once carried of its message's octets is left out.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from secondpost.store.verbs.steps import Row, Value, number

# The tables of which an engine keeps account by itself: which migrations made the schema.
OWN_TO_AN_ENGINE = frozenset({"migration"})

# By kind, the columns that hold numbers which an engine gave out. A delivery of an issue, and its events,
# have their reader's number: it is compared in a column of its own.
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
        ("issue", "issue.id delivery.issue article.issue slot.issue issue_tally.issue bounce.issue"),
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


Tables = Mapping[str, Table]  # of one database, by their names
Dump = Mapping[str, Tables]  # by the databases' names


def differences(one: Dump, other: Dump) -> list[str]:
    """A line for each row that only one of them has, and for each table."""
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
    """As they are compared."""
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
    """The numbers of events are places among those of their delivery."""
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
    """The number of a delivery of an issue stands in a column of its own."""
    message, delivery = table.columns.index("message"), table.columns.index("number")
    rows = [
        (*_with(row, delivery, None), row[delivery]) if row[message] in of_issues else (*row, None)
        for row in table.rows
    ]
    return Table((*table.columns, "reader"), rows)


def _with(row: Row, at: int, value: Value) -> Row:
    return (*row[:at], value, *row[at + 1 :])


def _places(tables: Tables, columns: Sequence[str]) -> dict[Value, Value]:
    """What each number of a kind is replaced by; 0 means "none yet" and stays."""
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
