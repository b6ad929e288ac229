"""When a reader is suspended, and when there are too many at once. Pure.

Counted by issue and not by day, since a weekly issue would otherwise never bring enough: a reader
whose mailbox does not exist is suspended after one issue, others after several. Before anyone is
suspended it is asked whether it is too many: then it is more likely that something is wrong between
a provider and us than that so many left at once, and the owner decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secondpost.mail.bounce_kind import BounceKind

ISSUES_LOOKED_AT = 5  # the latest ones of the newsletter

_GONE = frozenset({BounceKind.DEAD, BounceKind.VAGUE, BounceKind.DOMAIN})
_FULL = _GONE | {BounceKind.FULL}
_ANY = _FULL | {BounceKind.TEMPORARY}


@dataclass(frozen=True, slots=True)
class SuspensionRule:
    """Suspends after `bounces` issues among the latest `issues` in which one of `kinds` came back."""

    kinds: frozenset[BounceKind]
    bounces: int
    issues: int
    why: str


RULES: tuple[SuspensionRule, ...] = (
    SuspensionRule(frozenset({BounceKind.DEAD}), 1, 1, "there is no such mailbox"),
    SuspensionRule(_GONE, 2, 3, "the mailbox or its domain seems to be gone"),
    SuspensionRule(_FULL, 3, ISSUES_LOOKED_AT, "the mailbox is full or disabled"),
    SuspensionRule(_ANY, 4, ISSUES_LOOKED_AT, "its mail could not be delivered"),
)


@dataclass(frozen=True, slots=True)
class BounceOfIssue:
    """That a reader's mail of an issue came back."""

    number: int  # of the issue
    kind: BounceKind


def why_suspended(latest: int, bounces: Sequence[BounceOfIssue], *, is_probe: bool = False) -> str:
    """Why a reader whose mail of issue `latest` came back is suspended; "" if not.

    `bounces` may name an issue several times, and issues that are too old. `is_probe`: the mail was
    the first after a suspension; if it fails as mail to a mailbox that is gone, that is enough.
    """
    if is_probe and any(bounce.number == latest and bounce.kind in _GONE for bounce in bounces):
        return f"issue {latest}: it came back as before"
    for rule in RULES:
        of_issues = {
            bounce.number
            for bounce in bounces
            if bounce.kind in rule.kinds and latest - rule.issues < bounce.number <= latest
        }
        if len(of_issues) >= rule.bounces:
            if len(of_issues) == 1:
                return f"issue {latest}: {rule.why}"
            return f"issues {', '.join(map(str, sorted(of_issues)))}: {rule.why}"
    return ""


@dataclass(frozen=True, slots=True)
class CrowdBound:
    """More than `share` of an audience, and at least `readers`, are too many at once."""

    share: float
    readers: int

    def is_passed(self, suspended: int, audience: int) -> bool:
        return suspended >= self.readers and suspended > self.share * audience


AT_PROVIDER = CrowdBound(0.02, 5)
IN_ALL = CrowdBound(0.05, 5)
# Readers who were never mailed before, as of an imported list: of an old one more are dead.
NEW_AT_PROVIDER = CrowdBound(0.10, 10)
NEW_IN_ALL = CrowdBound(0.10, 10)


@dataclass(frozen=True, slots=True)
class Audience:
    """Who of an issue's readers are at one provider, and whether they were mailed before."""

    provider: str  # key
    is_new: bool


@dataclass(frozen=True, slots=True)
class TooMany:
    """What an issue's bounces mean beyond its readers."""

    providers: frozenset[Audience]  # whose bounces wait for the owner
    of_issue: frozenset[bool]  # the same for all readers that are new (True), or not (False)

    def holds(self, audience: Audience) -> bool:
        return audience in self.providers or audience.is_new in self.of_issue


def too_many(suspended: Mapping[Audience, int], readers: Mapping[Audience, int]) -> TooMany:
    """`suspended`: readers whom this issue's bounces suspended so far and would suspend now."""
    at_providers = frozenset(
        audience
        for audience, many in suspended.items()
        if (NEW_AT_PROVIDER if audience.is_new else AT_PROVIDER).is_passed(many, readers.get(audience, 0))
    )
    of_issue = frozenset(
        is_new
        for is_new, bound in ((False, IN_ALL), (True, NEW_IN_ALL))
        if bound.is_passed(_sum(suspended, is_new=is_new), _sum(readers, is_new=is_new))
    )
    return TooMany(at_providers, of_issue)


def _sum(counts: Mapping[Audience, int], *, is_new: bool) -> int:
    return sum(many for audience, many in counts.items() if audience.is_new == is_new)
