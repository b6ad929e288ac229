"""Counts refused recipients of each backup domain, and stores the counts every few seconds.

Counted in memory, so that a flood of refusals costs one write in five seconds. A crash loses only
counts.
"""

from collections import Counter

from secondpost.mail.address import Domain
from secondpost.mail.daily import DailyCount, day_of
from secondpost.mail.reply import Reply
from secondpost.store.ports import Intake, StoreFull, StoreUnavailable
from secondpost.store.primary_ports import RefusedCount
from secondpost.world.ports import Clock

WRITE_SECONDS = 5.0


class RefusalTally:
    """`domains`: the backup domains; nothing is counted for others."""

    def __init__(self, domains: frozenset[Domain], intake: Intake, clock: Clock) -> None:
        self._domains = domains
        self._intake = intake
        self._clock = clock
        self._counts: Counter[tuple[int, Domain, DailyCount]] = Counter()

    def count(self, domain: Domain, reply: Reply) -> None:
        """Count one refused recipient of `domain`."""
        if domain in self._domains:
            what = DailyCount.REFUSED if reply.is_permanent else DailyCount.REFUSED_FOR_NOW
            self._counts[day_of(self._clock.now_ms()), domain, what] += 1

    async def write(self) -> None:
        """Store the counts; on failure they are kept for the next call."""
        counts, self._counts = self._counts, Counter()
        if len(counts) == 0:
            return
        rows = [RefusedCount(day, domain, what, many) for (day, domain, what), many in counts.items()]
        try:
            await self._intake.count_refused(rows)
        except (StoreUnavailable, StoreFull):
            self._counts.update(counts)
