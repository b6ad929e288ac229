"""What a verb yields and is sent: a named query, and the rows it gave.

A verb is a generator. It decides what the store does, and leaves to an adapter how a query is run:
SQLite in its writer's group, PostgreSQL over the wire, a test from a list. It changes nothing outside
the store and assumes nothing of earlier runs, since an adapter rolls back and runs it again from its
start.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TypeVar

R = TypeVar("R")

Value = None | int | float | str | bytes
Row = tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """One run of a named query (`file.name` of sql/).

    `binds` stand for its ?1, ?2 …; `chosen` are the rows of the set that it declares, in the order of
    the set's columns; `conditions` stands for `{conditions}` in its text and holds no value.
    """

    name: str
    binds: Row = ()
    chosen: Sequence[Row] | None = None
    conditions: str = ""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The rows of a query, and how many rows it wrote."""

    rows: Sequence[Row]
    changed: int = 0


Steps = Generator[Query, QueryResult, R]


def rows(
    name: str, *binds: Value, chosen: Sequence[Row] | None = None, conditions: str = ""
) -> Steps[Sequence[Row]]:
    """Run a query that gives rows."""
    result = yield Query(name, binds, chosen, conditions)
    return result.rows


def run(name: str, *binds: Value, chosen: Sequence[Row] | None = None) -> Steps[int]:
    """Run a query that writes; how many rows it wrote."""
    result = yield Query(name, binds, chosen)
    return result.changed


def in_turn(verbs: Sequence[Callable[[], Steps[R]]]) -> Steps[list[R]]:
    """Payloads that are verbs of their own, one after another."""
    results = []
    for verb in verbs:
        results.append((yield from verb()))
    return results


def drive(steps: Steps[R], answer: Callable[[Query], QueryResult]) -> R:
    """Run a verb to its end, each query answered in line."""
    try:
        query = next(steps)
        while True:
            query = steps.send(answer(query))
    except StopIteration as end:
        result: R = end.value
        return result


def number(value: Value) -> int:
    """A value of an integer column, or of a count."""
    assert isinstance(value, int), f"{value!r} is no whole number"
    return value


def maybe_number(value: Value) -> int | None:
    return None if value is None else number(value)


def octets(value: Value) -> bytes:
    """A value of a blob column."""
    assert isinstance(value, bytes), f"{value!r} is no octets"
    return value
