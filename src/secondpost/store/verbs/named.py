"""The named queries: each has a name, a sentence and its text, in the files of sql/.

They are written in what SQLite and PostgreSQL both understand: `?1` for a value, CASE, coalesce,
UPDATE … FROM, RETURNING, ON CONFLICT. Some marks are left to an adapter:

* `-- set: chosen (message integer, hash blob)` in a query's head declares a set of rows, which its
  text uses as a table of that name. A set marked `-- pieces: …` may be split: the query then runs
  once per piece.
* `/*+ INDEXED BY name */` and `/*+ CROSS */ JOIN` are hints for SQLite, and comments for others.
* `-- gives: name, name` names the columns of a query that returns many rows, for an adapter that
  passes them on at once.
* `{conditions}` stands for the conditions of a selection.
* `{sources delivery waiting owner}` stands for the states from which the owner may lead a delivery
  to waiting, by the table of mail/delivery_states; likewise for `article` and `subscriber`.

Queries that the two cannot share are in each adapter's own `engine.sql`, and named `engine.…`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from secondpost.store.verbs.transitions import sources_in_words

_HEAD = re.compile(r"^-- name: (\w+)\n((?:-- .*\n)+)", re.MULTILINE)
_SET = re.compile(r"^-- (set|pieces): (\w+) \((.+)\)$", re.MULTILINE)
_GIVES = re.compile(r"^-- gives: (.+)$", re.MULTILINE)
_PART = re.compile(r"\{(\w+)\}")
_SOURCES = re.compile(r"\{sources (\w+) (\w+) (\w+)\}")


@dataclass(frozen=True, slots=True)
class RowSet:
    """A set of rows passed to a query: its name, and the name and type (integer, text or blob) of
    each column.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    may_be_cut: bool


@dataclass(frozen=True, slots=True)
class Named:
    """A query as written in its file."""

    name: str
    text: str
    chosen: RowSet | None
    gives: tuple[str, ...]  # () if not declared
    head: str  # the lines between its name and its text


def read_queries(text: str, file: str) -> dict[str, Named]:
    """The queries of one file, as `file.name`. Raises ValueError if one has no sentence.

    `{other}` in a query stands for the text of the query `other` of the same file, which is then
    only a part of others.
    """
    heads = list(_HEAD.finditer(text))
    if len(heads) != text.count("-- name:"):
        raise ValueError(f"a query of {file}.sql has no sentence")
    ends = [head.start() for head in heads[1:]] + [len(text)]
    texts = {
        head[1]: text[head.end() : end].strip().rstrip(";") for head, end in zip(heads, ends, strict=True)
    }
    return {
        f"{file}.{head[1]}": Named(
            f"{file}.{head[1]}",
            _with_parts(texts[head[1]], texts),
            _set_of(head[2]),
            _given_by(head[2]),
            head[2],
        )
        for head in heads
    }


def _with_parts(text: str, texts: Mapping[str, str]) -> str:
    whole = _PART.sub(lambda found: texts.get(found[1], found[0]), text)
    return _SOURCES.sub(lambda found: sources_in_words(found[1], found[2], found[3]), whole)


def _set_of(head: str) -> RowSet | None:
    found = _SET.search(head)
    if found is None:
        return None
    columns = []
    for column in found[3].split(","):
        name, type = column.split()
        columns.append((name, type))
    return RowSet(found[2], tuple(columns), found[1] == "pieces")


def _given_by(head: str) -> tuple[str, ...]:
    found = _GIVES.search(head)
    return () if found is None else tuple(name.strip() for name in found[1].split(","))


@cache
def shared_queries() -> Mapping[str, Named]:
    """All queries of sql/, by `file.name`."""
    found: dict[str, Named] = {}
    for file in files("secondpost.store.verbs").joinpath("sql").iterdir():
        stem, _, suffix = file.name.partition(".")
        if suffix == "sql":
            found |= read_queries(file.read_text(encoding="utf-8"), stem)
    return MappingProxyType(found)
