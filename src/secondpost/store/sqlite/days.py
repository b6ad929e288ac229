"""What is counted day by day of each backup domain."""

from collections.abc import Awaitable, Sequence

import apsw

from secondpost.mail.address import Domain
from secondpost.mail.daily import Daily
from secondpost.store.primary_ports import DayCount, RefusedCount
from secondpost.store.sqlite.base import BATCH_ROWS, Base
from secondpost.store.sqlite.queries import number, read_queries

_QUERIES = read_queries("days")


class SqliteDays(Base):
    def count_refused(self, counts: Sequence[RefusedCount]) -> Awaitable[None]:
        def write(db: apsw.Connection) -> None:
            for count in counts:
                name = count.domain.name
                db.execute(_QUERIES["add_domain"], (name,))
                db.execute(_QUERIES["count_refused"], (count.day, name, count.what.value, count.deliveries))

        return self._writer.change(write)

    def day_counts(self, today: int, days: int) -> list[DayCount]:
        rows = self._read(_QUERIES["day_counts"], (today, today - days + 1))
        return [
            DayCount(Domain(str(name)), Daily(str(what)), number(of_today), number(of_all))
            for name, what, of_today, of_all in rows
        ]

    async def forget_days(self, before_day: int) -> None:
        def batch(db: apsw.Connection) -> None:
            db.execute(_QUERIES["forget_days"], (before_day, BATCH_ROWS))

        while len(self._read(_QUERIES["days_before"], (before_day,))) > 0:
            await self._writer.change(batch, BATCH_ROWS)
