"""What the looks of several rounds mean for one address and one country. Pure.

A failure counts only in a round in which the control country reaches the address: else the address is
down for all. A network is blocked after FAILED_ROUNDS such failures in a row, and the country after
FAILING_NETWORKS blocked networks. So neither one bad probe or network nor one bad moment is a block.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.reach import (
    Confirmation,
    NetworkView,
    ProbeLook,
    ProbeNetwork,
    ReachCount,
    ReachFinding,
    ReachVerdict,
    ReachView,
)

FAILED_ROUNDS = 2
GOOD_ROUNDS = 2
FAILING_NETWORKS = 2
FRESH_MS = 6 * HOUR_MS  # a failure that is older is not continued by the next one
FORGOTTEN_MS = 2 * DAY_MS  # a network of which no probe was heard for so long
ASKED_AGAIN_MAX = 3  # networks of one country that are asked for by number

ByNetwork = Mapping[int, tuple[ProbeNetwork, ReachFinding]]  # by AS number


def by_network(looks: Iterable[ProbeLook]) -> ByNetwork:
    """One finding for each network: it passes if any of its probes does."""
    found: dict[int, tuple[ProbeNetwork, ReachFinding]] = {}
    for look in looks:
        number = look.network.asn
        before = found.get(number, (look.network, ReachFinding.UNKNOWN))[1]
        found[number] = (look.network, _together(before, look.finding))
    return found


def _together(one: ReachFinding, other: ReachFinding) -> ReachFinding:
    for finding in (ReachFinding.PASSES, ReachFinding.FAILS):
        if finding in (one, other):
            return finding
    return ReachFinding.UNKNOWN


def counted_networks(address: str, country: str, found: ByNetwork, at_ms: int) -> ReachCount:
    findings = [finding for _, finding in found.values()]
    passes, fails, unknown = (findings.count(finding) for finding in ReachFinding)
    return ReachCount(at_ms, address, country, passes, fails, unknown)


def control_passes(count: ReachCount) -> bool:
    """Whether the control country reaches the address: from more networks than not."""
    return count.passes > count.fails


def after_round(before: ReachView, looks: Sequence[ProbeLook], is_conclusive: bool, at_ms: int) -> ReachView:
    """The view after a round. `is_conclusive`: the control country reaches the address."""
    found = {
        number: (network, finding)
        for number, (network, finding) in by_network(looks).items()
        if finding is ReachFinding.PASSES or (finding is ReachFinding.FAILS and is_conclusive)
    }
    kept = {one.network.asn: one for one in before.networks if at_ms - one.looked_ms < FORGOTTEN_MS}
    for number, (network, finding) in found.items():
        kept[number] = _noted(kept.get(number), network, finding, at_ms)
    networks = tuple(kept[number] for number in sorted(kept))
    looked_ms = at_ms if len(found) > 0 else before.looked_ms
    verdict = _verdict(before.verdict, networks, at_ms)
    if verdict is before.verdict:
        return replace(before, networks=networks, looked_ms=looked_ms)
    since_ms = _since(networks, at_ms) if verdict is ReachVerdict.BLOCKED else at_ms
    return replace(
        before,
        networks=networks,
        looked_ms=looked_ms,
        verdict=verdict,
        since_ms=since_ms,
        confirmation=Confirmation.NOT_ASKED,
        confirmed_ms=0,
    )


def _noted(
    before: NetworkView | None, network: ProbeNetwork, finding: ReachFinding, at_ms: int
) -> NetworkView:
    """A network's record after one more finding, which is PASSES or FAILS."""
    was_blocked = before is not None and before.is_blocked
    if finding is ReachFinding.PASSES:
        passed = 1 if before is None else before.passed + 1
        is_blocked = was_blocked and passed < GOOD_ROUNDS
        since_ms = before.since_ms if before is not None and is_blocked else None
        return NetworkView(network, 0, passed, is_blocked, since_ms, at_ms)
    goes_on = before is not None and before.failed > 0 and at_ms - before.looked_ms < FRESH_MS
    failed = before.failed + 1 if before is not None and goes_on else 1
    since_ms = before.since_ms if before is not None and (goes_on or was_blocked) else at_ms
    return NetworkView(network, failed, 0, was_blocked or failed >= FAILED_ROUNDS, since_ms, at_ms)


def _verdict(before: ReachVerdict, networks: Sequence[NetworkView], at_ms: int) -> ReachVerdict:
    fresh = [one for one in networks if at_ms - one.looked_ms < FRESH_MS]
    begins = sum(one.failed >= FAILED_ROUNDS for one in fresh) >= FAILING_NETWORKS
    if begins or (before is ReachVerdict.BLOCKED and any(one.is_blocked for one in networks)):
        return ReachVerdict.BLOCKED
    if sum(one.failed > 0 for one in fresh) >= FAILING_NETWORKS:
        return ReachVerdict.SUSPECTED
    return ReachVerdict.OPEN if any(one.passed > 0 for one in fresh) else ReachVerdict.UNKNOWN


def _since(networks: Sequence[NetworkView], at_ms: int) -> int:
    begun = [one.since_ms for one in networks if one.is_blocked and one.since_ms is not None]
    return min(begun, default=at_ms)


def asked_again(view: ReachView, at_ms: int) -> tuple[ProbeNetwork, ...]:
    """Networks that the next round asks for by number, because they failed or are blocked: another
    network that happens to be asked could neither confirm nor end it.
    """
    fresh = [
        one
        for one in view.networks
        if one.is_blocked or (one.failed > 0 and at_ms - one.looked_ms < FRESH_MS)
    ]
    first = sorted(fresh, key=lambda one: (not one.is_blocked, one.looked_ms))
    return tuple(one.network for one in first[:ASKED_AGAIN_MAX])


def confirmed(view: ReachView, looks: Sequence[ProbeLook], control: Sequence[ProbeLook]) -> Confirmation:
    """What other probes say of a block: of the networks that are blocked, or of any two."""
    control_found = [finding for _, finding in by_network(control).values()]
    found = by_network(looks)
    findings = [finding for _, finding in found.values()]
    if control_found.count(ReachFinding.PASSES) <= control_found.count(ReachFinding.FAILS):
        return Confirmation.NO_ANSWER  # it is down for those probes everywhere
    blocked = {one.network.asn for one in view.blocked}
    named = [found[number][1] for number in blocked if number in found]
    if ReachFinding.FAILS in named or findings.count(ReachFinding.FAILS) >= FAILING_NETWORKS:
        return Confirmation.CONFIRMED
    # That others pass says nothing of those that are blocked.
    if len(named) == len(blocked) and all(finding is ReachFinding.PASSES for finding in named):
        return Confirmation.CONTRADICTED
    return Confirmation.NO_ANSWER
