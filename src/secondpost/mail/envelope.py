"""The envelope of a message: sender, recipients, the peer that handed it over, and its lane."""

from enum import StrEnum

from msgspec import Struct

from secondpost.mail.address import Mailbox, ReversePath
from secondpost.mail.authentication import NO_NOTE, AuthenticationNote
from secondpost.mail.content import Content
from secondpost.mail.queue_id import QueueId


class Lane(StrEnum):
    """Streams of mail: none delays another, except that unverified mail waits for relay."""

    RELAY = "relay"  # mail for backup domains
    UNVERIFIED = "unverified"  # the same, for addresses not known to exist: goes after the rest
    ISSUES = "issues"  # mail to readers
    OWN = "own"  # reports, confirmations, alarms, submitted mail


class Utf8(StrEnum):
    """Whether SMTPUTF8 is used for a message (RFC 6531 §3.4)."""

    NONE = ""
    SAID = "said"  # declared by its sender, but not needed: a server without it may get the message
    NEEDED = "needed"  # a local part or the header contains UTF-8


class Peer(Struct, frozen=True, gc=False):
    """The client that handed the message over. `protocol` is the word of RFC 3848 or 6531."""

    address: str
    helo: str
    protocol: str  # SMTP, ESMTP, ESMTPS, UTF8SMTPS …
    tls: str = ""  # such as "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty for a plain connection


class Envelope(Struct, frozen=True, gc=False):
    sender: ReversePath
    recipients: tuple[Mailbox, ...]  # at least one
    eight_bit: bool = False  # BODY=8BITMIME was declared
    utf8: Utf8 = Utf8.NONE

    def __post_init__(self) -> None:
        if len(self.recipients) == 0:
            raise ValueError("an envelope has at least one recipient")


class Arrival(Struct, frozen=True, gc=False):
    """A complete message that is to be stored; no client has got a 250 for it yet."""

    queue_id: QueueId
    lane: Lane
    envelope: Envelope
    peer: Peer
    arrived_ms: int
    content: Content
    unverified: frozenset[Mailbox] = frozenset()  # the recipients not known to exist
    prefix: bytes = b""  # header fields added by us, sent before the content
    authentication: AuthenticationNote = NO_NOTE

    @property
    def size(self) -> int:
        """The octets of prefix and content together."""
        return len(self.prefix) + self.content.size
