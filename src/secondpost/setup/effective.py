"""Every key of a configuration with the value that holds, from the file or by default, and the file that
would say all of them. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from secondpost.config.key import Key
from secondpost.config.keys import DESCRIBED, FIELDS, TABLES, TOP, header
from secondpost.config.records import Config
from secondpost.setup.setting_words import value_text
from secondpost.setup.settings_here import FileSettings, WrittenTable

# A name and password within an address, as in https://reader:secret@www.example.net/feed.xml.
_LOGIN = re.compile(r"://[^/?#\s\"']*:[^/?#\s\"']*@")
NO_VALUE = "none"  # as the default of a key, in words


class ValueOrigin(StrEnum):
    """Where a value comes from."""

    FILE = "file"
    DEFAULT = "default"
    UNSET = "unset"  # the default is that there is none
    SECRET = "secret"  # the file has one, which works like a password


@dataclass(frozen=True, slots=True)
class EffectiveValue:
    """The value of a key, as TOML. `number`: of a repeated table, from 1."""

    table: str
    number: int | None
    name: str
    value: str | None  # None: UNSET or SECRET
    line: int | None  # of the file
    origin: ValueOrigin


def effective(config: Config, settings: FileSettings) -> tuple[EffectiveValue, ...]:
    """Every key of every table in the file, and of those that are not repeated, in the order of the page."""
    return tuple(
        _effective(config, settings, written, name, key)
        for written in settings.tables
        for name, key in DESCRIBED[written.table].items()
    )


def as_read(settings: FileSettings) -> tuple[EffectiveValue, ...]:
    """The keys that are in the file."""
    return tuple(
        from_file(written, name, DESCRIBED[written.table][name])
        for written in settings.tables
        for name in written.values
    )


def from_file(written: WrittenTable, name: str, key: Key) -> EffectiveValue:
    line = written.lines[name]
    if key.is_secret or _LOGIN.search(written.values[name]) is not None:
        return EffectiveValue(written.table, written.number, name, None, line, ValueOrigin.SECRET)
    return EffectiveValue(written.table, written.number, name, written.values[name], line, ValueOrigin.FILE)


def _effective(
    config: Config, settings: FileSettings, written: WrittenTable, name: str, key: Key
) -> EffectiveValue:
    if name in written.values:
        return from_file(written, name, key)
    value = None if _says_nothing(settings, written.table) else _default(config, written, name, key)
    origin = ValueOrigin.UNSET if value is None else ValueOrigin.DEFAULT
    return EffectiveValue(written.table, written.number, name, value, None, origin)


def _says_nothing(settings: FileSettings, table: str) -> bool:
    """Whether the file has not the key without which those of the table say nothing."""
    needs = TABLES[table].needs
    return needs is not None and all(needs[1] not in one.values for one in settings.of(needs[0]))


def _default(config: Config, written: WrittenTable, name: str, key: Key) -> str | None:
    field = next(one.field for one in FIELDS[written.table] if one.name == name)
    value = getattr(_record(config, written), field)
    if value == () and len(key.default) > 0:  # an empty list may not be written
        return None
    return value_text(key, value)


def _record(config: Config, written: WrittenTable) -> object:
    if written.table == TOP:
        return config
    if written.number is None:
        return getattr(config, written.table)
    several: dict[str, Sequence[object]] = {
        "backup": config.backups,
        "route": config.routes,
        "newsletter": config.newsletters,
    }
    return several[written.table][written.number - 1]


def toml_lines(values: Sequence[EffectiveValue]) -> Iterator[str]:
    """A whole file with these values; what is not set, and what is a default, is said in comments."""
    table: tuple[str, int | None] = (TOP, None)
    for one in values:
        if (one.table, one.number) != table:
            table = one.table, one.number
            yield ""
            yield header(one.table)
        yield _line(one, DESCRIBED[one.table][one.name])


def _line(one: EffectiveValue, key: Key) -> str:
    match one.origin:
        case ValueOrigin.FILE:
            return f"{one.name} = {one.value}"
        case ValueOrigin.SECRET:
            return f"# {one.name} is in line {one.line}; it works like a password and is not shown"
        case ValueOrigin.UNSET:
            words = f": {key.default}" if key.default not in ("", NO_VALUE) else ""
            needs = TABLES[one.table].needs
            if needs is not None and needs[1] != one.name and len(words) == 0:
                words = f", and has no effect without {needs[1]} of {header(needs[0])}"
            return f"# {one.name} is not set{words}"
        case ValueOrigin.DEFAULT:
            return f"{one.name} = {one.value}  # default{f': {key.default}' if len(key.default) > 0 else ''}"
