"""The verdict of policy: the reply for the client, and the reason for our log."""

from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.reply import Reply


class Destination(StrEnum):
    """What becomes of a message for an accepted recipient."""

    PRIMARY = "primary"  # relayed to the backup domain's primary
    UNVERIFIED = "unverified"  # relayed after all other mail: the mailbox is not known to exist
    OWNER = "owner"  # our own postmaster: forwarded to the owner
    INSIDE = "inside"  # handled here: a bounced mail of a reader, or a mail from a reader

    @property
    def road(self) -> "Destination":
        """The destination of the message: unverified recipients count as those of the primary."""
        return Destination.PRIMARY if self is Destination.UNVERIFIED else self


@dataclass(frozen=True, slots=True)
class Accept:
    way: Destination = Destination.PRIMARY


@dataclass(frozen=True, slots=True)
class Defer:
    """A temporary refusal. `reply` is for the client; `reason` is a word for our log."""

    reply: Reply
    reason: str


@dataclass(frozen=True, slots=True)
class Reject:
    reply: Reply
    reason: str


Verdict = Accept | Defer | Reject
VERDICTS = (Accept, Defer, Reject)
ACCEPT = Accept()
