"""Questions about recipients and names over a Unix socket: the receive role asks, the deliver role
answers.

If the deliver role is absent, or does not answer in time, the answer is UNREACHABLE, or FAILED for a
name; no error is raised. If it leaves while it is asked, its successor is asked.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import cast

from secondpost.mail.address import Mailbox
from secondpost.mail.questions import Finding, Knowledge
from secondpost.protocols.role_questions import (
    ANSWER_OCTETS_MAX,
    Answered,
    Asked,
    Garbled,
    Lines,
    NameAnswered,
    NameAsked,
    PublicAnswer,
    PublicQuestion,
    RecipientAnswered,
    RecipientAsked,
    answer_line,
    question_line,
    read_answer,
    read_question,
    without_records,
)
from secondpost.world.background import Background
from secondpost.world.closing import close_soon
from secondpost.world.ports import Listening, Net, NetError

ANSWER_SECONDS = 5.0
OPEN_QUESTIONS_MAX = 1000
RECONNECT_SECONDS = 1.0
ASKED_MAX = 2  # times that one question is asked: a role that is replaced ends its connections


class RoleAsker(asyncio.Protocol):
    """The asking end. Connects when a question comes, and again after a break."""

    def __init__(self, net: Net, path: str, answer_seconds: float = ANSWER_SECONDS) -> None:
        self._net = net
        self._path = path
        self._answer_seconds = answer_seconds
        self._lines = Lines(ANSWER_OCTETS_MAX)
        self._transport: asyncio.Transport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._not_before = 0.0
        self._choked = False  # the deliver role does not read
        self._open: dict[int, asyncio.Future[Answered | None]] = {}  # None: the connection was lost
        self._number = 0

    async def knows(self, mailbox: Mailbox, prefix: str) -> Knowledge:
        """Ask whether a recipient exists. `prefix`: the network of the client that named it."""
        answered = await self._within(lambda number: RecipientAsked(number, mailbox, prefix))
        return answered.knowledge if isinstance(answered, RecipientAnswered) else Knowledge.UNREACHABLE

    async def records(self, question: PublicQuestion) -> PublicAnswer:
        """Ask for records of a name. A deliver role that is being started is waited for."""
        answered = await self._within(lambda number: NameAsked(number, question), waits=True)
        return (
            answered.answer
            if isinstance(answered, NameAnswered)
            else without_records(question, Finding.FAILED)
        )

    async def _within(self, question: Callable[[int], Asked], *, waits: bool = False) -> Answered | None:
        """Waits in a task of its own, since the caller may not have one yet."""
        return await asyncio.get_running_loop().create_task(self._ask(question, waits))

    async def _ask(self, question: Callable[[int], Asked], waits: bool) -> Answered | None:
        """The answer; None if there is none in time. `waits`: for a role that is not there yet."""
        try:
            async with asyncio.timeout(self._answer_seconds):
                for _ in range(ASKED_MAX):
                    await self._connect()
                    while waits and self._transport is None:
                        await asyncio.sleep(RECONNECT_SECONDS)
                        await self._connect()
                    if self._transport is None or self._choked or len(self._open) >= OPEN_QUESTIONS_MAX:
                        return None
                    answered = await self._ask_once(self._transport, question)
                    if answered is not None:
                        return answered
        except TimeoutError:
            return None
        return None

    async def _ask_once(
        self, transport: asyncio.Transport, question: Callable[[int], Asked]
    ) -> Answered | None:
        """The answer; None if the connection was lost before it came."""
        self._number += 1
        number = self._number
        answer: asyncio.Future[Answered | None] = asyncio.get_running_loop().create_future()
        self._open[number] = answer
        try:
            transport.write(question_line(question(number)))
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
                    waiting.set_result(answered)
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
        self._lines = Lines(ANSWER_OCTETS_MAX)
        for waiting in self._open.values():
            if not waiting.done():
                waiting.set_result(None)


@dataclass(frozen=True, slots=True)
class RoleKnowledge:
    """What finds the answers."""

    knows: Callable[[Mailbox, str], Awaitable[Knowledge]]
    records: Callable[[PublicQuestion], Awaitable[PublicAnswer]]


class RoleAnswerer:
    """The answering end."""

    def __init__(self, knowledge: RoleKnowledge, background: Background) -> None:
        self._knowledge = knowledge
        self._background = background
        self._askers: set[_Answering] = set()

    async def open(self, net: Net, path: str) -> Listening:
        return await net.listen_local(
            lambda: _Answering(self._knowledge, self._background, self._askers), path
        )

    async def finish(self) -> None:
        """Answer the questions that were read, then end the connections: a successor is asked
        everything else.
        """
        for asker in self._askers:
            asker.listen_no_more()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                await asyncio.gather(*(asker.all_answered.wait() for asker in self._askers))
        except TimeoutError:
            pass  # an answer that comes so late is not waited for any more
        for asker in list(self._askers):
            asker.close()


class _Answering(asyncio.Protocol):
    def __init__(self, knowledge: RoleKnowledge, background: Background, askers: "set[_Answering]") -> None:
        self._knowledge = knowledge
        self._background = background
        self._askers = askers
        self.all_answered = asyncio.Event()
        self.all_answered.set()
        self._lines = Lines()
        self._open = 0
        self._leaving = False
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._askers.add(self)

    def listen_no_more(self) -> None:
        self._leaving = True
        if self._transport is not None:
            self._transport.pause_reading()

    def close(self) -> None:
        if self._transport is not None:
            close_soon(self._transport)

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
        if self._transport is not None and not self._leaving:
            self._transport.resume_reading()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._askers.discard(self)
        self.all_answered.set()

    def _take(self, asked: Asked) -> None:
        if self._open >= OPEN_QUESTIONS_MAX:
            raise Garbled("too many questions at once")
        self._open += 1
        self.all_answered.clear()
        self._background(self._answer(asked))

    async def _answer(self, asked: Asked) -> None:
        answered = await self._answered(asked)
        self._open -= 1
        if self._transport is not None:
            self._transport.write(answer_line(answered))
        if self._open == 0:
            self.all_answered.set()

    async def _answered(self, asked: Asked) -> Answered:
        match asked:
            case RecipientAsked(number, mailbox, prefix):
                return RecipientAnswered(number, await self._knowledge.knows(mailbox, prefix))
            case NameAsked(number, question):
                return NameAnswered(number, await self._knowledge.records(question))
