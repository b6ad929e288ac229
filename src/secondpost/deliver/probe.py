"""Finds out whether a site that was down accepts connections again.

A probe is a dialogue without a message (EHLO, STARTTLS, EHLO, login, QUIT) with all hosts in
parallel; the site is up if one accepts.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

from secondpost.deliver.connection import Connection
from secondpost.deliver.context import DeliveryContext
from secondpost.deliver.places import STILL_SECONDS, TimeLimits
from secondpost.deliver.unopened import Unopened
from secondpost.mail.address import Domain
from secondpost.mail.envelope import Lane
from secondpost.mail.metrics import Metric
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import NO_WAY, Inside, NoPlan, Plan
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import RecipientResult
from secondpost.store.owner_ports import SiteDown

CONNECT_SECONDS = 10.0
ANSWER_SECONDS = 20.0  # for the whole dialogue
DOMAINS_MAX = 1000  # of a site, of which each round looks at some
DOMAINS_AT_ONCE = 100


class Visitor:
    """Holds a connection that carries no message."""

    def __init__(self) -> None:
        self.broken_by: Cause | None = None
        self.answer: asyncio.Future[RecipientResult | None] | None = None

    def connection_broken(self, connection: Connection, cause: Cause, reply: Reply) -> None:
        self.broken_by = cause
        self.answered(None)

    def answered(self, result: RecipientResult | None) -> None:
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(result)


class ProbeTurn:
    """A look at a site that is down, as the holder of a place."""

    patience_seconds = STILL_SECONDS  # a look that is broken off counts as unanswered

    def __init__(self, is_known: bool, now: float) -> None:
        self.is_known = is_known
        self.moved = now
        self.connections = 1
        self._limits = TimeLimits()

    def within(self, seconds: float | None) -> AbstractAsyncContextManager[None]:
        return self._limits.within(seconds)

    def break_off(self) -> None:
        self._limits.end()


class Probe:
    def __init__(self, context: DeliveryContext) -> None:
        self._context = context

    # ------------------------------------------------------------ sites

    async def look_at(self, down: SiteDown, look: ProbeTurn) -> bool:
        """Probe a site. Returns whether it is up or nothing leads there any more; otherwise the
        next probe is scheduled.
        """
        context = self._context
        waiting = await context.claims.domains_of(down.site, DOMAINS_MAX)
        if len(waiting) == 0:
            waiting = context.sites.primaries.domains_at(down.site, DOMAINS_MAX)
        if len(waiting) == 0:
            await context.sites.mark_up(down.site)
            return True
        looked_at = context.dice.shuffled(waiting)[:DOMAINS_AT_ONCE]
        routes = await asyncio.gather(*(self._route(lane, domain, look) for lane, domain in looked_at))
        moved = await self._move(down, looked_at, routes)
        if moved and down.site.startswith(NO_WAY):
            return await self._is_up(down)
        for routed in routes:
            if isinstance(routed, Plan) and routed.site == down.site:
                return await self._visit_site(down, routed, look) or moved
        for routed in routes:
            if isinstance(routed, NoPlan):
                await context.sites.mark_down(down.site, routed.cause, routed.reply.text)
                break
        return moved

    async def _route(self, lane: Lane, domain: Domain, look: ProbeTurn) -> Plan | NoPlan | Inside:
        try:
            async with look.within(None):
                return await self._context.routes.route(lane, domain)
        except TimeoutError:
            return self._context.routes.unanswered(lane, domain)

    async def _move(
        self, down: SiteDown, domains: list[tuple[Lane, Domain]], routes: list[Plan | NoPlan | Inside]
    ) -> bool:
        """Hint domains whose route has changed to their new site. Returns whether any has."""
        moved = False
        for (lane, domain), routed in zip(domains, routes, strict=True):
            is_final = not isinstance(routed, NoPlan) or routed.reply.is_permanent
            if is_final and routed.site != down.site:
                await self._context.sites.hint(lane, domain, routed.site)
                moved = True
        return moved

    async def _visit_site(self, down: SiteDown, plan: Plan, look: ProbeTurn) -> bool:
        context = self._context
        refusal = await self._first_refusal(plan, look)
        context.tally.count(Metric.PROBES, "up" if refusal is None else "down")
        if refusal is None:
            return await self._is_up(down)
        await context.sites.mark_down(down.site, refusal.cause, f"{refusal.host}: {refusal.reply}")
        return False

    async def _is_up(self, down: SiteDown) -> bool:
        await self._context.sites.mark_up(down.site)
        self._context.log.site_up(down.site, self._context.clock.now_ms() - down.since_ms)
        return True

    async def _first_refusal(self, plan: Plan, look: ProbeTurn) -> Unopened | None:
        """None if a host accepted us."""
        opener = self._context.opener.for_use(CONNECT_SECONDS, goes_first=look.is_known)
        visits = [asyncio.ensure_future(opener.open(Plan(plan.site, (hop,)), Visitor())) for hop in plan.hops]
        look.connections = len(visits)
        refused: list[Unopened] = []
        try:
            async with look.within(ANSWER_SECONDS):
                for visit in asyncio.as_completed(visits):
                    opened = await visit
                    if isinstance(opened, Connection):
                        return None
                    refused.append(opened)
        except TimeoutError:
            pass
        finally:
            await _leave(visits)
        if len(refused) > 0:
            return refused[0]
        return Unopened(Cause.CONNECT, plan.hops[0].name, Reply.of(451, "4.4.1", "no answer in time"))


async def _leave(visits: Sequence[asyncio.Future[Connection | Unopened]]) -> None:
    """Cancel all visits and close their connections."""
    for visit in visits:
        visit.cancel()
    for left in await asyncio.gather(*visits, return_exceptions=True):
        if isinstance(left, Connection):
            left.quit()
