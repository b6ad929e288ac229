"""What attackers tried, as the owner's lists and documents show it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from secondpost.mail.attack import OTHER_NETWORKS, AttackCount, AttackKey, both
from secondpost.mail.daily import day_of
from secondpost.owner.attack_documents import AttackDocument, AttackNetworkDocument, AttacksDocument
from secondpost.owner.figures import utc_time
from secondpost.owner.hole_documents import hole_document
from secondpost.protocols.attacks.rule import AttackGrade, AttackRule
from secondpost.protocols.attacks.rules import RULES
from secondpost.store.attack_ports import AttacksDesk
from secondpost.watch.harmless import HARMLESS
from secondpost.watch.hole import KnownHole
from secondpost.watch.holes import holes_of

WORST_FIRST = (AttackGrade.EXPLOIT, AttackGrade.PROBE, AttackGrade.NOISE)
_RULES = {rule.id: rule for rule in RULES}


@dataclass(frozen=True, slots=True)
class Tried:
    """What one rule found in a while. `networks`: one count each, of all days, most first."""

    rule: AttackRule
    networks: tuple[AttackCount, ...]  # without those counted together
    others: int  # times, of networks counted together
    times: int
    first_ms: int
    last: AttackCount  # the latest

    @property
    def why_harmless(self) -> str:
        return HARMLESS[self.rule.id]

    @property
    def holes(self) -> tuple[KnownHole, ...]:
        """What elsewhere could have been affected."""
        return holes_of(self.rule.id)


async def attacks_since(desk: AttacksDesk, since_ms: int) -> list[AttackCount]:
    """The counts of days with an attack since then; a day is counted whole."""
    return [count for count in await desk.attacks(day_of(since_ms)) if count.last_ms >= since_ms]


def tried(counts: Iterable[AttackCount]) -> list[Tried]:
    """By rule, the worst first; rules of an older or newer version that are not known are left out."""
    by_rule: dict[str, dict[str, AttackCount]] = {}
    for count in counts:
        networks = by_rule.setdefault(count.rule, {})
        known = networks.get(count.network)
        networks[count.network] = count if known is None else both(known, count)
    found = [_tried(_RULES[rule], networks) for rule, networks in by_rule.items() if rule in _RULES]
    return sorted(found, key=lambda one: (WORST_FIRST.index(one.rule.grade), -one.times, one.rule.id))


def _tried(rule: AttackRule, networks: Mapping[str, AttackCount]) -> Tried:
    counts = list(networks.values())
    named = [count for count in counts if count.network != OTHER_NETWORKS]
    times = sum(count.times for count in counts)
    return Tried(
        rule=rule,
        networks=tuple(sorted(named, key=lambda count: (-count.times, -count.last_ms, count.network))),
        others=times - sum(count.times for count in named),
        times=times,
        first_ms=min(count.first_ms for count in counts),
        last=max(counts, key=lambda count: count.last_ms),
    )


def networks_of(found: Sequence[Tried]) -> int:
    """How many networks are known by name, each once."""
    return len({count.network for one in found for count in one.networks})


def new_since(before: Mapping[AttackKey, AttackCount], counts: Sequence[AttackCount]) -> list[AttackCount]:
    """What came to the counts since an earlier look, with the times that were added, oldest first."""
    added = [
        replace(count, times=count.times - (before[count.key].times if count.key in before else 0))
        for count in counts
    ]
    return sorted((count for count in added if count.times > 0), key=lambda count: count.last_ms)


def attacks_document(since_ms: int, found: Sequence[Tried]) -> AttacksDocument:
    return AttacksDocument(utc_time(since_ms), [_document(one) for one in found])


def _document(one: Tried) -> AttackDocument:
    return AttackDocument(
        rule=one.rule.id,
        grade=one.rule.grade.value,
        cves=list(one.rule.cves),
        tries=one.rule.tries,
        affected=False,
        why=one.why_harmless,
        holes=[hole_document(hole) for hole in one.holes],
        times=one.times,
        first=utc_time(one.first_ms),
        last=utc_time(one.last.last_ms),
        place=one.last.place,
        networks=[_network(count) for count in one.networks],
        others=one.others,
    )


def _network(count: AttackCount) -> AttackNetworkDocument:
    return AttackNetworkDocument(
        network=count.network,
        client=count.client,
        times=count.times,
        first=utc_time(count.first_ms),
        last=utc_time(count.last_ms),
        sample=count.sample,
    )
