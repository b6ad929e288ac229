"""The rows that a test left in a store, in a form in which two engines can be compared.

Compared as they stand, but for three things (docs/decisions/0024 has their reasons): numbers that an
engine gives out are replaced by their places in order, events of deliveries are numbered delivery by
delivery, and what a delivery that has ended once carried of its message's octets is left out.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from secondpost.store.verbs.steps import Row, Value, number

Dump = Mapping[str, "Table"]  # by "mail.db message"

# The tables of which an engine keeps account by itself: which migrations made the schema.
OWN_TO_AN_ENGINE = frozenset({"migration"})

# By kind, the columns that hold numbers which an engine gave out.
GIVEN_NUMBERS: Mapping[str, frozenset[str]] = {
    kind: frozenset(columns.split())
    for kind, columns in (
        ("domain", "domain.id delivery.domain tally.domain day_tally.domain subscriber.domain"),
        ("consent", "consent.id subscriber.consent reader_event.consent"),
        ("reader", "subscriber.id delivery.subscriber reader_event.subscriber sign_up.subscriber"),
        ("event of a reader", "reader_event.number subscriber.since_event issue.event"),
    )
}

# Tables whose numbers have a meaning only among the rows that have these columns in common.
NUMBERED_WITHIN: Mapping[str, tuple[str, ...]] = {"event": ("message", "number")}


@dataclass(frozen=True, slots=True)
class Table:
    columns: tuple[str, ...]
    rows: Sequence[Row]


def count(dump: Dump) -> int:
    return sum(len(table.rows) for table in dump.values())


def differences(one: Dump, other: Dump) -> list[str]:
    """A line for each row that only one of them has, and for each table."""
    found = [f"{name}: only in one of them" for name in sorted(one.keys() ^ other.keys())]
    here, there = canonical(one), canonical(other)
    for name in sorted(one.keys() & other.keys()):
        if one[name].columns != other[name].columns:
            found.append(f"{name}: {one[name].columns} and {other[name].columns}")
            continue
        for sign, rows, others in (("-", here[name], there[name]), ("+", there[name], here[name])):
            found += [f"{name}: {sign} {_in_words(one[name].columns, row)}" for row in _more(rows, others)]
    return found


def canonical(dump: Dump) -> dict[str, list[Row]]:
    """Each table's rows as they are compared, in an order that depends on their values alone."""
    places = {kind: _places(dump, columns) for kind, columns in GIVEN_NUMBERS.items()}
    kinds = {column: kind for kind, columns in GIVEN_NUMBERS.items() for column in columns}
    found = {}
    for name, table in dump.items():
        _, _, bare = name.partition(" ")
        if bare in NUMBERED_WITHIN:
            table = _numbered_within(table, NUMBERED_WITHIN[bare])
        if bare == "delivery":
            table = _without_octets_that_ended(table)
        of_columns = [places.get(kinds.get(f"{bare}.{column}", ""), {}) for column in table.columns]
        rows = [
            tuple(known.get(value, value) for known, value in zip(of_columns, row, strict=True))
            for row in table.rows
        ]
        found[name] = sorted(rows, key=repr)
    return found


def _without_octets_that_ended(table: Table) -> Table:
    octets, ended = table.columns.index("octets"), table.columns.index("ended_ms")
    rows = [row if row[ended] is None else (*row[:octets], 0, *row[octets + 1 :]) for row in table.rows]
    return Table(table.columns, rows)


def _numbered_within(table: Table, columns: Sequence[str]) -> Table:
    """The first column's numbers are places among the rows that have these columns in common."""
    at = [table.columns.index(column) for column in columns]
    given: Counter[Row] = Counter()
    rows = []
    for row in sorted(table.rows, key=lambda row: number(row[0])):
        group = tuple(row[place] for place in at)
        given[group] += 1
        rows.append((given[group], *row[1:]))
    return Table(table.columns, rows)


def _places(dump: Dump, columns: frozenset[str]) -> dict[Value, Value]:
    """What each number of a kind is replaced by; 0 means "none yet" and stays."""
    numbers = sorted({one for one in _numbers(dump, columns) if one > 0})
    return {one: place for place, one in enumerate(numbers, 1)}


def _numbers(dump: Dump, columns: frozenset[str]) -> Iterator[int]:
    for name, table in dump.items():
        _, _, bare = name.partition(" ")
        for at, column in enumerate(table.columns):
            if f"{bare}.{column}" in columns:
                for row in table.rows:
                    value = row[at]
                    if isinstance(value, int):
                        yield value


def _more(rows: Sequence[Row], others: Sequence[Row]) -> list[Row]:
    """Rows of which there are more than among the others."""
    left = list(others)
    more = []
    for row in rows:
        if row in left:
            left.remove(row)
        else:
            more.append(row)
    return more


def _in_words(columns: Sequence[str], row: Row) -> str:
    return ", ".join(f"{column}={value!r}" for column, value in zip(columns, row, strict=True))
