"""The turns of a process that publishes: looks at the feeds, and leads for as long as it makes issues."""

import asyncio
from collections.abc import Callable, Sequence

from secondpost.config.records import Newsletter
from secondpost.mail.alarm import AlarmKind
from secondpost.maillog import MailLog
from secondpost.newsletter.publish import Publisher
from secondpost.newsletter.renaming import finish_renames
from secondpost.store.newsletter_ports import LeadershipLost
from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.store.subscriber_ports import NewsletterStore

PUBLISH = "publish"  # what one process at a time leads


class Turns:
    def __init__(
        self,
        newsletters: Sequence[Newsletter],
        publisher: Publisher,
        store: NewsletterStore,
        log: MailLog,
        turn_seconds: float,
        over: Callable[[], None],
    ) -> None:
        """`turn_seconds`: the pause between two turns. `over` is called after each that was led."""
        self._newsletters = newsletters
        self._publisher = publisher
        self._store = store
        self._log = log
        self._turn_seconds = turn_seconds
        self._over = over

    async def run(self) -> None:
        while True:
            try:
                await self._turn()
            except (StoreUnavailable, StoreFull, LeadershipLost) as error:
                self._log.alarm(AlarmKind.PUBLISH_WAITS, f"{type(error).__name__} {error}")
            await asyncio.sleep(self._turn_seconds)

    async def _turn(self) -> None:
        """Led for one turn only, and not while the feeds are looked at, so that a command of the owner can
        lead between two.
        """
        for newsletter in self._newsletters:
            await self._publisher.look(newsletter)
        leader = await self._store.lead(PUBLISH)
        if leader is None:
            return
        try:
            await finish_renames(self._store, leader)
            for newsletter in self._newsletters:
                await self._publisher.turn(newsletter, leader)
            await self._publisher.go_on(self._newsletters, leader)
        finally:
            await self._store.give_back(leader)
        self._over()
