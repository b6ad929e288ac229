"""What `check security` says of advisories: the holes that are known in what runs here."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from secondpost.mail.duration import age_text
from secondpost.protocols.osv.circumstances import Bearing
from secondpost.protocols.osv.findings import UNIMPORTANT, AdvisoryFinding
from secondpost.protocols.osv.judging import PYPI, UPSTREAM, HoleState, Installed
from secondpost.setup.diagnosis import Check, Diagnosis, Grade

HOLES_SHOWN = 100
UPDATE = "apt-get update && apt-get upgrade"
UPDATE_RPM = "dnf upgrade"
UNKNOWN_HERE = "of a distribution that is not known here"
MORE = "https://osv.dev/vulnerability/"
_BEARINGS = {
    Bearing.APPLIES: "applies here, because",
    Bearing.DOES_NOT: "does not apply here, because",
    Bearing.NOT_KNOWN: "whether it applies here is not known:",
}


@dataclass(frozen=True, slots=True)
class AdvisoriesSeen:
    """`source`: where they came from, for people. `problem`: why there are none from there, or not all."""

    source: str
    inventory: Sequence[Installed]
    holes: Sequence[AdvisoryFinding]
    missing: Sequence[str] = ()  # mail servers that were asked for and are not installed
    unasked: Sequence[Installed] = ()  # of these the source cannot know
    problem: str = ""
    age_ms: int | None = None  # of an earlier answer, which stands in for one; None: it is fresh
    has_answer: bool = True
    from_files: bool = False


def not_looked_up() -> Diagnosis:
    text = "Advisories were not looked up: asking for them shows a service what runs here."
    remedy = "advisories = true in [watch], or secondpost check security --advisories FILE"
    return Diagnosis(Check.ADVISORIES, "", Grade.NOTE, text, remedy)


def examine_advisories(seen: AdvisoriesSeen) -> Iterator[Diagnosis]:
    if len(seen.problem) > 0:
        yield _problem(seen)
    for word in seen.missing:
        text = f"{word} is no package of this machine: it was not looked at."
        yield Diagnosis(Check.ADVISORIES, word, Grade.NOTE, text)
    if not seen.has_answer:
        return
    if len(seen.unasked) > 0:
        named = dict.fromkeys(f"{one.title} ({one.ecosystem or UNKNOWN_HERE})" for one in seen.unasked)
        text = f"{seen.source} has no advisories that say anything of {', '.join(named)}."
        yield Diagnosis(Check.ADVISORIES, "", Grade.NOTE, text)
    there = [one for one in seen.holes if one.judgement.state in (HoleState.AFFECTED, HoleState.UNKNOWN)]
    for hole in there[:HOLES_SHOWN]:
        yield diagnosis_of(hole)
    if len(there) > HOLES_SHOWN:
        text = f"{len(there) - HOLES_SHOWN} more holes are known."
        yield Diagnosis(Check.ADVISORIES, "", Grade.NOTE, text)
    yield from _well(seen, {one.installed for one in there})


def _well(seen: AdvisoriesSeen, open_or_known: set[Installed]) -> Iterator[Diagnosis]:
    """What is known of and mended, one by one; the rest in one sentence."""
    mended = [one for one in seen.holes if one.installed not in open_or_known]
    for installed in dict.fromkeys(one.installed for one in mended):
        holes = [one.title for one in mended if one.installed == installed]
        many = f"{len(holes)} known holes are" if len(holes) > 1 else f"{holes[0]} is"
        text = f"{installed.title} {installed.version}: {many} not in this version."
        yield Diagnosis(Check.ADVISORIES, installed.title, Grade.WELL, text)
    rest = set(seen.inventory) - open_or_known - {one.installed for one in mended} - set(seen.unasked)
    if len(rest) > 0:
        text = f"Nothing is known against {len(rest)} of {len(seen.inventory)} things that run here."
        yield Diagnosis(Check.ADVISORIES, "", Grade.WELL, text)


def _problem(seen: AdvisoriesSeen) -> Diagnosis:
    stands = "Nothing else was read." if seen.from_files else "No earlier answer is kept."
    if seen.age_ms is not None:
        stands = f"What follows is its last good answer, {age_text(seen.age_ms)} old."
    elif seen.has_answer:
        stands = "What follows is the rest."
    text = f"{seen.source}: {seen.problem}. {stands}"
    remedy = "try again later, or secondpost check security --advisories FILE"
    if seen.from_files:
        remedy = "get what cannot be read anew, or leave it out"
    return Diagnosis(Check.ADVISORIES, "", Grade.WARNING, text, remedy)


def diagnosis_of(hole: AdvisoryFinding) -> Diagnosis:
    installed, judgement = hole.installed, hole.judgement
    if judgement.state is HoleState.UNKNOWN:
        text = f"{hole_text(hole)}. Whether version {installed.version} has it is not known: {judgement.why}."
        return Diagnosis(Check.ADVISORIES, installed.title, Grade.NOTE, text, f"read {MORE}{hole.title}")
    text = f"{hole_text(hole)}. It {bearing_text(hole)}."
    if hole.because.bearing is Bearing.NOT_KNOWN:
        text = f"{hole_text(hole)}; {bearing_text(hole)}."
    return Diagnosis(Check.ADVISORIES, installed.title, _grade(hole), text, remedy_of(hole))


def hole_text(hole: AdvisoryFinding) -> str:
    """Which version has which hole, and what mended it."""
    installed, judgement = hole.installed, hole.judgement
    severe = "" if len(hole.severity) == 0 else f", {hole.severity}"
    summary = "" if len(hole.summary) == 0 else f": {hole.summary}"
    fixed = "no version that mends it is known"
    if len(hole.switch) > 0 and len(judgement.fixed) > 0:
        fixed = f"mended in {judgement.fixed}, once it is switched on"
    elif len(judgement.fixed) > 0:
        fixed = f"mended in {judgement.fixed}"
    unimportant = ", unimportant to Debian" if judgement.urgency == UNIMPORTANT else ""
    return f"{installed.title} {installed.version} has {hole.title}{severe}{unimportant}{summary}; {fixed}"


def bearing_text(hole: AdvisoryFinding) -> str:
    return f"{_BEARINGS[hole.because.bearing]} {hole.because.text}"


def remedy_of(hole: AdvisoryFinding) -> str:
    if hole.is_switched_off:
        return hole.switch
    upgrade = _upgrade(hole)
    return upgrade if len(hole.switch) == 0 else f"{upgrade}\n{hole.switch}"


def _upgrade(hole: AdvisoryFinding) -> str:
    installed, fixed = hole.installed, hole.judgement.fixed
    if len(fixed) == 0:
        return f"read {MORE}{hole.title}, and look again later"
    if installed.ecosystem == PYPI:
        return f"install a Secondpost that brings {installed.name} {fixed} or newer"
    if installed.ecosystem == UPSTREAM:
        return f"install what brings {installed.title} {fixed} or newer"
    kind = installed.ecosystem.partition(":")[0]
    return UPDATE if kind in ("Debian", "Ubuntu") else f"{UPDATE_RPM} {installed.name}"


def _grade(hole: AdvisoryFinding) -> Grade:
    if hole.because.bearing is Bearing.DOES_NOT:
        return Grade.NOTE
    is_slight = hole.severity == "low" or hole.judgement.urgency == UNIMPORTANT
    if hole.because.bearing is Bearing.NOT_KNOWN or is_slight:
        return Grade.WARNING
    return Grade.FAULT
