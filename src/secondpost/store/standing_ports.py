"""What the owner's commands may expect of the store of the newsletter: how mail to readers stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from secondpost.mail.issue import IssueId
from secondpost.store.newsletter_ports import ReaderDelivery


@dataclass(frozen=True, slots=True)
class MailToReaders:
    """How many mails are in which state; those that ended are counted with their issue (Reckoning)."""

    issues_waiting: int  # or being delivered at this moment
    own_waiting: int  # confirmations and test copies: the same
    frozen: int  # of issues that are not being sent yet
    held: int
    unknown: int
    deferred: Mapping[IssueId, int]  # of those that wait: tried, and put off; issues without any are left out
    own_deferred: int

    @property
    def waiting(self) -> int:
        return self.issues_waiting + self.own_waiting

    @property
    def not_ended(self) -> int:
        """Counts of mail that may still leave, and of mail whose outcome is unknown."""
        return self.waiting + self.frozen + self.held + self.unknown

    @property
    def all_deferred(self) -> int:
        return sum(self.deferred.values()) + self.own_deferred


class MailStanding(Protocol):
    async def mail_to_readers(self) -> MailToReaders: ...

    async def last_deferred(self, issue: IssueId) -> ReaderDelivery | None:
        """The one of an issue that was put off last."""
        ...

    async def failed_confirmations(self, since_ms: int, limit: int) -> list[ReaderDelivery]:
        """Confirmations of sign-ups since then that were refused, or waited too long; newest first."""
        ...
