"""Daily counts of each backup domain."""

from collections.abc import Awaitable, Sequence

from secondpost.mail.address import Domain
from secondpost.mail.daily import DailyCount
from secondpost.store.primary_ports import DayCount, RefusedCount
from secondpost.store.verbs.engine import BATCH_ROWS, Verbs
from secondpost.store.verbs.steps import Steps, number, rows, run


class DaysVerbs(Verbs):
    def count_refused(self, counts: Sequence[RefusedCount]) -> Awaitable[None]:
        def write() -> Steps[None]:
            for count in counts:
                name, what = count.domain.name, count.what.value
                yield from run("days.add_domain", name)
                yield from run("days.count_refused", count.day, name, what, count.deliveries)

        return self._engine.change(write)

    async def day_counts(self, today: int, days: int) -> list[DayCount]:
        return [
            DayCount(Domain(str(name)), DailyCount(str(what)), number(of_today), number(of_all))
            for name, what, of_today, of_all in await self._engine.read(
                rows("days.day_counts", today, today - days + 1)
            )
        ]

    async def forget_days(self, before_day: int) -> None:
        def batch() -> Steps[None]:
            yield from run("days.forget_days", before_day, BATCH_ROWS)

        while len(await self._engine.read(rows("days.days_before", before_day))) > 0:
            await self._engine.change(batch, BATCH_ROWS)
