"""Makes the content of an issue from its texts: header fields, two MIME parts, and the holes.

Runs once per issue, before it is frozen. The content is the same for all readers.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import sha256

from secondpost.mail.address import Mailbox
from secondpost.mail.issue_content import IssueContent, PlacedHole, ReaderMailKind
from secondpost.protocols.mime.header_fields import address_field, structured_field, text_field
from secondpost.protocols.mime.list_headers import NO_POSTS, feedback_id, list_archive, list_help, list_id
from secondpost.protocols.mime.quoted_printable import TextFault, pieces_and_holes

SEED_OCTETS = 16


@dataclass(frozen=True, slots=True)
class Heading:
    """The header values that all readers' mails share."""

    kind: ReaderMailKind
    newsletter: str  # its name in addresses
    sender_name: str  # "" for the address alone
    sender: Mailbox
    subject: str
    dated_ms: int
    list_identity: str  # such as weekly.example.net
    list_title: str = ""
    reply_to: Mailbox | None = None  # issues only: a confirmation has an address of its own
    archive_url: str | None = None
    help_url: str | None = None
    language: str = ""  # RFC 5646, such as "en"


def compile_issue(heading: Heading, text: str, html: str, seed: bytes) -> IssueContent:
    """Build the content of an issue. The same arguments give the same content.

    `seed`: SEED_OCTETS random octets, drawn once per issue. `text` and `html` must contain the
    marker of the kind's link exactly once; markers of other holes may stand anywhere, also in
    attributes. Raises FieldFault or TextFault.
    """
    if len(seed) != SEED_OCTETS:
        raise ValueError(f"the seed has {len(seed)} octets, not {SEED_OCTETS}")
    _check(heading.kind, "text", text)
    _check(heading.kind, "HTML", html)
    # No text can contain this boundary: quoted-printable never writes "=" before an underscore.
    boundary = "=_" + sha256(b"boundary " + seed).hexdigest()[:24]
    text_pieces, text_holes = pieces_and_holes(text)
    html_pieces, html_holes = pieces_and_holes(html)
    text_pieces[0] = f"--{boundary}\r\n{_part('plain')}" + text_pieces[0]
    html_pieces[0] = f"{text_pieces.pop()}\r\n--{boundary}\r\n{_part('html')}" + html_pieces[0]
    html_pieces[-1] += f"\r\n--{boundary}--\r\n"
    return IssueContent(
        kind=heading.kind,
        newsletter=heading.newsletter,
        sender=heading.sender,
        dated_s=heading.dated_ms // 1000,
        seed=seed,
        fields=_fields(heading, boundary),
        pieces=(*text_pieces, *html_pieces),
        holes=(
            *(PlacedHole(hole, is_html=False) for hole in text_holes),
            *(PlacedHole(hole, is_html=True) for hole in html_holes),
        ),
    )


def _check(kind: ReaderMailKind, part: str, text: str) -> None:
    count = text.count(kind.link.marker)
    if count != 1:
        raise TextFault(f"the {part} of the mail has {count} places for {kind.link}, not exactly one")
    if len(text.replace(kind.link.marker, "").strip()) == 0:
        raise TextFault(f"the {part} of the mail is empty")


def _part(subtype: str) -> str:
    return (
        f"Content-Type: text/{subtype}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n"
        "\r\n"
    )  # fmt: skip


def _fields(heading: Heading, boundary: str) -> tuple[str, ...]:
    fields = [
        address_field("From", heading.sender_name, str(heading.sender)),
        text_field("Subject", heading.subject),
        f"Date: {format_datetime(datetime.fromtimestamp(heading.dated_ms // 1000, UTC))}",
    ]
    if heading.kind is ReaderMailKind.CONFIRMATION:
        fields.append("Auto-Submitted: auto-generated")  # RFC 3834 §5
    elif heading.reply_to is not None:
        fields.append(structured_field("Reply-To", (str(heading.reply_to),)))
    fields.append(list_id(heading.list_title, heading.list_identity))
    if heading.archive_url is not None:
        fields.append(list_archive(heading.archive_url))
    if heading.help_url is not None:
        fields.append(list_help(heading.help_url))
    if heading.kind is ReaderMailKind.ISSUE:
        fields += [NO_POSTS, feedback_id(heading.newsletter, heading.sender.domain)]
    fields.append("MIME-Version: 1.0")
    if len(heading.language) > 0:
        fields.append(structured_field("Content-Language", (heading.language,)))
    fields.append(f'Content-Type: multipart/alternative;\r\n boundary="{boundary}"')
    return tuple(fields)
