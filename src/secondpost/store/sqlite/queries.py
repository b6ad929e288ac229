"""The named queries: each has a name, a sentence and its text, in the files of sql/.

`{rows}` in a query is filled with as many tuples of placeholders as there are rows: one statement for
many rows costs the writer one step, and so one turn of the interpreter's lock.
"""

import re
from collections.abc import Iterator, Sequence
from importlib.resources import files

_NAMED = re.compile(r"^-- name: (\w+)\n(?:-- .*\n)+", re.MULTILINE)
# Powers of two keep the statements few enough to stay prepared.
ROW_COUNTS = (64, 32, 16, 8, 4, 2, 1)

Value = None | int | float | str | bytes
Row = tuple[Value, ...]


def number(value: object) -> int:
    """A value of an INTEGER column, or of a count."""
    assert isinstance(value, int), f"{value!r} is no whole number"
    return value


def read_queries(name: str) -> dict[str, str]:
    """The queries of one file by name. Raises ValueError when one has no sentence."""
    text = files("secondpost.store.sqlite").joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    heads = list(_NAMED.finditer(text))
    if len(heads) != text.count("-- name:"):
        raise ValueError(f"a query of {name}.sql has no sentence")
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {head[1]: text[head.end() : end].strip() for head, end in zip(heads, ends, strict=True)}


def with_rows(query: str, width: int) -> dict[int, str]:
    """The query for each number of rows in ROW_COUNTS, each row `width` values wide."""
    row = f"({','.join('?' * width)})"
    return {count: query.replace("{rows}", ",".join([row] * count)) for count in ROW_COUNTS}


def in_pieces(texts: dict[int, str], rows: Sequence[Row]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    """Statement and bindings for each piece of the rows."""
    start = 0
    for count in ROW_COUNTS:
        while len(rows) - start >= count:
            piece = rows[start : start + count]
            yield texts[count], tuple(value for row in piece for value in row)
            start += count
