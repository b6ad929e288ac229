"""Versions of the libraries below this server, compared with known_bugs.toml."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

import msgspec

from secondpost.setup.diagnosis import Check, Diagnosis, Grade

Version = tuple[int, ...]
UPDATE = "apt-get update && apt-get upgrade"


@dataclass(frozen=True, slots=True)
class KnownBug:
    library: str
    since: str
    fixed: tuple[str, ...]  # the first version of each series without the bug, in order
    what: str
    date: date  # when it became known
    source: str
    distributions: bool  # repaired by distributions under the old version number

    def is_in(self, version: Version) -> bool:
        if version < _parsed(self.since):
            return False
        fixed = [_parsed(one) for one in self.fixed]
        in_series = any(one[:2] == version[:2] and version >= one for one in fixed)
        return not in_series and version < fixed[-1]


class _KnownBugTable(msgspec.Struct, forbid_unknown_fields=True):
    bug: tuple[KnownBug, ...]


def known_bugs() -> tuple[KnownBug, ...]:
    text = files("secondpost.setup").joinpath("known_bugs.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text), _KnownBugTable).bug


def examine_versions(versions: Mapping[str, str], bugs: Sequence[KnownBug]) -> Iterator[Diagnosis]:
    """`versions`: by the names of libraries in the table, such as {"SQLite": "3.51.3"}."""
    for library, version in versions.items():
        found = [bug for bug in bugs if bug.library == library and bug.is_in(_parsed(version))]
        for bug in found:
            yield _diagnosis(bug, version)
        if len(found) == 0:
            yield Diagnosis(
                Check.KNOWN_BUGS, library, Grade.WELL, f"{library} {version} has no known bug that matters."
            )


def _diagnosis(bug: KnownBug, version: str) -> Diagnosis:
    newest = bug.fixed[-1]
    text = f"{bug.library} {version}: {bug.what}; fixed in {', '.join(bug.fixed)} ({bug.source})."
    if bug.distributions:
        text += " Distributions mend it under the same number."
        return Diagnosis(Check.KNOWN_BUGS, bug.library, Grade.NOTE, text, UPDATE)
    return Diagnosis(
        Check.KNOWN_BUGS, bug.library, Grade.FAULT, text, f"install {bug.library} {newest} or newer"
    )


def _parsed(version: str) -> Version:
    return tuple(int(part) for part in version.split("."))
