"""Counts attacks by day, rule and network, and stores the counts every few seconds.

Counted in memory, so that a flood of attacks costs few writes. A crash loses only counts.
"""

from secondpost.mail.attack import OTHER_NETWORKS, AttackCount, AttackKey, both, sample_of
from secondpost.mail.daily import day_of
from secondpost.protocols.attacks.matching import AttackFound
from secondpost.store.attack_ports import COUNTS_PER_WRITE_MAX, AttacksIntake
from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.world.ports import Clock

STORE_SECONDS = 5.0  # between two writes
UNWRITTEN_MAX = 1_000  # counts kept in memory; more networks are counted together


class AttackTally:
    def __init__(self, intake: AttacksIntake, clock: Clock) -> None:
        self._intake = intake
        self._clock = clock
        self._counts: dict[AttackKey, AttackCount] = {}

    def count(self, address: str, link: str, found: AttackFound) -> None:
        """`address`: of the client or server that did it; `link`: its /24 or /64."""
        now_ms = self._clock.now_ms()
        day, rule = day_of(now_ms), found.rule.id
        is_new = (day, rule, link) not in self._counts
        network = OTHER_NETWORKS if is_new and len(self._counts) >= UNWRITTEN_MAX else link
        known = self._counts.get((day, rule, network))
        sample = sample_of(found.sample) if known is None else known.sample
        one = AttackCount(day, rule, network, 1, now_ms, now_ms, address, found.place, sample)
        self._counts[day, rule, network] = one if known is None else both(known, one)

    @property
    def is_stored(self) -> bool:
        return len(self._counts) == 0

    async def write(self) -> None:
        """Store the counts; those that cannot be stored are kept for the next call."""
        counts, self._counts = list(self._counts.values()), {}
        while len(counts) > 0:
            some = counts[:COUNTS_PER_WRITE_MAX]
            try:
                await self._intake.count_attacks(some)
            except (StoreUnavailable, StoreFull):
                self._keep(counts)
                return
            counts = counts[COUNTS_PER_WRITE_MAX:]

    def _keep(self, counts: list[AttackCount]) -> None:
        for count in counts:
            key = count.key
            self._counts[key] = both(count, self._counts[key]) if key in self._counts else count
