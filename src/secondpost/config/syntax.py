"""Read the file's octets into plain values with their lines, and report every TOML fault.

tomllib stops at the first fault. Here a faulty line of the form `key = …` is reported and put
aside, and reading continues, so that the owner sees all faults at once.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from secondpost.config.faults import REASON_CHARACTERS_MAX, VALUE_CHARACTERS_MAX, Fault, cut
from secondpost.config.positions import Positions, positions
from secondpost.mail.printable import printable

FILE_OCTETS_MAX = 1_000_000
SYNTAX_FAULTS_MAX = 20  # with more faults, the file is not TOML

_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")
_STATEMENT = re.compile(r"""\s*((?:[A-Za-z0-9_.-]|"[^"]*"|'[^']*')+)\s*([=:])\s*(.*)""")
_WORD = re.compile(r"""[^\s"'\[{#]""")
_HEADER = re.compile(r"\s*(\[\[?)\s*([A-Za-z0-9_-]+)\s*\]")
_OPENED_LIST = re.compile(r"\s*([A-Za-z0-9_.-]+)\s*=\s*\[[^\]]*$")
_OPENED_TEXT = re.compile(r"""\s*([A-Za-z0-9_.-]+)\s*=\s*(\"{3}|'{3})(?!.*\2)""")


@dataclass(frozen=True, slots=True)
class TomlDocument:
    values: Mapping[str, object]
    positions: Positions
    faults: tuple[Fault, ...]
    put_aside: frozenset[int]  # lines with a fault; further faults in them are spurious


def read_document(data: bytes) -> TomlDocument | tuple[Fault, ...]:
    """Read a file; returns only the faults if there are too many to read values."""
    if len(data) > FILE_OCTETS_MAX:
        return (Fault("", 0, f"the file has more than {FILE_OCTETS_MAX} octets"),)
    try:
        # Windows editors begin a file with a byte order mark and end lines with CR LF.
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        return (Fault("", line, "this is not UTF-8 text", "save the file in UTF-8"),)
    return _read(text.split("\n"))


def _read(lines: list[str]) -> TomlDocument | tuple[Fault, ...]:
    faults: list[Fault] = []
    put_aside: set[int] = set()
    while len(faults) < SYNTAX_FAULTS_MAX:
        text = "\n".join(lines)
        try:
            values = tomllib.loads(text)
            return TomlDocument(values, positions(text), tuple(faults), frozenset(put_aside))
        except RecursionError:
            return (*faults, Fault("", 0, "lists or tables are nested too deeply"))
        except ValueError as error:
            trouble = _trouble(str(error), lines)
        opened = _opened(lines, trouble)
        fault = opened if opened is not None else _fault(lines, trouble)
        faults.append(fault)
        statement = _STATEMENT.match(lines[trouble.line - 1])
        if opened is not None or statement is None or trouble.line in put_aside:
            break
        put_aside.add(trouble.line)
        # Remove a repeated key; give any other key an arbitrary value, so that it exists.
        lines[trouble.line - 1] = "" if trouble.is_double else f'{statement[1]} = ""'
    return tuple(dict.fromkeys(faults))


@dataclass(frozen=True, slots=True)
class _Trouble:
    """A fault reported by tomllib, at the line where it stopped."""

    reason: str
    line: int
    at_end: bool

    @property
    def is_double(self) -> bool:
        return self.reason.startswith("Cannot overwrite a value")


def _trouble(message: str, lines: list[str]) -> _Trouble:
    place = _PLACE.search(message)
    at_end = place is None or place[1] is None
    line = len(lines) if place is None or place[1] is None else int(place[1])
    reason = cut(printable(_PLACE.sub("", message)), REASON_CHARACTERS_MAX)
    return _Trouble(reason, max(1, min(line, len(lines))), at_end)


def _fault(lines: list[str], trouble: _Trouble) -> Fault:
    number = trouble.line
    statement = _STATEMENT.match(lines[number - 1])
    if statement is None:
        if trouble.reason.startswith("Cannot declare") and _HEADER.match(lines[number - 1]) is not None:
            header = cut(printable(lines[number - 1].strip()), VALUE_CHARACTERS_MAX)
            return Fault("", number, f"{header} is here a second time", "put its keys under the first")
        return Fault("", number, f"this is not TOML: {trouble.reason}")
    key = _key(statement[1], lines, number)
    if trouble.is_double:
        return Fault(key, number, "this key is here a second time", "remove one of the two")
    name, value = statement[1], statement[3].partition("#")[0].strip()
    value = cut(printable(value), VALUE_CHARACTERS_MAX)
    if statement[2] == ":":
        return Fault(key, number, "there is a colon where = belongs", f"write {name} = {value}")
    if len(value) == 0:
        return Fault(key, number, "it has no value", f'write {name} = "…"')
    if _WORD.match(value) is not None:
        hint = f'write text in quotation marks: {name} = "{value}"'
        return Fault(key, number, f"{value} is not TOML", hint)
    return Fault(
        key, number, f"this is not TOML: {trouble.reason}", "look for a missing quotation mark or bracket"
    )


def _opened(lines: list[str], trouble: _Trouble) -> Fault | None:
    """The fault of an unclosed list or long text that begins above the line where tomllib stopped."""
    for above in range(trouble.line, 0, -1):
        line = lines[above - 1]
        a_text, a_list = _OPENED_TEXT.match(line), _OPENED_LIST.match(line)
        if trouble.at_end and a_text is not None:
            hint = f"close it with {a_text[2]}"
            return Fault(_key(a_text[1], lines, above), above, "the text has no end", hint)
        if trouble.at_end and a_list is not None:
            return Fault(_key(a_list[1], lines, above), above, "the list has no end", "close it with ]")
        if above == trouble.line or trouble.at_end:
            continue
        if a_list is not None:
            reason = f"the list does not continue correctly in line {trouble.line}"
            hint = "look for a missing comma or the closing ]"
            return Fault(_key(a_list[1], lines, above), above, reason, hint)
        if "]" in line or _STATEMENT.match(line) is not None:
            return None
    return None


def _key(name: str, lines: list[str], number: int) -> str:
    """The key with its table, as the headers above it say."""
    headers = [match for line in lines[:number] if (match := _HEADER.match(line)) is not None]
    if len(headers) == 0:
        return name
    opening, table = headers[-1].groups()
    if opening == "[":
        return f"{table}.{name}"
    count = sum(match.groups() == (opening, table) for match in headers)
    return f"{table}[{count}].{name}"
