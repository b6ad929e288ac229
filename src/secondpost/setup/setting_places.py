"""What is meant by the name of a key, as an owner types it: `backup.keep`, `[[backup]] keep`,
`backup[1].keep`, `keep`, the name of a table, or a name of an earlier version. Pure.
"""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from secondpost.config.keys import DESCRIBED, TOP
from secondpost.config.section import LIKENESS
from secondpost.setup.setting_words import moved_from, place_text

NEAR_MAX = 3
WORD_CHARACTERS_MAX = 200  # of what was typed, as looked at
_PARTS = re.compile(r"\[*([A-Za-z0-9_-]+)(?:\[([0-9]{1,6})\])?\]*")


@dataclass(frozen=True, slots=True)
class KeyMeant:
    """A key. `number`: of the table in the file, from 1; None: every one. `old`: its name in an earlier
    version, if that was typed.
    """

    table: str
    name: str
    number: int | None = None
    old: str | None = None


@dataclass(frozen=True, slots=True)
class TableMeant:
    """A table with all its keys."""

    table: str


@dataclass(frozen=True, slots=True)
class NothingMeant:
    """There is no such key or table. `near`: names that may have been meant, the nearest first."""

    near: tuple[str, ...]


MeantPlace = KeyMeant | TableMeant


def what_is_meant(typed: str) -> tuple[MeantPlace, ...] | NothingMeant:
    """Every key and table of that name. Not empty."""
    found = tuple(dict.fromkeys(_meant(typed[:WORD_CHARACTERS_MAX])))
    return found if len(found) > 0 else NothingMeant(tuple(_near(typed[:WORD_CHARACTERS_MAX])))


def _meant(typed: str) -> Iterator[MeantPlace]:
    match [(match[1], match[2]) for match in _PARTS.finditer(typed)]:
        case [(name, None | "")]:
            if name in DESCRIBED:
                yield TableMeant(name)
            yield from (KeyMeant(table, name) for table, keys in DESCRIBED.items() if name in keys)
            for (_, old), (table, key) in moved_from().items():
                if old == name:
                    yield KeyMeant(table, key, old=place_text(_table_of(old), old))
        case [(table, number)] if table in DESCRIBED:
            yield TableMeant(table)
        case [(table, number), (name, _)]:
            if name in DESCRIBED.get(table, {}):
                yield KeyMeant(table, name, None if number is None else int(number))
            elif (table, name) in moved_from():
                yield KeyMeant(*moved_from()[table, name], old=place_text(table, name))


def _table_of(old: str) -> str:
    return next(table for table, name in moved_from() if name == old)


def _near(typed: str) -> Iterator[str]:
    names = {name for keys in DESCRIBED.values() for name in keys} | set(DESCRIBED) - {TOP}
    names |= {f"{table}.{name}" for table, keys in DESCRIBED.items() if table != TOP for name in keys}
    plain = ".".join(match[1] for match in _PARTS.finditer(typed.lower()))
    yield from difflib.get_close_matches(plain, sorted(names), n=NEAR_MAX, cutoff=LIKENESS)
