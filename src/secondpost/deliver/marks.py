"""What delivering mail to readers has besides: marks before the final dot, and mails that are signed first.

Before the final dot of an issue's mail the row is durably `committing`: after a crash it is `unknown`, and
not sent again by itself. The mark is asked for together with MAIL, and awaited only before the dot; the
marks of all connections go to the store together.
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
from secondpost.maillog import MailLog
from secondpost.store.newsletter_ports import ReaderClaims
from secondpost.store.ports import Lease
from secondpost.world.background import Background


class Mark:
    """Whether the final dot may be sent, once that is durably written down.

    No future of the loop: those tell in a later turn, and every turn of a busy loop is a millisecond.
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
        """At once, or as soon as it is known."""
        if self.may_send is None:
            self._then = then
        else:
            then()


class CommitMarks:
    """Asks the store for marks, each as it is wanted: the store writes together what comes together."""

    def __init__(
        self,
        store: ReaderClaims,
        log: MailLog,
        background: Background,
    ) -> None:
        self._store = store
        self._log = log
        self._background = background

    def mark(self, lease: Lease, claimed: Claimed) -> Mark:
        """A confirmation or a copy needs no mark: it may come twice."""
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
        """The store was busy or full. What is worse than that it says again, and the role ends."""
        mark.settle(id in await insist(partial(self._store.commit_marks, lease, (id,)), "a mark", self._log))


@dataclass(frozen=True, slots=True)
class ReaderSending:
    """`sign` makes the mail of each row; `may_get`: whether the configuration lets mail go to an address."""

    sign: Callable[[Sequence[Claimed]], Awaitable[Sequence[SignedMail | Unsignable]]]
    may_get: Callable[[Mailbox], bool]
    marks: CommitMarks

    async def of_jobs(self, jobs: Sequence[Job]) -> list[Body | NothingToSend]:
        """What is sent for each job, in their order."""
        mails = await self.sign([job.first for job in jobs])
        return [NothingToSend(mail.why) if isinstance(mail, Unsignable) else mail for mail in mails]
