"""Ports about copies of a database (mail/witness): what a copy holds, and how its owner accepts it."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from secondpost.mail.delivery import DeliveryId
from secondpost.mail.envelope import Lane
from secondpost.mail.issue import IssueId, IssueState
from secondpost.mail.queue_id import QueueId
from secondpost.mail.witness import CopyHold


class CopyNotice(Protocol):
    async def copy_hold(self) -> CopyHold | None:
        """Set while the database is a copy that its owner has not accepted."""
        ...


class CopyClaims(CopyNotice, Protocol):
    def set_aside_copied(self) -> Awaitable[int]:
        """In a copy, hold a batch of what waited when it was made; returns the number, 0 at the end.

        To be called before anything is claimed. Mail that came afterwards is not held.
        """
        ...


class CopyKeeping(CopyNotice, Protocol):
    def advance_epoch(self) -> Awaitable[None]:
        """Raise the epoch, in the database and then beside it. Raises DiskFull too."""
        ...


@dataclass(frozen=True, slots=True)
class HeldByCopy:
    """Deliveries that a copy holds."""

    lane: Lane
    of_issues: bool
    deliveries: int


@dataclass(frozen=True, slots=True)
class IssueInDoubt:
    """An issue that was not over when the copy was made, and how many of its rows it holds."""

    id: IssueId
    newsletter: str
    number: int
    state: IssueState
    message: QueueId
    deliveries: int


class CopyVerdict(StrEnum):
    """What becomes of a delivery that a copy holds."""

    AGAIN = "again"  # it goes out, marked as a possible duplicate
    ON = "on"  # it goes out: the original did not send it
    DROPPED = "dropped"
    UNKNOWN = "unknown"  # of an issue: the reader may have it
    DELIVERED = "delivered"  # the original's log says so


class CopyDesk(CopyNotice, Protocol):
    """How the owner accepts a copy: batch by batch, and `end_copy_hold` last."""

    def declare_copy(self, why: str) -> Awaitable[None]:
        """Hold the database as a copy."""
        ...

    def set_aside_copied(self) -> Awaitable[int]:
        """As in CopyClaims, where the service has not run yet."""
        ...

    async def in_doubt(self) -> list[HeldByCopy]: ...

    def settle_named(self, ids: Sequence[DeliveryId], to: CopyVerdict) -> Awaitable[int]:
        """Settle those of these deliveries that are held as DELIVERED, or, of an issue, as UNKNOWN;
        returns how many.
        """
        ...

    def settle_doubted(self, to: CopyVerdict) -> Awaitable[int]:
        """Settle a batch that belongs to no issue as AGAIN, ON or DROPPED; returns the number, 0 at
        the end.
        """
        ...

    def end_copy_hold(self) -> Awaitable[None]: ...


class NewsletterCopyDesk(CopyDesk, Protocol):
    async def issues_in_doubt(self) -> list[IssueInDoubt]: ...

    def settle_issue(self, issue: IssueInDoubt, to: CopyVerdict) -> Awaitable[int]:
        """Settle all rows of an issue as UNKNOWN or ON; returns how many."""
        ...

    async def articles_in_doubt(self) -> dict[str, int]:
        """How many articles of each newsletter wait for an issue or are held."""
        ...

    def skip_articles(self, newsletter: str, reason: str) -> Awaitable[int]:
        """Skip a batch of these articles; returns the number, 0 at the end."""
        ...

    async def unread_feeds(self, since_ms: int) -> list[tuple[str, str]]:
        """Newsletter and address of each feed that was not read since then."""
        ...

    async def last_numbers(self) -> dict[str, int]:
        """The number of the last issue of each newsletter."""
        ...
