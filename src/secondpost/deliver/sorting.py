"""Finds out where claimed rows belong: to the site that claimed them, to another one, or nowhere now.

Each domain is looked up for itself, so that one whose name servers are silent holds up no other.
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
PLAN_SECONDS = 10.0  # how long a route computed for one message serves the next ones of its domain
PLANS_MAX = 1000
ROWS_MAX = 1000  # whose route is not known yet

RoutedOrInside = Plan | NoPlan | Inside


class Sorting:
    """Of one site. `take` gets the jobs that are its own, `settle` what has ended or waits for DNS;
    `elsewhere` is called when rows can be claimed as another site's, `done` when a domain's are sorted.
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
        """What is not sorted is handed back."""
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
        """`[send] only_to` keeps a staging copy from mailing anyone else."""
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
                await self._context.sites.hand_back(self._lease, rows)
            case NoPlan():
                await self._nowhere(domain, rows, routed)
            case Plan(site) if site == self._lease.site:
                self._take(routed, jobs_of(self._that_may_go(rows)))
            case Plan(site) | Inside(site):
                # The hint was wrong, or the route has changed: correct it and hand the rows back.
                await self._context.sites.hint(self._lease.lane, domain, site)
                await self._context.sites.hand_back(self._lease, rows)
                self._elsewhere()
        self.rows -= len(rows)
        self._done()

    async def _route(self, domain: Domain) -> RoutedOrInside | None:
        """None: we were to stop before it was found."""
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
        """For a backup domain no answer of DNS is final: its site is down, with an alarm."""
        if routed.reply.is_permanent:
            for row in rows:
                self._settle(row, Failed(routed.cause, "", routed.reply))
            return
        await self._context.sites.hint(self._lease.lane, domain, routed.site)
        await self._context.sites.mark_down(routed.site, routed.cause, routed.reply.text)
        for row in rows:
            self._settle(row, Deferred(routed.cause, "", routed.reply))


def jobs_of(rows: list[Claimed]) -> Iterator[Job]:
    """Recipients of one message, which lie beside each other, go in one transaction; each reader of an
    issue has a mail of their own.
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
