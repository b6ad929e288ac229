"""The named queries as SQLite statements.

A set marked `-- pieces:` is passed as VALUES, up to SET_ROWS_AT_ONCE_MAX rows per statement, with
one text per number of rows; all of them stay prepared (connection.PREPARED_MAX). Any other set is
one JSON value of any length.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.resources import files
from types import MappingProxyType
from typing import TypeVar

import apsw
import msgspec

from secondpost.store.verbs.named import Named, RowSet, read_queries, shared_queries
from secondpost.store.verbs.steps import Query, QueryResult, Row, Steps, Value, drive

R = TypeVar("R")

SET_ROWS_AT_ONCE_MAX = 64

_HINT = re.compile(r"/\*\+ (.+?) \*/")
_NUMBERED = re.compile(r"\?(\d+)")
_WITH = re.compile(r"WITH\b", re.IGNORECASE)
GROUPS = "-- json: groups of rows"
_ROWS = msgspec.json.Decoder(list[tuple[int | float | str | None, ...]])
_GROUPS = msgspec.json.Decoder(list[list[tuple[int | float | str | None, ...]]])


def own_queries() -> dict[str, Named]:
    """The queries written for SQLite alone."""
    found: dict[str, Named] = {}
    for file in ("engine", "log"):
        text = files("secondpost.store.sqlite").joinpath("sql", f"{file}.sql").read_text(encoding="utf-8")
        found |= read_queries(text, file)
    return found


# Read at start-up: once root's command has become the store's owner, it may be unable to read our
# files.
QUERIES: Mapping[str, Named] = MappingProxyType({**shared_queries(), **own_queries()})


class Statements:
    """The statement texts of all queries for one engine."""

    def __init__(self, queries: Mapping[str, Named]) -> None:
        self._queries = queries
        self._texts: dict[tuple[str, str, int], str] = {}

    def runs_of(self, query: Query) -> Iterator[tuple[str, Row]]:
        """Text and values of each statement of the query: one, unless its set is split."""
        named = self._queries[query.name]
        if named.chosen is None:
            yield self._text(named, query.conditions, 0), query.binds
            return
        chosen = query.chosen
        assert chosen is not None, f"{query.name} is given no {named.chosen.name}"
        if not named.chosen.may_be_cut:
            yield self._text(named, query.conditions, 0), (*query.binds, _as_json(named.chosen, chosen))
            return
        for start in range(0, len(chosen), SET_ROWS_AT_ONCE_MAX):
            piece = chosen[start : start + SET_ROWS_AT_ONCE_MAX]
            values = [value for row in piece for value in row]
            yield self._text(named, query.conditions, len(piece)), (*query.binds, *values)

    def decoder_of(self, query: Query) -> Callable[[str], Sequence[Row]] | None:
        """The decoder for a query that returns its rows as one JSON value; each row stepped to
        could cost a wait for the GIL.
        """
        named = self._queries[query.name]
        if GROUPS in named.head:
            return _rows_of_groups
        return _ROWS.decode if len(named.gives) > 0 else None

    def _text(self, named: Named, conditions: str, rows: int) -> str:
        key = (named.name, conditions, rows)
        text = self._texts.get(key)
        if text is None:
            text = self._texts[key] = statement(named, conditions, rows)
        return text


def statement(named: Named, conditions: str = "", rows: int = 0) -> str:
    """The text that SQLite prepares; `rows` is the number of rows of a set that may be split."""
    text = _HINT.sub(r"\1", named.text.replace("{conditions}", conditions))
    if len(named.gives) > 0:
        text = f"SELECT json_group_array(json_array({', '.join(named.gives)})) FROM ({text})"
    if named.chosen is None:
        return text
    binds = max((int(n) for n in _NUMBERED.findall(text)), default=0)
    source = _values(named.chosen, rows, binds) if named.chosen.may_be_cut else _json(named.chosen, binds + 1)
    names = ", ".join(name for name, _ in named.chosen.columns)
    head = f"WITH {named.chosen.name} ({names}) AS ({source})"
    return f"{head}, {_WITH.sub('', text, count=1)}" if _WITH.match(text) else f"{head}\n{text}"


def _values(chosen: RowSet, rows: int, behind: int) -> str:
    width = len(chosen.columns)
    tuples = []
    for row in range(rows):
        first = behind + row * width + 1
        tuples.append("(" + ",".join(f"?{place}" for place in range(first, first + width)) + ")")
    return "VALUES " + ",".join(tuples)


def _json(chosen: RowSet, place: int) -> str:
    columns = [
        f"unhex(value ->> {n})" if type == "blob" else f"value ->> {n}"
        for n, (_, type) in enumerate(chosen.columns)
    ]
    return f"SELECT {', '.join(columns)} FROM json_each(?{place})"


def _as_json(chosen: RowSet, given: Sequence[Row]) -> str:
    blobs = [n for n, (_, type) in enumerate(chosen.columns) if type == "blob"]
    if len(blobs) == 0:
        return msgspec.json.encode(given).decode()
    return msgspec.json.encode([_with_hex(row, blobs) for row in given]).decode()


def _with_hex(row: Row, blobs: Sequence[int]) -> list[Value]:
    values = list(row)
    for n in blobs:
        value = values[n]
        values[n] = value.hex() if isinstance(value, bytes) else value
    return values


def _rows_of_groups(text: str) -> list[Row]:
    return [row for group in _GROUPS.decode(text) for row in group]


def answer(db: apsw.Connection, statements: Statements, query: Query) -> QueryResult:
    """Run a query; returns its rows and the number of rows changed."""
    found: list[Row] = []
    changed = 0
    for text, values in statements.runs_of(query):
        found += db.execute(text, values).fetchall()
        changed += db.changes()
    decode = statements.decoder_of(query)
    if decode is not None:
        found = [row for value in found for row in decode(str(value[0]))]
    return QueryResult(found, changed)


def run_on(db: apsw.Connection, statements: Statements, steps: Steps[R]) -> R:
    """Run a verb to its end, each query answered by this connection."""
    return drive(steps, lambda query: answer(db, statements, query))
