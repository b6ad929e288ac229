"""Names of DNS for finding out who sent a message, asked of the role deliver and remembered for a
moment.

The names come from strangers, so everything is bounded: the questions and the time of a message, the
questions that the clients of one network have open, and those of all, each for SPF and signatures and
for DMARC apart. What goes beyond is unanswered,
as if DNS had failed, which is a temperror and never a refusal. A question at hand waits for nothing,
so that the next message of the same sender needs no task.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from enum import Enum, auto

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
OPEN_OF_NETWORK_MAX = 50  # of each kind
OPEN_MAX = 400  # likewise; together below OPEN_QUESTIONS_MAX of the socket: recipients are asked about too
REMEMBERED_SECONDS = 60.0  # an answer; the resolver of deliver obeys the TTL
FAILED_SECONDS = 5.0  # that there was none: otherwise each message would wait for a dead server
REMEMBERED_MAX = 5_000  # answers
REMEMBERED_CHARACTERS_MAX = 2_000  # of one answer, so that all take 10 MB at most


class NamesFor(Enum):
    """What names are asked for. Each has places of its own, so that the slow names of a sender do not keep
    the policy of the domain that he forges from being read.
    """

    SENDER = auto()  # SPF, and keys of signatures
    AUTHOR = auto()  # the DMARC policy of From


AskName = Callable[[PublicQuestion], Awaitable[PublicAnswer]]  # within a time of its own; never raises


class SenderNames:
    """What all messages of this process ask and share."""

    def __init__(self, ask: AskName) -> None:
        self._ask = ask
        self._remembered: dict[PublicQuestion, tuple[PublicAnswer, float]] = {}  # until when, in loop time
        self._open: dict[PublicQuestion, asyncio.Task[PublicAnswer]] = {}
        self._places = Counter[NamesFor | tuple[NamesFor, str]]()  # taken in all, and by each network

    def remembered(self, question: PublicQuestion, now: float) -> PublicAnswer | None:
        found = self._remembered.get(question)
        return found[0] if found is not None and now < found[1] else None

    def asked(
        self, question: PublicQuestion, network: str, names_for: NamesFor
    ) -> asyncio.Task[PublicAnswer] | None:
        """The question under way, for all who ask it; None: too many are."""
        task = self._open.get(question)
        if task is not None:
            return task
        of_network = (names_for, network)
        if self._places[names_for] >= OPEN_MAX or self._places[of_network] >= OPEN_OF_NETWORK_MAX:
            return None
        self._places.update((names_for, of_network))
        work = self._answer(question, of_network)
        task = self._open[question] = asyncio.get_running_loop().create_task(work)
        return task

    async def _answer(self, question: PublicQuestion, of_network: tuple[NamesFor, str]) -> PublicAnswer:
        try:
            answer = await self._ask(question)
            self._remember(question, answer)
            return answer
        finally:
            del self._open[question]
            self._places[of_network[0]] -= 1
            self._places[of_network] -= 1
            if self._places[of_network] == 0:
                del self._places[of_network]

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

    __slots__ = ("_left", "_names", "_names_for", "_network", "ends")

    def __init__(
        self, names: SenderNames, network: str, ends: float, names_for: NamesFor = NamesFor.SENDER
    ) -> None:
        self._names = names
        self._network = network
        self._names_for = names_for
        self._left = QUESTIONS_MAX
        self.ends = ends

    async def name_answer(self, question: NameQuestion) -> NameAnswer:
        answer = await self.answer(question)
        assert isinstance(answer, NameAnswer), f"{question} is answered as it is asked"
        return answer

    def ask_ahead(self, question: PublicQuestion) -> None:
        """Begin to ask what `answer` will be asked, at the same time as other questions."""
        is_known = self._names.remembered(question, asyncio.get_running_loop().time()) is not None
        if may_be_asked(question) and not is_known:
            self._names.asked(question, self._network, self._names_for)

    async def answer(self, question: ZoneQuestion) -> AnswerOfZone:
        now = asyncio.get_running_loop().time()
        if not isinstance(question, PublicQuestion) or self._left == 0:
            return unanswered(question)
        self._left -= 1
        remembered = self._names.remembered(question, now)
        if remembered is not None:
            return remembered
        if now >= self.ends:
            return unanswered(question)
        if not may_be_asked(question):
            return without_records(question, Finding.NO_NAME)
        task = self._names.asked(question, self._network, self._names_for)
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
