"""The line number of each key in a TOML text, since tomllib gives values without their positions.

The text must already have been read by tomllib: this walks over valid TOML and finds only where
keys and values begin and end. A place is the path to a value: ("backup", 0, "recipients", 2) is the
third recipient of the first backup. Pure.
"""

import re
import tomllib
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

KeyPath = tuple[str | int, ...]

_BLANK = re.compile(r"[ \t]*")
_BETWEEN = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")  # allowed between statements and between values
_REST_OF_LINE = re.compile(r"[^\n]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SCALAR = re.compile(r"[^,\]}#\n]*")  # numbers, dates (which may contain a space), true and false
# Longest first: one or two quotes may stand inside, and right before the closing three. Not
# possessive (*+): that is wrong around alternatives in Python 3.11.2, which is Debian 12's.
_QUOTED = re.compile(
    r'"""(?:\\.|[^"\\]|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'",
    re.DOTALL,
)


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
    walk = _Walk(text)
    walk.document()
    return Positions(walk.lines)


@dataclass(slots=True)
class _Walk:
    text: str
    at: int = 0
    lines: dict[KeyPath, int] = field(default_factory=dict)
    tables: dict[KeyPath, int] = field(default_factory=dict)  # number of [[name]] so far
    newlines: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.newlines = [match.start() for match in re.finditer("\n", self.text)]

    def document(self) -> None:
        table: KeyPath = ()
        self._skip(_BETWEEN)
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._key_and_value(table)
            self._skip(_REST_OF_LINE)
            self._skip(_BETWEEN)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"this is not TOML, at character {self.at}")
        self.at = match.end()
        return match[0]

    def _mark(self, place: KeyPath, offset: int) -> None:
        self.lines.setdefault(place, bisect_right(self.newlines, offset) + 1)

    def _header(self) -> KeyPath:
        start = self.at
        repeated = self.text.startswith("[[", self.at)
        self.at += 2 if repeated else 1
        names = self._dotted_key()
        place: KeyPath = ()
        for name in names:
            place = self._newest((*place, name), start)
        if repeated:
            # The last name begins a new table.
            place = place[: -1 if isinstance(place[-1], int) else None]
            self.tables[place] = self.tables.get(place, 0) + 1
            place = (*place, self.tables[place] - 1)
            self._mark(place, start)
        return place

    def _newest(self, place: KeyPath, offset: int) -> KeyPath:
        """A name in a header means the newest element of an array of tables (TOML)."""
        self._mark(place, offset)
        return (*place, self.tables[place] - 1) if place in self.tables else place

    def _dotted_key(self) -> tuple[str, ...]:
        names = []
        while True:
            self._skip(_BLANK)
            names.append(self._name())
            self._skip(_BLANK)
            if not self.text.startswith(".", self.at):
                return tuple(names)
            self.at += 1

    def _name(self) -> str:
        if self.text[self.at] not in "\"'":
            return self._skip(_BARE_KEY)
        quoted = self._skip(_QUOTED)
        return str(tomllib.loads(f"name = {quoted}")["name"])

    def _key_and_value(self, table: KeyPath) -> None:
        start = self.at
        place = table
        for name in self._dotted_key():
            place = (*place, name)
            self._mark(place, start)
        self.at += len("=")
        self._skip(_BLANK)
        self._value(place)

    def _value(self, place: KeyPath) -> None:
        first = self.text[self.at]
        if first in "\"'":
            self._skip(_QUOTED)
        elif first == "[":
            self._array(place)
        elif first == "{":
            self._inline_table(place)
        else:
            self._skip(_SCALAR)

    def _array(self, place: KeyPath) -> None:
        count = 0
        while self._another("]"):
            self._mark((*place, count), self.at)
            self._value((*place, count))
            count += 1

    def _inline_table(self, place: KeyPath) -> None:
        while self._another("}"):
            self._key_and_value(place)

    def _another(self, closing: str) -> bool:
        """Step over the opening bracket or comma; at the end also over the closing bracket,
        returning False.
        """
        self._skip(_BETWEEN)
        if not self.text.startswith(closing, self.at):
            self.at += 1
            self._skip(_BETWEEN)
        if not self.text.startswith(closing, self.at):
            return True
        self.at += 1
        return False
