"""Questions about feeds from the publish role to the fetch role: one connection per question.

If the fetch role is absent or slow, or its answer is malformed, the result says that the feed was
not read; no error is raised.
"""

import asyncio

from secondpost.mail.article import FeedAnswered, FeedAsked, FeedLook, FeedNotLookedAt, FeedUnreadable
from secondpost.protocols.feed_questions import (
    ANSWER_OCTETS_MAX,
    ASKED_OCTETS_MAX,
    answered_line,
    asked_line,
    read_answered,
    read_asked,
)
from secondpost.protocols.role_questions import Garbled
from secondpost.world.background import Background
from secondpost.world.closing import close_soon
from secondpost.world.ports import Listening, Net, NetError
from secondpost.world.sockets.one_line import OneLine

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 120.0  # longer than the fetcher's own time limit


class FeedAsker:
    """The asking end. `otherwise` fetches if no fetch role is running: used by commands."""

    def __init__(self, net: Net, path: str, otherwise: FeedLook | None = None) -> None:
        self._net = net
        self._path = path
        self._otherwise = otherwise

    async def look(self, asked: FeedAsked) -> FeedAnswered:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._ask(asked)
        except NetError:
            if self._otherwise is not None:
                return await self._otherwise(asked)
            # It is probably being started, or restarted.
            return FeedAnswered(FeedNotLookedAt("The fetch role is not there."))
        except TimeoutError:
            return FeedAnswered(FeedUnreadable("The fetch role does not answer."))
        except Garbled as garbled:
            return FeedAnswered(FeedUnreadable(f"The fetch role's answer makes no sense: {garbled}."))

    async def _ask(self, asked: FeedAsked) -> FeedAnswered:
        line = OneLine(ANSWER_OCTETS_MAX)
        transport = await self._net.connect_local(lambda: line, self._path, CONNECT_SECONDS)
        try:
            transport.write(asked_line(asked))
            return read_answered(await line.whole)
        finally:
            close_soon(transport)


class FeedAnswerer:
    """The answering end; `look` fetches the feed."""

    def __init__(self, look: FeedLook, background: Background) -> None:
        self._look = look
        self._background = background
        self._open = 0  # questions
        self._none_open = asyncio.Event()
        self._none_open.set()

    async def open(self, net: Net, path: str) -> Listening:
        return await net.listen_local(self._welcome, path)

    async def finish(self) -> None:
        """Wait until every question is answered: a fetch that was cut off would look like a fault of
        the feed.
        """
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await self._none_open.wait()
        except TimeoutError:
            return  # the asker waits no longer either

    def _welcome(self) -> asyncio.Protocol:
        line = OneLine(ASKED_OCTETS_MAX)
        self._open += 1
        self._none_open.clear()
        self._background(self._see_through(line))
        return line

    async def _see_through(self, line: OneLine) -> None:
        try:
            await self._answer(line)
        finally:
            self._open -= 1
            if self._open == 0:
                self._none_open.set()

    async def _answer(self, line: OneLine) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                asked = read_asked(await line.whole)
        except (Garbled, TimeoutError):
            line.close()
            return
        line.write(answered_line(await self._look(asked)))
