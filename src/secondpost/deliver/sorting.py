"""Sorts claimed rows: to the site that claimed them, to another one, or to none for now.

Each domain is routed by itself, so that silent name servers of one delay no other.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby

from secondpost.deliver.context import DeliveryContext
from secondpost.deliver.message import Job
from secondpost.deliver.places import TimeLimits
from secondpost.mail.address import Domain
from secondpost.mail.delivery import Claimed
from secondpost.mail.outcome import Deferred, Failed, Outcome
from secondpost.mail.plan import Inside, NoPlan, Plan
from secondpost.store.ports import Lease

RECIPIENTS_PER_TRANSACTION_MAX = 100  # RFC 5321 §4.5.3.1.8
PLAN_SECONDS = 10.0  # how long a route computed for one message serves others of its domain
PLANS_MAX = 1000
ROWS_MAX = 1000  # rows being routed

RoutedOrInside = Plan | NoPlan | Inside


class Sorting:
    """Sorts the rows of one site. Callbacks: `take`: jobs of this site; `settle`: a row has ended
    or waits for DNS; `elsewhere`: rows can be claimed for another site; `done`: a domain's rows are
    sorted.
    """

    def __init__(
        self,
        context: DeliveryContext,
        lease: Lease,
        take: Callable[[Plan, Iterable[Job]], None],
        settle: Callable[[Claimed, Outcome], None],
        elsewhere: Callable[[], None],
        done: Callable[[], None],
    ) -> None:
        self._context = context
        self._lease = lease
        self._take = take
        self._settle = settle
        self._elsewhere = elsewhere
        self._done = done
        self._plans: dict[Domain, tuple[float, RoutedOrInside]] = {}
        self._limits = TimeLimits()
        self.rows = 0  # not sorted yet

    @property
    def is_full(self) -> bool:
        return self.rows >= ROWS_MAX

    def stop(self) -> None:
        """Hand back all rows that are not sorted."""
        self._limits.end()

    def sort(self, claimed: list[Claimed]) -> None:
        of_domains: dict[Domain, list[Claimed]] = {}
        for row in claimed:
            of_domains.setdefault(row.recipient.domain, []).append(row)
        for domain, rows in of_domains.items():
            routed = self._known(domain)
            if isinstance(routed, Plan) and routed.site == self._lease.site:
                self._take(routed, jobs_of(self._that_may_go(rows)))
            else:
                self.rows += len(rows)
                self._context.background(self._sort(domain, rows, routed))

    def _that_may_go(self, rows: list[Claimed]) -> list[Claimed]:
        """The rows that `[send] only_to` allows; withholds the others, so that a staging copy mails
        no real readers.
        """
        readers = self._context.readers
        if readers is None:
            return rows
        may_go = []
        for row in rows:
            if readers.may_get(row.recipient):
                may_go.append(row)
            else:
                self._context.outcomes.withhold(self._lease, row)
        return may_go

    def _known(self, domain: Domain) -> RoutedOrInside | None:
        known = self._plans.get(domain)
        if known is not None and asyncio.get_running_loop().time() - known[0] < PLAN_SECONDS:
            return known[1]
        return None

    async def _sort(self, domain: Domain, rows: list[Claimed], known: RoutedOrInside | None) -> None:
        routed = known if known is not None else await self._route(domain)
        match routed:
            case None:
                await self._hand_back(rows)
            case NoPlan():
                await self._nowhere(domain, rows, routed)
            case Plan(site) if site == self._lease.site:
                self._take(routed, jobs_of(self._that_may_go(rows)))
            case Plan(site) | Inside(site):
                # The hint was wrong or the route has changed: correct it and hand the rows back.
                await self._context.sites.hint(self._lease.lane, domain, site)
                await self._hand_back(rows)
                self._elsewhere()
        self.rows -= len(rows)
        self._done()

    async def _hand_back(self, rows: list[Claimed]) -> None:
        traffic = self._context.traffic_in(self._lease.lane)
        if traffic is not None:
            traffic.untried(self._lease.site, len(rows))
        await self._context.sites.hand_back(self._lease, rows)

    async def _route(self, domain: Domain) -> RoutedOrInside | None:
        """None: `stop` was called first."""
        if len(self._plans) >= PLANS_MAX:
            self._plans.clear()
        try:
            async with self._limits.within(None):
                routed = await self._context.routes.route(self._lease.lane, domain)
        except TimeoutError:
            return None
        self._plans[domain] = (asyncio.get_running_loop().time(), routed)
        return routed

    async def _nowhere(self, domain: Domain, rows: list[Claimed], routed: NoPlan) -> None:
        """Defer rows whose domain has no route, or fail them if that is permanent. No answer of DNS
        is permanent for a backup domain: its site is down, with an alarm.
        """
        if routed.reply.is_permanent:
            for row in rows:
                self._settle(row, Failed(routed.cause, "", routed.reply))
            return
        await self._context.sites.hint(self._lease.lane, domain, routed.site)
        await self._context.sites.mark_down(routed.site, routed.cause, routed.reply.text)
        for row in rows:
            self._settle(row, Deferred(routed.cause, "", routed.reply))


def jobs_of(rows: list[Claimed]) -> Iterator[Job]:
    """The rows as jobs: recipients of one message share a transaction; mail to readers has one job
    per row.
    """
    for personal, together in groupby(rows, key=lambda row: row.subscriber is not None):
        if personal:
            yield from (Job((row,)) for row in together)
        else:
            yield from _shared_jobs(together)


def _shared_jobs(rows: Iterable[Claimed]) -> Iterator[Job]:
    for _, together in groupby(rows, key=lambda row: row.id.queue_id):
        recipients = list(together)
        for start in range(0, len(recipients), RECIPIENTS_PER_TRANSACTION_MAX):
            yield Job(tuple(recipients[start : start + RECIPIENTS_PER_TRANSACTION_MAX]))
