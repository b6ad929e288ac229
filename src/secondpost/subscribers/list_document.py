"""A file of a list as a document: how it is written, where its head is, and its lines one after the other, as
often as they are asked for.

CSV with any usual separator, JSON, or an address a line.
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
HEAD_LINES_MAX = 20  # before them a head, or the first address, is found
HEAD_CHARACTERS = 64 * 1024  # by which JSON is known
COLUMNS_MAX = 1_000
LINE_CHARACTERS_MAX = 4 * 1024 * 1024  # of a list that is no JSON; one that is longer would fill the memory

Octets = Callable[[], IO[bytes]]  # opens them anew, from their beginning
Record = tuple[int, list[str]] | BadRow  # the line where it begins, from 1, and its cells

_ADDRESS_NAMES = frozenset(
    name
    for columns in (GENERAL, *(form.columns for form in EXPORTS))
    for name, meaning in columns.items()
    if meaning is Plain.ADDRESS
)
# One line that is one person: Name <address>, or with quotes that would mean something else in CSV.
_WHOLE_LINE = re.compile(r'\s*(?:"[^"]*"|[^<>"]*)\s*<[^<>\s]+@[^<>\s]+>\s*')
# As Mailman's page of members shows them, against robots: "* (ann at example.org)".
_SPELT = re.compile(r"\s*(?:[*-]\s+)?(\(?)([^\s@()<>,;|]+) at ([^\s@()<>,;|]+\.[^\s@()<>,;|]+?)(\)?)\s*")
_COMMENTED = re.compile(r"\s*([^\s()<>,;|]+@[^\s()<>,;|]+)\s+\(([^()]*)\)\s*")


@dataclass(frozen=True, slots=True)
class ListPart:
    """One file of a list."""

    name: str
    head: tuple[str, ...]  # the names of its columns; none in a list without a head
    address: int | None  # the column in which addresses were seen, where no name says which it is
    is_json: bool
    records: Callable[[], Iterator[Record]]


def part_of(name: str, octets: Octets, address_name: str | None) -> ListPart | None:
    """One file of a list; None where it has no line. Raises NoList."""
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


# ---- CSV, and an address a line


@dataclass(frozen=True, slots=True)
class _Head:
    lines: int  # up to and with the head
    delimiter: str
    names: tuple[str, ...]
    address: int | None
    escape: str | None = None  # what stands before a quotation mark inside quotes, instead of another


def _bounded(source: IO[str]) -> Iterator[str]:
    """The lines; never more than one of them is in memory, and of that no more than can be one reader's."""
    number = 0
    while (line := source.readline(LINE_CHARACTERS_MAX)) != "":
        number += 1
        if len(line) == LINE_CHARACTERS_MAX:
            raise NoList(f"line {number} is too long for one reader")
        yield line


def _head_of(lines: list[str], address_name: str | None) -> _Head | None:
    """Among the first lines, the first that names a column of addresses, or holds an address."""
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
    """Above a line that holds an address is the head when it has as many columns, and several."""
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
    """Lines that are a person with a name, as one cell; a word behind an address is a cell of its own."""
    for line in lines:
        if "@" not in line:
            spelt = _SPELT.fullmatch(line) if " at " in line else None
            yield line if spelt is None else f"{spelt[1]}{spelt[2]}@{spelt[3]}{spelt[4]}\n"
        elif (commented := _COMMENTED.fullmatch(line)) is not None:
            yield f'"{commented[1]}","{commented[2]}"\n'
        elif "<" in line and _WHOLE_LINE.fullmatch(line) is not None:
            text = line.strip().replace('"', "")
            yield f'"{text}"\n'
        else:
            yield line


def _is_escaped(lines: Callable[[], IO[str]], head: _Head) -> bool:
    """Whether a quotation mark behind a backslash is one inside quotes, as PHP writes it: read as in RFC 4180
    a line would be torn.
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
        # Strict: a quotation mark that is never closed would make the lines below it part of one reader.
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
