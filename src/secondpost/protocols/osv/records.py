"""An advisory in the OSV schema 1.x, read leniently: what is not understood is left out, but all is bounded.

What is read is what the advisory says of versions; prose, references and credits are not kept.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import msgspec

from secondpost.protocols.osv.severity import severity_word

RECORD_OCTETS_MAX = 8 * 1024 * 1024
AFFECTED_MAX = 5_000  # packages of one advisory
RANGES_MAX = 500  # of one package
EVENTS_MAX = 2_000  # of one range
VERSIONS_MAX = 20_000  # of one package
NAMES_MAX = 500  # aliases and the like
NAME_CHARACTERS_MAX = 200
SUMMARY_CHARACTERS_MAX = 300

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_CHARACTERS_MAX)]


class AdvisoryUnreadable(Exception):
    """The text says why, in words that can follow a name and a colon."""


class RangeType(StrEnum):
    SEMVER = "SEMVER"
    ECOSYSTEM = "ECOSYSTEM"
    GIT = "GIT"  # commits; it may name versions beside them


class EventKind(StrEnum):
    INTRODUCED = "introduced"
    FIXED = "fixed"
    LAST_AFFECTED = "last_affected"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class VersionEvent:
    kind: EventKind
    version: str  # "0" of INTRODUCED is before every version, "*" of LIMIT after all


@dataclass(frozen=True, slots=True)
class VersionRange:
    """`events` of a GIT range are the versions that it names beside its commits; empty if it has none."""

    type: RangeType
    events: tuple[VersionEvent, ...]
    repository: str = ""  # of a GIT range: host and path, in lower case


@dataclass(frozen=True, slots=True)
class AffectedPackage:
    ecosystem: str  # with its release, such as "Debian:12"; "" if it names a repository only
    name: str
    ranges: tuple[VersionRange, ...] = ()
    versions: tuple[str, ...] = ()
    urgency: str = ""  # Debian's
    severity: str = ""  # of this package, if it differs


@dataclass(frozen=True, slots=True)
class Advisory:
    id: str
    modified: str
    names: tuple[str, ...] = ()  # other identifiers of the same hole
    summary: str = ""
    severity: str = ""  # "low", "medium", "high", "critical", or "" if it does not say
    is_withdrawn: bool = False
    affected: tuple[AffectedPackage, ...] = ()


# -- as it is written
class _OsvPackage(msgspec.Struct):
    ecosystem: Annotated[str, msgspec.Meta(max_length=NAME_CHARACTERS_MAX)] = ""
    name: Annotated[str, msgspec.Meta(max_length=NAME_CHARACTERS_MAX)] = ""


class _OsvRange(msgspec.Struct):
    type: str
    events: Annotated[list[dict[str, object]], msgspec.Meta(max_length=EVENTS_MAX)] = []
    repo: str = ""
    database_specific: object = None


class _OsvSeverity(msgspec.Struct):
    type: str
    score: str


class _OsvAffected(msgspec.Struct):
    package: _OsvPackage | None = None
    ranges: Annotated[list[_OsvRange], msgspec.Meta(max_length=RANGES_MAX)] | None = None
    versions: Annotated[list[str], msgspec.Meta(max_length=VERSIONS_MAX)] | None = None
    severity: list[_OsvSeverity] | None = None
    ecosystem_specific: object = None
    database_specific: object = None


class _OsvRecord(msgspec.Struct):
    id: _Name
    modified: Annotated[str, msgspec.Meta(max_length=NAME_CHARACTERS_MAX)]
    withdrawn: str | None = None
    aliases: Annotated[list[_Name], msgspec.Meta(max_length=NAMES_MAX)] | None = None
    upstream: Annotated[list[_Name], msgspec.Meta(max_length=NAMES_MAX)] | None = None
    summary: str | None = None
    details: str | None = None
    severity: list[_OsvSeverity] | None = None
    affected: Annotated[list[_OsvAffected], msgspec.Meta(max_length=AFFECTED_MAX)] | None = None
    database_specific: object = None


_RECORD = msgspec.json.Decoder(_OsvRecord)
_KEPT = msgspec.json.Decoder(Advisory)


def read_advisory(text: bytes) -> Advisory:
    """Read a record of OSV. Raises AdvisoryUnreadable."""
    if len(text) > RECORD_OCTETS_MAX:
        raise AdvisoryUnreadable(f"it has {len(text)} octets, at most {RECORD_OCTETS_MAX} are read")
    try:
        record = _RECORD.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise AdvisoryUnreadable(f"it is not in the form of OSV: {error}") from error
    upstream = record.upstream or []
    # A notice of a distribution may mend several holes; then it is none of their names.
    names = [*(record.aliases or []), *(upstream if len(upstream) == 1 else [])]
    return Advisory(
        id=record.id,
        modified=record.modified,
        names=tuple(dict.fromkeys(name for name in names if name != record.id)),
        summary=_summary(record),
        severity=_severity(record.severity, record.database_specific),
        is_withdrawn=record.withdrawn is not None,
        affected=tuple(package for one in record.affected or [] for package in _packages(one)),
    )


def kept_text(advisory: Advisory) -> bytes:
    """An advisory as the store keeps it."""
    return msgspec.json.encode(advisory)


def read_kept(text: bytes) -> Advisory:
    """Read what `kept_text` wrote. Raises AdvisoryUnreadable."""
    try:
        return _KEPT.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise AdvisoryUnreadable(f"it is not as it was kept: {error}") from error


def repository_of(url: str) -> str:
    """The host and path of a repository, however its address is written."""
    _, _, place = url.strip().lower().rpartition("://")
    return place.rpartition("@")[2].strip("/").removesuffix(".git")


def _summary(record: _OsvRecord) -> str:
    """The summary, or else the first line of the details, printable and on one line."""
    text = record.summary or (record.details or "").strip().partition("\n")[0]
    words = "".join(each if each.isprintable() else " " for each in text).split()
    line = " ".join(words).rstrip(".")
    if len(line) <= SUMMARY_CHARACTERS_MAX:
        return line
    return line[: SUMMARY_CHARACTERS_MAX - 1].rstrip() + "…"


def _packages(affected: _OsvAffected) -> list[AffectedPackage]:
    """The package, and each repository by itself, since a repository is a package of its own name."""
    package = _OsvPackage() if affected.package is None else affected.package
    ranges = [one for one in map(_range, affected.ranges or []) if one is not None]
    versions = tuple(affected.versions or ())
    has_name = len(package.ecosystem) > 0 and len(package.name) > 0
    repositories = sorted({one.repository for one in ranges if one.type is RangeType.GIT} - {""})
    if not has_name and len(repositories) == 0:
        return []
    urgency, severity = _urgency(affected), _severity(affected.severity, affected.database_specific)
    found = []
    if has_name:
        of_package = tuple(one for one in ranges if one.type is not RangeType.GIT)
        found.append(
            AffectedPackage(package.ecosystem, package.name, of_package, versions, urgency, severity)
        )
    for place in repositories:
        of_place = tuple(one for one in ranges if one.repository == place)
        found.append(AffectedPackage("", place, of_place, versions, urgency, severity))
    return found


def _range(written: _OsvRange) -> VersionRange | None:
    """None for a type that is not known: it may be of a later schema."""
    kind = next((kind for kind in RangeType if kind.value == written.type), None)
    if kind is None:
        return None
    if kind is RangeType.GIT:
        return VersionRange(kind, _versions_beside(written.database_specific), repository_of(written.repo))
    return VersionRange(kind, _events(written.events))


def _versions_beside(specific: object) -> tuple[VersionEvent, ...]:
    """The versions from which OSV made the commits of a range."""
    if isinstance(specific, dict):
        for key in ("extracted_events", "versions"):
            events = specific.get(key)
            if isinstance(events, list) and len(events) <= EVENTS_MAX:
                return _events([event for event in events if isinstance(event, dict)])
    return ()


def _events(written: list[dict[str, object]]) -> tuple[VersionEvent, ...]:
    return tuple(
        VersionEvent(kind, version)
        for event in written
        for kind in EventKind
        if isinstance(version := event.get(kind.value), str)
    )


def _urgency(affected: _OsvAffected) -> str:
    for specific in (affected.ecosystem_specific, affected.database_specific):
        if isinstance(specific, dict) and isinstance(found := specific.get("urgency"), str):
            return found[:NAME_CHARACTERS_MAX]
    return ""


def _severity(written: list[_OsvSeverity] | None, specific: object) -> str:
    said = specific.get("severity") if isinstance(specific, dict) else None
    scores = [(one.type, one.score) for one in written or []]
    return severity_word(scores, said if isinstance(said, str) else "")
