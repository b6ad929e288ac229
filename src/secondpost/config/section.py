"""One table of the file being read: takes each key in its form, and records every fault."""

import difflib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from secondpost.config.faults import Fault, Wrong, quoted
from secondpost.config.key import Form, kind
from secondpost.config.keys import KEYS, REPEATED, TOP, header
from secondpost.config.positions import KeyPath, Positions
from secondpost.config.versions import VERSION, place_in

T = TypeVar("T")
D = TypeVar("D")

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
LIKENESS = 0.6  # a key at least this similar may have been meant
LIKENESS_SURE = 0.8  # and this similar, even if the word is a key elsewhere


def key_text(place: KeyPath) -> str:
    """A place as people write it, counting from 1: ("backup", 0, "recipients", 2) is
    backup[1].recipients[3].
    """
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            name = part if _BARE_KEY.fullmatch(part) is not None else json.dumps(part)
            text += name if len(text) == 0 else f".{name}"
    return text


def as_written(place: KeyPath, version: int) -> KeyPath:
    """A place of today's version, as a file of `version` has it."""
    match place:
        case (str(table), str(key), *rest):
            return (*place_in(version, table, key), *rest)
    return place


@dataclass(slots=True)
class Findings:
    """The faults found so far, and the lines of keys. `version` is that of the file."""

    positions: Positions
    put_aside: frozenset[int] = frozenset()
    faults: list[Fault] = field(default_factory=list)
    version: int = VERSION

    def add(self, place: KeyPath, reason: str, hint: str = "") -> None:
        """`place` is that of today's version; the fault names the one in the file."""
        self.add_as_written(as_written(place, self.version), reason, hint)

    def add_as_written(self, place: KeyPath, reason: str, hint: str = "") -> None:
        line = self.positions.line(place)
        if line not in self.put_aside:
            self.faults.append(Fault(key_text(place), line, reason, hint))

    def add_wrong(self, place: KeyPath, wrong: Wrong) -> None:
        for one in (wrong, *wrong.more):
            self.add(place, one.reason, one.hint)

    def is_clean(self, place: KeyPath) -> bool:
        """Whether neither the value nor, for a list, an element has a fault so far."""
        key = key_text(as_written(place, self.version))
        return not any(fault.key == key or fault.key.startswith(f"{key}[") for fault in self.faults)


@dataclass(frozen=True, slots=True)
class Section:
    """One table; `table` is its name in KEYS. Its constructor reports every unknown key."""

    table: str
    place: KeyPath
    values: Mapping[str, object]
    findings: Findings

    def __post_init__(self) -> None:
        known = KEYS[self.table]
        for key in self.values:
            tables = self.table == TOP and key in KEYS
            if key not in known and not tables:
                unknown = unknown_key(self.table, key, self.findings.version)
                self.findings.add_as_written((*self.place, key), *unknown)

    def name(self, key: str) -> str:
        """What a key is called in the file, for hints."""
        return place_in(self.findings.version, self.table, key)[1]

    def has(self, key: str) -> bool:
        return key in self.values

    def fault(self, key: str, reason: str, hint: str = "", number: int | None = None) -> None:
        """Report a fault; `number` is the index from 0 in the key's list."""
        place = (*self.place, key) if number is None else (*self.place, key, number)
        self.findings.add(place, reason, hint)

    def take(self, key: str, form: Form[T], default: D) -> T | D:
        """The value of a key, or the default if it is missing or invalid (a tree with faults is
        never used).
        """
        if key not in self.values:
            return default
        try:
            return form(self.values[key])
        except Wrong as wrong:
            self.findings.add_wrong((*self.place, key), wrong)
            return default

    def need(self, key: str, form: Form[T], hint: str, default: D) -> T | D:
        """The value of a required key, or the default if it is missing or invalid, which is reported."""
        if key not in self.values:
            reason = f"it is missing from {header(self.table)}" if self.table != TOP else "it is missing"
            self.fault(key, reason, hint)
        return self.take(key, form, default)

    def take_list(self, key: str, form: Form[T], default: tuple[T, ...]) -> tuple[T, ...]:
        """The elements of a list; invalid and repeated ones are reported and left out."""
        if key not in self.values:
            return default
        value = self.values[key]
        if not isinstance(value, list):
            hint = f'write {self.name(key)} = ["…"], in square brackets even for one'
            self.fault(key, f"it is {kind(value)}, not a list", hint)
            return default
        taken: dict[T, None] = {}
        for number, element in enumerate(value):
            try:
                one = form(element)
            except Wrong as wrong:
                self.findings.add_wrong((*self.place, key, number), wrong)
                continue
            if one in taken:
                self.fault(key, f"{quoted(str(element))} is here twice", "leave one out", number)
                continue
            taken[one] = None
        return tuple(taken)

    def need_list(self, key: str, form: Form[T], hint: str) -> tuple[T, ...]:
        """The elements of a required list; an empty or missing one is reported."""
        if key not in self.values:
            reason = f"it is missing from {header(self.table)}" if self.table != TOP else "it is missing"
            self.fault(key, reason, hint)
        return self.filled_list(key, form, (), hint)

    def filled_list(self, key: str, form: Form[T], default: tuple[T, ...], hint: str) -> tuple[T, ...]:
        """The elements of a list that may be missing but not empty."""
        if self.values.get(key) == []:
            self.fault(key, "the list is empty", hint.replace(f"{key} =", f"{self.name(key)} ="))
        return self.take_list(key, form, default)


def keys_in(version: int) -> Mapping[str, tuple[str, ...]]:
    """KEYS of a file of `version`: tables that it does not have yet are left out."""
    keys: dict[str, list[str]] = {}
    for table, names in KEYS.items():
        for name in names:
            old_table, old_name = place_in(version, table, name)
            keys.setdefault(old_table, []).append(old_name)
    return {table: tuple(names) for table, names in keys.items()}


def unknown_key(table: str, key: str, version: int) -> tuple[str, str]:
    """Reason and hint for a key that a file of `version` does not have in this table."""
    keys = keys_in(version)
    what = "there is no such key" if table != TOP else "there is no such key or table"
    near = list(keys.get(table, ())) + (list(keys) if table == TOP else [])
    meant = difflib.get_close_matches(key.lower(), near, n=1, cutoff=LIKENESS_SURE)
    if len(meant) == 0 and key in keys[TOP]:
        return what, f"{key} belongs at the top of the file, before the first table"
    homes = [header(name) for name in keys if name != TOP and key in keys[name]]
    if len(meant) == 0 and len(homes) > 0:
        return what, f"{key} belongs under {' or '.join(homes)}"
    for match in meant or difflib.get_close_matches(key.lower(), near, n=1, cutoff=LIKENESS):
        return what, f"did you mean {header(match) if table == TOP and match in REPEATED else match}?"
    return what, "docs/settings.md names them all"
