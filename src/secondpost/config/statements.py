"""The statements of a TOML text, headers and keys with values, and where in the text each part stands.

The text must already have been read by tomllib, which says what its values are: this walks over valid
TOML and finds only where names and values begin and end. Offsets count characters. Pure.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

_BLANK = re.compile(r"[ \t]*")
_BETWEEN = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")  # allowed between statements and between values
_REST_OF_LINE = re.compile(r"[^\n]*")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Numbers, dates (which may contain a space), true and false.
_SCALAR = re.compile(r"[^,\]}#\r\n \t]+(?:[ \t]+[^,\]}#\r\n \t]+)*")
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
class Span:
    """Characters of the text from `begin` up to, not including, `end`."""

    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class WrittenValue:
    """A value in the text. `elements` are those of an array, `members` those of an inline table."""

    span: Span
    elements: tuple["WrittenValue", ...] = ()
    members: tuple["KeyValue", ...] = ()


@dataclass(frozen=True, slots=True)
class KeyValue:
    """`names = value`; more than one name is a dotted key. `key` is from its first name to its last.

    `begin` and `end`, as those of a header, leave out the comment behind it.
    """

    names: tuple[str, ...]
    key: Span
    value: WrittenValue

    @property
    def begin(self) -> int:
        return self.key.begin

    @property
    def end(self) -> int:
        return self.value.span.end


@dataclass(frozen=True, slots=True)
class Header:
    """`[names]`, or `[[names]]` if it is repeated."""

    names: tuple[str, ...]
    span: Span
    is_repeated: bool

    @property
    def begin(self) -> int:
        return self.span.begin

    @property
    def end(self) -> int:
        return self.span.end


Statement = Header | KeyValue


def statements(text: str) -> Iterator[Statement]:
    """The statements in the order of the text. Raises ValueError if it is not TOML."""
    return _Walk(text).document()


@dataclass(slots=True)
class _Walk:
    text: str
    at: int = 0

    def document(self) -> Iterator[Statement]:
        self._skip(_BETWEEN)
        while self.at < len(self.text):
            yield self._header() if self.text[self.at] == "[" else self._key_and_value()
            self._skip(_REST_OF_LINE)
            self._skip(_BETWEEN)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self.text, self.at)
        if match is None:
            raise ValueError(f"this is not TOML, at character {self.at}")
        self.at = match.end()
        return match[0]

    def _header(self) -> Header:
        begin = self.at
        is_repeated = self.text.startswith("[[", begin)
        self.at += 2 if is_repeated else 1
        names, _ = self._dotted_key()
        self.at += 2 if is_repeated else 1
        return Header(names, Span(begin, self.at), is_repeated)

    def _dotted_key(self) -> tuple[tuple[str, ...], Span]:
        names = []
        self._skip(_BLANK)
        begin = self.at
        while True:
            self._skip(_BLANK)
            names.append(self._name())
            end = self.at
            self._skip(_BLANK)
            if not self.text.startswith(".", self.at):
                return tuple(names), Span(begin, end)
            self.at += 1

    def _name(self) -> str:
        if self.text[self.at] not in "\"'":
            return self._skip(_BARE_KEY)
        quoted = self._skip(_QUOTED)
        return str(tomllib.loads(f"name = {quoted}")["name"])

    def _key_and_value(self) -> KeyValue:
        names, key = self._dotted_key()
        self.at += len("=")
        self._skip(_BLANK)
        return KeyValue(names, key, self._value())

    def _value(self) -> WrittenValue:
        first, begin = self.text[self.at], self.at
        elements: list[WrittenValue] = []
        members: list[KeyValue] = []
        if first == "[":
            while self._another("]"):
                elements.append(self._value())
        elif first == "{":
            while self._another("}"):
                members.append(self._key_and_value())
        else:
            self._skip(_QUOTED if first in "\"'" else _SCALAR)
        return WrittenValue(Span(begin, self.at), tuple(elements), tuple(members))

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
