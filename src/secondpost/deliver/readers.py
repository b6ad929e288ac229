"""Mail to readers: each gets a mail of their own, made and signed shortly before it leaves.

Before the final dot of an issue's mail the row is durably `committing`: after a crash nobody asks whether it
was sent, it is `unknown`. The mark is asked for together with MAIL, and awaited only before the dot; the
marks of all connections go to the store together.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from functools import partial

from secondpost.deliver.assemble import Assembly, OwnAddresses, ReaderKeys, ReaderMail
from secondpost.deliver.makers import Makers
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
from secondpost.world.ports import Work

ASSEMBLIES_MAX = 16  # issues and confirmations whose shared part is kept at hand


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A mail that cannot be made now."""

    why: str


class Readers:
    """`confirmation` composes the mail that asks a reader to confirm: the same for the same row. `relays`:
    whether relayed mail is on its way, which is not to wait for mail to readers.
    """

    def __init__(
        self,
        store: NewsletterStore,
        keys: ReaderKeys,
        own: OwnAddresses,
        work: Work,
        log: MailLog,
        confirmation: Callable[[Claimed], IssueContent],
        may_get: Callable[[Mailbox], bool],
        relays: Callable[[], bool],
        background: Callable[[Coroutine[None, None, None]], None],
    ) -> None:
        self._store = store
        self._keys = keys
        self._own = own
        self._work = work
        self._confirmation = confirmation
        self.may_get = may_get
        self._makers = Makers(relays)
        self._marks = CommitMarks(store, log, background)
        self._assemblies: OrderedDict[int, tuple[Assembly, int]] = OrderedDict()

    def mark(self, lease: Lease, claimed: Claimed) -> Mark:
        return self._marks.mark(lease, claimed)

    async def mails_for(self, claimed: Sequence[Claimed]) -> list[ReaderMail | Unreadable]:
        """One for each, all made in one other thread."""
        await self._makers.enter()
        try:
            wanted = [self._wanted(row) for row in claimed]
            return await self._work.run(partial(_made, wanted))
        finally:
            self._makers.leave()

    def _wanted(self, claimed: Claimed) -> "_Wanted | Unreadable":
        assert claimed.subscriber is not None
        try:
            assembly, number = self._assembly(claimed)
        except (LookupError, StoreUnavailable) as error:
            return Unreadable(str(error))
        return _Wanted(assembly, Reader(claimed.subscriber, number, claimed.recipient))

    def _assembly(self, claimed: Claimed) -> tuple[Assembly, int]:
        """The part that all readers of the message share, and the issue's number."""
        message = claimed.id.queue_id
        known = self._assemblies.get(message)
        if known is not None:
            self._assemblies.move_to_end(message)
            return known
        try:
            content, number = self._content(claimed)
            made = (Assembly(content, self._keys, self._own), number)
        except ValueError as error:
            # Of a later version, or of a title that no header can hold: it must not hold up other mail.
            raise LookupError(str(error)) from error
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


@dataclass(frozen=True, slots=True)
class _Wanted:
    assembly: Assembly
    reader: Reader


def _made(wanted: list[_Wanted | Unreadable]) -> list[ReaderMail | Unreadable]:
    return [one if isinstance(one, Unreadable) else one.assembly.mail_for(one.reader) for one in wanted]


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
