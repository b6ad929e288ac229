"""Mail to readers: each gets a mail of their own, made and signed when it is about to leave.

Before the final dot of an issue's mail the row is durably `committing`: after a crash nobody asks whether it
was sent, it is `unknown`. The mark is asked for together with MAIL, and awaited only before the dot; the
marks of all connections go to the store together.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine
from functools import partial

from secondpost.deliver.assemble import Assembly, OwnAddresses, ReaderKeys, ReaderMail
from secondpost.deliver.settling import insist
from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import Claimed, DeliveryId
from secondpost.mail.issue_content import IssueContent, Reader
from secondpost.mail.subscriber import NOBODY
from secondpost.maillog import MailLog
from secondpost.protocols.verp import CONFIRMATION
from secondpost.store.ports import Lease
from secondpost.store.subscriber_ports import NewsletterStore
from secondpost.world.ports import Work

ASSEMBLIES_MAX = 16  # issues and confirmations whose shared part is kept at hand


class Readers:
    """`confirmation` composes the mail that asks a reader to confirm: the same for the same row."""

    def __init__(
        self,
        store: NewsletterStore,
        keys: ReaderKeys,
        own: OwnAddresses,
        work: Work,
        log: MailLog,
        confirmation: Callable[[Claimed], IssueContent],
        may_get: Callable[[Mailbox], bool],
        background: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._store = store
        self._keys = keys
        self._own = own
        self._work = work
        self._confirmation = confirmation
        self.may_get = may_get
        self._marks = CommitMarks(store, log, background)
        self._assemblies: OrderedDict[int, tuple[Assembly, int]] = OrderedDict()

    def mark(self, lease: Lease, claimed: Claimed) -> asyncio.Future[bool]:
        """Whether the final dot may be sent, once that is durable."""
        return self._marks.mark(lease, claimed)

    async def mail_for(self, claimed: Claimed) -> ReaderMail:
        """Raises LookupError when the content is gone, StoreUnavailable when it cannot be read now."""
        assert claimed.subscriber is not None
        assembly, number = self._assembly(claimed)
        reader = Reader(claimed.subscriber, number, claimed.recipient)
        return await self._work.run(partial(assembly.mail_for, reader))

    def _assembly(self, claimed: Claimed) -> tuple[Assembly, int]:
        """The part that all readers of the message share, and the issue's number."""
        message = claimed.id.queue_id
        known = self._assemblies.get(message)
        if known is not None:
            self._assemblies.move_to_end(message)
            return known
        content, number = self._content(claimed)
        made = (Assembly(content, self._keys, self._own), number)
        self._assemblies[message] = made
        if len(self._assemblies) > ASSEMBLIES_MAX:
            self._assemblies.popitem(last=False)
        return made

    def _content(self, claimed: Claimed) -> tuple[IssueContent, int]:
        if claimed.issue is not None:
            return IssueContent.decode(self._store.issue_content(claimed.issue)), self._number(claimed)
        if claimed.subscriber == NOBODY:
            return IssueContent.decode(self._store.content(claimed)), CONFIRMATION
        return self._confirmation(claimed), CONFIRMATION

    def _number(self, claimed: Claimed) -> int:
        assert claimed.issue is not None
        issue = self._store.issue(claimed.issue)
        if issue is None:
            raise LookupError(f"{claimed.id} belongs to no issue")
        return issue.number


class CommitMarks:
    """Asks the store for marks, all that came up in one turn of the loop together."""

    def __init__(
        self,
        store: NewsletterStore,
        log: MailLog,
        background: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._store = store
        self._log = log
        self._background = background
        self._wanted: dict[Lease, dict[DeliveryId, asyncio.Future[bool]]] = {}

    def mark(self, lease: Lease, claimed: Claimed) -> asyncio.Future[bool]:
        """Whether the dot may be sent. A confirmation or a copy needs no mark: it may come twice."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bool] = loop.create_future()
        if claimed.issue is None:
            answer.set_result(True)
            return answer
        if len(self._wanted) == 0:
            loop.call_soon(self._ask)
        self._wanted.setdefault(lease, {})[claimed.id] = answer
        return answer

    def _ask(self) -> None:
        wanted, self._wanted = self._wanted, {}
        for lease, answers in wanted.items():
            self._background(self._write(lease, answers))

    async def _write(self, lease: Lease, answers: dict[DeliveryId, asyncio.Future[bool]]) -> None:
        write = partial(self._store.commit_marks, lease, list(answers))
        marked = await insist(write, f"{len(answers)} marks", self._log)
        for id, answer in answers.items():
            if not answer.done():
                answer.set_result(id in marked)
