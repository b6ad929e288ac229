"""Port for weighing bounces: which readers they suspend (subscribers/suspending)."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from typing import Protocol

from secondpost.mail.bounce_kind import BounceKind, Weighed
from secondpost.mail.issue import IssueId
from secondpost.mail.subscriber import SubscriberId


@dataclass(frozen=True, slots=True)
class BouncedReader:
    """A bounce of a reader's mail, to be weighed."""

    number: int  # of the bounce
    subscriber: SubscriberId
    kind: BounceKind
    site: str  # of the reader's domain in lane issues
    created_ms: int  # when the reader was added
    is_active: bool
    text: str
    back_ms: int | None = None  # begin of the present state, if bounces suspended the reader before


@dataclass(frozen=True, slots=True)
class SiteReaders:
    """How many of an issue's readers have their mailboxes at a site."""

    site: str
    is_new: bool
    readers: int


@dataclass(frozen=True, slots=True)
class Suspension:
    """What is to become of a bounce: its reader is suspended, or not."""

    number: int  # of the bounce
    subscriber: SubscriberId
    weighed: Weighed
    why: str = ""  # for SUSPENDED and ACCEPTED


class Weighing(Protocol):
    """The publish role's view of bounces. A reader is *new* to an issue if added after `since_ms`."""

    async def bounced_issues(self, before_ms: int) -> list[IssueId | None]:
        """Issues with bounces from before then that were not weighed; None: confirmations."""
        ...

    async def bounced_readers(
        self, issue: IssueId | None, weighed: Weighed, before_ms: int, after: int, limit: int
    ) -> list[BouncedReader]:
        """A page of an issue's bounces in this state, by number; `after` is the last one of the page
        before.
        """
        ...

    async def bounces_among(
        self, issue: IssueId, subscribers: Sequence[SubscriberId], issues: int
    ) -> list[tuple[SubscriberId, int, BounceKind]]:
        """The bounces, not forgiven ones, of these readers' mails of this issue and the `issues` - 1
        before it: reader, number of the issue, kind.
        """
        ...

    async def weighed_counts(self, issue: IssueId, since_ms: int) -> list[tuple[Weighed, SiteReaders]]:
        """How many readers came to what by this issue's bounces, other than counted ones."""
        ...

    async def audience(
        self, issue: IssueId, since_ms: int, after: SubscriberId, limit: int
    ) -> tuple[SubscriberId | None, list[SiteReaders]]:
        """The sites of the issue's next `limit` readers by id, and the last of these; None at the end."""
        ...

    async def undecided(self) -> list[tuple[IssueId, int]]:
        """Issues whose bounces wait for the owner, and how many readers each would suspend."""
        ...

    def weigh(self, chosen: Sequence[Suspension], at_ms: int) -> Awaitable[int]:
        """Record what became of bounces, and suspend readers, in one transaction; returns how many
        were suspended.
        """
        ...
