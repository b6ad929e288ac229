"""What goes over a connection: a job, and what is sent for it once that is made ready."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from secondpost.mail.delivery import Claimed
from secondpost.mail.signed_mail import SignedMail


@dataclass(frozen=True, slots=True)
class Job:
    """One message to one or more recipients at the site: one transaction."""

    claimed: tuple[Claimed, ...]  # at least one, all of one message

    @property
    def first(self) -> Claimed:
        return self.claimed[0]


class ContentUnreadable(Exception):
    """The content to be sent cannot be read here: the text says why."""


@dataclass(frozen=True, slots=True)
class InPieces:
    """Content too large to be held: it is read from its file while it is sent. `piece` gives the octets that
    follow the first so many, at least one, or raises ContentUnreadable.
    """

    size: int  # octets
    piece: Callable[[int], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class NothingToSend:
    """There is nothing to send now: the content cannot be read here, or the mail not be made."""

    why: str


# A stored message, its prefix and its content; the same in pieces; a reader's own mail.
Body = bytes | InPieces | SignedMail


@dataclass(frozen=True, slots=True)
class Prepared:
    """A job with what is sent for it."""

    job: Job
    body: Body
