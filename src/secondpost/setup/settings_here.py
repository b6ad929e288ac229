"""The values that a configuration file has for its keys, each with its line. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from secondpost.config.keys import DESCRIBED, REPEATED, TOP
from secondpost.config.older import VERSIONS, as_today, version_of
from secondpost.config.positions import KeyPath, Positions
from secondpost.config.section import Findings, as_written
from secondpost.config.syntax import TomlDocument, read_document
from secondpost.config.versions import VERSION
from secondpost.setup.answers import toml_text

UNSHOWN = "a value that is too large to be shown"


@dataclass(frozen=True, slots=True)
class WrittenTable:
    """A table of the file. `number`: of a repeated one, from 1; else None. `values`: as TOML, by key."""

    table: str
    number: int | None
    line: int | None  # None: the top of the file, or a table that the file has not
    values: Mapping[str, str]
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class FileSettings:
    """The tables of a file, in the order of docs/settings.md; those that it has not are empty."""

    tables: tuple[WrittenTable, ...]

    def of(self, table: str, number: int | None = None) -> tuple[WrittenTable, ...]:
        """The tables of a name, or that with the number."""
        return tuple(
            one for one in self.tables if one.table == table and (number is None or one.number == number)
        )


def file_settings(data: bytes) -> FileSettings | None:
    """What the file has, under the names of today's version; None: it cannot be read as TOML of a known
    version.
    """
    document = read_document(data)
    if not isinstance(document, TomlDocument) or document.values.get("version") not in VERSIONS:
        return None
    version = version_of(document.values)
    values = as_today(document.values, Findings(document.positions, version=version))
    return FileSettings(tuple(_tables({**values, "version": VERSION}, document.positions, version)))


def _tables(values: Mapping[str, object], positions: Positions, version: int) -> Iterator[WrittenTable]:
    for table in DESCRIBED:
        if table == TOP:
            yield _written(table, None, (), values, positions, version)
            continue
        there = values.get(table, [] if table in REPEATED else {})
        if table in REPEATED and isinstance(there, list):
            for number, one in enumerate(there):
                if isinstance(one, dict):
                    yield _written(table, number + 1, (table, number), one, positions, version)
        elif table not in REPEATED and isinstance(there, dict):
            yield _written(table, None, (table,), there, positions, version)


def _written(
    table: str,
    number: int | None,
    place: KeyPath,
    values: Mapping[str, object],
    positions: Positions,
    version: int,
) -> WrittenTable:
    names = [name for name in DESCRIBED[table] if name in values]
    return WrittenTable(
        table,
        number,
        positions.lines.get(place),
        {name: _text(values[name]) for name in names},
        {name: positions.line(as_written((*place, name), version)) for name in names},
    )


def _text(value: object) -> str:
    try:
        return _escaped(toml_text(value))
    except (ValueError, RecursionError):
        # No key takes such a value: str() refuses numbers of thousands of digits, and lists may lie in lists.
        return UNSHOWN


def _escaped(toml: str) -> str:
    """The same value without characters that a terminal would act on (TOML 1.0, String)."""
    return "".join(one if one.isprintable() else f"\\U{ord(one):08x}" for one in toml)
