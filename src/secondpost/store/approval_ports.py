"""Ports of approvals: issues that wait for the owner's yes, and how it comes.

The publish role asks, the deliver role mails the link, and the web role or a command writes the
approval down. Only the publish role makes an issue of it, and under every other rule.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType, Protocol

from secondpost.mail.issue import ArticleId, DigestDraft

ApprovalId = NewType("ApprovalId", int)


@dataclass(frozen=True, slots=True)
class Approval:
    """An issue that the owner was asked about: one for each slot of a newsletter."""

    id: ApprovalId
    newsletter: str
    slot: str
    articles: tuple[ArticleId, ...]  # in the order of the issue; fixed once approved
    last_ms: int | None  # until when it may be approved; None: no fixed time
    asked_ms: int
    approved_ms: int | None


class ApprovalOutcome(StrEnum):
    """What an approval came to."""

    APPROVED = "approved"
    ALREADY = "already"  # it was approved before
    CHANGED = "changed"  # the issue has other articles now than those approved
    OVER = "over"  # its time is over, or it was decided in another way


class ApprovalsAsked(Protocol):
    """The publish role's view."""

    async def approval(self, newsletter: str, slot: str) -> Approval | None: ...

    async def newest_approval(self, newsletter: str) -> Approval | None:
        """The approval of the slot that was asked about last."""
        ...

    def ask_approval(self, draft: DigestDraft, last_ms: int | None, now_ms: int) -> Awaitable[Approval]:
        """Write down what waits. Other articles than before are not mailed again; but an approval
        that was given and no longer suffices is asked for anew, by a new mail.
        """
        ...


class ApprovalMails(Protocol):
    """The deliver role's view."""

    async def approvals_to_mail(self) -> list[Approval]:
        """Those that nothing has been mailed about, and that are not over."""
        ...

    def set_secret(self, id: ApprovalId, secret: bytes) -> Awaitable[None]:
        """Store the hash of the secret in the link; an earlier link ends."""
        ...

    def approval_mailed(self, id: ApprovalId, now_ms: int) -> Awaitable[None]: ...


class Approvals(Protocol):
    """The view of the link and of the command."""

    async def approval_of_secret(self, secret: bytes) -> Approval | None:
        """By the hash of the secret in the link."""
        ...

    async def is_approval_over(self, id: ApprovalId, now_ms: int) -> bool:
        """Whether it can no longer be approved."""
        ...

    def approve(
        self, id: ApprovalId, articles: Sequence[ArticleId], now_ms: int
    ) -> Awaitable[ApprovalOutcome]:
        """Approve an issue of exactly these articles."""
        ...


class NextOrder(Protocol):
    """The order that the owner gave the next issue."""

    async def next_order(self, newsletter: str) -> tuple[ArticleId, ...]:
        """The articles that come first; empty if the owner gave none."""
        ...

    def set_next_order(self, newsletter: str, articles: Sequence[ArticleId]) -> Awaitable[None]:
        """Replace it; empty removes it. The next digest uses it up, and gives it back with its
        articles if it is stopped.
        """
        ...
