"""The additions for mail to readers: marks before the final dot, and signed mails.

Before the final dot of an issue's mail its row is durably `committing`; after a crash it becomes
`unknown` and is not sent again by itself. The mark is requested at MAIL and awaited only before the
dot; the store writes the marks of all connections together.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial

from secondpost.deliver.message import Body, Job, NothingToSend
from secondpost.deliver.settling import insist
from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import Claimed, DeliveryId
from secondpost.mail.signed_mail import SignedMail, Unsignable
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.store.newsletter_ports import ReaderClaims
from secondpost.store.ports import Lease
from secondpost.world.background import Background


class Mark:
    """Whether the final dot may be sent; known once the mark is durable or was refused.

    Not a future: its callback would come one turn of the loop later, a millisecond when the loop is
    busy.
    """

    __slots__ = ("_then", "may_send")

    def __init__(self) -> None:
        self.may_send: bool | None = None  # None: not known yet
        self._then: Callable[[], None] | None = None

    def settle(self, may_send: bool) -> None:
        self.may_send = may_send
        if self._then is not None:
            self._then()

    def when_settled(self, then: Callable[[], None]) -> None:
        """Call `then` once the answer is known, maybe at once."""
        if self.may_send is None:
            self._then = then
        else:
            then()


class CommitMarks:
    """Requests marks from the store one by one; the store writes concurrent ones together."""

    def __init__(
        self,
        store: ReaderClaims,
        alarms: StandingAlarms,
        background: Background,
    ) -> None:
        self._store = store
        self._alarms = alarms
        self._background = background

    def mark(self, lease: Lease, claimed: Claimed) -> Mark:
        """A mark for the row. Mail outside an issue, such as a confirmation, needs none: a second
        copy does no harm.
        """
        mark = Mark()
        if claimed.issue is None:
            mark.settle(may_send=True)
        else:
            asked = asyncio.ensure_future(self._store.commit_marks(lease, (claimed.id,)))
            asked.add_done_callback(partial(self._answered, lease, claimed.id, mark))
        return mark

    def _answered(
        self, lease: Lease, id: DeliveryId, mark: Mark, asked: asyncio.Future[frozenset[DeliveryId]]
    ) -> None:
        if asked.exception() is None:
            mark.settle(id in asked.result())
        else:
            self._background(self._ask_again(lease, id, mark))

    async def _ask_again(self, lease: Lease, id: DeliveryId, mark: Mark) -> None:
        """Ask again after an error. While the store is busy or full this repeats; a worse error
        ends the role.
        """
        commit = partial(self._store.commit_marks, lease, (id,))
        mark.settle(id in await insist(commit, "a mark", self._alarms))


@dataclass(frozen=True, slots=True)
class ReaderSending:
    """`sign`: makes and signs the mail of each row; `may_get`: whether `[send] only_to` allows the
    address.
    """

    sign: Callable[[Sequence[Claimed]], Awaitable[Sequence[SignedMail | Unsignable]]]
    may_get: Callable[[Mailbox], bool]
    marks: CommitMarks

    async def of_jobs(self, jobs: Sequence[Job]) -> list[Body | NothingToSend]:
        """What to send for each job, in their order."""
        mails = await self.sign([job.first for job in jobs])
        return [NothingToSend(mail.why) if isinstance(mail, Unsignable) else mail for mail in mails]
