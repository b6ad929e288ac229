"""What the attempts that were found in logs mean: whether one may have succeeded, and where."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from secondpost.protocols.attacks.rule import AttackGrade
from secondpost.watch.hole import KnownHole
from secondpost.watch.holes import holes_of
from secondpost.watch.logs.seen import LogOutcome
from secondpost.watch.logs.tally import RuleTally


class Danger(IntEnum):
    """The worst last."""

    NOISE = 0  # nothing to be had by it
    HARMLESS = 1  # taken by a server that does not have the hole
    REFUSED = 2  # by the server each time
    OPEN = 3  # taken, or the log does not say, and this software may have the hole


DANGER_WORDS: dict[Danger, str] = {
    Danger.NOISE: "noise",
    Danger.HARMLESS: "harmless",
    Danger.REFUSED: "refused",
    Danger.OPEN: "may have succeeded",
}


@dataclass(frozen=True, slots=True)
class LogVerdict:
    """`holes`: of the software whose log it is, or behind it; of other software if that has none."""

    tally: RuleTally
    danger: Danger
    holes: tuple[KnownHole, ...]


def verdicts_of(tallies: Iterable[RuleTally]) -> list[LogVerdict]:
    """The worst first, then what was tried most."""
    verdicts = [verdict_of(tally) for tally in tallies]
    return sorted(verdicts, key=lambda each: (-each.danger, -each.tally.all.count, each.tally.rule.id))


def verdict_of(tally: RuleTally) -> LogVerdict:
    own = holes_of(tally.rule.id, tally.software)
    not_refused = tally.all.count - tally.all.outcomes[LogOutcome.REFUSED]
    if not_refused > 0 and len(tally.open) > 0:
        return LogVerdict(tally, Danger.OPEN, tally.open)
    if tally.rule.grade is AttackGrade.NOISE:
        return LogVerdict(tally, Danger.NOISE, own)
    danger = Danger.REFUSED if not_refused == 0 else Danger.HARMLESS
    return LogVerdict(tally, danger, own if len(own) > 0 else holes_of(tally.rule.id))
