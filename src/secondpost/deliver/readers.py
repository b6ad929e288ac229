"""Mail to readers: each gets a mail of their own, made and signed shortly before it leaves.

Before the final dot of an issue's mail the row is durably `committing`: after a crash nobody asks whether it
was sent, it is `unknown`. The mark is asked for together with MAIL, and awaited only before the dot; the
marks of all connections go to the store together.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from secondpost.deliver.assemble import ReaderMail
from secondpost.deliver.makers import Makers
from secondpost.deliver.making import Batch
from secondpost.deliver.outside import Mark
from secondpost.deliver.settling import insist
from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import Claimed, DeliveryId
from secondpost.mail.issue_content import IssueContent, Reader
from secondpost.mail.subscriber import NOBODY
from secondpost.maillog import MailLog
from secondpost.protocols.verp import CONFIRMATION
from secondpost.store.ports import Lease, StoreUnavailable
from secondpost.store.subscriber_ports import NewsletterStore

CONTENTS_MAX = 16  # of issues and confirmations, kept at hand


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A mail that cannot be made now."""

    why: str


class Readers:
    """`confirmation` composes the mail that asks a reader to confirm: the same for the same row."""

    def __init__(
        self,
        store: NewsletterStore,
        makers: Makers,
        log: MailLog,
        confirmation: Callable[[Claimed], Awaitable[IssueContent]],
        may_get: Callable[[Mailbox], bool],
        background: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._store = store
        self._makers = makers
        self._confirmation = confirmation
        self.may_get = may_get
        self._marks = CommitMarks(store, log, background)
        self._contents: OrderedDict[int, tuple[bytes, int]] = OrderedDict()

    def mark(self, lease: Lease, claimed: Claimed) -> Mark:
        return self._marks.mark(lease, claimed)

    async def mails_for(self, claimed: Sequence[Claimed]) -> list[ReaderMail | Unreadable]:
        """One for each, all made in one go."""
        wanted = [await self._wanted(row) for row in claimed]
        order = [
            Batch(content, tuple(one.reader for one in together))
            for content, together in groupby(
                (one for one in wanted if isinstance(one, _Wanted)), key=lambda one: one.content
            )
        ]
        mails: list[ReaderMail | Unreadable] = []
        for batch, made in zip(order, await self._makers.make(tuple(order)), strict=True):
            fault = made.fault
            mails += made.mails if fault is None else [Unreadable(fault)] * len(batch.readers)
        ready = iter(mails)
        return [one if isinstance(one, Unreadable) else next(ready) for one in wanted]

    async def _wanted(self, claimed: Claimed) -> "_Wanted | Unreadable":
        assert claimed.subscriber is not None
        try:
            content, number = await self._known_content(claimed)
        except (LookupError, StoreUnavailable) as error:
            return Unreadable(str(error))
        return _Wanted(content, Reader(claimed.subscriber, number, claimed.recipient))

    async def _known_content(self, claimed: Claimed) -> tuple[bytes, int]:
        """What all readers of the message share, and the issue's number."""
        message = claimed.id.queue_id
        known = self._contents.get(message)
        if known is not None:
            self._contents.move_to_end(message)
            return known
        try:
            found = await self._content(claimed)
        except ValueError as error:
            # A title that no header can hold: it must not hold up other mail.
            raise LookupError(str(error)) from error
        self._contents[message] = found
        if len(self._contents) > CONTENTS_MAX:
            self._contents.popitem(last=False)
        return found

    async def _content(self, claimed: Claimed) -> tuple[bytes, int]:
        if claimed.issue is not None:
            return await self._store.issue_content(claimed.issue), await self._number(claimed)
        if claimed.subscriber == NOBODY:
            return self._store.content(claimed), CONFIRMATION
        return (await self._confirmation(claimed)).encode(), CONFIRMATION

    async def _number(self, claimed: Claimed) -> int:
        assert claimed.issue is not None
        issue = await self._store.issue(claimed.issue)
        if issue is None:
            raise LookupError(f"{claimed.id} belongs to no issue")
        return issue.number


@dataclass(frozen=True, slots=True)
class _Wanted:
    content: bytes
    reader: Reader


class CommitMarks:
    """Asks the store for marks, each as it is wanted: the store writes together what comes together."""

    def __init__(
        self,
        store: NewsletterStore,
        log: MailLog,
        background: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._store = store
        self._log = log
        self._background = background

    def mark(self, lease: Lease, claimed: Claimed) -> Mark:
        """A confirmation or a copy needs no mark: it may come twice."""
        mark = Mark()
        if claimed.issue is None:
            mark.tell(may_send=True)
        else:
            asked = asyncio.ensure_future(self._store.commit_marks(lease, (claimed.id,)))
            asked.add_done_callback(partial(self._answered, lease, claimed.id, mark))
        return mark

    def _answered(
        self, lease: Lease, id: DeliveryId, mark: Mark, asked: asyncio.Future[frozenset[DeliveryId]]
    ) -> None:
        if asked.exception() is None:
            mark.tell(id in asked.result())
        else:
            self._background(self._ask_again(lease, id, mark))

    async def _ask_again(self, lease: Lease, id: DeliveryId, mark: Mark) -> None:
        """The store was busy or full. What is worse than that it says again, and the role ends."""
        mark.tell(id in await insist(partial(self._store.commit_marks, lease, (id,)), "a mark", self._log))
