"""One question per connection between roles: a line of JSON each way."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from secondpost.protocols.role_questions import Garbled
from secondpost.world.background import Background
from secondpost.world.closing import close_soon
from secondpost.world.ports import Listening, Net
from secondpost.world.sockets.one_line import OneLine

CONNECT_SECONDS = 5.0

Asked = TypeVar("Asked")
Said = TypeVar("Said")


async def ask_once(
    net: Net, path: str, question: bytes, read: Callable[[bytes], Said], octets_max: int, seconds_max: float
) -> Said:
    """Ask, and read the answer, a line of at most `octets_max`. Raises NetError, TimeoutError and
    Garbled.
    """
    async with asyncio.timeout(seconds_max):
        line = OneLine(octets_max)
        transport = await net.connect_local(lambda: line, path, CONNECT_SECONDS)
        try:
            transport.write(question)
            return read(await line.whole)
        finally:
            close_soon(transport)


class QuestionDoor(Generic[Asked]):
    """Answers each connection's question with the line that `answer` makes. `read` raises Garbled."""

    def __init__(
        self,
        read: Callable[[bytes], Asked],
        answer: Callable[[Asked], Awaitable[bytes]],
        octets_max: int,
        background: Background,
    ) -> None:
        self._read = read
        self._answer = answer
        self._octets_max = octets_max
        self._background = background

    async def open(self, net: Net, path: str) -> Listening:
        return await net.listen_local(self._welcome, path)

    def _welcome(self) -> asyncio.Protocol:
        line = OneLine(self._octets_max)
        self._background(self._see_through(line))
        return line

    async def _see_through(self, line: OneLine) -> None:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                asked = self._read(await line.whole)
        except (Garbled, TimeoutError):
            line.close()
            return
        line.write(await self._answer(asked))
