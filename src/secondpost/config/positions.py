"""The line number of each key in a TOML text, since tomllib gives values without their positions.

A place is the path to a value: ("backup", 0, "recipients", 2) is the third recipient of the first
backup. Pure.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from secondpost.config.statements import Header, KeyValue, Statement, WrittenValue, statements

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Positions:
    lines: Mapping[KeyPath, int]

    def line(self, place: KeyPath) -> int:
        """Line of the value's key, from 1; else of the innermost enclosing table or list, else 1."""
        for length in range(len(place), 0, -1):
            line = self.lines.get(place[:length])
            if line is not None:
                return line
        return 1


def positions(text: str) -> Positions:
    """Of a text that tomllib has read."""
    marks = _Marks([number for number, character in enumerate(text) if character == "\n"])
    for table, statement in placed(statements(text)):
        if isinstance(statement, Header):
            marks.header(table, statement)
        else:
            marks.key_and_value(table, statement)
    return Positions(marks.lines)


def placed(walk: Iterable[Statement]) -> Iterator[tuple[KeyPath, Statement]]:
    """Each statement with the place of its table: that which a header opens, or in which a key stands."""
    table: KeyPath = ()
    counts: dict[KeyPath, int] = {}  # number of [[name]] so far
    for statement in walk:
        if isinstance(statement, Header):
            table = _opened(statement, counts)
        yield table, statement


def _opened(header: Header, counts: dict[KeyPath, int]) -> KeyPath:
    place: KeyPath = ()
    for name in header.names:
        # A name in a header means the newest element of an array of tables (TOML).
        place = (*place, name)
        place = (*place, counts[place] - 1) if place in counts else place
    if header.is_repeated:
        # The last name begins a new table.
        place = place[: -1 if isinstance(place[-1], int) else None]
        counts[place] = counts.get(place, 0) + 1
        place = (*place, counts[place] - 1)
    return place


@dataclass(slots=True)
class _Marks:
    newlines: list[int]  # their offsets
    lines: dict[KeyPath, int] = field(default_factory=dict)

    def _mark(self, place: KeyPath, offset: int) -> None:
        self.lines.setdefault(place, bisect_right(self.newlines, offset) + 1)

    def header(self, table: KeyPath, header: Header) -> None:
        for length in range(1, len(table) + 1):
            # Of a repeated table its name is marked, and the new element of it.
            if isinstance(table[length - 1], str) or length == len(table):
                self._mark(table[:length], header.span.begin)

    def key_and_value(self, table: KeyPath, one: KeyValue) -> None:
        place = table
        for name in one.names:
            place = (*place, name)
            self._mark(place, one.key.begin)
        self._value(place, one.value)

    def _value(self, place: KeyPath, value: WrittenValue) -> None:
        for number, element in enumerate(value.elements):
            self._mark((*place, number), element.span.begin)
            self._value((*place, number), element)
        for member in value.members:
            self.key_and_value(place, member)
