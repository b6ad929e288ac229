"""The fetch role: fetches everything from the web, and reads its hostile documents. It has no
store.
"""

from secondpost.roles.parts import FEEDS, Parts
from secondpost.world.background import BackgroundTasks
from secondpost.world.ports import Fetcher, Listening
from secondpost.world.sockets.feeds import FeedAnswerer


class FetchRole:
    """Answers the publish role's questions about feeds."""

    def __init__(self, parts: Parts, fetcher: Fetcher) -> None:
        from secondpost.newsletter.fetching import FeedFetching

        self._world = parts.world
        self._background = BackgroundTasks(parts.failed)
        self._answerer = FeedAnswerer(FeedFetching(fetcher, parts.world.work).look, self._background.run)
        self._doors: list[Listening] = []

    async def start(self) -> None:
        self._doors.append(await self._answerer.open(self._world.net, self._world.disk.path(FEEDS)))

    async def drain(self) -> None:
        for door in self._doors:
            door.close()
        self._background.cancel()
