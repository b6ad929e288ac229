"""Weigh bounces: what is known of bounced readers, and suspending them."""

from collections.abc import Awaitable, Sequence

from secondpost.mail.bounce_kind import BounceKind, Weighed
from secondpost.mail.issue import IssueId
from secondpost.mail.subscriber import SubscriberId, SubscriberState
from secondpost.mail.subscriber_states import SubscriberActor
from secondpost.store.verbs.engine import CHANGE_UNITS, Verbs
from secondpost.store.verbs.known_readers import Happened, known_by_id
from secondpost.store.verbs.signing_up import goes
from secondpost.store.verbs.steps import Row, Steps, maybe_number, number, rows, run
from secondpost.store.weighing_ports import BouncedReader, SiteReaders, Suspension

UNITS_PER_SUSPENSION = 5


class WeighingVerbs(Verbs):
    async def bounced_issues(self, before_ms: int) -> list[IssueId | None]:
        found = await self._engine.read(rows("weighing.bounced_issues", before_ms))
        return [None if id is None else IssueId(number(id)) for (id,) in found]

    async def bounced_readers(
        self, issue: IssueId | None, weighed: Weighed, before_ms: int, after: int, limit: int
    ) -> list[BouncedReader]:
        found = rows("weighing.bounced_readers", issue, weighed.value, before_ms, after, limit)
        return [_bounced(row) for row in await self._engine.read(found)]

    async def bounces_among(
        self, issue: IssueId, subscribers: Sequence[SubscriberId], issues: int
    ) -> list[tuple[SubscriberId, int, BounceKind]]:
        chosen: list[Row] = [(id,) for id in subscribers]
        found = await self._engine.read(rows("weighing.bounces_among", issue, issues, chosen=chosen))
        return [(SubscriberId(number(id)), number(n), BounceKind(str(kind))) for id, n, kind in found]

    async def weighed_counts(self, issue: IssueId, since_ms: int) -> list[tuple[Weighed, SiteReaders]]:
        found = await self._engine.read(rows("weighing.weighed_counts", issue, since_ms))
        return [(Weighed(str(weighed)), _at_site(row)) for weighed, *row in found]

    async def audience(
        self, issue: IssueId, since_ms: int, after: SubscriberId, limit: int
    ) -> tuple[SubscriberId | None, list[SiteReaders]]:
        return await self._engine.read(_audience(issue, since_ms, after, limit))

    async def undecided(self) -> list[tuple[IssueId, int]]:
        found = await self._engine.read(rows("weighing.undecided"))
        return [(IssueId(number(issue)), number(readers)) for issue, readers in found]

    def weigh(self, chosen: Sequence[Suspension], at_ms: int) -> Awaitable[int]:
        def write() -> Steps[int]:
            suspended = 0
            for one in chosen:
                if one.weighed in (Weighed.SUSPENDED, Weighed.ACCEPTED):
                    suspended += int((yield from _suspend(one, at_ms)))
            yield from run("weighing.weigh", chosen=[(one.number, one.weighed.value) for one in chosen])
            return suspended

        return self._engine.change(write, CHANGE_UNITS + UNITS_PER_SUSPENSION * len(chosen))


def _suspend(one: Suspension, at_ms: int) -> Steps[bool]:
    known = yield from known_by_id(one.subscriber)
    if known is None:
        return False
    happened = Happened(SubscriberState.SUSPENDED, at_ms, "suspended", one.why)
    return (yield from goes(known, SubscriberActor.PROVIDER, happened))


def _audience(
    issue: IssueId, since_ms: int, after: SubscriberId, limit: int
) -> Steps[tuple[SubscriberId | None, list[SiteReaders]]]:
    [(upto,)] = yield from rows("weighing.next_of_audience", issue, after, limit)
    if upto is None:
        return None, []
    found = yield from rows("weighing.audience", issue, after, upto, since_ms)
    return SubscriberId(number(upto)), [_at_site(row) for row in found]


def _at_site(row: Sequence[object]) -> SiteReaders:
    site, is_new, readers = row
    return SiteReaders(str(site), is_new == 1, int(str(readers)))


def _bounced(row: Row) -> BouncedReader:
    id, subscriber, kind, site, created_ms, state, text, back_ms = row
    return BouncedReader(
        number=number(id),
        subscriber=SubscriberId(number(subscriber)),
        kind=BounceKind(str(kind)),
        site=str(site),
        created_ms=number(created_ms),
        is_active=state == SubscriberState.ACTIVE.value,
        text=str(text),
        back_ms=maybe_number(back_ms),
    )
