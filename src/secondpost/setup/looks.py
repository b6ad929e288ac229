"""What `secondpost check` asks of the world beside DNS, and what may come of it.

A `Looking` is a generator: it yields a question and is sent its answer. roles/doctor answers from
the real world (setup/smtp_visit talks to mail servers), tests from a dict. No mail is ever sent.
"""

from collections.abc import Generator
from dataclasses import dataclass
from hashlib import sha256
from typing import TypeVar

from secondpost.mail.address import Endpoint, Mailbox
from secondpost.mail.article import FeedAnswered, FeedAsked
from secondpost.mail.dns_questions import ZoneAnswer, ZoneOf
from secondpost.mail.questions import NameAnswer, NameQuestion
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import Extensions, RecipientResult
from secondpost.world.ports import TlsFacts

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Unreached:
    """No connection, or no SMTP over it."""

    why: str  # fit for a sentence
    is_silent: bool  # nothing came back at all, as behind a firewall that drops packets


@dataclass(frozen=True, slots=True)
class TurnedAway:
    """It took the connection and refused to talk: a reply to the connection or to EHLO."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Visited:
    """It talked with us to the end."""

    offers: Extensions  # after STARTTLS, if that succeeded
    tls: TlsFacts | None = None  # None: in the clear
    # Why its TLS would not do for a sender that asks for a valid certificate; "" if it would.
    distrust: str = ""
    answers: tuple[RecipientResult, ...] = ()  # one for each of the look's recipients

    @property
    def certificate_fingerprint(self) -> str:
        """SHA-256 of the certificate that it showed, hexadecimal; "" without TLS."""
        return "" if self.tls is None else sha256(self.tls.certificate).hexdigest()


SmtpSeen = Unreached | TurnedAway | Visited


@dataclass(frozen=True, slots=True)
class SmtpLook:
    """EHLO, STARTTLS, EHLO, then RCPT for each recipient from the null sender, and QUIT.

    Answered by SmtpSeen.
    """

    endpoint: Endpoint  # an IP address
    host: str  # the name that its certificate should have
    recipients: tuple[Mailbox, ...] = ()


@dataclass(frozen=True, slots=True)
class SmtpLooks:
    """Several looks at once. Answered by an SmtpSeen for each."""

    looks: tuple[SmtpLook, ...]

    def ask(self) -> Generator["SmtpLooks", tuple[SmtpSeen, ...], tuple[SmtpSeen, ...]]:
        """Use with `yield from`, which gives the answer its type."""
        return (yield self)


@dataclass(frozen=True, slots=True)
class PageSeen:
    """The answer to a request."""

    status: int
    url: str  # that answered, after all redirects; a posted form follows none
    is_ours: bool  # whether a page of ours came, and not one of another program


@dataclass(frozen=True, slots=True)
class PageUnseen:
    """No answer, or not over a valid certificate."""

    why: str


@dataclass(frozen=True, slots=True)
class PageLook:
    """Gets a page of ours by its public URL, or posts a form to it. Answered by PageSeen or
    PageUnseen.
    """

    url: str
    form: bytes | None = None  # to post

    def ask(self) -> Generator["PageLook", PageSeen | PageUnseen, PageSeen | PageUnseen]:
        return (yield self)


@dataclass(frozen=True, slots=True)
class ReadFeed:
    """Fetches and reads a feed. Answered by FeedAnswered."""

    asked: FeedAsked

    def ask(self) -> Generator["ReadFeed", FeedAnswered, FeedAnswered]:
        return (yield self)


Look = NameQuestion | ZoneOf | SmtpLooks | PageLook | ReadFeed
Seen = NameAnswer | ZoneAnswer | tuple[SmtpSeen, ...] | PageSeen | PageUnseen | FeedAnswered
Looking = Generator[Look, Seen, Result]
PageLooking = Generator[NameQuestion | PageLook, Seen, Result]  # asks for names and pages alone
