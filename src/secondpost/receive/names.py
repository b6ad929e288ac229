"""Names of DNS for finding out who sent a message, asked of the role deliver and remembered for a
moment.

The names come from strangers, so everything is bounded: the questions and the time of a message, the
questions that the clients of one network have open, and those of all. What goes beyond is unanswered,
as if DNS had failed, which is a temperror and never a refusal. A question at hand waits for nothing,
so that the next message of the same sender needs no task.
"""

import asyncio
from collections.abc import Awaitable, Callable

from secondpost.mail.dns_questions import AnswerOfZone, PtrAnswer, ZoneQuestion, unanswered
from secondpost.mail.questions import (
    AddressAnswer,
    Finding,
    MxAnswer,
    NameAnswer,
    NameQuestion,
    TxtAnswer,
)
from secondpost.protocols.role_questions import PublicAnswer, PublicQuestion, may_be_asked, without_records

QUESTIONS_MAX = 100  # of one message: SPF may ask 10 and their MX hosts, DKIM and ARC one per key
OPEN_OF_NETWORK_MAX = 50
OPEN_MAX = 500  # below OPEN_QUESTIONS_MAX of the socket, so that recipients can always be asked about
REMEMBERED_SECONDS = 60.0  # an answer; the resolver of deliver obeys the TTL
FAILED_SECONDS = 5.0  # that there was none: otherwise each message would wait for a dead server
REMEMBERED_MAX = 5_000  # answers
REMEMBERED_CHARACTERS_MAX = 2_000  # of one answer, so that all take 10 MB at most

AskName = Callable[[PublicQuestion], Awaitable[PublicAnswer]]  # within a time of its own; never raises


class SenderNames:
    """What all messages of this process ask and share."""

    def __init__(self, ask: AskName) -> None:
        self._ask = ask
        self._remembered: dict[PublicQuestion, tuple[PublicAnswer, float]] = {}  # until when, in loop time
        self._open: dict[PublicQuestion, asyncio.Task[PublicAnswer]] = {}
        self._of_network: dict[str, int] = {}  # questions open

    def remembered(self, question: PublicQuestion, now: float) -> PublicAnswer | None:
        found = self._remembered.get(question)
        return found[0] if found is not None and now < found[1] else None

    def asked(self, question: PublicQuestion, network: str) -> asyncio.Task[PublicAnswer] | None:
        """The question under way, for all who ask it; None: too many are."""
        task = self._open.get(question)
        if task is not None:
            return task
        of_network = self._of_network.get(network, 0)
        if len(self._open) >= OPEN_MAX or of_network >= OPEN_OF_NETWORK_MAX:
            return None
        self._of_network[network] = of_network + 1
        task = self._open[question] = asyncio.get_running_loop().create_task(self._answer(question, network))
        return task

    async def _answer(self, question: PublicQuestion, network: str) -> PublicAnswer:
        try:
            answer = await self._ask(question)
            self._remember(question, answer)
            return answer
        finally:
            del self._open[question]
            left = self._of_network.pop(network) - 1
            if left > 0:
                self._of_network[network] = left

    def close(self) -> None:
        for task in self._open.values():
            task.cancel()

    def _remember(self, question: PublicQuestion, answer: PublicAnswer) -> None:
        if _characters(answer) > REMEMBERED_CHARACTERS_MAX:
            return
        self._remembered.pop(question, None)  # so that the dict is in order of time
        if len(self._remembered) >= REMEMBERED_MAX:
            del self._remembered[next(iter(self._remembered))]
        seconds = FAILED_SECONDS if answer.finding is Finding.FAILED else REMEMBERED_SECONDS
        self._remembered[question] = (answer, asyncio.get_running_loop().time() + seconds)


class MessageNames:
    """The questions of one message. `network`: of the client; `ends`: loop time, after which nothing is
    answered.
    """

    __slots__ = ("_left", "_names", "_network", "ends")

    def __init__(self, names: SenderNames, network: str, ends: float) -> None:
        self._names = names
        self._network = network
        self._left = QUESTIONS_MAX
        self.ends = ends

    async def name_answer(self, question: NameQuestion) -> NameAnswer:
        answer = await self.answer(question)
        assert isinstance(answer, NameAnswer), f"{question} is answered as it is asked"
        return answer

    async def answer(self, question: ZoneQuestion) -> AnswerOfZone:
        now = asyncio.get_running_loop().time()
        if not isinstance(question, PublicQuestion) or self._left == 0 or now >= self.ends:
            return unanswered(question)
        self._left -= 1
        remembered = self._names.remembered(question, now)
        if remembered is not None:
            return remembered
        if not may_be_asked(question):
            return without_records(question, Finding.NO_NAME)
        task = self._names.asked(question, self._network)
        if task is None:
            return unanswered(question)
        await asyncio.wait([task], timeout=self.ends - now)
        return task.result() if task.done() else unanswered(question)


def _characters(answer: PublicAnswer) -> int:
    match answer:
        case TxtAnswer(_, texts):
            return sum(map(len, texts))
        case AddressAnswer(_, addresses):
            return sum(map(len, addresses))
        case MxAnswer(_, records):
            return sum(len(record.host) for record in records)
        case PtrAnswer(_, hosts):
            return sum(map(len, hosts))
