"""What a verb yields and is sent: a named query, and the rows it returned.

A verb is a generator. It decides what the store does and leaves running the queries to an adapter:
SQLite in its writer's group, PostgreSQL over the wire, a test from a list. It changes nothing
outside the store and assumes nothing about earlier runs, since an adapter may roll back and run it
again from the start.
"""

from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

from msgspec import Struct

R = TypeVar("R")

Value = None | int | float | str | bytes
Row = tuple[Value, ...]


class Query(Struct, frozen=True, gc=False):
    """One run of a named query (`file.name` of sql/).

    `binds` are the values of ?1, ?2 …; `chosen` are the rows of the set that it declares, with
    columns in that order; `conditions` replaces `{conditions}` in its text and contains no values.
    """

    name: str
    binds: Row = ()
    chosen: Sequence[Row] | None = None
    conditions: str = ""


class QueryResult(Struct, frozen=True, gc=False):
    """The rows of a query, and the number of rows it wrote."""

    rows: Sequence[Row]
    changed: int = 0


Steps = Generator[Query, QueryResult, R]


def rows(
    name: str, *binds: Value, chosen: Sequence[Row] | None = None, conditions: str = ""
) -> Steps[Sequence[Row]]:
    """Run a query that returns rows."""
    result = yield Query(name, binds, chosen, conditions)
    return result.rows


def run(name: str, *binds: Value, chosen: Sequence[Row] | None = None) -> Steps[int]:
    """Run a query that writes; returns the number of rows written."""
    result = yield Query(name, binds, chosen)
    return result.changed


def in_turn(verbs: Sequence[Callable[[], Steps[R]]]) -> Steps[list[R]]:
    """Run payloads that are verbs themselves, one after the other."""
    results = []
    for verb in verbs:
        results.append((yield from verb()))
    return results


def drive(steps: Steps[R], answer: Callable[[Query], QueryResult]) -> R:
    """Run a verb to its end, answering each query directly."""
    try:
        query = next(steps)
        while True:
            query = steps.send(answer(query))
    except StopIteration as end:
        result: R = end.value
        return result


def number(value: Value) -> int:
    """The value of an integer column, or of a count."""
    assert isinstance(value, int), f"{value!r} is no whole number"
    return value


def maybe_number(value: Value) -> int | None:
    return None if value is None else number(value)


def octets(value: Value) -> bytes:
    """The value of a blob column."""
    assert isinstance(value, bytes), f"{value!r} is no octets"
    return value


def maybe_octets(value: Value) -> bytes:
    """A value of a blob column of an outer join; empty without a row."""
    return b"" if value is None else octets(value)
