"""The statements of main.cf, of the output of postconf -n, and of the text of lookup tables (postconf(5),
"SYNTAX OF MAIN.CF"; postmap(1)). Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from secondpost.setup.importing.carried import OldPlace

_NAME = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True, slots=True)
class LogicalLine:
    """A line with its continuations, joined by one space each."""

    line: int  # of its first line, from 1
    text: str


@dataclass(frozen=True, slots=True)
class MainStatement:
    """`name = value` of main.cf; `value` is not expanded yet."""

    name: str
    value: str
    place: OldPlace

    @property
    def text(self) -> str:
        return f"{self.name} = {self.value}"


@dataclass(frozen=True, slots=True)
class NotMainStatement:
    """A line that Postfix itself refuses to read."""

    text: str
    place: OldPlace


def logical_lines(text: str) -> Iterator[LogicalLine]:
    """Lines that begin with white space continue the one before, also across comments and empty lines."""
    first, parts = 0, list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if len(stripped) == 0 or stripped.startswith("#"):
            continue
        if line[0].isspace() and len(parts) > 0:
            parts.append(stripped)
            continue
        if len(parts) > 0:
            yield LogicalLine(first, " ".join(parts))
        first, parts = number, [stripped]
    if len(parts) > 0:
        yield LogicalLine(first, " ".join(parts))


def statements(text: str, path: str) -> Iterator[MainStatement | NotMainStatement]:
    for logical in logical_lines(text):
        place = OldPlace(path, logical.line)
        name, equals, value = logical.text.partition("=")
        name = name.strip()
        if len(equals) == 0 or _NAME.fullmatch(name) is None:
            yield NotMainStatement(logical.text, place)
        else:
            yield MainStatement(name, value.strip(), place)
