"""Alarms about newsletters in the store that the file does not name: their readers get nothing."""

import asyncio

from secondpost.config.records import Config
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.store.naming_ports import NewsletterNames
from secondpost.store.ports import StoreFull, StoreUnavailable

LOOK_SECONDS = 300.0  # a command may rename or retire a newsletter at any time


class UnnamedNewsletters:
    """`readers`: None if the file names no newsletter; then the store is opened for each look."""

    def __init__(self, config: Config, readers: NewsletterNames | None, alarms: StandingAlarms) -> None:
        self._config = config
        self._readers = readers
        self._alarms = alarms
        self._unnamed: frozenset[str] = frozenset()

    async def run(self) -> None:
        """Look again and again; the first look was made by the caller."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.look()

    async def look(self) -> None:
        from secondpost.newsletter.renaming import left_behind_sentence
        from secondpost.owner.names import names_in_store
        from secondpost.roles.desk import look_at_names

        config, readers = self._config, self._readers
        try:
            found = await (look_at_names(config) if readers is None else names_in_store(config, readers))
        except (StoreUnavailable, StoreFull):
            return  # the mail server must not wait for the newsletter's store
        for one in found.left_behind:
            detail = left_behind_sentence(one, len(found.left_behind), found.unused)
            self._alarms.begin(AlarmKind.NEWSLETTER_UNNAMED, one.name, detail)
        unnamed = frozenset(one.name for one in found.left_behind)
        for name in sorted(self._unnamed - unnamed):
            self._alarms.end(AlarmKind.NEWSLETTER_UNNAMED, name)
        self._unnamed = unnamed
