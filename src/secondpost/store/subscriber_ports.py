"""Port for readers in the newsletter's store (newsletter.db).

What store/ports and store/newsletter_ports say of awaitables, reads, times, errors and batches
holds here.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from secondpost.mail.address import Mailbox
from secondpost.mail.bounce_kind import BounceKind, Weighed
from secondpost.mail.duration import DAY_MS
from secondpost.mail.issue import IssueId
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, Subscriber, SubscriberId, SubscriberState
from secondpost.mail.subscriber_states import Reason
from secondpost.store.newsletter_ports import ReaderDelivery

BATCH_READERS_MAX = 250  # about 10 ms of the write lock


class SignedUp(StrEnum):
    """The result of a sign-up; only CONFIRM sends a mail. The caller gets the same answer in every
    case except REFUSED.
    """

    CONFIRM = "confirm"  # pending, and a confirmation was queued
    LIMITED = "limited"  # too many from that network
    REPEATED = "repeated"  # too soon again, or too many to that address
    CROWDED = "crowded"  # too many unanswered confirmations at that domain, or in total
    ALREADY = "already"  # is a reader already
    SUPPRESSED = "suppressed"  # or complained, even if the owner lifted the suppression
    TRAPPED = "trapped"  # filled in the field that people do not see
    REFUSED = "refused"  # the page refused it, after too many from that network


@dataclass(frozen=True, slots=True)
class SignUpOutcome:
    """The result of one sign-up. Its address is kept only as a keyed hash."""

    at_ms: int
    how: str  # "form" or "mail"
    outcome: SignedUp
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class SignUpCounts:
    """Counts of sign-ups for one newsletter since some time."""

    outcomes: Mapping[SignedUp, int]  # has every outcome, including zeros
    confirmed: int

    @property
    def asked(self) -> int:
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class SignUpLimits:
    """Limits on mail to people who may never have asked for it."""

    again_after_ms: int = DAY_MS  # between two confirmations to one address
    confirmations_max: int = 2  # to one address while it is pending
    prefix_per_hour_max: int = 20  # sign-ups from one network, whatever their outcome
    # Unanswered confirmations. Each one answered within a day permits one more, so that many honest
    # sign-ups at a large provider do not look like a flood.
    domain_per_hour_max: int = 100
    per_hour_max: int = 500
    per_day_max: int = 2_000
    readers_per_more: int = 10  # active readers for each confirmation more in total


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that gets no mail. Only its keyed hash is kept; `newsletter` "" means all
    newsletters.
    """

    newsletter: str
    reason: Reason
    at_ms: int
    evidence: str
    yields: bool = False  # lifted by the reader's own confirmation (mail/subscriber_states.py)


@dataclass(frozen=True, slots=True)
class HashedSuppression:
    """A suppressed address known only by its hash, and the key of the hash.

    The key lets us recognise the address later; it also lets its holder test addresses.
    """

    hash: bytes
    key: bytes
    suppression: Suppression


class Imported(Struct, frozen=True, gc=False):
    """One line of a list. None means: as for the whole batch."""

    mailbox: Mailbox
    attributes: tuple[tuple[str, str], ...] = ()
    state: SubscriberState | None = None
    consent: Consent | None = None
    created_ms: int | None = None
    since_ms: int | None = None  # when it entered that state
    # In our own export: the suppressions of this reader, who stays a reader all the same.
    suppressions: tuple[Suppression, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportCount:
    """Counts of one batch's lines; every line is in exactly one, except `asked`."""

    added: int
    confirmed: int  # pending readers who are now active
    suppressed: int
    known: int  # all others, in any state: unchanged
    asked: int = 0  # pending readers who get a confirmation; they are also in a count above
    left: int = 0  # left as the list says: new rows, and readers of ours


@dataclass(frozen=True, slots=True)
class ReaderEvent:
    """Something that happened to a reader. Numbers increase for ever, across all newsletters."""

    number: int
    subscriber: SubscriberId
    at_ms: int
    what: str  # signed-up, imported, added, confirmed, left, suspended, complained, bounced …
    state: SubscriberState  # after the event
    detail: str
    consent: Consent | None


@dataclass(frozen=True, slots=True)
class Bounce:
    subscriber: SubscriberId
    issue: IssueId | None
    evidence: QueueId | None  # the report's queue id: a report counts once; None: refused while it was sent
    kind: BounceKind
    status: str  # such as 5.1.1, or ""
    text: str
    at_ms: int
    weighed: Weighed = Weighed.NEW


class ReaderLookup(Protocol):
    """What is recorded about readers."""

    async def suppressions(self, newsletter: str, mailbox: Mailbox) -> list[Suppression]:
        """The suppressions for all newsletters and for this one, in this order."""
        ...

    async def suppression(self, newsletter: str, mailbox: Mailbox) -> Suppression | None:
        """The suppression for this newsletter or for all, if any."""
        ...

    async def subscriber(self, id: SubscriberId) -> Subscriber | None: ...

    async def find(self, newsletter: str, mailbox: Mailbox) -> Subscriber | None: ...

    async def readers(
        self,
        newsletter: str,
        states: Sequence[SubscriberState],
        after: SubscriberId | None,
        limit: int,
    ) -> list[Subscriber]:
        """Readers by id, for export; empty `states` means all."""
        ...

    async def reader_counts(self, newsletter: str) -> dict[SubscriberState, int]:
        """The number of readers per state, including zeros."""
        ...

    async def suppressed_count(self, newsletter: str) -> int: ...

    async def sign_ups_of(self, newsletter: str, mailbox: Mailbox, limit: int) -> list[SignUpOutcome]:
        """The latest sign-ups of an address, oldest first; it need not be a reader's."""
        ...

    async def sign_up_counts(self, newsletter: str, since_ms: int) -> SignUpCounts: ...

    async def events_of(self, id: SubscriberId) -> list[ReaderEvent]: ...

    async def bounces_of(self, id: SubscriberId, limit: int) -> list[Bounce]:
        """Newest first."""
        ...

    async def bounced(self, issue: IssueId) -> dict[BounceKind, int]:
        """The number of the issue's bounces of each kind, including zeros."""
        ...

    async def deliveries_of(self, id: SubscriberId, limit: int) -> list[ReaderDelivery]:
        """Mails to a reader, newest first: issues and confirmations."""
        ...


class Subscribers(ReaderLookup, Protocol):
    """The view of readers.

    `evidence` is the queue id of the mail that causes a change; the same mail changes something
    only once. A change that mail/subscriber_states.py does not permit from the reader's state does
    nothing and returns False, as for a missing reader.
    """

    def sign_up(
        self,
        newsletter: str,
        mailbox: Mailbox,
        consent: Consent,
        message: QueueId,
        limits: SignUpLimits,
        content: bytes = b"",
    ) -> Awaitable[SignedUp]:
        """Add a pending reader and queue a confirmation with id `message`, in one transaction that
        takes the same steps for every outcome.

        An empty `content` is composed when it is sent. A reader who had left, was erased, or whose
        mail came back becomes pending again.
        """
        ...

    def note_sign_up(
        self, newsletter: str, mailbox: Mailbox, at_ms: int, how: str, outcome: SignedUp
    ) -> Awaitable[None]:
        """Record a sign-up that ended before the store was asked."""
        ...

    def add(
        self,
        newsletter: str,
        mailbox: Mailbox,
        consent: Consent | None,
        at_ms: int,
        message: QueueId | None,
        content: bytes = b"",
    ) -> Awaitable[Subscriber | None]:
        """Add a reader by the owner; None if the address is suppressed.

        Active with a consent, if the owner may lead the present state to it; else pending, with a
        confirmation if `message` is given.
        """
        ...

    def confirm(self, id: SubscriberId, consent: Consent, evidence: QueueId | None = None) -> Awaitable[bool]:
        """Make a pending or suspended reader active and lift a suppression that yields; another
        suppression prevents both.
        """
        ...

    def leave(
        self, id: SubscriberId, at_ms: int, how: str, evidence: QueueId | None = None
    ) -> Awaitable[bool]: ...

    def suspend(self, id: SubscriberId, at_ms: int, why: str) -> Awaitable[bool]: ...

    def complain(
        self, id: SubscriberId, at_ms: int, how: str, evidence: QueueId | None = None
    ) -> Awaitable[bool]:
        """Mark as complained, and suppress."""
        ...

    def remove(self, id: SubscriberId, at_ms: int, why: str) -> Awaitable[bool]:
        """Mark as left by the owner, from any state; the row stays, so that no list brings the
        reader back.
        """
        ...

    def erase(self, id: SubscriberId, at_ms: int) -> Awaitable[bool]:
        """Delete everything about the reader except the keyed hash among the suppressed; counts of
        issues stay.
        """
        ...

    def suppress(
        self, newsletter: str, mailboxes: Sequence[Mailbox], reason: Reason, at_ms: int, evidence: str
    ) -> Awaitable[int]:
        """Suppress up to BATCH_READERS_MAX addresses; returns how many were not suppressed before,
        or only until they sign up.
        """
        ...

    def suppress_hashes(self, rows: Sequence[HashedSuppression]) -> Awaitable[int]:
        """Store suppressions of people who were not readers in another store's export; returns the
        number of new ones.

        `recognise` finds those who are readers here; the others are found when they sign up or are
        imported.
        """
        ...

    def recognise(self, after: SubscriberId | None, limit: int) -> Awaitable[SubscriberId | None]:
        """Suppress those of the next readers whom another store's hash suppresses; returns the last
        one checked, None at the end.
        """
        ...

    def unsuppress(self, newsletter: str, mailbox: Mailbox) -> Awaitable[bool]: ...

    async def suppressed_strangers(
        self, newsletter: str, after: HashedSuppression | None, limit: int
    ) -> list[HashedSuppression]:
        """Addresses suppressed for all or for this newsletter that are not readers of it, by key,
        hash and newsletter.
        """
        ...

    def import_batch(
        self,
        newsletter: str,
        lines: Sequence[Imported],
        state: SubscriberState,
        consent: Consent | None,
        at_ms: int,
        messages: Sequence[QueueId] = (),
    ) -> Awaitable[ImportCount]:
        """Import up to BATCH_READERS_MAX lines.

        Suppressed addresses come first, then known readers, then new ones, which get the state of
        their line or `state`. Active needs a consent, and makes readers only of pending ones. Left
        removes readers, unless they agreed here after that. With `messages`, one per line, a reader
        pending both here and in the list who was never asked gets a confirmation.
        """
        ...

    def send_copy(
        self, newsletter: str, mailbox: Mailbox, message: QueueId, content: bytes, at_ms: int
    ) -> Awaitable[bool]:
        """Send a mail that belongs to no reader (NO_SUBSCRIBER), in lane own; its outcome affects no
        issue and no reader.

        False if the address is suppressed: nothing is sent.
        """
        ...

    def record_bounce(self, bounce: Bounce) -> Awaitable[bool]:
        """Record a bounce; False if the report was counted before, or the reader no longer exists."""
        ...
