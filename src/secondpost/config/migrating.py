"""Rewrite the text of a file of an earlier version as one of today's.

Moved keys take their comments along; every other line stays as it is, octet for octet. Only what the
versions changed is edited, at the offsets that `statements` finds: tomlkit would write tables in
another order (docs/decisions/0047-migrating-edits-the-text.md). The result is read again, and must say
the same. Pure.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from secondpost.config.blocks import PlacedStatements, blocks, commented_out, newline_after
from secondpost.config.keys import header
from secondpost.config.moved_inline import moved_members, renamed_dotted
from secondpost.config.moved_lines import Edit, Moves, edited, moved_keys
from secondpost.config.older import as_today
from secondpost.config.positions import KeyPath, placed, positions
from secondpost.config.section import Findings
from secondpost.config.statements import KeyValue, WrittenValue, statements
from secondpost.config.versions import VERSION, moved_in, words_in

BYTE_ORDER_MARK = "\ufeff"
VERSION_PLACE = ("version",)
_COMMENT_COLUMN = re.compile(r" {2,}#")


@dataclass(frozen=True, slots=True)
class RaisedVersion:
    """The version was `old`. Lines, here and below, are those of the new text if not said otherwise."""

    line: int
    old: int


@dataclass(frozen=True, slots=True)
class MovedKey:
    """A key was `old` in line `old_line` of the old text, and is `new`; each is a table and a key."""

    line: int
    old_line: int
    old: tuple[str, str]
    new: tuple[str, str]


@dataclass(frozen=True, slots=True)
class RewordedValue:
    """The value of a key was the word `old`, and is `new`."""

    line: int
    place: KeyPath
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class OldComment:
    """A comment, which stays as it is, holds a key that has moved: `# acme_root = …`."""

    line: int
    old: tuple[str, str]
    new: tuple[str, str]


MigrationStep = RaisedVersion | MovedKey | RewordedValue | OldComment


@dataclass(frozen=True, slots=True)
class MigratedText:
    """The new text, and what was done; without steps the text was of today's version already."""

    text: str
    steps: tuple[MigrationStep, ...]


class NotMigrated(Exception):
    """The text cannot be rewritten; `line` is where it would have to be written otherwise."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line


def migrated(text: str, version: int) -> MigratedText:
    """The text of a file of `version`, which has no faults, as one of today's. Raises NotMigrated."""
    if version == VERSION:
        return MigratedText(text, ())
    mark = BYTE_ORDER_MARK if text.startswith(BYTE_ORDER_MARK) else ""
    old = text.removeprefix(BYTE_ORDER_MARK)
    # While lines are moved, the last one has an end as the others.
    missing = "" if old.endswith("\n") else newline_after(old, 0)
    new = edited(old + missing, list(_edits(old + missing, version))).removesuffix(missing)
    _check(old, new, version)
    return MigratedText(mark + new, tuple(_steps(old, new, version)))


# -- What is edited


def _edits(text: str, version: int) -> Iterator[Edit]:
    walk = list(placed(statements(text)))
    moved = moved_in(version)
    top = [one for table, one in walk if table == () and isinstance(one, KeyValue)]
    for place, value in _values(walk):
        if place == VERSION_PLACE:
            yield Edit(value.span, str(VERSION))
        yield from _new_word(text, place, value, version)
    for one in top:
        match one.names:
            case (table, key) if (table, key) in moved:
                yield renamed_dotted(text, one, moved[table, key], top)
            case (table,) if len(one.value.members) > 0:
                yield from moved_members(text, one, _moves(table, version))
    for table, block in blocks(text, walk):
        moves = _moves(table, version)
        if any(len(one.names) == 1 and one.names[0] in moves for one in block.keys):
            yield from moved_keys(text, block, moves)


def _moves(table: str, version: int) -> Moves:
    """Of the keys of a table in a file of `version`, those that stand elsewhere today."""
    return {key: new for (old_table, key), new in moved_in(version).items() if old_table == table}


def _values(walk: PlacedStatements) -> Iterator[tuple[KeyPath, WrittenValue]]:
    """Every value with its place."""
    for table, one in walk:
        if isinstance(one, KeyValue):
            yield from _values_in((*table, *one.names), one.value)


def _values_in(place: KeyPath, value: WrittenValue) -> Iterator[tuple[KeyPath, WrittenValue]]:
    yield place, value
    for number, element in enumerate(value.elements):
        yield from _values_in((*place, number), element)
    for member in value.members:
        yield from _values_in((*place, *member.names), member.value)


def _new_word(text: str, place: KeyPath, value: WrittenValue, version: int) -> Iterator[Edit]:
    for old, new in _rewording(text, place, value, version):
        # Keep the kind of quotes; a word that is written with escapes gets plain ones.
        written = text[value.span.begin : value.span.end]
        word = written.replace(old, new) if old in written else f'"{new}"'
        keeps_column = _COMMENT_COLUMN.match(text, value.span.end) is not None
        yield Edit(value.span, word.ljust(len(written)) if keeps_column else word)


def _rewording(text: str, place: KeyPath, value: WrittenValue, version: int) -> Iterator[tuple[str, str]]:
    """The old and new word of a value that has another since; at most one pair."""
    words, written = _words(place, version), text[value.span.begin : value.span.end]
    if len(words) > 0 and written[:1] in ("'", '"'):
        word = str(_parsed(f"value = {written}")["value"])
        if word in words:
            yield word, words[word]


def _words(place: KeyPath, version: int) -> Mapping[str, str]:
    match place:
        case (str(table), str(key)) | (str(table), int(), str(key)):
            return words_in(version, table, key)
    return {}


# -- What was done


def _check(old: str, new: str, version: int) -> None:
    """Raise NotMigrated unless the new text says what the old one does."""
    places = positions(old)
    expected = as_today(_parsed(old), Findings(places, version=version))
    try:
        values = _parsed(new)
    except ValueError:
        values = {}
    if _filled(values) == _filled({**expected, "version": VERSION}):
        return
    for old_place, (table, key) in moved_in(version).items():
        if old_place in places.lines:
            reason = f"{old_place[1]} of {header(old_place[0])} is written in a way that cannot be moved"
            raise NotMigrated(places.lines[old_place], f"{reason}; write it as {key} under {header(table)}")
    raise NotMigrated(places.line(VERSION_PLACE), "the file is written in a way that cannot be migrated")


def _parsed(text: str) -> Mapping[str, object]:
    """The values of a text, with its line ends as `syntax` reads them."""
    return tomllib.loads(text.replace("\r\n", "\n"))


def _filled(values: Mapping[str, object]) -> Mapping[str, object]:
    """Without empty tables: one whose keys have all moved may stay or go."""
    return {key: value for key, value in values.items() if value != {}}


def _steps(old: str, new: str, version: int) -> Iterator[MigrationStep]:
    moved, before, after = moved_in(version), positions(old), positions(new)
    yield RaisedVersion(after.line(VERSION_PLACE), version)
    for old_place, new_place in sorted(moved.items(), key=lambda pair: before.line(pair[0])):
        if old_place in before.lines:
            yield MovedKey(after.line(new_place), before.line(old_place), old_place, new_place)
    for place, value in _values(list(placed(statements(old)))):
        for was, now in _rewording(old, place, value, version):
            yield RewordedValue(after.line(place), place, was, now)
    keys = {key: (table, key) for table, key in moved}
    for line, key in commented_out(new):
        if key in keys:
            yield OldComment(line, keys[key], moved[keys[key]])
