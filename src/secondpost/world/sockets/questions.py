"""Questions about recipients over a Unix socket: the receive role asks, the deliver role answers.

If the deliver role is absent, or does not answer within five seconds, the answer is UNREACHABLE; no
error is raised.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import cast

from secondpost.mail.address import Mailbox
from secondpost.mail.questions import Knowledge
from secondpost.protocols.role_questions import (
    Garbled,
    Lines,
    RecipientAnswered,
    RecipientAsked,
    answer_line,
    question_line,
    read_answer,
    read_question,
)
from secondpost.world.background import Background
from secondpost.world.closing import close_soon
from secondpost.world.ports import Listening, Net, NetError

ANSWER_SECONDS = 5.0
OPEN_QUESTIONS_MAX = 1000
RECONNECT_SECONDS = 1.0


class RoleAsker(asyncio.Protocol):
    """The asking end. Connects when a question comes, and again after a break."""

    def __init__(self, net: Net, path: str, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._net = net
        self._path = path
        self._answer_seconds = answer_seconds
        self._lines = Lines()
        self._transport: asyncio.Transport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._not_before = 0.0
        self._choked = False  # the deliver role does not read
        self._open: dict[int, asyncio.Future[Knowledge]] = {}
        self._number = 0

    async def knows(self, mailbox: Mailbox, prefix: str) -> Knowledge:
        """Ask whether a recipient exists. `prefix`: the network of the client that named it.

        Waits in a task of its own, since the caller may not have one yet.
        """
        return await asyncio.get_running_loop().create_task(self._knows(mailbox, prefix))

    async def _knows(self, mailbox: Mailbox, prefix: str) -> Knowledge:
        try:
            async with asyncio.timeout(self._answer_seconds):
                return await self._ask(mailbox, prefix)
        except TimeoutError:
            return Knowledge.UNREACHABLE

    async def _ask(self, mailbox: Mailbox, prefix: str) -> Knowledge:
        await self._connect()
        if self._transport is None or self._choked or len(self._open) >= OPEN_QUESTIONS_MAX:
            return Knowledge.UNREACHABLE
        self._number += 1
        number = self._number
        answer: asyncio.Future[Knowledge] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        try:
            self._transport.write(question_line(RecipientAsked(number, mailbox, prefix)))
            return await answer
        finally:
            self._open.pop(number, None)

    def close(self) -> None:
        if self._transport is not None:
            close_soon(self._transport)

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        if self._transport is not None or loop.time() < self._not_before:
            return
        if self._connecting is None:
            self._connecting = loop.create_task(self._dial())
        await asyncio.shield(self._connecting)

    async def _dial(self) -> None:
        try:
            self._transport = await self._net.connect_local(lambda: self, self._path, self._answer_seconds)
        except NetError:
            self._not_before = asyncio.get_running_loop().time() + RECONNECT_SECONDS
        finally:
            self._connecting = None

    def data_received(self, data: bytes) -> None:
        try:
            for line in self._lines.receive_data(data):
                answered = read_answer(line)
                waiting = self._open.get(answered.number)
                if waiting is not None and not waiting.done():
                    waiting.set_result(answered.knowledge)
        except Garbled:
            if self._transport is not None:
                self._transport.abort()

    def pause_writing(self) -> None:
        self._choked = True

    def resume_writing(self) -> None:
        self._choked = False

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._choked = False
        self._lines = Lines()
        for waiting in self._open.values():
            if not waiting.done():
                waiting.set_result(Knowledge.UNREACHABLE)


class RoleAnswerer:
    """The answering end; `knows` finds the answer."""

    def __init__(
        self,
        knows: Callable[[Mailbox, str], Awaitable[Knowledge]],
        background: Background,
    ) -> None:
        self._knows = knows
        self._background = background

    async def open(self, net: Net, path: str) -> Listening:
        return await net.listen_local(lambda: _Answering(self._knows, self._background), path)


class _Answering(asyncio.Protocol):
    def __init__(
        self,
        knows: Callable[[Mailbox, str], Awaitable[Knowledge]],
        background: Background,
    ) -> None:
        self._knows = knows
        self._background = background
        self._lines = Lines()
        self._open = 0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            for line in self._lines.receive_data(data):
                self._take(read_question(line))
        except Garbled:
            if self._transport is not None:
                self._transport.abort()

    def pause_writing(self) -> None:
        """Pause reading: no new questions from an asker that does not read the answers."""
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        if self._transport is not None:
            self._transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None

    def _take(self, asked: RecipientAsked) -> None:
        if self._open >= OPEN_QUESTIONS_MAX:
            raise Garbled("too many questions at once")
        self._open += 1
        self._background(self._answer(asked))

    async def _answer(self, asked: RecipientAsked) -> None:
        knowledge = await self._knows(asked.mailbox, asked.prefix)
        self._open -= 1
        if self._transport is not None:
            self._transport.write(answer_line(RecipientAnswered(asked.number, knowledge)))
