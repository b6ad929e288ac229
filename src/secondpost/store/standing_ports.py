"""Port for the state of mail to readers, for the owner's commands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from secondpost.mail.issue import IssueId
from secondpost.store.newsletter_ports import ReaderDelivery


@dataclass(frozen=True, slots=True)
class MailToReaders:
    """Number of mails per state; ended mail is counted with its issue (Reckoning)."""

    issues_waiting: int  # including those being delivered
    own_waiting: int  # confirmations and test copies; including those being delivered
    frozen: int  # of issues not being sent yet
    held: int
    unknown: int
    # Waiting after a failed attempt; issues without any are left out.
    deferred: Mapping[IssueId, int]
    own_deferred: int

    @property
    def waiting(self) -> int:
        return self.issues_waiting + self.own_waiting

    @property
    def not_ended(self) -> int:
        """The number of mails that may still leave, or whose outcome is unknown."""
        return self.waiting + self.frozen + self.held + self.unknown

    @property
    def all_deferred(self) -> int:
        return sum(self.deferred.values()) + self.own_deferred


class MailStanding(Protocol):
    async def mail_to_readers(self) -> MailToReaders: ...

    async def last_deferred(self, issue: IssueId) -> ReaderDelivery | None:
        """The mail of an issue that was deferred last."""
        ...

    async def failed_confirmations(self, since_ms: int, limit: int) -> list[ReaderDelivery]:
        """Confirmations since then that were refused or expired, newest first."""
        ...
