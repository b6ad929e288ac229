"""What policy says to a caller, and what it keeps to itself."""

from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.reply import Reply


class Destination(StrEnum):
    """What becomes of a message for a recipient that we take."""

    PRIMARY = "primary"  # on to the backup domain's primary
    UNVERIFIED = "unverified"  # on to the primary as well, behind all others: nothing is known of the mailbox
    OWNER = "owner"  # our own postmaster: the owner reads elsewhere
    INSIDE = "inside"  # to ourselves: a mail to a reader that came back, or a reader who writes

    @property
    def road(self) -> "Destination":
        """The way of the message: unverified recipients go to the primary with the others."""
        return Destination.PRIMARY if self is Destination.UNVERIFIED else self


@dataclass(frozen=True, slots=True)
class Accept:
    way: Destination = Destination.PRIMARY


@dataclass(frozen=True, slots=True)
class Defer:
    """Try again later. `reply` is for the caller; `reason` is a word for our log."""

    reply: Reply
    reason: str


@dataclass(frozen=True, slots=True)
class Reject:
    reply: Reply
    reason: str


Verdict = Accept | Defer | Reject
ACCEPT = Accept()
