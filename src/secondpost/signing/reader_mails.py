"""Make a signed mail of each claimed row, shortly before it is sent."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from secondpost.mail.delivery import Claimed, DeliveryId
from secondpost.mail.issue import Issue, IssueId
from secondpost.mail.issue_content import Addressee, IssueContent
from secondpost.mail.signed_mail import SignedMail, Unsignable
from secondpost.mail.subscriber import NO_SUBSCRIBER
from secondpost.protocols.verp import CONFIRMATION
from secondpost.signing.orders import SigningOrder
from secondpost.signing.pool import SigningPool
from secondpost.store.ports import StoreUnavailable

CONTENTS_MAX = 16  # issues and confirmations cached


class StoredContents(Protocol):
    """Reads from the newsletter's store; each raises StoreUnavailable."""

    async def issue_content(self, id: IssueId) -> bytes:
        """Raises LookupError if it no longer exists."""
        ...

    async def issue(self, id: IssueId) -> Issue | None: ...

    async def content(self, claimed: Claimed) -> bytes:
        """The content of a test copy. Raises LookupError if it no longer exists."""
        ...


class ReaderMails:
    """Signs readers' mails. `confirmation` composes a confirmation, the same each time for the same
    row.
    """

    def __init__(
        self,
        store: StoredContents,
        pool: SigningPool,
        confirmation: Callable[[Claimed], Awaitable[IssueContent]],
    ) -> None:
        self._store = store
        self._pool = pool
        self._confirmation = confirmation
        self._contents: OrderedDict[int, tuple[bytes, int]] = OrderedDict()

    async def sign(self, claimed: Sequence[Claimed]) -> list[SignedMail | Unsignable]:
        """One mail per row, all signed in one batch."""
        mails: dict[int, SignedMail | Unsignable] = {}  # by index in `claimed`
        of_content: dict[bytes, list[int]] = {}
        readers: dict[int, Addressee] = {}
        for place, row in enumerate(claimed):
            assert row.subscriber is not None
            try:
                content, number = await self._known_content(row)
            except (LookupError, StoreUnavailable) as error:
                mails[place] = Unsignable(str(error))
                continue
            of_content.setdefault(content, []).append(place)
            readers[place] = Addressee(row.subscriber, number, row.recipient)
        orders = [
            SigningOrder(content, tuple(readers[place] for place in places))
            for content, places in of_content.items()
        ]
        for places, signed in zip(of_content.values(), await self._pool.sign(orders), strict=True):
            each = [signed] * len(places) if isinstance(signed, Unsignable) else signed
            mails.update(zip(places, each, strict=True))
        return [mails[place] for place in range(len(claimed))]

    async def _known_content(self, claimed: Claimed) -> tuple[bytes, int]:
        """The shared content of the row's message, and the issue's number."""
        message = claimed.id.queue_id
        known = self._contents.get(message)
        if known is not None:
            self._contents.move_to_end(message)
            return known
        try:
            found = await self._content(claimed)
        except ValueError as error:
            # A title that no header can hold: it must not stop other mail.
            raise LookupError(str(error)) from error
        self._contents[message] = found
        if len(self._contents) > CONTENTS_MAX:
            self._contents.popitem(last=False)
        return found

    async def _content(self, claimed: Claimed) -> tuple[bytes, int]:
        if claimed.issue is not None:
            content = await self._store.issue_content(claimed.issue)
            return content, await self._number(claimed.id, claimed.issue)
        if claimed.subscriber == NO_SUBSCRIBER:
            return await self._store.content(claimed), CONFIRMATION
        return (await self._confirmation(claimed)).encode(), CONFIRMATION

    async def _number(self, id: DeliveryId, issue_id: IssueId) -> int:
        issue = await self._store.issue(issue_id)
        if issue is None:
            raise LookupError(f"{id} belongs to no issue")
        return issue.number
