"""Simple forms of a value. Each takes the value from the file and returns the checked one, or
raises Wrong.

`addresses` has the forms of hosts, mailboxes and URLs, `grammars` those of texts with their own
rules.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from secondpost.config.faults import Wrong, quoted
from secondpost.config.key import ValueForm, kind
from secondpost.mail.duration import duration_text, parse_duration_ms
from secondpost.mail.size import parse_size, size_text

TEXT_CHARACTERS_MAX = 2000

E = TypeVar("E", bound=StrEnum)

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")  # all but the line feed


def text(value: object) -> str:
    """A text of one line."""
    many = lines(value)
    if "\n" in many:
        raise Wrong(f"{quoted(many)} contains a line break", "write one line")
    return many


def lines(value: object) -> str:
    """A text of one or more lines."""
    if not isinstance(value, str):
        raise Wrong(f"it is {kind(value)}, not a text", "write it in quotation marks")
    if len(value.strip()) == 0:
        raise Wrong("it is empty", "write something, or leave the key out")
    if len(value) > TEXT_CHARACTERS_MAX:
        raise Wrong(f"it has {len(value)} characters, more than {TEXT_CHARACTERS_MAX}")
    if CONTROL.search(value) is not None:
        raise Wrong(f"{quoted(value)} contains a control character")
    return value


def switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"it is {kind(value)}", "write true or false, without quotation marks")
    return value


TEXT = ValueForm("a text of one line", text)
SWITCH = ValueForm("true or false", switch)


def number(least: int, most: int) -> ValueForm[int]:
    def form(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise Wrong(f"it is {kind(value)}, not a whole number", "write digits without quotation marks")
        if not least <= value <= most:
            # str() refuses numbers of thousands of digits.
            shown = str(value) if abs(value) < 10**20 else "it"
            raise Wrong(f"{shown} is not between {least} and {most}")
        return value

    return ValueForm(f"a whole number from {least} to {most}", form)


def choice(kinds: Iterable[E]) -> ValueForm[E]:
    named = {one.value: one for one in kinds}
    words = ", ".join(map(quoted, named))

    def form(value: object) -> E:
        word = text(value)
        if word not in named:
            raise Wrong(f"{quoted(word)} is not a valid value", f"write one of {words}")
        return named[word]

    return ValueForm(f"one of {words}", form)


@dataclass(frozen=True, slots=True)
class _Unit:
    """How amounts of a kind are read and written."""

    words: str
    parse: Callable[[str], int]
    text: Callable[[int], str]
    example: str
    too_little: str
    too_much: str


_TIME = _Unit(
    "a duration", parse_duration_ms, duration_text, 'such as "31 days" or "15 minutes"', "short", "long"
)
_ROOM = _Unit("a size", parse_size, size_text, 'such as "50 MB"', "small", "large")


def duration(least_ms: int, most_ms: int) -> ValueForm[int]:
    return _bounded(_TIME, least_ms, most_ms)


def size(least: int, most: int) -> ValueForm[int]:
    return _bounded(_ROOM, least, most)


def _bounded(unit: _Unit, least: int, most: int) -> ValueForm[int]:
    def form(value: object) -> int:
        amount = _amount(value, unit)
        if not least <= amount <= most:
            bounds = f"write between {unit.text(least)} and {unit.text(most)}"
            amiss = unit.too_little if amount < least else unit.too_much
            raise Wrong(f"{quoted(str(value))} is too {amiss}", bounds)
        return amount

    words = f"{unit.words} from {unit.text(least)} to {unit.text(most)}"
    return ValueForm(words, form, unit.text)


def _amount(value: object, unit: _Unit) -> int:
    if not isinstance(value, str):
        hint = f"write number and unit in quotation marks, {unit.example}"
        raise Wrong(f"it is {kind(value)}, not a text", hint)
    try:
        return unit.parse(value)
    except ValueError as fault:
        # The parsers' messages hold reason and remedy, separated by "; ".
        reason, _, hint = str(fault).rpartition("; ")
        what = reason.rpartition(" is not a ")[2]
        raise Wrong(f"{quoted(value)} is not a {what}", hint) from None
