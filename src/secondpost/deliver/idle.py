"""Looks at primaries without waiting mail, so that their state is known before mail comes.

The route of each backup domain is computed every five minutes, and its site is looked at unless it
accepted a connection lately: a thousand domains of one provider cost one connection. A look is a
dialogue without a message (EHLO, STARTTLS, EHLO, QUIT). A failed look counts like a failed attempt:
the site is down, and probe looks at it until it is up.
"""

import asyncio
from collections.abc import Callable

from secondpost.deliver.connection import Connection
from secondpost.deliver.context import DeliveryContext
from secondpost.deliver.unopened import Unopened
from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Inside, NoPlan, Plan
from secondpost.mail.reply import Reply
from secondpost.store.ports import StoreFull, StoreUnavailable

IDLE_SECONDS = 300.0  # between two looks at a site
JITTER = 0.1  # as a part of IDLE_SECONDS: looks that began together drift apart
FIRST_SECONDS_PER_DOMAIN = 0.05  # spread of the first looks
FIRST_SECONDS_MAX = 60.0
ROUTES_AT_ONCE = 20
LOOKS_AT_ONCE = 50
CONNECT_SECONDS = 10.0
LOOK_SECONDS_MAX = 330.0  # for all hosts of a site; a greeting may take 300 (RFC 5321 §4.5.3.2)


class _Caller:
    """Holds a connection that is closed once it is ready."""

    def connection_broken(self, connection: Connection, cause: Cause, reply: Reply) -> None:
        """Ignored: the host had accepted the connection."""


class IdleLooks:
    """`is_busy`: whether a site has mail under way, so that it needs no look."""

    def __init__(self, context: DeliveryContext, is_busy: Callable[[str], bool]) -> None:
        self._context = context
        self._opener = context.opener.for_use(CONNECT_SECONDS, goes_first=True)
        self._is_busy = is_busy
        self._routes = asyncio.Semaphore(ROUTES_AT_ONCE)
        self._looks = asyncio.Semaphore(LOOKS_AT_ONCE)
        self._looking: set[str] = set()
        self._next: dict[Domain, float] = {}  # loop time; infinite during a look

    def begin(self) -> None:
        now = asyncio.get_running_loop().time()
        domains = [backup.domain for backup in self._context.config.backups]
        spread = min(FIRST_SECONDS_PER_DOMAIN * len(domains), FIRST_SECONDS_MAX)
        self._next = {domain: now + spread * self._context.dice.fraction() for domain in domains}

    async def look(self) -> None:
        """Begin the looks that are due."""
        now = asyncio.get_running_loop().time()
        for domain, at in self._next.items():
            if at <= now:
                self._next[domain] = float("inf")
                self._context.background(self._look_for(domain))

    async def _look_for(self, domain: Domain) -> None:
        try:
            await self._look_at(domain)
        except (StoreUnavailable, StoreFull) as error:
            self._context.alarms.begin(AlarmKind.PROBE_WAITS, domain.name, str(error))
        seconds = IDLE_SECONDS * (1 - JITTER / 2 + JITTER * self._context.dice.fraction())
        self._next[domain] = asyncio.get_running_loop().time() + seconds

    async def _look_at(self, domain: Domain) -> None:
        context = self._context
        async with self._routes:
            routed = await context.routes.route(Lane.RELAY, domain)
        if isinstance(routed, Inside):
            return
        if context.sites.primaries.belongs(domain, routed.site):
            await context.sites.hint(Lane.RELAY, domain, routed.site)
        if isinstance(routed, NoPlan):
            if not await context.claims.is_down(routed.site):
                await context.sites.mark_down(routed.site, routed.cause, routed.reply.text)
        elif self._is_busy(routed.site):
            context.sites.primaries.still_open(routed.site)
        elif await self._is_due(routed.site):
            await self._look_at_site(routed)

    async def _is_due(self, site: str) -> bool:
        seen_ms = self._context.sites.primaries.seen_ms(site)
        lately_ms = IDLE_SECONDS * (1 - JITTER) * 1000
        if seen_ms is not None and 0 <= self._context.clock.now_ms() - seen_ms < lately_ms:
            return False
        return site not in self._looking and not await self._context.claims.is_down(site)

    async def _look_at_site(self, plan: Plan) -> None:
        self._looking.add(plan.site)
        try:
            async with self._looks:
                if await self._context.claims.is_down(plan.site) or self._is_busy(plan.site):
                    return  # the site's state was found out while this waited
                refusal = await self._first_refusal(plan)
            if refusal is not None:
                await self._context.sites.mark_down(
                    plan.site, refusal.cause, f"{refusal.host}: {refusal.reply}"
                )
        finally:
            self._looking.discard(plan.site)

    async def _first_refusal(self, plan: Plan) -> Unopened | None:
        """None if a host accepted us; the opener has then noted what it offers in `primaries`."""
        try:
            async with asyncio.timeout(LOOK_SECONDS_MAX):
                opened = await self._opener.open(plan, _Caller())
        except TimeoutError:
            return Unopened(Cause.CONNECT, plan.hops[0].name, Reply.of(451, "4.4.1", "no answer in time"))
        if isinstance(opened, Unopened):
            return opened
        opened.quit()
        return None
