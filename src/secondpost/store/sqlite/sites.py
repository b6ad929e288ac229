"""The deliver role's view of sites and domains: which are down, paused, hinted, and what expires."""

from collections.abc import Awaitable
from functools import partial

import apsw

from secondpost.mail.address import Domain
from secondpost.mail.delivery import KeptFor, State
from secondpost.mail.envelope import Lane
from secondpost.store.owner_ports import SiteDown
from secondpost.store.ports import CatchAll
from secondpost.store.sqlite.base import BATCH_ROWS, Base, as_json
from secondpost.store.sqlite.primaries import PRIMARY_QUERIES
from secondpost.store.sqlite.queries import number, read_queries

_QUERIES = read_queries("claims")


class SqliteSites(Base):
    def hint_site(self, lane: Lane, domain: Domain, site: str) -> Awaitable[None]:
        def write(db: apsw.Connection) -> None:
            db.execute(_QUERIES["hint_site"], (lane.value, domain.name, site))

        return self._writer.change(write)

    def pause_domain(self, lane: Lane, domain: Domain, until_ms: int) -> Awaitable[None]:
        def write(db: apsw.Connection) -> None:
            db.execute(_QUERIES["pause_domain"], (lane.value, domain.name, until_ms))
            put_turns_right(
                db, [number(row[0]) for row in db.execute(_QUERIES["domain_id"], (lane.value, domain.name))]
            )

        return self._writer.change(write)

    def site_down(
        self, site: str, cause: str, detail: str, at_ms: int, next_probe_ms: int
    ) -> Awaitable[bool]:
        def write(db: apsw.Connection) -> bool:
            is_news = len(db.execute(_QUERIES["is_site_down"], (site,)).fetchall()) == 0
            db.execute(_QUERIES["site_down"], (site, at_ms, cause, detail, next_probe_ms))
            if is_news:
                db.execute(_QUERIES["mark_queues"], (site, 1))
            return is_news

        return self._writer.change(write)

    async def site_up(self, site: str, now_ms: int) -> bool:
        """What waits for the site's sake becomes due before the site does: it goes in order of arrival."""

        def make_due(db: apsw.Connection) -> int:
            db.execute(_QUERIES["due_for_the_site"], (site, now_ms, BATCH_ROWS))
            return db.changes()

        def write(db: apsw.Connection) -> bool:
            db.execute(_QUERIES["site_up"], (site,))
            was_down = db.changes() == 1
            if was_down:
                db.execute(PRIMARY_QUERIES["primary_up"], (site, now_ms))
            db.execute(_QUERIES["mark_queues"], (site, 0))
            return was_down

        while await self._writer.change(make_due, BATCH_ROWS) == BATCH_ROWS:
            pass
        return await self._writer.change(write)

    async def mend_due(self, later_than_ms: int, now_ms: int) -> int:
        while len(paused := self._read(_QUERIES["paused_too_long"], (later_than_ms, BATCH_ROWS))) > 0:
            domains = [number(id) for (id,) in paused]
            await self._writer.change(partial(_end_pauses, domains), BATCH_ROWS)
        mended = 0
        while len(chosen := self._read(_QUERIES["put_off"], (later_than_ms, now_ms, BATCH_ROWS))) > 0:
            mended += await self._writer.change(partial(_mend_due, as_json(chosen), now_ms), BATCH_ROWS)
        return mended

    def catch_all(self, domain: Domain) -> CatchAll | None:
        for takes_all, at_ms in self._read(_QUERIES["catch_all"], (domain.name,)):
            return CatchAll(takes_all == 1, number(at_ms))
        return None

    def learn_catch_all(self, domain: Domain, catch_all: CatchAll) -> Awaitable[None]:
        def write(db: apsw.Connection) -> None:
            db.execute(_QUERIES["learn_catch_all"], (domain.name, int(catch_all.takes_all), catch_all.at_ms))

        return self._writer.change(write)

    def is_down(self, site: str) -> bool:
        return len(self._read(_QUERIES["is_site_down"], (site,))) > 0

    def sites_down(self) -> list[SiteDown]:
        return [
            SiteDown(
                str(site),
                number(since_ms),
                str(cause),
                str(detail),
                number(next_probe_ms),
                number(looked_ms),
            )
            for site, since_ms, cause, detail, next_probe_ms, looked_ms in self._read(_QUERIES["sites_down"])
        ]

    def domains_of(self, site: str, limit: int) -> list[tuple[Lane, Domain]]:
        rows = self._read(_QUERIES["domains_of"], (site, limit))
        return [(Lane(str(lane)), Domain(str(name))) for lane, name in rows]

    def waiting_domains(self) -> list[tuple[Lane, Domain]]:
        rows = self._read(_QUERIES["waiting_domains"])
        return [(Lane(str(lane)), Domain(str(name))) for lane, name in rows]

    def expire(
        self, lane: Lane, domain: Domain, arrived_before_ms: int, now_ms: int, to: State
    ) -> Awaitable[int]:
        if to not in (State.EXPIRED, State.KEPT):
            raise ValueError(f"a delivery whose time is over becomes expired or kept, not {to}")
        kept_for = KeptFor.EXPIRED.value if to is State.KEPT else None
        # An issue's row may wait for pace as long as it takes: its time runs from its first attempt. But a
        # site that is down is tried with one row for all: else a dead server would hold the next issue up.
        of_issues = ("expired_of_issues", "expired_at_a_dead_site")
        queries = of_issues if lane is Lane.ISSUES else ("expired_first", "expired_again")

        def write(db: apsw.Connection) -> int:
            ids = [number(row[0]) for row in db.execute(_QUERIES["domain_id"], (lane.value, domain.name))]
            chosen: set[tuple[int, int]] = set()
            for id in ids:
                for query in queries:
                    room = BATCH_ROWS - len(chosen)
                    rows = db.execute(_QUERIES[query], (id, arrived_before_ms, room))
                    chosen.update((number(message), number(n)) for message, n in rows)
            if len(chosen) == 0:
                return 0
            db.execute(_QUERIES["expire"], (as_json(sorted(chosen)), to.value, kept_for, now_ms))
            put_turns_right(db, ids)
            return len(chosen)

        return self._writer.change(write, BATCH_ROWS)


def put_turns_right(db: apsw.Connection, domains: list[int]) -> None:
    """After deliveries left the waiting ones by another way than a claim."""
    db.execute(_QUERIES["next_turns"], (as_json(domains), 0))


def _mend_due(chosen: str, now_ms: int, db: apsw.Connection) -> int:
    db.execute(_QUERIES["mend_due"], (chosen, now_ms))
    return db.changes()


def _end_pauses(domains: list[int], db: apsw.Connection) -> None:
    db.execute(_QUERIES["end_pauses"], (as_json(domains),))
    put_turns_right(db, domains)
