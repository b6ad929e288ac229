"""The numbers of issues and of a newsletter's readers; large ones are read in pages."""

from collections.abc import Mapping, Sequence

from secondpost.mail.delivery import State
from secondpost.mail.issue import IssueId
from secondpost.mail.subscriber import SubscriberId, SubscriberState
from secondpost.store.statistics_ports import DomainMail, IssueTally, LastAnswer, ReaderChange
from secondpost.store.verbs.engine import Verbs
from secondpost.store.verbs.steps import Row, Steps, maybe_number, number, rows, run


class StatisticsVerbs(Verbs):
    async def mails_by_domain(
        self, issue: IssueId, after: SubscriberId, limit: int, minutes_ms: int, hour_ms: int
    ) -> tuple[SubscriberId | None, list[DomainMail]]:
        def look() -> Steps[tuple[SubscriberId | None, list[DomainMail]]]:
            [(upto,)] = yield from rows("weighing.next_of_audience", issue, after, limit)
            if upto is None:
                return None, []
            found = yield from rows("statistics.mails_by_domain", issue, after, upto, minutes_ms, hour_ms)
            return SubscriberId(number(upto)), [_domain_mail(row) for row in found]

        return await self._engine.read(look())

    async def answer(
        self, issue: IssueId, after: SubscriberId, upto: SubscriberId, domain: int, at_ms: int
    ) -> LastAnswer | None:
        found = await self._engine.read(rows("statistics.answer", issue, after, upto, domain, at_ms))
        for answered_ms, host, reply in found:
            return LastAnswer(number(answered_ms), str(host), str(reply))
        return None

    async def issue_tallies(self, issues: Sequence[IssueId]) -> Mapping[IssueId, IssueTally]:
        return await self._engine.read(_tallies(issues))

    async def reader_changes(
        self, newsletter: str, after: int, limit: int
    ) -> tuple[int | None, list[ReaderChange]]:
        def look() -> Steps[tuple[int | None, list[ReaderChange]]]:
            [(upto,)] = yield from rows("statistics.next_events", after, limit)
            if upto is None:
                return None, []
            found = yield from rows("statistics.reader_changes", newsletter, after, upto)
            return number(upto), [_change(row) for row in found]

        return await self._engine.read(look())


def count_deferred(tried: Sequence[Row]) -> Steps[None]:
    """Count those of these deliveries, as (message, number), that were put off at their first
    attempt, with their issues.
    """
    yield from run("statistics.count_deferred", chosen=tried)


def _tallies(issues: Sequence[IssueId]) -> Steps[Mapping[IssueId, IssueTally]]:
    chosen: list[Row] = [(issue,) for issue in issues]
    states: dict[IssueId, dict[State, int]] = {issue: {} for issue in issues}
    for id, state, mails in (yield from rows("statistics.tallies", chosen=chosen)):
        states[IssueId(number(id))][State(str(state))] = number(mails)
    deferred = yield from _by_issue("statistics.deferred", chosen)
    returned = yield from _by_issue("statistics.returned", chosen)
    suspended = yield from _by_issue("statistics.suspended", chosen)
    return {
        issue: IssueTally(
            states[issue], deferred.get(issue, 0), returned.get(issue, 0), suspended.get(issue, 0)
        )
        for issue in issues
    }


def _by_issue(query: str, chosen: Sequence[Row]) -> Steps[dict[IssueId, int]]:
    return {IssueId(number(id)): number(many) for id, many in (yield from rows(query, chosen=chosen))}


def _domain_mail(row: Row) -> DomainMail:
    domain, name, site, state, was_put_off, mails, minutes, hour, answered_ms = row
    return DomainMail(
        domain=number(domain),
        name=str(name),
        site=str(site),
        state=State(str(state)),
        was_put_off=was_put_off == 1,
        mails=number(mails),
        minutes=number(minutes),
        hour=number(hour),
        answered_ms=maybe_number(answered_ms),
    )


def _change(row: Row) -> ReaderChange:
    at_ms, source, target, readers = row
    return ReaderChange(
        number(at_ms),
        None if source is None else SubscriberState(str(source)),
        SubscriberState(str(target)),
        number(readers),
    )
