"""Chooses which sites that are down are probed now, and reports those that are up again.

Each is probed once per `probe`. Probes have places like sites that get mail, so that a
thousand silent servers do not delay the probe of the one primary that is back.
"""

import asyncio
from collections.abc import Callable, Container
from functools import partial

from secondpost.deliver.context import DeliveryContext
from secondpost.deliver.places import Room
from secondpost.deliver.probe import DOMAINS_MAX, Probe, ProbeTurn
from secondpost.deliver.rhythm import DeliverRhythm
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.envelope import Lane
from secondpost.store.owner_ports import SiteDown
from secondpost.store.ports import StoreFull, StoreUnavailable


class SitesDown:
    """`is_up` is called for a site that accepts mail again."""

    def __init__(self, context: DeliveryContext, rhythm: DeliverRhythm, is_up: Callable[[str], None]) -> None:
        self._context = context
        self._seconds_max = rhythm.down_seconds_max
        self._is_up = is_up
        self._probe = Probe(context)
        self._places = rhythm.looks
        self._looks: dict[str, ProbeTurn] = {}
        self._since_start: set[str] = set()

    @property
    def every_seconds(self) -> float:
        return min(self._seconds_max, self._context.config.deliver.probe_ms / 2000)

    async def start(self) -> None:
        """Probe all sites that are down: they may have come back while this process did not run."""
        self._since_start = {down.site for down in await self._context.claims.sites_down()}
        await self.look()

    async def look(self) -> None:
        """Begin the probes that are due, as far as there is room."""
        now_ms = self._context.clock.now_ms()
        down_now = await self._context.claims.sites_down()
        due = [down for down in down_now if down.site not in self._looks and self._is_due(down, now_ms)]
        if len(due) == 0:
            return
        room = self._places.room(self._looks.values(), asyncio.get_running_loop().time())
        known = {down.site for down in due if await self._is_known(down.site)}
        if len(due) > room.strangers:
            due.sort(key=partial(self._comes_when, known))
        for down in due[: room.known]:
            is_known = down.site in known
            if is_known or room.strangers > 0:
                room = Room(room.known - 1, room.strangers - (not is_known))
                self._begin(down, is_known)

    def _is_due(self, down: SiteDown, now_ms: int) -> bool:
        ahead_ms = down.next_probe_ms - now_ms
        # A time beyond one interval means that the clock was set back or `probe` was shortened.
        is_time = ahead_ms <= 0 or ahead_ms > self._context.config.deliver.probe_ms
        return is_time or down.site in self._since_start

    async def _is_known(self, site: str) -> bool:
        """Whether the site took mail lately or is a primary."""
        if (
            site in self._context.sites.up_lately
            or len(self._context.sites.primaries.domains_at(site, 1)) > 0
        ):
            return True
        waiting = await self._context.claims.domains_of(site, DOMAINS_MAX)
        return any(lane in (Lane.RELAY, Lane.UNVERIFIED) for lane, _ in waiting)

    def _comes_when(self, known: Container[str], down: SiteDown) -> tuple[bool, bool, int]:
        """Sort key: sites that took mail lately, then primaries, then strangers; the longest due
        first.
        """
        was_up = down.site in self._context.sites.up_lately
        return (not was_up, down.site not in known, down.next_probe_ms)

    def _begin(self, down: SiteDown, is_known: bool) -> None:
        self._since_start.discard(down.site)
        self._looks[down.site] = ProbeTurn(is_known, asyncio.get_running_loop().time())
        self._context.background(self._look_at(down, self._looks[down.site]))

    async def _look_at(self, down: SiteDown, look: ProbeTurn) -> None:
        try:
            if await self._probe.look_at(down, look):
                self._is_up(down.site)
        except (StoreUnavailable, StoreFull) as error:
            self._context.alarms.begin(AlarmKind.PROBE_WAITS, "", f"{down.site}: {error}")
        finally:
            del self._looks[down.site]
