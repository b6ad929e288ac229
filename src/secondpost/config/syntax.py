"""From the octets of the file to plain values, with the line of each; and every fault of the TOML itself.

tomllib stops at the first fault. Here a faulty line of the form `key = …` is reported and put aside, and
the reading goes on, so that the owner sees in one go what else is wrong.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass

from secondpost.config.faults import REASON_CHARACTERS_MAX, Fault, cut
from secondpost.config.positions import Positions, positions

FILE_OCTETS_MAX = 1_000_000
SYNTAX_FAULTS_MAX = 20  # after so many the file is something else than TOML

_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")
_KEY_AND_VALUE = re.compile(r"""\s*((?:[A-Za-z0-9_.-]|"[^"]*"|'[^']*')+)\s*=\s*(.*)""")
_WORD = re.compile(r"""[^\s"'\[{#]""")


@dataclass(frozen=True, slots=True)
class Document:
    values: Mapping[str, object]
    positions: Positions
    faults: tuple[Fault, ...]
    put_aside: frozenset[int]  # lines whose value could not be read: what else is said of them is untrue


def read_document(data: bytes) -> Document | tuple[Fault, ...]:
    """Only the faults when too much is wrong to read any values."""
    if len(data) > FILE_OCTETS_MAX:
        return (Fault("", 0, f"the file has {len(data)} octets, more than {FILE_OCTETS_MAX}"),)
    try:
        # Windows' editors begin a file with a byte order mark and end lines with CR LF.
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        return (Fault("", line, "this is not UTF-8 text", "save the file in UTF-8"),)
    return _read(text.split("\n"))


def _read(lines: list[str]) -> Document | tuple[Fault, ...]:
    faults: list[Fault] = []
    put_aside: set[int] = set()
    while len(faults) < SYNTAX_FAULTS_MAX:
        text = "\n".join(lines)
        try:
            values = tomllib.loads(text)
            return Document(values, positions(text), tuple(faults), frozenset(put_aside))
        except RecursionError:
            return (*faults, Fault("", 0, "lists or tables stand too deep in each other"))
        except ValueError as error:
            fault = _syntax_fault(str(error), lines)
            faults.append(fault)
            replacement = _without_its_value(lines[fault.line - 1])
            if fault.line in put_aside or replacement is None:
                break
            put_aside.add(fault.line)
            lines[fault.line - 1] = "" if _is_double(str(error)) else replacement
    return tuple(faults)


def _syntax_fault(message: str, lines: list[str]) -> Fault:
    place = _PLACE.search(message)
    line = len(lines) if place is None or place[1] is None else int(place[1])
    # An unclosed string or list is noticed at a line that may be an empty last one.
    line = max(1, min(line, len(lines)))
    reason = cut(_PLACE.sub("", message), REASON_CHARACTERS_MAX)
    key_and_value = _KEY_AND_VALUE.match(lines[line - 1])
    key = "" if key_and_value is None else key_and_value[1]
    if _is_double(message):
        return Fault(key, line, "this key stands here a second time", "leave one of the two out")
    if key_and_value is None:
        return Fault(key, line, f"this is not TOML: {reason}", _hint_for(lines[line - 1]))
    value = key_and_value[2]
    if len(value) == 0:
        return Fault(key, line, "it has no value", f'write {key} = "…"')
    if _WORD.match(value) is not None:
        word = cut(value.partition("#")[0].strip(), 60)
        return Fault(key, line, f"{word} is not TOML", f'text stands in quotation marks: {key} = "{word}"')
    return Fault(key, line, f"this is not TOML: {reason}", "look for a missing quotation mark or bracket")


def _hint_for(line: str) -> str:
    if ":" in line:
        return 'write key = "value", with an equals sign'
    return ""


def _is_double(message: str) -> bool:
    return message.startswith("Cannot overwrite a value")


def _without_its_value(line: str) -> str | None:
    match = _KEY_AND_VALUE.match(line)
    return None if match is None else f'{match[1]} = ""'
