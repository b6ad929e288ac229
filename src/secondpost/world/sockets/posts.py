"""Posts to the webhook, from the deliver role to the fetch role: one connection per post.

If the fetch role is absent or slow, the post was not accepted; no error is raised.
"""

import asyncio
from collections.abc import Awaitable, Callable

from secondpost.protocols.post_questions import (
    POST_LINE_OCTETS_MAX,
    PostNotAccepted,
    PostOutcome,
    outcome_line,
    post_line,
    read_outcome,
    read_post,
)
from secondpost.protocols.role_questions import LINE_OCTETS_MAX, Garbled
from secondpost.world.background import Background
from secondpost.world.closing import close_soon
from secondpost.world.ports import Listening, Net, NetError
from secondpost.world.sockets.one_line import OneLine

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 90.0  # longer than the post's own time limit


class PostAsker:
    """The asking end."""

    def __init__(self, net: Net, path: str) -> None:
        self._net = net
        self._path = path

    async def post(self, body: str) -> PostOutcome:
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await self._ask(body)
        except NetError:
            return PostNotAccepted("the fetch role is not there")
        except TimeoutError:
            return PostNotAccepted("the fetch role does not answer")
        except Garbled as garbled:
            return PostNotAccepted(f"the fetch role's answer makes no sense: {garbled}")

    async def _ask(self, body: str) -> PostOutcome:
        line = OneLine(LINE_OCTETS_MAX)
        transport = await self._net.connect_local(lambda: line, self._path, CONNECT_SECONDS)
        try:
            transport.write(post_line(body))
            return read_outcome(await line.whole)
        finally:
            close_soon(transport)


class PostAnswerer:
    """The answering end; `post` sends the body to the webhook."""

    def __init__(self, post: Callable[[str], Awaitable[PostOutcome]], background: Background) -> None:
        self._post = post
        self._background = background

    async def open(self, net: Net, path: str) -> Listening:
        return await net.listen_local(self._welcome, path)

    def _welcome(self) -> asyncio.Protocol:
        line = OneLine(POST_LINE_OCTETS_MAX)
        self._background(self._answer(line))
        return line

    async def _answer(self, line: OneLine) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                body = read_post(await line.whole)
        except (Garbled, TimeoutError):
            line.close()
            return
        line.write(outcome_line(await self._post(body)))
