"""What advisories mean for this machine: each hole once, with whether it applies here, and why."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from secondpost.protocols.osv.circumstances import Bearing, Because, Circumstances, because, row_of
from secondpost.protocols.osv.judging import HoleJudgement, HoleState, Installed, judge
from secondpost.protocols.osv.records import Advisory

UNIMPORTANT = "unimportant"  # Debian's urgency: no danger in the packages that it builds


@dataclass(frozen=True, slots=True)
class AdvisoryFinding:
    """A hole of something installed, as all advisories about it together say."""

    installed: Installed
    title: str  # its CVE, or else the first of its names
    names: tuple[str, ...]
    summary: str
    severity: str  # "" if none of them says
    judgement: HoleJudgement
    because: Because
    switch: str = ""  # a command without which the fix does nothing
    is_switched_off: bool = False  # the fix is installed, but not switched on

    @property
    def is_open(self) -> bool:
        """Whether it is there, as far as is known, and applies."""
        return self.judgement.state is HoleState.AFFECTED and self.because.bearing is Bearing.APPLIES


def known_holes(
    advisories: Sequence[Advisory], inventory: Iterable[Installed], here: Circumstances
) -> list[AdvisoryFinding]:
    """All holes that advisories know of in what is installed, also those that are mended."""
    return [hole for installed in inventory for hole in _holes_of(installed, advisories, here)]


def _holes_of(
    installed: Installed, advisories: Sequence[Advisory], here: Circumstances
) -> Iterator[AdvisoryFinding]:
    judged = [(one, found) for one in advisories if (found := judge(one, installed)) is not None]
    for group in _same_holes(judged):
        yield _hole(installed, group, here)


def _same_holes(
    judged: Sequence[tuple[Advisory, HoleJudgement]],
) -> list[list[tuple[Advisory, HoleJudgement]]]:
    """Several databases describe one hole, and name each other's advisories."""
    groups: list[tuple[set[str], list[tuple[Advisory, HoleJudgement]]]] = []
    for advisory, found in judged:
        names, members = {advisory.id, *advisory.names}, [(advisory, found)]
        apart = []
        for group in groups:
            if group[0].isdisjoint(names):
                apart.append(group)
            else:
                names, members = names | group[0], group[1] + members
        groups = [*apart, (names, members)]
    return [members for _, members in groups]


def _hole(
    installed: Installed, group: Sequence[tuple[Advisory, HoleJudgement]], here: Circumstances
) -> AdvisoryFinding:
    named = dict.fromkeys(name for advisory, _ in group for name in (advisory.id, *advisory.names))
    names = sorted(named, key=lambda name: (not name.startswith("CVE-"), name))
    judgement = _worst([found for _, found in group])
    row = row_of(installed.names, frozenset(names))
    reason, switch = because(row, here), "" if row is None else row.switch
    is_off = judgement.state is HoleState.FIXED and len(switch) > 0 and reason.bearing is Bearing.APPLIES
    if is_off:
        judgement = HoleJudgement(HoleState.AFFECTED, judgement.fixed)
    return AdvisoryFinding(
        installed=installed,
        title=names[0],
        names=tuple(names),
        summary=next((one.summary for one, _ in group if len(one.summary) > 0), ""),
        severity=_first(word for one, found in group for word in (found.severity, one.severity)),
        judgement=judgement,
        because=reason,
        switch=switch,
        is_switched_off=is_off,
    )


def _worst(found: Sequence[HoleJudgement]) -> HoleJudgement:
    """Where databases disagree: that it is there, then that it is mended, then that it never was. What one
    cannot say, another may know.
    """
    order = (HoleState.AFFECTED, HoleState.FIXED, HoleState.NOT_AFFECTED, HoleState.UNKNOWN)
    return min(found, key=lambda one: (order.index(one.state), one.fixed == ""))


def _first(words: Iterable[str]) -> str:
    return next((word for word in words if len(word) > 0), "")
