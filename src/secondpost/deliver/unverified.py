"""Delivers a site's unverified mail: one message at a time over one connection, after all other
mail of the site, within its refusal budget.
"""

import asyncio
from collections.abc import Callable
from itertools import groupby

from secondpost.deliver.connection import Connection
from secondpost.deliver.context import DeliveryContext
from secondpost.deliver.message import Job, NothingToSend, Prepared
from secondpost.deliver.opening import BROKEN_OFF
from secondpost.deliver.places import MESSAGE_SECONDS, STILL_SECONDS, TimeLimits
from secondpost.deliver.recipient_results import is_refusal
from secondpost.deliver.refusal_budget import QUEUE, REFUSALS_IN_GROUPS_MAX
from secondpost.deliver.refusals import Refusals
from secondpost.deliver.results import (
    is_policy_refusal,
    outcome_of,
    outcome_of_break,
    speaks_of_connection,
)
from secondpost.deliver.sorting import jobs_of
from secondpost.deliver.unopened import Unopened
from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import Claimed
from secondpost.mail.outcome import Cause, Deferred, Level, Outcome
from secondpost.mail.plan import NoPlan, Plan
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import RecipientResult
from secondpost.store.ports import Lease, StoreFull, StoreUnavailable

CONNECT_SECONDS = 30.0


class UnverifiedSite:
    """`yields`: whether other mail of the site goes first; `ended` is called once, when the lease
    is given back.
    """

    def __init__(
        self,
        context: DeliveryContext,
        lease: Lease,
        refusals: Refusals,
        yields: Callable[[], bool],
        ended: Callable[["UnverifiedSite"], None],
    ) -> None:
        self._context = context
        self.lease = lease
        self._refusals = refusals
        self._yields = yields
        self._ended = ended
        self._budget = context.sites.budget_of(lease.site)
        self.moved = asyncio.get_running_loop().time()
        self._opener = context.opener.for_use(CONNECT_SECONDS, goes_first=True)
        self._openings = TimeLimits()
        self._opening = False
        self._plan: Plan | None = None
        self._connection: Connection | None = None
        self._done: asyncio.Future[None] | None = None
        self._working = False
        self._again = False
        self._stopping = False

    @property
    def has_work(self) -> bool:
        return self._working

    @property
    def is_known(self) -> bool:
        return self.lease.site in self._context.sites.up_lately

    @property
    def connections(self) -> int:
        return int(self._opening or self._connection is not None)

    @property
    def patience_seconds(self) -> float:
        return STILL_SECONDS if self._opening else MESSAGE_SECONDS

    @property
    def stands_still(self) -> bool:
        """Never: while a message is under way, a hint costs nothing."""
        return False

    def break_off(self) -> None:
        """Break off everything under way as if by time-out: others need the room."""
        self._openings.end()
        if self._connection is not None:
            connection = self._connection
            connection.abort()
            self.connection_broken(connection, Cause.LOST, BROKEN_OFF)

    def stop(self) -> None:
        """Finish the message under way; leave the rest to the next lease."""
        self._stopping = True

    def resume(self) -> None:
        """Nothing to do: a fault of the site ends this lease, and the next one begins anew."""

    def poke(self) -> None:
        """Look for due deliveries."""
        self._again = True
        if not self._working:
            self._working = True
            self._context.background(self._work())

    async def _work(self) -> None:
        while self._again and self._may_go_on():
            self._again = False
            for job in await self._claim():
                await self._see_through(job)
        if self._connection is not None:
            self._connection.quit()
        await self._context.outcomes.finished(self.lease)
        await self._context.sites.give_back(self.lease)
        self._ended(self)

    def _may_go_on(self) -> bool:
        return not self._stopping and not self._yields() and self._allowed() > 0

    def _allowed(self) -> int:
        return self._budget.allows(QUEUE, self._context.clock.now_ms())

    async def _claim(self) -> list[Job]:
        limit = min(self._allowed(), REFUSALS_IN_GROUPS_MAX)
        try:
            claimed = await self._context.claims.claim(self.lease, self._context.clock.now_ms(), limit)
        except (StoreUnavailable, StoreFull) as error:
            self._context.alarms.begin(AlarmKind.CLAIM_WAITS, "", str(error))
            return []
        self._again = self._again or len(claimed) > 0
        jobs: list[Job] = []
        for domain, rows in groupby(claimed, key=lambda row: row.recipient.domain):
            jobs.extend(await self._sort(domain, list(rows)))
        return jobs

    async def _sort(self, domain: Domain, rows: list[Claimed]) -> list[Job]:
        """The jobs that go to this site; rows of other sites are handed back."""
        routed = await self._context.routes.route(self.lease.lane, domain)
        if isinstance(routed, Plan) and routed.site == self.lease.site:
            self._plan = routed
            return list(jobs_of(rows))
        await self._context.sites.hint(self.lease.lane, domain, routed.site)
        if isinstance(routed, NoPlan):
            await self._context.sites.mark_down(routed.site, routed.cause, routed.reply.text)
        for row in rows:
            self._hand_back(row)
        return []

    # ------------------------------------------------------------ one message

    async def _see_through(self, job: Job) -> None:
        if not self._may_go_on() or self._allowed() < len(job.claimed):
            self._put_back(job)
            return
        [body] = await self._context.contents.of_jobs((job,))
        if isinstance(body, NothingToSend):
            self._context.outcomes.unreadable(self.lease, job, body.why)
            return
        connection = await self._connected(job)
        if connection is None:
            return
        self._budget.take(QUEUE, len(job.claimed), self._context.clock.now_ms())
        self._done = asyncio.get_running_loop().create_future()
        connection.send(Prepared(job, body), self)
        await self._done
        if self._connection is not None and connection.refused >= REFUSALS_IN_GROUPS_MAX:
            connection.quit()
            self._connection = None

    async def _connected(self, job: Job) -> Connection | None:
        if self._connection is not None:
            if self._connection.refused + len(job.claimed) <= REFUSALS_IN_GROUPS_MAX:
                return self._connection
            self._connection.quit()
            self._connection = None
        assert self._plan is not None
        self._opening = True
        opened = await self._opener.open_within(self._openings, self._plan, self)
        self._opening = False
        self.moved = asyncio.get_running_loop().time()
        if isinstance(opened, Unopened):
            await self._site_fault(job, opened.cause, opened.host, opened.reply)
            return None
        self._connection = opened
        return opened

    async def _site_fault(self, job: Job, cause: Cause, host: str, reply: Reply) -> None:
        self._stopping = True
        await self._context.sites.mark_down(self.lease.site, cause, f"{host}: {reply}")
        for row in job.claimed:
            self._settle(row, Deferred(cause, host, reply))

    def _put_back(self, job: Job) -> None:
        for row in job.claimed:
            self._hand_back(row)

    def _hand_back(self, row: Claimed) -> None:
        self._context.outcomes.hand_back(self.lease, (row,))

    def _settle(self, claimed: Claimed, outcome: Outcome) -> None:
        self._context.outcomes.conclude(self.lease, claimed, self._refusals.weighed(claimed, outcome))

    # ------------------------------------------------------------ what the connection says

    def message_done(self, connection: Connection, job: Job, results: tuple[RecipientResult, ...]) -> None:
        self.moved = asyncio.get_running_loop().time()
        if connection.has_taken and speaks_of_connection(results):
            self._budget.give_back(QUEUE, len(results))
            connection.quit()
            self._connection, self._again = None, True
            self._put_back(job)
            self._finish()
            return
        refused = sum(map(is_refusal, results))
        self._budget.give_back(QUEUE, len(results) - refused)
        if all(map(is_policy_refusal, results)):
            # It may be about us: such refusals end no mail until the primary accepts some.
            self._refusals.refused(self.lease.lane, job.first.recipient.domain)
        for claimed, result in zip(job.claimed, results, strict=True):
            self._settle(claimed, outcome_of(result, connection.host))
        self._finish()

    def connection_broken(self, connection: Connection, cause: Cause, reply: Reply) -> None:
        self._connection = None
        job, connection.job = connection.job, None
        parted = connection.was_refusing and cause in (Cause.SHUTDOWN, Cause.LOST)
        if parted:
            # The site closed the connection because of refusals; it is not down.
            self._budget.parted(self._context.clock.now_ms())
            self._stopping = True
        if job is not None:
            self._broken_off(connection, job, cause, reply, parted)
        self._finish()

    def _broken_off(self, connection: Connection, job: Job, cause: Cause, reply: Reply, parted: bool) -> None:
        so_far = connection.results_so_far
        self._budget.give_back(QUEUE, sum(one is None or not is_refusal(one) for one in so_far))
        if parted and not connection.dot_sent and all(one is None for one in so_far):
            self._put_back(job)
            return
        for claimed, result in zip(job.claimed, so_far, strict=True):
            outcome = outcome_of_break(result, connection.dot_sent, cause, connection.host, reply)
            self._settle(claimed, outcome)
        if cause.level is Level.SITE and not parted:
            self._stopping = True
            self._context.background(
                self._context.sites.mark_down(self.lease.site, cause, f"{connection.host}: {reply}")
            )

    def _finish(self) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(None)
