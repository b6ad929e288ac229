"""The named queries as run by PostgreSQL: typed parameters, and sets as VALUES."""

import re
from collections.abc import Callable, Sequence

from secondpost.store.verbs.named import Named, RowSet
from secondpost.store.verbs.steps import Query, Row, Value

_PLACES = re.compile(r"\?(\d+)")
_WITH = re.compile(r"WITH\b", re.IGNORECASE)
_TYPES = {"integer": "bigint", "text": "text", "blob": "bytea"}


def statement(named: Named, query: Query) -> tuple[str, list[Value]]:
    """The text and values of a query. NULL is written into the text: context gives its type."""
    values: list[Value] = []

    def placed(value: Value, type: str = "") -> str:
        if value is None:
            return "NULL" if type == "" else f"NULL::{type}"
        values.append(value)
        return f"${len(values)}::{type if type != '' else _type_of(value)}"

    text = named.text.replace("{conditions}", query.conditions)
    text = _PLACES.sub(lambda place: placed(query.binds[int(place[1]) - 1]), text)
    if named.chosen is None:
        return text, values
    source = _values(named.chosen, query.chosen or (), placed)
    names = ", ".join(name for name, _ in named.chosen.columns)
    head = f"WITH {named.chosen.name} ({names}) AS ({source})"
    return (f"{head}, {_WITH.sub('', text, count=1)}" if _WITH.match(text) else f"{head}\n{text}"), values


def _type_of(value: Value) -> str:
    if isinstance(value, int):
        return "bigint"
    return "bytea" if isinstance(value, bytes) else "text"


def _values(chosen: RowSet, rows: Sequence[Row], placed: Callable[[Value, str], str]) -> str:
    types = [_TYPES[type] for _, type in chosen.columns]
    if len(rows) == 0:
        return f"SELECT {', '.join(f'NULL::{type}' for type in types)} WHERE false"
    tuples = [
        "(" + ", ".join(placed(value, type) for value, type in zip(row, types, strict=True)) + ")"
        for row in rows
    ]
    return "VALUES " + ", ".join(tuples)
