"""The blocks of a TOML text, each a header with the keys under it, and the lines around them. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from secondpost.config.positions import KeyPath
from secondpost.config.statements import Header, KeyValue, Statement, statements

# A key that is commented out; the first group is its name.
COMMENTED_OUT = re.compile(r"[ \t]*#[# \t]*([A-Za-z0-9_]+)[ \t]*=")
_BLANK_LINE = re.compile(r"\n[ \t]*\r?\n")

PlacedStatements = Sequence[tuple[KeyPath, Statement]]


@dataclass(frozen=True, slots=True)
class TableBlock:
    """A header with the keys under it. `before` is where the line of the statement before ends, `after`
    where the line of the next header begins, or the text ends. `gap` is what is above a header besides
    comments: a blank line, or "" if this file has none there.
    """

    header: Header
    keys: tuple[KeyValue, ...]
    before: int
    after: int
    gap: str


def line_begin(text: str, offset: int) -> int:
    return text.rfind("\n", 0, offset) + 1


def line_end(text: str, offset: int) -> int:
    """Where the next line begins."""
    found = text.find("\n", offset)
    return len(text) if found < 0 else found + 1


def newline_after(text: str, offset: int) -> str:
    """How the line ends in which `offset` is."""
    return "\r\n" if text[offset : line_end(text, offset)].endswith("\r\n") else "\n"


def blocks(text: str, walk: PlacedStatements) -> Iterator[tuple[str, TableBlock]]:
    """The tables with a header, but those inside others."""
    ends = [0, *(one.end for _, one in walk)]
    is_spaced = any(
        isinstance(one, Header) and _BLANK_LINE.search(text, end, one.begin) is not None
        for end, (_, one) in zip(ends, walk, strict=False)
    )
    starts = [number for number, (_, one) in enumerate(walk) if isinstance(one, Header)]
    for start, stop in pairwise([*starts, len(walk)]):
        (place, opening), rest = walk[start], walk[start + 1 : stop]
        if len(place) != 1 or not isinstance(opening, Header):
            continue
        keys = tuple(one for _, one in rest if isinstance(one, KeyValue))
        before = 0 if start == 0 else line_end(text, walk[start - 1][1].end)
        after = len(text) if stop == len(walk) else line_begin(text, walk[stop][1].begin)
        gap = newline_after(text, opening.end) if is_spaced else ""
        yield str(place[0]), TableBlock(opening, keys, before, after, gap)


def commented_out(text: str) -> Iterator[tuple[int, str]]:
    """Line and key of each `# key = …` between statements."""
    end, line = 0, 1
    for begin, next_end in [*((one.begin, one.end) for one in statements(text)), (len(text), len(text))]:
        for number, one_line in enumerate(text[end:begin].split("\n")):
            match = COMMENTED_OUT.match(one_line)
            if match is not None and (number > 0 or end == 0):  # else it stands behind a statement
                yield line + number, match[1]
        line += text.count("\n", end, next_end)
        end = next_end
