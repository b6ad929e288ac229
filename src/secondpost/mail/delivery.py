"""A delivery: one message to one recipient, which has a state of its own."""

from enum import StrEnum

from msgspec import Struct

from secondpost.mail.address import Mailbox, ReversePath
from secondpost.mail.envelope import Lane, Utf8
from secondpost.mail.issue import IssueId
from secondpost.mail.queue_id import QueueId, parse_queue_id, queue_id_text
from secondpost.mail.subscriber import SubscriberId

NUMBER_DIGITS_MAX = 18  # fits into 63 bits


class State(StrEnum):
    """A delivery's state; delivery_states has the transitions. FROZEN and later: readers only."""

    WAITING = "waiting"
    CLAIMED = "claimed"
    DELIVERED = "delivered"
    FAILED = "failed"
    EXPIRED = "expired"
    HELD = "held"
    KEPT = "kept"
    DROPPED = "dropped"

    FROZEN = "frozen"  # planned for a reader of an issue that is not yet being sent
    COMMITTING = "committing"  # the final dot may have been sent
    UNKNOWN = "unknown"  # sent without a reply to the final dot: not retried automatically
    SUPPRESSED = "suppressed"  # the reader left, or was suppressed, after the issue was frozen
    STOPPED = "stopped"  # the owner stopped the issue


class KeptFor(StrEnum):
    """Why a backup domain's mail is a dead letter."""

    EXPIRED = "expired"
    REFUSED = "refused"
    QUARANTINE = "quarantine"


class DeliveryId(Struct, frozen=True, order=True, gc=False):
    """ID/N: recipient N, counted from 1, of message ID."""

    queue_id: QueueId
    number: int

    @classmethod
    def parse(cls, text: str) -> "DeliveryId":
        """Parse ID/N. Raises ValueError."""
        head, slash, number = text.partition("/")
        is_number = number.isascii() and number.isdigit() and len(number) <= NUMBER_DIGITS_MAX
        if len(slash) == 0 or not is_number or int(number) < 1:
            raise ValueError(f"{text!r} is not ID/N")
        return cls(parse_queue_id(head), int(number))

    def __str__(self) -> str:
        return f"{queue_id_text(self.queue_id)}/{self.number}"


class Claimed(Struct, frozen=True, gc=False):
    """A delivery that one worker, under one fence, may attempt now."""

    id: DeliveryId
    lane: Lane
    origin: Lane  # the lane of arrival: redirected mail is in lane own but still counts as relayed
    sender: ReversePath
    recipient: Mailbox
    size: int  # octets of the content
    file: str | None  # name of the content's file; None if the content is in the table
    eight_bit: bool
    arrived_ms: int
    attempts: int  # attempts begun before this one
    first_attempt_ms: int | None
    maybe_duplicate: bool  # an earlier attempt may have delivered it: its outcome was lost
    first_recipient: Mailbox | None = None  # the original recipient, if it was redirected
    issue: IssueId | None = None  # set for mail of an issue: `committing` comes before its final dot
    subscriber: SubscriberId | None = None  # without an issue: a confirmation
    utf8: Utf8 = Utf8.NONE
