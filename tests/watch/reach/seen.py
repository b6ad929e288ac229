"""Short ways to write what probes find, and the views that come of it."""

from collections.abc import Iterable

from secondpost.mail.duration import MINUTE_MS
from secondpost.mail.reach import ProbeLook, ProbeNetwork, ReachFinding, ReachTarget, ReachView
from secondpost.watch.reach.verdict import after_round, by_network, control_passes, counted_networks

TARGET = ReachTarget("192.0.2.25", "mx1.provider.example", ("example.net",))
COUNTRY, CONTROL = "RU", "DE"
BEGUN_MS = 1_862_300_000_000
EVERY_MS = 30 * MINUTE_MS
FINDINGS = {"+": ReachFinding.PASSES, "-": ReachFinding.FAILS, "?": ReachFinding.UNKNOWN}


def looks(written: str, country: str = COUNTRY) -> list[ProbeLook]:
    """Such as "1- 2+ 2-": probes in the networks AS1 and AS2, and what each found."""
    return [
        ProbeLook(country, ProbeNetwork(int(one[:-1]), f"Net {one[:-1]}"), FINDINGS[one[-1]])
        for one in written.split()
    ]


def after_rounds(
    rounds: Iterable[tuple[str, str]], before: ReachView | None = None, every_ms: int = EVERY_MS
) -> list[ReachView]:
    """The views after each round, which is written as what the country and the control found."""
    view, seen = ReachView(TARGET, COUNTRY) if before is None else before, []
    at_ms = BEGUN_MS if before is None else before.looked_ms + every_ms
    for found, control in rounds:
        count = counted_networks(TARGET.address, CONTROL, by_network(looks(control, CONTROL)), at_ms)
        view = after_round(view, looks(found), control_passes(count), at_ms)
        seen.append(view)
        at_ms += every_ms
    return seen
