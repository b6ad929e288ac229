"""The publishing loop: fetches feeds, and takes the lead while it makes issues."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from secondpost.config.records import Newsletter
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.newsletter.publish import Publisher
from secondpost.newsletter.renaming import finish_renames
from secondpost.store.naming_ports import Naming
from secondpost.store.newsletter_ports import LeadershipLost, Leading
from secondpost.store.ports import Lease, StoreFull, StoreUnavailable

PUBLISH = "publish"  # name of the lead, which one process has at a time


class Turns:
    def __init__(
        self,
        newsletters: Sequence[Newsletter],
        publisher: Publisher,
        leading: Leading,
        naming: Naming,
        alarms: StandingAlarms,
        turn_seconds: float,
        weigh_bounces: Callable[[], Awaitable[None]],
        over: Callable[[], None],
    ) -> None:
        """`turn_seconds` is the pause between turns; `weigh_bounces` is part of each turn that has the
        lead, and `over` is called after it.
        """
        self._newsletters = newsletters
        self._publisher = publisher
        self._leading = leading
        self._naming = naming
        self._alarms = alarms
        self._turn_seconds = turn_seconds
        self._weigh_bounces = weigh_bounces
        self._over = over
        self._leader: Lease | None = None

    async def run(self) -> None:
        while True:
            try:
                await self._turn()
            except (StoreUnavailable, StoreFull, LeadershipLost) as error:
                self._alarms.begin(AlarmKind.PUBLISH_WAITS, "", f"{type(error).__name__} {error}")
            await asyncio.sleep(self._turn_seconds)

    async def _turn(self) -> None:
        """Fetch, then lead for one turn; the lead is not held while fetching, so that a command can
        take it.
        """
        await self._give_back()
        for newsletter in self._newsletters:
            await self._publisher.look(newsletter)
        leader = self._leader = await self._leading.lead(PUBLISH)
        if leader is None:
            return
        try:
            await finish_renames(self._naming, leader)
            for newsletter in self._newsletters:
                await self._publisher.turn(newsletter, leader)
            await self._publisher.go_on(self._newsletters, leader)
            await self._weigh_bounces()
        finally:
            await self._give_back()
        self._over()

    async def _give_back(self) -> None:
        """Give the lead back, also one that a full store did not take back at an earlier turn:
        otherwise we would never lead again.
        """
        if self._leader is not None:
            await self._leading.give_back(self._leader)
            self._leader = None
