"""Whether an installed version has the hole that an advisory describes.

A distribution mends a hole under the old upstream number, so that for its packages only what is said of
this distribution and release counts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cmp_to_key
from types import MappingProxyType

from secondpost.protocols.osv.records import (
    Advisory,
    AffectedPackage,
    EventKind,
    RangeType,
    VersionEvent,
    VersionRange,
)
from secondpost.protocols.osv.version_orders import (
    Order,
    VersionUnreadable,
    debian_order,
    dotted_order,
    python_order,
    rpm_order,
    semver_order,
)

PYPI, UPSTREAM = "PyPI", "GIT"  # the ecosystems, as OSV is asked; UPSTREAM: packages are repositories
PYTHON_REPOSITORY = "github.com/python/cpython"

_ORDERS: Mapping[str, Order] = MappingProxyType(
    {
        PYPI: python_order,
        "Debian": debian_order,
        "Ubuntu": debian_order,
        "Rocky Linux": rpm_order,
        "AlmaLinux": rpm_order,
        "Red Hat": rpm_order,
        "Fedora": rpm_order,
        "openSUSE": rpm_order,
        "SUSE": rpm_order,
        "Mageia": rpm_order,
    }
)


@dataclass(frozen=True, slots=True)
class Installed:
    """Something that runs here, under the name by which advisories know it."""

    title: str  # for people, such as "OpenSSL of Python"
    ecosystem: str  # with its release, such as "Debian:12"
    name: str
    version: str
    also: tuple[str, ...] = ()  # further names, such as other repositories

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.also)


class HoleState(StrEnum):
    AFFECTED = "affected"
    FIXED = "fixed"  # it has the fix
    NOT_AFFECTED = "not-affected"  # it never had the hole, or is no version that the advisory names
    UNKNOWN = "unknown"  # the advisory does not say enough


@dataclass(frozen=True, slots=True)
class HoleJudgement:
    state: HoleState
    fixed: str = ""  # the version that brings the fix, or brought it; "" if there is none
    why: str = ""  # it is unknown, in words that can follow "because"
    urgency: str = ""  # Debian's
    severity: str = ""


def judge(advisory: Advisory, installed: Installed) -> HoleJudgement | None:
    """None if the advisory says nothing of what is installed."""
    found = [
        _of_package(affected, installed)
        for affected in advisory.affected
        if is_about(affected, installed) and not advisory.is_withdrawn
    ]
    for state in (HoleState.AFFECTED, HoleState.UNKNOWN, HoleState.FIXED, HoleState.NOT_AFFECTED):
        for judgement in found:
            if judgement.state is state:
                return judgement
    return None


def is_about(affected: AffectedPackage, installed: Installed) -> bool:
    if installed.ecosystem == UPSTREAM:
        return len(affected.ecosystem) == 0 and affected.name in installed.names
    if not is_ecosystem(affected.ecosystem, installed.ecosystem):
        return False
    if installed.ecosystem == PYPI:
        return python_name(affected.name) == python_name(installed.name)
    return affected.name in installed.names


def is_ecosystem(written: str, installed: str) -> bool:
    """Whether they are of one release; one that names no release means all of them, and Red Hat's
    have parts.
    """
    return written == installed or installed.startswith(f"{written}:") or written.startswith(f"{installed}:")


def python_name(name: str) -> str:
    """A name as the index of Python packages compares it (PEP 503)."""
    return "-".join(part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part)


def order_of(installed: Installed) -> Order | None:
    """None for an ecosystem whose order is not known here."""
    if installed.ecosystem == UPSTREAM:
        return python_order if PYTHON_REPOSITORY in installed.names else dotted_order
    return _ORDERS.get(installed.ecosystem.partition(":")[0])


def _of_package(affected: AffectedPackage, installed: Installed) -> HoleJudgement:
    order = order_of(installed)
    if order is None:
        why = f"the order of versions of {installed.ecosystem} is not known here"
        found = HoleJudgement(HoleState.UNKNOWN, why=why)
    else:
        found = _by_versions(affected, installed.version, order)
    return HoleJudgement(found.state, found.fixed, found.why, affected.urgency, affected.severity)


def _by_versions(affected: AffectedPackage, version: str, order: Order) -> HoleJudgement:
    ranges = [one for one in affected.ranges if len(one.events) > 0]
    try:
        found = [_by_range(one, version, order) for one in ranges]
        is_listed = any(_is_same(one, version, order) for one in affected.versions)
    except VersionUnreadable as error:
        return HoleJudgement(HoleState.UNKNOWN, why=f"its versions cannot be compared: {error}")
    affecting = [one for one in found if one.state is HoleState.AFFECTED]
    if is_listed or len(affecting) > 0:
        return affecting[0] if len(affecting) > 0 else HoleJudgement(HoleState.AFFECTED)
    mended = [one for one in found if one.state is HoleState.FIXED]
    if len(mended) > 0:
        return mended[0]
    if len(found) == 0 and len(affected.versions) == 0:
        return HoleJudgement(HoleState.UNKNOWN, why="its advisory names commits and no versions")
    return HoleJudgement(HoleState.NOT_AFFECTED)


def _is_same(listed: str, version: str, order: Order) -> bool:
    """A listed version that is none, such as an odd tag, is no other than what is written."""
    if listed == version:
        return True
    try:
        return order(listed, version) == 0
    except VersionUnreadable:
        order(version, version)  # but our own must be one
        return False


def _by_range(one: VersionRange, version: str, order: Order) -> HoleJudgement:
    """The evaluation of the schema: the state after all events up to this version."""
    compare = semver_order if one.type is RangeType.SEMVER else order
    is_affected, mended = False, ""
    for event in _in_order(one.events, compare):
        if event.kind is EventKind.INTRODUCED and _is_since(version, event.version, compare):
            is_affected = True
        elif event.kind is EventKind.FIXED and compare(version, event.version) >= 0:
            is_affected, mended = False, event.version
        elif event.kind is EventKind.LAST_AFFECTED and compare(version, event.version) > 0:
            is_affected = False
    limits = [event.version for event in one.events if event.kind is EventKind.LIMIT]
    is_within = len(limits) == 0 or any(each == "*" or compare(version, each) < 0 for each in limits)
    if is_affected and is_within:
        return HoleJudgement(HoleState.AFFECTED, _next_fix(one.events, version, compare))
    return HoleJudgement(HoleState.NOT_AFFECTED) if mended == "" else HoleJudgement(HoleState.FIXED, mended)


def _is_since(version: str, introduced: str, order: Order) -> bool:
    return introduced == "0" or order(version, introduced) >= 0


def _in_order(events: Sequence[VersionEvent], order: Order) -> list[VersionEvent]:
    def compare(one: VersionEvent, other: VersionEvent) -> int:
        firsts = [each.kind is EventKind.INTRODUCED and each.version == "0" for each in (one, other)]
        if any(firsts):
            return int(firsts[1]) - int(firsts[0])
        return order(one.version, other.version)

    return sorted((one for one in events if one.kind is not EventKind.LIMIT), key=cmp_to_key(compare))


def _next_fix(events: Sequence[VersionEvent], version: str, order: Order) -> str:
    fixes = (one for one in _in_order(events, order) if one.kind is EventKind.FIXED)
    return next((one.version for one in fixes if order(one.version, version) > 0), "")
