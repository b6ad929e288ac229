"""Clients' questions about mailboxes of one site that wait to be asked: a queue per network, in
turn.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass

from secondpost.mail.address import Mailbox
from secondpost.mail.duration import MINUTE_MS
from secondpost.mail.questions import Knowledge

WAITING_MAX = 500  # questions
ASKS_PER_MINUTE_MAX = 30  # of one network
NETWORKS_MAX = 10_000  # counted in a minute


@dataclass(frozen=True, slots=True)
class WaitingQuestion:
    mailbox: Mailbox
    network: str
    answer: asyncio.Future[Knowledge]
    until: float  # loop time at which its client waits no longer

    def settle(self, knowledge: Knowledge) -> None:
        if not self.answer.done():
            self.answer.set_result(knowledge)


class WaitingQuestions:
    def __init__(self) -> None:
        self._by_network: OrderedDict[str, deque[WaitingQuestion]] = OrderedDict()
        self._waiting = 0
        self._asks: dict[str, int] = {}  # by network, since `_asks_since_ms`
        self._asks_since_ms = 0

    def has_room_for(self, network: str, now_ms: int) -> bool:
        """Whether one more question is within the limits, and count it."""
        if not 0 <= now_ms - self._asks_since_ms < MINUTE_MS or len(self._asks) >= NETWORKS_MAX:
            self._asks_since_ms = now_ms
            self._asks.clear()
        asks = self._asks.get(network, 0) + 1
        self._asks[network] = asks
        return asks <= ASKS_PER_MINUTE_MAX and self._waiting < WAITING_MAX

    def forgive(self, network: str) -> None:
        """Take back one count: the mailbox exists, so the network did not guess."""
        if self._asks.get(network, 0) > 0:
            self._asks[network] -= 1

    def add(self, question: WaitingQuestion) -> None:
        self._by_network.setdefault(question.network, deque()).append(question)
        self._waiting += 1

    @property
    def networks(self) -> Iterator[str]:
        """Networks with questions; the one whose turn it is comes first."""
        return iter(self._by_network)

    def take(self, network: str) -> WaitingQuestion:
        """Remove and return the network's next question; the network goes to the end of the line."""
        questions = self._by_network[network]
        question = questions.popleft()
        self._waiting -= 1
        if len(questions) == 0:
            del self._by_network[network]
        else:
            self._by_network.move_to_end(network)
        return question

    def __len__(self) -> int:
        return self._waiting

    def end_all(self) -> None:
        """Answer all questions with UNASKED: none can be asked in time."""
        for questions in self._by_network.values():
            for question in questions:
                question.settle(Knowledge.UNASKED)
        self._by_network.clear()
        self._waiting = 0
