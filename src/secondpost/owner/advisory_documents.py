"""Known holes as the owner's documents show them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secondpost.owner.figures import utc_time
from secondpost.protocols.osv.findings import AdvisoryFinding
from secondpost.protocols.osv.judging import HoleState, Installed
from secondpost.setup.advisories import remedy_of
from secondpost.store.advisory_ports import AdvisoryLook


@dataclass(frozen=True, slots=True)
class InstalledDocument:
    title: str
    ecosystem: str
    name: str
    version: str


@dataclass(frozen=True, slots=True)
class HoleDocument:
    installed: InstalledDocument
    hole: str
    names: list[str]
    summary: str
    severity: str
    state: str  # affected or unknown
    fixed: str
    bearing: str  # applies, does-not-apply or not-known
    because: str
    open: bool
    since: str | None  # when the service first named it
    what_to_do: str


@dataclass(frozen=True, slots=True)
class AdvisoriesDocument:
    """`asked`: whether the configuration wants the service asked daily."""

    asked: bool
    service: str
    tried: str | None
    answered: str | None  # the last good answer
    failing_since: str | None
    why: str
    installed: list[InstalledDocument]
    holes: list[HoleDocument]


def holes_to_show(holes: Sequence[AdvisoryFinding]) -> list[AdvisoryFinding]:
    """Those that are, or may be, in what runs here: the open ones first."""
    there = [one for one in holes if one.judgement.state in (HoleState.AFFECTED, HoleState.UNKNOWN)]
    return sorted(there, key=lambda one: (not one.is_open, one.judgement.state is not HoleState.AFFECTED))


def known_since_ms(hole: AdvisoryFinding, since_ms: Mapping[str, int]) -> int | None:
    """When the service first named it, under any of its names."""
    return min((since_ms[name] for name in hole.names if name in since_ms), default=None)


def advisories_document(
    service: str,
    look: AdvisoryLook,
    inventory: Sequence[Installed],
    holes: Sequence[AdvisoryFinding],
    since_ms: Mapping[str, int],
    *,
    is_asked: bool,
) -> AdvisoriesDocument:
    return AdvisoriesDocument(
        asked=is_asked,
        service=service,
        tried=_time(look.tried_ms),
        answered=_time(look.good_ms),
        failing_since=_time(look.failing_ms),
        why=look.why,
        installed=[_installed(one) for one in inventory],
        holes=[_hole(one, known_since_ms(one, since_ms)) for one in holes_to_show(holes)],
    )


def _hole(hole: AdvisoryFinding, since_ms: int | None) -> HoleDocument:
    return HoleDocument(
        installed=_installed(hole.installed),
        hole=hole.title,
        names=list(hole.names),
        summary=hole.summary,
        severity=hole.severity,
        state=hole.judgement.state.value,
        fixed=hole.judgement.fixed,
        bearing=hole.because.bearing.value,
        because=hole.because.text,
        open=hole.is_open,
        since=_time(since_ms),
        what_to_do=remedy_of(hole),
    )


def _installed(one: Installed) -> InstalledDocument:
    return InstalledDocument(one.title, one.ecosystem, one.name, one.version)


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else utc_time(milliseconds)
