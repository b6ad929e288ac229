"""What is sent over a connection: a job, and its prepared body."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from msgspec import Struct

from secondpost.mail.delivery import Claimed
from secondpost.mail.signed_mail import SignedMail


class Job(Struct, frozen=True, gc=False):
    """One message to one or more recipients at the site: one SMTP transaction."""

    claimed: tuple[Claimed, ...]  # at least one, all of one message

    @property
    def first(self) -> Claimed:
        return self.claimed[0]


class ContentUnreadable(Exception):
    """The content cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class InPieces:
    """Content too large for memory, read from its file while it is sent. `piece`: octets from an
    offset on, at least one; raises ContentUnreadable.
    """

    size: int  # octets
    piece: Callable[[int], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class NothingToSend:
    """The content cannot be read, or the mail cannot be made, for now."""

    why: str


# A stored message with its prefix; the same in pieces; a reader's own mail.
Body = bytes | InPieces | SignedMail


class Prepared(Struct, frozen=True):
    """A job with its body."""

    job: Job
    body: Body
