"""The named queries: each has a name, a sentence and its text, in the files of sql/.

`{rows}` in a query is filled with as many tuples of placeholders as there are rows: one statement for
many rows costs the writer one step, and so one turn of the interpreter's lock.
"""

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files

_NAMED = re.compile(r"^-- name: (\w+)\n(?:-- .*\n)+", re.MULTILINE)
# A statement for each number of rows up to this: all of them stay prepared (connection.PREPARED_MAX).
ROWS_AT_ONCE_MAX = 64

Value = None | int | float | str | bytes
Row = tuple[Value, ...]


def number(value: object) -> int:
    """A value of an INTEGER column, or of a count."""
    assert isinstance(value, int), f"{value!r} is no whole number"
    return value


def maybe_number(value: object) -> int | None:
    return None if value is None else number(value)


def read_queries(name: str) -> dict[str, str]:
    """The queries of one file by name. Raises ValueError when one has no sentence."""
    text = files("secondpost.store.sqlite").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    heads = list(_NAMED.finditer(text))
    if len(heads) != text.count("-- name:"):
        raise ValueError(f"a query of {name}.sql has no sentence")
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {head[1]: text[head.end() : end].strip() for head, end in zip(heads, ends, strict=True)}


def with_rows(query: str, width: int) -> tuple[str, ...]:
    """The query for 0, 1, 2 … ROWS_AT_ONCE_MAX rows, each row `width` values wide."""
    row = f"({','.join('?' * width)})"
    return tuple(query.replace("{rows}", ",".join([row] * count)) for count in range(ROWS_AT_ONCE_MAX + 1))


def in_pieces(texts: Sequence[str], rows: Sequence[Row]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Statement and bindings for each piece of the rows."""
    for start in range(0, len(rows), ROWS_AT_ONCE_MAX):
        piece = rows[start : start + ROWS_AT_ONCE_MAX]
        yield texts[len(piece)], tuple(value for row in piece for value in row)
