"""One file of a list: its encoding, separator and header, and its lines, which can be read
repeatedly.

Reads CSV with any usual separator, JSON, or one address per line.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import IO

from secondpost.subscribers.list_encoding import NOT_ONE_WAY, encoding_of
from secondpost.subscribers.list_json import begins_as_json, objects_of
from secondpost.subscribers.list_person import person_in
from secondpost.subscribers.list_rows import BadRow, NoAddresses, NoList
from secondpost.subscribers.meanings import Plain, folded
from secondpost.subscribers.services import EXPORTS, GENERAL

DELIMITERS = (",", ";", "\t", "|")
HEAD_LINES_MAX = 20  # the header or first address must be within them
HEAD_CHARACTERS = 64 * 1024  # looked at to recognise JSON
COLUMNS_MAX = 1_000
PERSON_CHARACTERS_MAX = 1_000  # a longer line is no name with an address, and would keep a pattern busy
LINE_CHARACTERS_MAX = 4 * 1024 * 1024  # unless it is JSON; a longer one would fill the memory

Octets = Callable[[], IO[bytes]]  # opens the file at its beginning
Record = tuple[int, list[str]] | BadRow  # line number (from 1) and cells

_ADDRESS_NAMES = frozenset(
    name
    for columns in (GENERAL, *(form.columns for form in EXPORTS))
    for name, meaning in columns.items()
    if meaning is Plain.ADDRESS
)
# One line that is one person: Name <address>, where the name's quotes or commas are not CSV.
_WHOLE_LINE = re.compile(r'(?:"[^"]*"\s*|[^<>"]*)<[^<>\s]+@[^<>\s]+>')
# Addresses spelled out against robots, as on Mailman's members page: "* (ann at example.org)".
_SPELT = re.compile(r"\s*(?:[*-]\s+)?(\(?)([^\s@()<>,;|]+) at ([^\s@()<>,;|]+\.[^\s@()<>,;|]+?)(\)?)\s*")
_COMMENTED = re.compile(r"\s*([^\s()<>,;|]+@[^\s()<>,;|]+)\s+\(([^()]*)\)\s*")


@dataclass(frozen=True, slots=True)
class ListPart:
    """One file of a list."""

    name: str
    head: tuple[str, ...]  # column names; empty in a list without a header
    address: int | None  # the column that holds addresses, if no name says which
    is_json: bool
    records: Callable[[], Iterator[Record]]


def part_of(name: str, octets: Octets, address_name: str | None) -> ListPart | None:
    """Read the structure of one file; None if it has no lines. Raises NoList."""
    with octets() as raw:
        encoding = encoding_of(raw)

    def lines() -> IO[str]:
        return io.TextIOWrapper(octets(), encoding=encoding, newline="")

    try:
        with lines() as source:
            is_json = begins_as_json(source.read(HEAD_CHARACTERS))
        if is_json:
            return _json_part(name, lines)
        with lines() as source:
            head = _head_of(list(islice(_bounded(source), HEAD_LINES_MAX)), address_name)
        if head is None:
            return None
        if _is_escaped(lines, head):
            head = replace(head, escape="\\")
    except UnicodeError:
        raise NoList(NOT_ONE_WAY) from None
    return ListPart(name, head.names, head.address, False, lambda: _csv_records(lines, head))


# ---- JSON


def _json_part(name: str, lines: Callable[[], IO[str]]) -> ListPart:
    names: dict[str, None] = {}
    with lines() as source:
        for _, columns in objects_of(source):
            names.update(dict.fromkeys(columns))
            if len(names) > COLUMNS_MAX:
                raise NoList(f"its objects have more than {COLUMNS_MAX} different keys")
    if not any(_is_address(each, None) for each in names):
        raise NoAddresses('it is JSON, but no object in it has an "email"')
    head = tuple(names)

    def records() -> Iterator[Record]:
        with lines() as source:
            try:
                for line, columns in objects_of(source):
                    yield line, [columns.get(each, "") for each in head]
            except UnicodeError:
                raise NoList(NOT_ONE_WAY) from None

    return ListPart(name, head, None, True, records)


# ---- CSV, or one address per line


@dataclass(frozen=True, slots=True)
class _Head:
    lines: int  # up to and including the header
    delimiter: str
    names: tuple[str, ...]
    address: int | None
    escape: str | None = None  # escapes a quote inside quotes, if not another quote


def _bounded(source: IO[str]) -> Iterator[str]:
    """Yield lines one at a time. Raises NoList for one of LINE_CHARACTERS_MAX or longer."""
    number = 0
    while (line := source.readline(LINE_CHARACTERS_MAX)) != "":
        number += 1
        if len(line) == LINE_CHARACTERS_MAX:
            raise NoList(f"line {number} is too long for one reader")
        yield line


def _head_of(lines: list[str], address_name: str | None) -> _Head | None:
    """The first of these lines that names a column of addresses or holds an address."""
    before: list[str] = []
    for number, line in enumerate(lines):
        plain = line.removeprefix("\ufeff")
        if len(plain.strip()) == 0:
            continue
        ways = [(delimiter, _cells(plain, delimiter)) for delimiter in DELIMITERS]
        named = [way for way in ways if any(_is_address(cell, address_name) for cell in way[1])]
        if len(named) > 0:
            delimiter, cells = max(named, key=lambda way: len(way[1]))
            return _Head(number + 1, delimiter, tuple(" ".join(cell.split()) for cell in cells), None)
        holding = [way for way in ways if _place_of_address(way[1]) is not None]
        if len(holding) > 0:
            delimiter, cells = max(holding, key=lambda way: len(way[1]))
            return _head_above(before, number, delimiter, cells)
        before.append(plain)
    if len(before) == 0:
        return None
    raise NoAddresses('it has no column called "email", and no address in its first lines')


def _head_above(before: list[str], number: int, delimiter: str, cells: list[str]) -> _Head:
    """The structure of the list.

    The line above the first address is the header if both have the same number of columns, and
    more than one.
    """
    place = _place_of_address(cells)
    names = _cells(before[-1], delimiter) if len(before) > 0 else []
    if len(cells) > 1 and len(names) == len(cells):
        return _Head(number, delimiter, tuple(" ".join(name.split()) for name in names), place)
    return _Head(number, delimiter, (), place)


def _is_address(cell: str, address_name: str | None) -> bool:
    name = folded(cell)
    return name in _ADDRESS_NAMES or (address_name is not None and name == folded(address_name))


def _place_of_address(cells: list[str]) -> int | None:
    for number, cell in enumerate(cells):
        try:
            person_in(cell)
        except ValueError:
            continue
        return number
    return None


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(_quoted([line]), delimiter=delimiter), [])
    except csv.Error:
        return []


def _quoted(lines: Iterator[str] | list[str]) -> Iterator[str]:
    """Quote lines such as Name <address> as one cell; a name in parentheses after an address
    becomes a second cell.
    """
    for line in lines:
        if len(line) > PERSON_CHARACTERS_MAX:
            yield line
        elif "@" not in line:
            spelt = _SPELT.fullmatch(line) if " at " in line else None
            yield line if spelt is None else f"{spelt[1]}{spelt[2]}@{spelt[3]}{spelt[4]}\n"
        elif (commented := _COMMENTED.fullmatch(line)) is not None:
            yield f'"{commented[1]}","{commented[2]}"\n'
        elif "<" in line and _WHOLE_LINE.fullmatch(line.strip()) is not None:
            text = line.strip().replace('"', "")
            yield f'"{text}"\n'
        else:
            yield line


def _is_escaped(lines: Callable[[], IO[str]], head: _Head) -> bool:
    """Whether quotes inside quotes are escaped by a backslash, as PHP writes them.

    Read by RFC 4180, such a line would break in the middle.
    """
    with lines() as source:
        if not any('\\"' in line for line in _bounded(source)):
            return False
    return any(isinstance(record, BadRow) for record in _csv_records(lines, head))


def _csv_records(lines: Callable[[], IO[str]], head: _Head) -> Iterator[Record]:
    with lines() as source:
        rest: Iterator[str] = islice(_bounded(source), head.lines, None)
        if len(head.names) == 0:
            rest = _quoted(rest)
        # Strict: otherwise an unclosed quote would swallow the following lines into one reader.
        reader = csv.reader(rest, delimiter=head.delimiter, strict=True, escapechar=head.escape)
        while True:
            line = head.lines + reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                last = head.lines + reader.line_num
                lost = f"; nothing up to line {last} was read" if last > line else ""
                yield BadRow(line, f"{error}{lost}")
                continue
            except UnicodeError:
                raise NoList(NOT_ONE_WAY) from None
            if any(cells):
                yield line, cells
