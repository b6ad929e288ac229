"""The evidence of the newsletter's day that the reader invariants check."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from secondpost.mail.duration import HOUR_MS
from secondpost.mail.issue import Issue, Reckoning
from secondpost.mail.subscriber import Subscriber, SubscriberId
from secondpost.protocols.tokens import Purpose
from secondpost.store.newsletter_ports import LedgerEntry, ReaderDelivery
from secondpost.store.subscriber_ports import Bounce
from simulation.daylog import DayLog
from simulation.faults import ClockWrong, InjectedFault
from simulation.internet.primaries import ReceivingServer, Taken
from simulation.keys import reader_keys
from simulation.people.letters import Heard, LetterLedger
from simulation.people.news import MAIN, NewsPlan
from simulation.people.people import SimReader
from simulation.people.reader_mail import ReaderMail, read_mail

ENDS = ("delivered", "failed", "unknown")
AHEAD_MS_MAX = 2 * HOUR_MS


@dataclass(frozen=True, slots=True)
class IssueLeft:
    issue: Issue
    rows: tuple[ReaderDelivery, ...]
    articles: tuple[LedgerEntry, ...]
    reckoning: Reckoning
    message_ids: Mapping[str, SubscriberId]  # Message-ID to reader, for all mails of the issue


@dataclass(frozen=True, slots=True)
class ReceivedMail:
    """A mail of ours in a reader's mailbox."""

    address: str
    mail: ReaderMail
    taken: Taken


@dataclass
class ReaderEvidence:
    plan: NewsPlan
    faults: Sequence[InjectedFault]
    readers: Mapping[tuple[str, str], SimReader]  # by (newsletter, address)
    inboxes: Sequence[ReceivingServer]
    log: DayLog
    issues: list[IssueLeft] = field(default_factory=list)
    known: dict[tuple[str, str], Subscriber] = field(default_factory=dict)
    left_ms: Mapping[tuple[str, str], int] = field(default_factory=dict)  # as recorded in the store
    bounces: Mapping[tuple[str, str], list[Bounce]] = field(default_factory=dict)
    letters: LetterLedger = field(default_factory=LetterLedger)  # of readers and their servers
    confirmations: list[ReaderDelivery] = field(default_factory=list)
    open_at_death: int = 0  # connections of deliver at all its deaths

    @property
    def clock_was_wrong(self) -> bool:
        return any(isinstance(fault.what, ClockWrong) for fault in self.faults)

    @property
    def clock_spoilt_it(self) -> bool:
        """Whether a stepped clock may have kept an issue from coming today.

        What was scheduled while the clock was far ahead may be due only after this day. And an
        issue with a fixed hour finds too few articles if the clock shows that hour too early.
        """
        ahead_ms = [fault.what.step_ms for fault in self.faults if isinstance(fault.what, ClockWrong)]
        has_hour = any(plan.every != "when ready" for plan in self.plan.newsletters if plan.name == MAIN)
        return max(ahead_ms, default=0) > (0 if has_hour else AHEAD_MS_MAX)

    @cached_property
    def refused(self) -> set[tuple[int, int]]:
        """(subscriber, issue number) of mails that may have got a 5xx, by their envelope sender."""
        senders = {sender for server in self.inboxes for sender, _ in server.refused}
        senders |= {sender for server in self.inboxes for sender in server.refused_senders}
        tokens = [
            reader_keys().addresses.read(sender.partition("@")[0].removeprefix("b-"), Purpose.BOUNCE)
            for sender in senders
        ]
        return {(token.subscriber, token.number) for token in tokens if token is not None}

    @cached_property
    def taken_letters(self) -> Counter[str]:
        """How often we accepted each letter, by its marker."""
        return Counter(
            handing.marker for handing in self.letters.handings if handing.heard is Heard.ACKNOWLEDGED
        )

    @cached_property
    def told_of(self) -> dict[str, tuple[float, str]]:
        """Delivery id to its last final outcome in the log, with the time in seconds."""
        return {
            line.values()["id"]: (line.seconds, line.what)
            for line in self.log.lines
            if line.role == "deliver" and line.what in ENDS
        }

    @cached_property
    def arrived(self) -> list[ReceivedMail]:
        return [
            ReceivedMail(address, read_mail(taken.content), taken)
            for server in self.inboxes
            for taken in server.taken
            for address in taken.recipients
        ]

    @cached_property
    def mailed(self) -> list[tuple[str, ReceivedMail]]:
        """Mails of issues, each with its newsletter."""
        return [(one.mail.newsletter, one) for one in self.arrived if one.mail.newsletter is not None]

    @cached_property
    def arrived_of(self) -> dict[tuple[str, str], list[ReceivedMail]]:
        """(Message-ID, address) to the mails of an issue that arrived."""
        found: dict[tuple[str, str], list[ReceivedMail]] = {}
        for _, one in self.mailed:
            found.setdefault((one.mail.message_id, one.address), []).append(one)
        return found

    def rows_of(self, left: IssueLeft) -> Iterator[tuple[ReaderDelivery, list[ReceivedMail]]]:
        """Each delivery of an issue, with its mails in the reader's mailbox."""
        ids = {subscriber: id for id, subscriber in left.message_ids.items()}
        for row in left.rows:
            yield row, self.arrived_of.get((ids[row.subscriber], row.recipient), [])
