"""Sites and domains for the deliver role: which are down, paused or hinted, and what expires."""

from collections.abc import Awaitable, Sequence
from functools import partial

from secondpost.mail.address import Domain
from secondpost.mail.bounce_kind import first_weight
from secondpost.mail.delivery import KeptFor, State
from secondpost.mail.envelope import Lane
from secondpost.store.owner_ports import SiteDown
from secondpost.store.ports import CatchAll, KindOfEnd
from secondpost.store.verbs.claims import put_turns_right
from secondpost.store.verbs.engine import BATCH_ROWS, Verbs
from secondpost.store.verbs.rows import REPLY_CHARACTERS_MAX
from secondpost.store.verbs.steps import Row, Steps, number, rows, run

_Number = tuple[int, int]  # of a delivery: its message, and its number there


class SitesVerbs(Verbs):
    def hint_site(self, lane: Lane, domain: Domain, site: str) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("claims.hint_site", lane.value, domain.name, site)

        return self._engine.change(write)

    def pause_domain(self, lane: Lane, domain: Domain, until_ms: int) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("claims.pause_domain", lane.value, domain.name, until_ms)
            yield from put_turns_right((yield from _ids_of(lane, domain)))

        return self._engine.change(write)

    def site_down(
        self, site: str, cause: str, detail: str, at_ms: int, next_probe_ms: int
    ) -> Awaitable[bool]:
        def write() -> Steps[bool]:
            is_news = len((yield from rows("claims.is_site_down", site))) == 0
            yield from run("claims.site_down", site, at_ms, cause, detail, next_probe_ms)
            if is_news:
                yield from run("claims.mark_queues", site, 1)
            return is_news

        return self._engine.change(write)

    async def site_up(self, site: str, now_ms: int) -> bool:
        """Bring a site up; its deliveries are made due first, so that they go in order of arrival."""

        def make_due() -> Steps[int]:
            return (yield from run("claims.due_for_the_site", site, now_ms, BATCH_ROWS))

        def write() -> Steps[bool]:
            was_down = (yield from run("claims.site_up", site)) == 1
            if was_down:
                yield from run("primaries.primary_up", site, now_ms)
            yield from run("claims.mark_queues", site, 0)
            return was_down

        while await self._engine.change(make_due, BATCH_ROWS) == BATCH_ROWS:
            pass
        return await self._engine.change(write)

    async def mend_due(self, later_than_ms: int, now_ms: int) -> int:
        # Repair due times. Searched outside of write transactions, since it may read everything
        # that waits.
        while len(paused := await self._engine.read(_paused(later_than_ms))) > 0:
            await self._engine.change(partial(_end_pauses, paused), BATCH_ROWS)
        mended = 0
        while len(chosen := await self._engine.read(_put_off(later_than_ms, now_ms))) > 0:
            mended += await self._engine.change(partial(_mend_due, chosen, now_ms), BATCH_ROWS)
        return mended

    async def catch_all(self, domain: Domain) -> CatchAll | None:
        def look() -> Steps[CatchAll | None]:
            for takes_all, at_ms in (yield from rows("claims.catch_all", domain.name)):
                return CatchAll(takes_all == 1, number(at_ms))
            return None

        return await self._engine.read(look())

    def learn_catch_all(self, domain: Domain, catch_all: CatchAll) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("claims.learn_catch_all", domain.name, int(catch_all.takes_all), catch_all.at_ms)

        return self._engine.change(write)

    async def is_down(self, site: str) -> bool:
        return len(await self._engine.read(rows("claims.is_site_down", site))) > 0

    async def sites_down(self) -> list[SiteDown]:
        return [_site_down(row) for row in await self._engine.read(rows("claims.sites_down"))]

    async def domains_of(self, site: str, limit: int) -> list[tuple[Lane, Domain]]:
        found = await self._engine.read(rows("claims.domains_of", site, limit))
        return [(Lane(str(lane)), Domain(str(name))) for lane, name in found]

    async def waiting_domains(self) -> list[tuple[Lane, Domain]]:
        found = await self._engine.read(rows("claims.waiting_domains"))
        return [(Lane(str(lane)), Domain(str(name))) for lane, name in found]

    def expire(
        self,
        lane: Lane,
        domain: Domain,
        arrived_before_ms: int,
        now_ms: int,
        to: State,
        kind_of: KindOfEnd | None = None,
    ) -> Awaitable[int]:
        if to not in (State.EXPIRED, State.KEPT):
            raise ValueError(f"a delivery whose time is over becomes expired or kept, not {to}")
        kept_for = KeptFor.EXPIRED.value if to is State.KEPT else None

        def write() -> Steps[int]:
            ids = yield from _ids_of(lane, domain)
            over = yield from _over_time(lane, ids, arrived_before_ms)
            chosen: list[Row] = sorted(over)
            if len(chosen) == 0:
                return 0
            yield from run("claims.expire", to.value, kept_for, now_ms, chosen=chosen)
            if kind_of is not None:
                bounces = [_bounce(id, over[id], to, now_ms, kind_of) for id in sorted(over)]
                yield from run("readers.note_refusals", chosen=bounces)
            yield from put_turns_right(ids)
            return len(chosen)

        return self._engine.change(write, BATCH_ROWS)


def _ids_of(lane: Lane, domain: Domain) -> Steps[list[int]]:
    return [number(id) for (id,) in (yield from rows("claims.domain_id", lane.value, domain.name))]


def _paused(later_than_ms: int) -> Steps[Sequence[Row]]:
    return (yield from rows("claims.paused_too_long", later_than_ms, BATCH_ROWS))


def _end_pauses(paused: Sequence[Row]) -> Steps[None]:
    yield from run("claims.end_pauses", chosen=paused)
    yield from put_turns_right([number(id) for (id,) in paused])


def _put_off(later_than_ms: int, now_ms: int) -> Steps[Sequence[Row]]:
    return (yield from rows("claims.put_off", later_than_ms, now_ms, BATCH_ROWS))


def _mend_due(chosen: Sequence[Row], now_ms: int) -> Steps[int]:
    return (yield from run("claims.mend_due", now_ms, chosen=chosen))


def _over_time(lane: Lane, ids: Sequence[int], arrived_before_ms: int) -> Steps[dict[_Number, Row]]:
    """One batch of deliveries whose time is over; of an issue's, what they met last.

    An issue's mail may wait for pacing as long as needed: its time counts from its first attempt.
    But of a site that is down only one row is tried for all, so there the time counts from when it
    went down: otherwise a dead server would delay the next issue.
    """
    of_issues = ("claims.expired_of_issues", "claims.expired_at_a_dead_site")
    queries = of_issues if lane is Lane.ISSUES else ("claims.expired_first", "claims.expired_again")
    over: dict[_Number, Row] = {}
    for id in ids:
        for query in queries:
            for message, n, *met in (yield from rows(query, id, arrived_before_ms, BATCH_ROWS - len(over))):
                over[number(message), number(n)] = tuple(met)
    return over


def _bounce(id: _Number, met: Row, to: State, now_ms: int, kind_of: KindOfEnd) -> Row:
    """What the end of a reader's mail says of the reader, for `readers.note_refusals`."""
    cause, reply = str(met[0]), str(met[1])
    kind = kind_of(cause, reply)
    text = (reply if len(reply) > 0 else cause)[:REPLY_CHARACTERS_MAX]
    return (*id, to.value, now_ms, kind.value, "", text, first_weight(kind).value)


def _site_down(row: Row) -> SiteDown:
    site, since_ms, cause, detail, next_probe_ms, looked_ms = row
    return SiteDown(
        str(site), number(since_ms), str(cause), str(detail), number(next_probe_ms), number(looked_ms)
    )
