"""Counts what is refused of each backup domain, and has it written down every few seconds.

In memory meanwhile: a refusal costs no write, and a flood of them one write in five seconds. What a crash
takes was refused all the same; only the count is short.
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
    """`domains`: those that are backed up; of others nothing is counted."""

    def __init__(self, domains: frozenset[Domain], intake: Intake, clock: Clock) -> None:
        self._domains = domains
        self._intake = intake
        self._clock = clock
        self._counts: Counter[tuple[int, Domain, DailyCount]] = Counter()

    def count(self, domain: Domain, reply: Reply) -> None:
        """One recipient there was refused."""
        if domain in self._domains:
            what = DailyCount.REFUSED if reply.is_permanent else DailyCount.REFUSED_FOR_NOW
            self._counts[day_of(self._clock.now_ms()), domain, what] += 1

    async def write(self) -> None:
        """What the store cannot take now is counted the next time."""
        counts, self._counts = self._counts, Counter()
        if len(counts) == 0:
            return
        rows = [RefusedCount(day, domain, what, many) for (day, domain, what), many in counts.items()]
        try:
            await self._intake.count_refused(rows)
        except (StoreUnavailable, StoreFull):
            self._counts.update(counts)
