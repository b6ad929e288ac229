"""Port for the numbers of issues and of a newsletter's readers, for the owner.

Nothing here is measured at the reader: no opens, no clicks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from secondpost.mail.delivery import State
from secondpost.mail.issue import IssueId
from secondpost.mail.subscriber import SubscriberId, SubscriberState


@dataclass(frozen=True, slots=True)
class DomainMail:
    """How an issue's mails to one domain stand: those in one state, tried before or not."""

    domain: int  # id
    name: str
    site: str  # as last hinted; "unsorted" before the first attempt
    state: State
    was_put_off: bool  # waits after a failed attempt
    mails: int
    minutes: int  # of these: delivered since the later of the two times that were asked for
    hour: int  # of these: delivered since the earlier one
    answered_ms: int | None  # when a server last answered for one of these


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """What a server said about a mail, and when."""

    at_ms: int
    host: str
    reply: str


@dataclass(frozen=True, slots=True)
class IssueTally:
    """What became of an issue's mails, in counts that are kept for ever."""

    states: Mapping[State, int]  # claimed mails count as waiting
    deferred: int  # put off at the first attempt
    returned: int  # readers whose mail came back after it was delivered
    suspended: int  # readers suspended because of it


@dataclass(frozen=True, slots=True)
class ReaderChange:
    """Readers of a newsletter who came from one state into another at one moment."""

    at_ms: int
    source: SubscriberState | None  # None: they were added
    target: SubscriberState
    readers: int


class Statistics(Protocol):
    """All reads are short: of many rows they read a page at a time."""

    async def mails_by_domain(
        self, issue: IssueId, after: SubscriberId, limit: int, minutes_ms: int, hour_ms: int
    ) -> tuple[SubscriberId | None, list[DomainMail]]:
        """An issue's next `limit` mails after a reader, by domain and state, and the last of them;
        None at the end. `minutes_ms` and `hour_ms` are times from which deliveries count.
        """
        ...

    async def answer(
        self, issue: IssueId, after: SubscriberId, upto: SubscriberId, domain: int, at_ms: int
    ) -> LastAnswer | None:
        """What a server said at that time about a mail to the domain, among those of a page."""
        ...

    async def issue_tallies(self, issues: Sequence[IssueId]) -> Mapping[IssueId, IssueTally]: ...

    async def reader_changes(
        self, newsletter: str, after: int, limit: int
    ) -> tuple[int | None, list[ReaderChange]]:
        """The changes among the `limit` events of all readers after event `after`, and the last of
        these events; None at the end. Of readers who were erased nothing is known any more.
        """
        ...
