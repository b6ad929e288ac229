"""A file of an earlier version of the format, brought to today's in memory.

Keys that are not of the file's own version are reported, with where they belong in it, and left out.
Pure: plain values in, plain values and faults out.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from secondpost.config.faults import quoted
from secondpost.config.keys import KEYS, REPEATED, TOP, header
from secondpost.config.positions import KeyPath
from secondpost.config.section import Findings, keys_in, unknown_key
from secondpost.config.versions import (
    CHANGES,
    VERSION,
    MovedFrom,
    Reworded,
    moved_in,
    place_in,
    words_in,
)

Values = Mapping[str, object]

VERSIONS = range(1, VERSION + 1)  # that this program reads


def version_of(values: Values) -> int:
    """The version by whose names a file is read: its own if that is one of VERSIONS, else today's."""
    version = values.get("version")
    if isinstance(version, int) and not isinstance(version, bool) and version in VERSIONS:
        return version
    return VERSION


def as_today(values: Values, findings: Findings) -> Values:
    """The values of a file of version `findings.version` under today's keys and in today's words."""
    version = findings.version
    today = {name: dict(value) if isinstance(value, dict) else value for name, value in values.items()}
    _leave_out_others(today, findings)
    for table, key in CHANGES:
        _reword(today, table, key, findings)
    taken = {}
    for (old_table, old_key), place in moved_in(version).items():
        source = today.get(old_table)
        if isinstance(source, dict) and old_key in source:
            taken[place] = source.pop(old_key)
    for (table, key), value in taken.items():
        opened = today.setdefault(table, {})
        if isinstance(opened, dict):  # else the table itself is at fault
            opened[key] = value
    return today


@dataclass(frozen=True, slots=True)
class _Era:
    """Table and key under which the versions from `first` to `last` have a value."""

    first: int
    last: int
    table: str
    key: str

    @property
    def text(self) -> str:
        return f"{self.key} under {header(self.table)}"


def _eras(table: str, key: str) -> tuple[_Era, ...]:
    eras, first = [], 1
    for was in CHANGES[table, key]:
        if isinstance(was, MovedFrom):
            eras.append(_Era(first, was.until, was.table, was.key))
            first = was.until + 1
    return (*eras, _Era(first, VERSION, table, key))


def _leave_out_others(today: dict[str, object], findings: Findings) -> None:
    """Remove keys and tables of other versions than the file's; each is a fault."""
    version = findings.version
    own = keys_in(version)
    for place in CHANGES:
        eras = _eras(*place)
        [right] = [era for era in eras if era.first <= version <= era.last]
        for era in eras:
            source = today.get(era.table)
            if era is right or era.key in own.get(era.table, ()) or not isinstance(source, dict):
                continue
            if era.key in source:
                del source[era.key]
                reason, hint = _of_another_version(era, right, today, findings)
                findings.add_as_written((era.table, era.key), reason, hint)
    for table in KEYS:
        value = today.get(table)
        if table in own or table not in today:
            continue
        if value == {} and _had_faults(table, findings):
            del today[table]
        elif not isinstance(value, dict) or len(value) == 0:
            del today[table]
            findings.add_as_written((table,), *unknown_key(TOP, table, version))


def _of_another_version(era: _Era, right: _Era, today: Values, findings: Findings) -> tuple[str, str]:
    """Reason and hint for a key that the file's version has in another place, `right`."""
    version = findings.version
    source = today.get(right.table)
    if isinstance(source, dict) and right.key in source:
        line = findings.positions.line((right.table, right.key))
        reason = f"the same is set in line {line}, by {right.text}"
        return reason, f"remove this: a file of version {version} has it there"
    if era.last < version:
        return f"since version {right.first} of the file this is {right.text}", "write it there"
    reason = f"this is a key of version {era.first} of the file, and the file is of version {version}"
    return reason, f"write {right.text}, or version = {era.last} at the top if all keys are of that version"


def _had_faults(table: str, findings: Findings) -> bool:
    return any(fault.key.startswith(f"{table}.") for fault in findings.faults)


def _reword(today: dict[str, object], table: str, key: str, findings: Findings) -> None:
    """Replace old words; report and leave out those that the file's version has no more."""
    words = words_in(findings.version, table, key)
    past = {word: was for was in CHANGES[table, key] if isinstance(was, Reworded) for word in was.words}
    old_table, name = place_in(findings.version, table, key)
    for place, values in _tables(today, old_table):
        word = values.get(name)
        if not isinstance(word, str) or word not in past:
            continue
        if word in words:
            values[name] = words[word]
            continue
        del values[name]
        reason = f"{quoted(word)} was the word up to version {past[word].until} of the file"
        findings.add_as_written((*place, name), reason, f"write {quoted(past[word].words[word])}")


def _tables(today: dict[str, object], table: str) -> Iterator[tuple[KeyPath, dict[str, object]]]:
    """The tables of that name that can be changed, each with its place."""
    value = today.get(table)
    if table not in REPEATED:
        if isinstance(value, dict):
            yield (table,), value
    elif isinstance(value, list):
        copied = [dict(one) if isinstance(one, dict) else one for one in value]
        today[table] = copied
        for number, one in enumerate(copied):
            if isinstance(one, dict):
                yield (table, number), one
