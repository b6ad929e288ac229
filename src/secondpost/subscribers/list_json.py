"""Read a JSON list one object at a time: an array, an array inside an object, or one object per
line.

Only one object is in memory at a time.
"""

import json
from collections.abc import Iterator, Mapping
from typing import IO

from secondpost.subscribers.list_rows import NoList

PIECE_CHARACTERS = 64 * 1024
OBJECT_CHARACTERS_MAX = 1024 * 1024
DEPTH_MAX = 20  # arrays and objects inside each other
NESTS_TOO_DEEPLY = "it is JSON that is nested too deeply"
BETWEEN_VALUES = "\x1f"  # joins several values of one column; each counts

FoundJson = None | str | int | float | bool | list["FoundJson"] | dict[str, "FoundJson"]
_WHITE = " \t\r\n\ufeff"


def begins_as_json(head: str) -> bool:
    return head.lstrip(_WHITE)[:1] in ("{", "[")


def objects_of(source: IO[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Yield each object's line number and its columns; nested names are joined by dots.

    Raises NoList if the text is not JSON.
    """
    yield from _Scanner(source).objects()


class _Scanner:
    def __init__(self, source: IO[str]) -> None:
        self._source = source
        self._text = ""
        self._at = 0
        self._line = 1  # line number at `_counted`
        self._counted = 0
        self._decoder = json.JSONDecoder()

    def objects(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        while self._peek() != "":
            yield from self._found(0)

    def _found(self, depth: int) -> Iterator[tuple[int, Mapping[str, str]]]:
        """The objects of the first array found from here; an object without an array counts itself."""
        match self._peek():
            case "[" if depth < DEPTH_MAX:
                yield from self._listed()
            case "{" if depth < DEPTH_MAX and self._leads_to_a_list():
                yield from self._inside(depth)
            case "{":
                yield self._object()
            case _:
                self._value()

    def _listed(self) -> Iterator[tuple[int, Mapping[str, str]]]:
        self._expect("[")
        while self._peek() != "]":
            if self._peek() == "{":
                yield self._object()
            else:
                self._value()
            if self._peek() != ",":
                break
            self._expect(",")
        self._expect("]")

    def _inside(self, depth: int) -> Iterator[tuple[int, Mapping[str, str]]]:
        self._expect("{")
        while self._peek() == '"':
            self._value()
            self._expect(":")
            if self._peek() in ("[", "{"):
                yield from self._below(depth + 1)
            else:
                self._value()
            if self._peek() != ",":
                break
            self._expect(",")
        self._expect("}")

    def _below(self, depth: int) -> Iterator[tuple[int, Mapping[str, str]]]:
        """Look for readers in an array or an object that holds one; skip any other value."""
        if self._peek() == "[" or self._leads_to_a_list():
            yield from self._found(depth)
        else:
            self._value()

    def _leads_to_a_list(self) -> bool:
        """Whether an object is a wrapper around the list rather than a reader.

        It is one if it is longer than any reader, or holds an array of objects and no address.
        """
        try:
            found, _ = self._decoder.raw_decode(self._text, self._at)
        except RecursionError:
            raise NoList(NESTS_TOO_DEEPLY) from None
        except ValueError:
            if not self._more():
                return True
            return self._is_long() or self._leads_to_a_list()
        return isinstance(found, dict) and not _has_an_address(found) and _has_a_list(found)

    def _is_long(self) -> bool:
        return len(self._text) - self._at > OBJECT_CHARACTERS_MAX

    def _object(self) -> tuple[int, Mapping[str, str]]:
        self._peek()
        line = self._line_now()
        found = self._value()
        columns: dict[str, str] = {}
        try:
            _flatten("", found, columns)
        except RecursionError:
            raise NoList(NESTS_TOO_DEEPLY) from None
        return line, columns

    def _value(self) -> FoundJson:
        while True:
            self._peek()
            try:
                found, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError:
                raise NoList(NESTS_TOO_DEEPLY) from None
            except ValueError:
                if self._is_long():
                    raise NoList(f"{self._place()} is too long for one reader") from None
                if self._more():
                    continue
                raise NoList(f"it is not valid JSON from {self._place()} on") from None
            # A number may continue in the next piece.
            if end < len(self._text) or not self._more():
                self._at = end
                value: FoundJson = found
                return value

    def _expect(self, mark: str) -> None:
        if self._peek() != mark:
            raise NoList(f"it is not valid JSON from {self._place()} on")
        self._at += 1

    def _place(self) -> str:
        return f"line {self._line_now()}"

    def _line_now(self) -> int:
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _peek(self) -> str:
        """The next character that is not whitespace; "" at the end."""
        while True:
            while self._at < len(self._text) and self._text[self._at] in _WHITE:
                self._at += 1
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def _more(self) -> bool:
        piece = self._source.read(PIECE_CHARACTERS)
        if len(piece) == 0:
            return False
        self._line_now()
        self._text = self._text[self._at :] + piece
        self._at = self._counted = 0
        return True


def _has_an_address(found: Mapping[str, FoundJson]) -> bool:
    return any("mail" in name.casefold() and isinstance(value, str) for name, value in found.items())


def _has_a_list(found: Mapping[str, FoundJson]) -> bool:
    for value in found.values():
        if isinstance(value, list) and any(isinstance(each, dict) for each in value):
            return True
        if isinstance(value, dict) and _has_a_list(value):
            return True
    return False


def _flatten(name: str, value: FoundJson, columns: dict[str, str]) -> None:
    match value:
        case dict():
            for below, each in value.items():
                _flatten(f"{name}.{below}" if len(name) > 0 else below, each, columns)
        case list():
            for each in value:
                _flatten(name, each, columns)
        case None:
            columns.setdefault(name, "")
        case _:
            text = value if isinstance(value, str) else json.dumps(value)
            before = columns.get(name, "")
            columns[name] = text if len(before) == 0 else f"{before}{BETWEEN_VALUES}{text}"
