"""The one connection over which a site is asked about recipients: opened for the first question,
kept open for more, and closed before the primary would close it.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from secondpost.deliver.connection import Connection
from secondpost.deliver.context import DeliveryContext
from secondpost.deliver.probe import Visitor
from secondpost.deliver.recipient_results import is_refusal
from secondpost.deliver.refusal_budget import REFUSALS_PER_CONNECTION_MAX
from secondpost.deliver.unopened import Unopened
from secondpost.mail.address import Mailbox
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Plan
from secondpost.protocols.smtp.client import RecipientResult

CONNECT_SECONDS = 10.0
OPEN_SECONDS_MAX = 30.0  # to the end of EHLO, for all hosts of the site together
ANSWER_SECONDS_MAX = 20.0  # for RSET, MAIL and RCPT together
KEPT_OPEN_SECONDS = 30.0  # without a question
PARTING_SECONDS = 5.0  # a close this soon after a refusal is put down to it
# Each question costs an RSET, and Exim closes after 10 of them (smtp_accept_max_nonmail).
ASKS_PER_CONNECTION_MAX = 10


@dataclass(slots=True)
class _Open:
    """An open connection and what was asked over it."""

    connection: Connection
    visitor: Visitor
    asked: int = 0
    refused: int = 0
    answered_at: float = 0.0  # loop time

    @property
    def is_used_up(self) -> bool:
        return self.refused >= REFUSALS_PER_CONNECTION_MAX or self.asked >= ASKS_PER_CONNECTION_MAX

    @property
    def ended_for_refusals(self) -> bool:
        """Whether the primary closed it for refusals, and not because it was idle."""
        idle_seconds = asyncio.get_running_loop().time() - self.answered_at
        ended = self.visitor.broken_by in (Cause.SHUTDOWN, Cause.LOST)
        return ended and self.refused > 0 and idle_seconds < PARTING_SECONDS


class RecipientConnection:
    """`parted` is called when the primary closed the connection for its refusals."""

    def __init__(self, context: DeliveryContext, parted: Callable[[], None]) -> None:
        self._opener = context.opener.for_use(CONNECT_SECONDS, goes_first=True)
        self._parted = parted
        self._open: _Open | None = None
        self._goodbye: asyncio.TimerHandle | None = None

    async def ask(self, mailbox: Mailbox, plan: Plan) -> RecipientResult | None:
        """Ask about a mailbox; once more if an earlier connection was gone. None: no host accepted
        or answered.
        """
        self._stay()
        for _ in range(2):
            stood = self._open is not None
            opened = await self._opened(plan)
            if opened is None:
                return None
            result = await self._ask_over(opened, mailbox)
            if result is not None or not stood:
                return result
        return None

    def linger(self) -> None:
        """Keep the connection for a while, without a question."""
        if self._open is not None and self._goodbye is None:
            self._goodbye = asyncio.get_running_loop().call_later(KEPT_OPEN_SECONDS, self.close)

    def close(self) -> None:
        self._stay()
        opened, self._open = self._open, None
        if opened is not None:
            opened.connection.quit()

    def _stay(self) -> None:
        if self._goodbye is not None:
            self._goodbye.cancel()
            self._goodbye = None

    async def _opened(self, plan: Plan) -> _Open | None:
        if self._open is not None:
            if self._open.visitor.broken_by is None:
                return self._open
            self._lose(self._open)
        visitor = Visitor()
        try:
            async with asyncio.timeout(OPEN_SECONDS_MAX):
                opened = await self._opener.open(plan, visitor)
        except TimeoutError:
            return None
        if isinstance(opened, Unopened):
            return None
        self._open = _Open(opened, visitor)
        return self._open

    async def _ask_over(self, opened: _Open, mailbox: Mailbox) -> RecipientResult | None:
        answer: asyncio.Future[RecipientResult | None] = asyncio.get_running_loop().create_future()
        opened.visitor.answer = answer
        opened.asked += 1
        opened.connection.ask(mailbox, opened.visitor.answered)
        try:
            async with asyncio.timeout(ANSWER_SECONDS_MAX):
                result = await answer
        except TimeoutError:
            result = None
        if result is None:
            self._lose(opened)
            return None
        opened.refused += is_refusal(result)
        opened.answered_at = asyncio.get_running_loop().time()
        if opened.is_used_up:
            self.close()
        return result

    def _lose(self, opened: _Open) -> None:
        if opened.ended_for_refusals:
            self._parted()
        self._open = None
        opened.connection.abort()
