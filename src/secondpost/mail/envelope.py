"""What is said about a message outside of it: who hands it over, for whom, and how it came."""

from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.address import Mailbox, ReversePath
from secondpost.mail.content import Content
from secondpost.mail.queue_id import QueueId


class Lane(StrEnum):
    """Roads beside each other: none of them ever delays another, but that unverified waits for relay."""

    RELAY = "relay"  # mail for backup domains
    UNVERIFIED = "unverified"  # of it, for addresses of which nothing is known: goes behind all the rest
    ISSUES = "issues"  # mail to readers
    OWN = "own"  # reports, confirmations, alarms, submitted mail


class Utf8(StrEnum):
    """Whether SMTPUTF8 goes with a message (RFC 6531 §3.4)."""

    NONE = ""
    SAID = (
        "said"  # its sender said so, yet nothing in it needs it: a server that does not offer it may have it
    )
    NEEDED = "needed"  # UTF-8 stands in a local part or in the header


@dataclass(frozen=True, slots=True)
class Peer:
    """Who handed the message over: its address, the name it gave, the protocol word of RFC 3848 or 6531."""

    address: str
    helo: str
    protocol: str  # SMTP, ESMTP, ESMTPS, UTF8SMTPS …
    tls: str = ""  # such as "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty for a plain connection


@dataclass(frozen=True, slots=True)
class Envelope:
    sender: ReversePath
    recipients: tuple[Mailbox, ...]  # at least one
    eight_bit: bool = False  # BODY=8BITMIME was said
    utf8: Utf8 = Utf8.NONE

    def __post_init__(self) -> None:
        if len(self.recipients) == 0:
            raise ValueError("an envelope has at least one recipient")


@dataclass(frozen=True, slots=True)
class Arrival:
    """A whole message on its way into the spool, of which nobody has yet been told that it is safe."""

    queue_id: QueueId
    lane: Lane
    envelope: Envelope
    peer: Peer
    arrived_ms: int
    content: Content
    unverified: frozenset[Mailbox] = frozenset()  # those of the recipients of which nothing is known
