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

    def rest(self) -> None:
        """It begins nothing by itself."""

    async def hand_over(self) -> None:
        self._close_doors()
        await self._answerer.finish()

    async def drain(self) -> None:
        self._close_doors()
        self._background.cancel()

    def _close_doors(self) -> None:
        while len(self._doors) > 0:
            self._doors.pop().close()
