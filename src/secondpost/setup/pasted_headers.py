"""Reads a header as its owner pasted it from a mailbox: a whole message, or a block of text that a
mail program, a web page or a reply has bent.

Undone are: byte order marks and UTF-16, any line ends, `>` in front of every line, blanks in front of
all lines, lost folding (a line that is no field continues the one before), an empty line after each
line, and text of a page before the first field (as Gmail's "Show original" has it). Pure.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

HEADER_OCTETS_MAX = 1_000_000  # of what is pasted; a larger file is no header
LOOKED_AT_LINES = 60  # by which the bends are recognised
QUOTED_PART_MIN = 0.8  # of these lines begin with ">"
QUOTE_DEPTH_MAX = 20

_LINE_END = re.compile(r"\r\n|\r|\n")
# A name, a colon, and a blank or the end: "https://…" and "google.com: domain of" are no fields.
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]*)[ \t]*:(?=[ \t]|$)[ \t]*(.*)", re.DOTALL)
_TIGHT_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]*):(.*)", re.DOTALL)
_QUOTE = re.compile(r"[ \t]*>[ \t]?")
_TRACE = frozenset({"received", "authentication-results", "return-path", "received-spf", "delivered-to"})


@dataclass(frozen=True, slots=True)
class PastedField:
    """One field, unfolded."""

    name: str  # in lower case
    value: str
    line: int  # where it begins in what was pasted, counted from 1


def read_pasted(octets: bytes) -> tuple[PastedField, ...]:
    """The fields from the top; empty if there is none."""
    lines = list(enumerate(_LINE_END.split(_text_of(octets)), start=1))
    for mend in (_without_quotes, _without_indent, _without_doubled_ends):
        lines = mend(lines)
    return tuple(_fields(lines))


def _text_of(octets: bytes) -> str:
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if octets.startswith(mark):
            return octets[len(mark) :].decode(encoding, "replace")
    return octets.decode("utf-8", "replace")


NumberedLines = list[tuple[int, str]]


def _full(lines: NumberedLines) -> list[str]:
    """The first lines that are not empty."""
    return [text for _, text in lines if len(text.strip()) > 0][:LOOKED_AT_LINES]


def _without_quotes(lines: NumberedLines) -> NumberedLines:
    """Remove `>` from quoted lines, as often as all of them have it."""
    for _ in range(QUOTE_DEPTH_MAX):
        full = _full(lines)
        quoted = sum(_QUOTE.match(text) is not None for text in full)
        if quoted == 0 or quoted < QUOTED_PART_MIN * len(full):
            break
        lines = [(number, _QUOTE.sub("", text, count=1)) for number, text in lines]
    return lines


def _without_indent(lines: NumberedLines) -> NumberedLines:
    """Remove the blanks that stand in front of the first field from every line."""
    first = next((text for text in _full(lines) if _FIELD.match(text.lstrip()) is not None), "")
    indent = len(first) - len(first.lstrip())
    if indent == 0:
        return lines
    return [(number, _less_indented(text, indent)) for number, text in lines]


def _less_indented(text: str, indent: int) -> str:
    blanks = len(text) - len(text.lstrip())
    return text[min(indent, blanks) :]


def _without_doubled_ends(lines: NumberedLines) -> NumberedLines:
    """Remove the empty lines if one follows each other line."""
    full = len(_full(lines))
    seen = lines[: 2 * full]
    empty = sum(len(text.strip()) == 0 for _, text in seen)
    if full < 3 or empty < full - 1:
        return lines
    return [(number, text) for number, text in lines if len(text.strip()) > 0]


def _fields(lines: NumberedLines) -> Iterator[PastedField]:
    """The fields up to the empty line that ends the header; text before the trace is no header yet."""
    name, parts, begin = "", list[str](), 0
    is_header = False
    for number, text in lines:
        if len(text.strip()) == 0:
            if is_header:
                break
            continue
        found = None if text[0] in " \t" and len(name) > 0 else _field_in(text)
        if found is None:
            parts.append(text.strip())
            continue
        if len(name) > 0:
            yield _field(name, parts, begin)
        name, parts, begin = found[1].lower(), [found[2].strip()], number
        is_header = is_header or name in _TRACE
    if len(name) > 0:
        yield _field(name, parts, begin)


def _field_in(text: str) -> re.Match[str] | None:
    found = _FIELD.fullmatch(text)
    if found is None:
        found = _TIGHT_FIELD.fullmatch(text)
        return found if found is not None and found[1].lower() in _TRACE else None
    return found


def _field(name: str, parts: Sequence[str], begin: int) -> PastedField:
    return PastedField(name, " ".join(part for part in parts if len(part) > 0), begin)
