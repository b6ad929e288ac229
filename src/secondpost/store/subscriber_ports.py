"""What the keeper of people may expect of the store of the newsletter (newsletter.db).

What store/ports and store/newsletter_ports say of awaitables, reads, times, errors and batches holds here.
"""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from secondpost.mail.address import Mailbox
from secondpost.mail.duration import DAY_MS
from secondpost.mail.issue import IssueId
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Consent, Subscriber, SubscriberId, SubscriberState
from secondpost.mail.subscriber_states import Reason
from secondpost.store.naming_ports import Naming
from secondpost.store.newsletter_ports import Issues, Leading, Ledger, ReaderClaims, ReaderDelivery
from secondpost.store.owner_ports import Desk
from secondpost.store.ports import Keeping
from secondpost.store.standing_ports import MailStanding

BATCH_READERS_MAX = 250  # about 10 ms of the write lock


class SignedUp(StrEnum):
    """What a sign-up did; nothing was sent but for CONFIRM. The one who asked is told the same in every case,
    REFUSED apart.
    """

    CONFIRM = "confirm"  # pending, and a confirmation is on its way
    LIMITED = "limited"  # too often from that network
    REPEATED = "repeated"  # too soon, or too often to that address
    CROWDED = "crowded"  # too many mails to that domain, or in all, wait for an answer
    ALREADY = "already"  # is a reader
    SUPPRESSED = "suppressed"  # or complained, as an owner who lifted the suppression may not have seen
    TRAPPED = "trapped"  # filled in what people do not see
    REFUSED = "refused"  # so often from that network that the page turned them away


@dataclass(frozen=True, slots=True)
class SignUpOutcome:
    """What came of one sign-up of an address, which is kept as a keyed hash alone."""

    at_ms: int
    how: str  # form or mail
    outcome: SignedUp
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class SignUpCounts:
    """Of the sign-ups for one newsletter since some time."""

    outcomes: Mapping[SignedUp, int]  # every one, also those that nothing came to
    confirmed: int

    @property
    def asked(self) -> int:
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class SignUpLimits:
    """How often a form may make us write to someone who may never have asked."""

    again_after_ms: int = DAY_MS  # between two confirmations to one address
    confirmations_max: int = 2  # to one address while it is pending
    prefix_per_hour_max: int = 20  # sign-ups from one network, whatever came of them
    # Confirmations without an answer. For each that was answered within a day there may be one more, so that
    # many honest sign-ups at a large provider do not look like a flood.
    domain_per_hour_max: int = 100
    per_hour_max: int = 500
    per_day_max: int = 2_000
    readers_per_more: int = 10  # in all there may be one more for so many readers


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address that gets nothing. Only its keyed hash is kept; `newsletter` "" means all of them."""

    newsletter: str
    reason: Reason
    at_ms: int
    evidence: str
    yields: bool = False  # the person's own confirmation lifts it (mail/subscriber_states.py)


@dataclass(frozen=True, slots=True)
class HashedSuppression:
    """A suppressed address of which nothing but a hash is known, and the key that the hash was made with.
    By the key the address is recognised when it comes; with it addresses can also be tried out.
    """

    hash: bytes
    key: bytes
    suppression: Suppression


@dataclass(frozen=True, slots=True)
class Imported:
    """One line of a list. What it does not say (None) holds of all lines of the batch."""

    mailbox: Mailbox
    attributes: tuple[tuple[str, str], ...] = ()
    state: SubscriberState | None = None
    consent: Consent | None = None
    created_ms: int | None = None
    since_ms: int | None = None  # in that state
    # Of our own export: what the line itself says of being suppressed. It is a reader's all the same.
    suppressions: tuple[Suppression, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportCount:
    """What became of the lines of one batch: each is counted once."""

    added: int
    confirmed: int  # were pending, and are readers now
    suppressed: int
    known: int  # all others, in whatever state: they stay as they are
    asked: int = 0  # beside that: pending, and a mail asks them to confirm
    left: int = 0  # have left by the word of the list: new ones, and readers of ours


@dataclass(frozen=True, slots=True)
class ReaderEvent:
    """Something that happened to a reader. Numbers grow for ever, over all newsletters."""

    number: int
    subscriber: SubscriberId
    at_ms: int
    what: str  # signed-up, imported, added, confirmed, left, suspended, complained, bounced …
    state: SubscriberState  # after it
    detail: str
    consent: Consent | None


class BounceKind(StrEnum):
    """How a mail came back. What follows from it is for bounce/judge to say."""

    DEAD = "dead"  # there is no such mailbox or domain
    FULL = "full"  # mailbox full, disabled or inactive
    TEMPORARY = "temporary"
    SENDER = "sender"  # our own reputation, authentication or pace: never the reader's fault
    CONTENT = "content"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Bounce:
    subscriber: SubscriberId
    issue: IssueId | None
    evidence: QueueId  # the report's own queue id: the same report counts once
    kind: BounceKind
    status: str  # such as 5.1.1, or ""
    text: str
    at_ms: int


class Subscribers(Protocol):
    """The keeper of people's view. `evidence` is the queue id of the mail that a change comes from: the same
    mail changes something once. A verb that may not lead from the reader's state (mail/subscriber_states.py)
    changes nothing and returns False, as it does for someone who is not there.
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
        """The pending reader and the confirmation, which is named `message`: one transaction, which takes the
        same steps whatever comes of it. Its `content` are the caller's own bytes; none when it is composed as
        it is sent. Someone who had left or was erased, or whose mail came back, is pending again.
        """
        ...

    def note_sign_up(
        self, newsletter: str, mailbox: Mailbox, at_ms: int, how: str, outcome: SignedUp
    ) -> Awaitable[None]:
        """One that came to its end before the store was asked."""
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
        """By the owner: active with a consent (and a state that the owner may lead to active), else pending,
        with a confirmation when `message` names it. None when the address is suppressed.
        """
        ...

    def confirm(self, id: SubscriberId, consent: Consent, evidence: QueueId | None = None) -> Awaitable[bool]:
        """Pending or suspended becomes active, and a suppression that yields is lifted. Nothing changes
        where another suppression stands.
        """
        ...

    def leave(
        self, id: SubscriberId, at_ms: int, how: str, evidence: QueueId | None = None
    ) -> Awaitable[bool]: ...

    def suspend(self, id: SubscriberId, at_ms: int, why: str) -> Awaitable[bool]: ...

    def complain(
        self, id: SubscriberId, at_ms: int, how: str, evidence: QueueId | None = None
    ) -> Awaitable[bool]:
        """Complained, and suppressed."""
        ...

    def remove(self, id: SubscriberId, at_ms: int, why: str) -> Awaitable[bool]:
        """By the owner: left, whatever it was; the row stays, so that no list brings it back."""
        ...

    def erase(self, id: SubscriberId, at_ms: int) -> Awaitable[bool]:
        """Nothing of the person is left but the keyed hash among the suppressed; counts of issues stay."""
        ...

    def suppress(
        self, newsletter: str, mailboxes: Sequence[Mailbox], reason: Reason, at_ms: int, evidence: str
    ) -> Awaitable[int]:
        """How many were not suppressed before, or only until they sign up. BATCH_READERS_MAX at most."""
        ...

    def suppress_hashes(self, rows: Sequence[HashedSuppression]) -> Awaitable[int]:
        """What another store's export says of people who are not readers there; how many were not known.
        Those who are readers here are found by `recognise`, all others as they come.
        """
        ...

    def recognise(self, after: SubscriberId | None, limit: int) -> Awaitable[SubscriberId | None]:
        """Those of the next readers who are suppressed by another store's hash are so by ours. The last one
        looked at; None behind the end.
        """
        ...

    def unsuppress(self, newsletter: str, mailbox: Mailbox) -> Awaitable[bool]: ...

    async def suppression(self, newsletter: str, mailbox: Mailbox) -> Suppression | None:
        """For this newsletter or for all."""
        ...

    async def suppressions(self, newsletter: str, mailbox: Mailbox) -> list[Suppression]:
        """For all and for this newsletter, in this order."""
        ...

    async def suppressed_strangers(
        self, newsletter: str, after: HashedSuppression | None, limit: int
    ) -> list[HashedSuppression]:
        """In order of key, hash and newsletter: those who are suppressed, for all or for this newsletter, and
        are no readers of it.
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
        """At most BATCH_READERS_MAX lines: suppression first, then who is known, then new ones in the state
        that their line or `state` says. Active needs a consent, and makes readers of those who were pending
        and never more. Left takes readers away, unless they agreed here later than that. With `messages`,
        one per line, a reader who is pending here and in the list, and was never asked, gets a confirmation.
        """
        ...

    def send_copy(
        self, newsletter: str, mailbox: Mailbox, message: QueueId, content: bytes, at_ms: int
    ) -> Awaitable[bool]:
        """A mail to somebody who need be no reader, in lane own, as mail to NO_SUBSCRIBER: no issue and no
        reader is touched by what becomes of it. False, and nothing is sent, when the address is suppressed.
        """
        ...

    def forget_pending(self, since_before_ms: int) -> Awaitable[int]:
        """Those who never confirmed are no longer there, or have left if they were readers before, and what
        came of sign-ups before then is forgotten; one batch, how many.
        """
        ...

    def record_bounce(self, bounce: Bounce) -> Awaitable[bool]:
        """False when the report was counted before, or the reader is gone."""
        ...

    # ---- looking

    async def subscriber(self, id: SubscriberId) -> Subscriber | None: ...

    async def find(self, newsletter: str, mailbox: Mailbox) -> Subscriber | None: ...

    async def readers(
        self,
        newsletter: str,
        states: Sequence[SubscriberState],
        after: SubscriberId | None,
        limit: int,
    ) -> list[Subscriber]:
        """In order of id; no states means all. What export walks through."""
        ...

    async def reader_counts(self, newsletter: str) -> dict[SubscriberState, int]:
        """Every state, also those that nobody is in."""
        ...

    async def suppressed_count(self, newsletter: str) -> int: ...

    async def sign_ups_of(self, newsletter: str, mailbox: Mailbox, limit: int) -> list[SignUpOutcome]:
        """The latest sign-ups of an address, in order, also of one that is no reader's."""
        ...

    async def sign_up_counts(self, newsletter: str, since_ms: int) -> SignUpCounts: ...

    async def events_of(self, id: SubscriberId) -> list[ReaderEvent]: ...

    async def bounces_of(self, id: SubscriberId, limit: int) -> list[Bounce]:
        """Newest first."""
        ...

    async def bounced(self, issue: IssueId) -> dict[BounceKind, int]:
        """How many mails of the issue came back, of each kind, also of those that none did."""
        ...

    async def deliveries_of(self, id: SubscriberId, limit: int) -> list[ReaderDelivery]:
        """Newest first: issues and confirmations."""
        ...


class NewsletterStore(
    Leading, Ledger, Issues, Subscribers, ReaderClaims, MailStanding, Naming, Desk, Keeping, Protocol
):
    """The whole of it: what an adapter offers, and what app hands to the stations part by part."""
