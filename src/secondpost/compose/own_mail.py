"""Makes mail of this server to its owner: plain text, from postmaster at the hostname.

RFC 3834 §5: it says that it was generated, and its envelope sender is null, so that no report about
it comes back and no answering machine answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from textwrap import fill

from secondpost.mail.address import NULL_PATH, Domain, Mailbox
from secondpost.mail.content import InTable
from secondpost.mail.envelope import Arrival, Envelope, Lane, Peer, Utf8
from secondpost.mail.queue_id import QueueId, queue_id_text
from secondpost.protocols.mime.header_fields import address_field, structured_field, text_field
from secondpost.protocols.mime.quoted_printable import encoded

TEXT_WIDTH = 72
SUBJECT_CHARACTERS_MAX = 150


@dataclass(frozen=True, slots=True)
class OwnHeading:
    """What mails to the owner have besides subject and text."""

    hostname: Domain
    to: Sequence[Mailbox]  # at least one
    queue_id: QueueId
    dated_ms: int

    @property
    def name(self) -> str:
        return f"Secondpost {self.hostname}"


def own_message(heading: OwnHeading, subject: str, text: str) -> bytes:
    """The whole message, without a signature."""
    if len(subject) > SUBJECT_CHARACTERS_MAX:
        subject = f"{subject[: SUBJECT_CHARACTERS_MAX - 1]}…"
    fields = (
        address_field("From", heading.name, f"postmaster@{heading.hostname}"),
        _to(heading.to),
        text_field("Subject", subject),
        f"Date: {format_datetime(datetime.fromtimestamp(heading.dated_ms // 1000, UTC))}",
        structured_field("Message-ID", (f"<own-{queue_id_text(heading.queue_id)}@{heading.hostname}>",)),
        "Auto-Submitted: auto-generated",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: quoted-printable",
    )
    header = "".join(f"{field}\r\n" for field in fields)
    return f"{header}\r\n{encoded(text)}\r\n".encode("ascii")


def own_arrival(heading: OwnHeading, message: bytes) -> Arrival:
    """The mail as the store takes it."""
    utf8 = Utf8.NEEDED if any(one.needs_utf8 for one in heading.to) else Utf8.NONE
    return Arrival(
        heading.queue_id,
        Lane.OWN,
        Envelope(NULL_PATH, tuple(heading.to), utf8=utf8),
        Peer("", heading.hostname.name, "SMTP"),
        heading.dated_ms,
        InTable(message),
    )


def paragraph(text: str, indent: str = "") -> str:
    """A paragraph in lines of TEXT_WIDTH; a longer word keeps its line."""
    return fill(
        text,
        TEXT_WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _to(mailboxes: Sequence[Mailbox]) -> str:
    """A local part that needs SMTPUTF8 would make the whole message need it (RFC 6532)."""
    if any(one.needs_utf8 for one in mailboxes):
        return "To: The owner:;"  # an empty group, RFC 5322 §3.4
    return structured_field("To", [str(one) for one in mailboxes])
