"""Open both databases for a command that accepts a copy of them, or declares one."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from secondpost.config.records import Config
from secondpost.owner.copies import CopyAcceptance
from secondpost.roles.desk import has_newsletter_store, open_newsletter
from secondpost.roles.parts import HINTS
from secondpost.store.ports import COMMAND
from secondpost.store.sqlite import SqliteStore
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.local import hint_once
from secondpost.world.real.work import RealWork


async def _read_no_feeds() -> None:
    """Without a newsletter."""


@asynccontextmanager
async def open_copies(config: Config) -> AsyncIterator[CopyAcceptance]:
    """With or without a running service. Raises what opening a store raises."""
    disk, work, clock = RealDisk(config.store), RealWork(), RealClock()
    try:
        async with AsyncExitStack() as ends:
            mail = SqliteStore.open(
                disk, work, clock, role=COMMAND, failed=lambda error: None, migrates=False
            )
            ends.callback(mail.close)
            if not has_newsletter_store(config):
                yield CopyAcceptance(mail, None, clock, frozenset(), _read_no_feeds)
            else:
                open_ = await ends.enter_async_context(open_newsletter(config))

                async def read_feeds() -> None:
                    for newsletter in config.newsletters:
                        await open_.publisher.fetch(newsletter)

                feeds = frozenset((each.name, url) for each in config.newsletters for url in each.feeds)
                yield CopyAcceptance(mail, open_.store, clock, feeds, read_feeds)
            hint_once(disk.path(HINTS))
    finally:
        work.close()
