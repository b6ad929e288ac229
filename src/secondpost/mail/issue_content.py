"""The content of an issue, stored once for all its readers until the last of them has it.

Parts that are the same for all are finished bytes of a MIME message; holes between them are for
personal values. protocols/mime makes it once; signing/assembly fills and signs it once per reader.
A confirmation has the same form and one reader.
"""

import json
from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.address import Domain, Mailbox

# Unicode noncharacters: templates, sanitisers and inliners keep them, and no text contains them.
_OPENING, _CLOSING = "\ufdd0", "\ufdd1"
MARKS = frozenset(_OPENING + _CLOSING)
_VERSION = 1


class Hole(StrEnum):
    """A value in the text or HTML that differs between readers."""

    LEAVE_URL = "LEAVE_URL"  # unsubscribes after one more click; a mailto: link if there are no web pages
    ME_URL = "ME_URL"  # the reader's own data; same as LEAVE_URL if there are no web pages
    CONFIRM_URL = "CONFIRM_URL"
    ADDRESS = "ADDRESS"  # the reader's, as it was given
    VIEW_URL = "VIEW_URL"  # the issue in the archive; the newsletter's address if there are no web pages

    @property
    def marker(self) -> str:
        """The text that a template contains where the hole is to be."""
        return f"{_OPENING}{self.value}{_CLOSING}"


class ReaderMailKind(StrEnum):
    """Determines the personal header fields of a mail, and the link that it must contain."""

    ISSUE = "issue"  # has List-Unsubscribe and related fields
    CONFIRMATION = "confirmation"  # an answer to it confirms

    @property
    def link(self) -> Hole:
        """The link that must stand exactly once in the text, and exactly once in the HTML."""
        return Hole.LEAVE_URL if self is ReaderMailKind.ISSUE else Hole.CONFIRM_URL


@dataclass(frozen=True, slots=True)
class PlacedHole:
    """A hole at its place in the text or the HTML part."""

    hole: Hole
    is_html: bool  # its value is escaped for HTML


@dataclass(frozen=True, slots=True)
class IssueContent:
    """ASCII only, line ends CRLF, no line over 998 octets once the holes are filled.

    `pieces` are the body: piece, hole, piece, hole … piece. Each piece but the first begins a line,
    and each but the last ends one, so that filling is joining.
    """

    kind: ReaderMailKind
    newsletter: str  # its name in addresses
    sender: Mailbox  # of the From field; its domain signs
    dated_s: int  # Unix time of the Date field and the signatures: the same at every attempt
    seed: bytes  # secret: Message-IDs are derived from it
    fields: tuple[str, ...]  # header fields that are the same for all, without their last CRLF
    pieces: tuple[str, ...]
    holes: tuple[PlacedHole, ...]

    def __post_init__(self) -> None:
        if len(self.pieces) != len(self.holes) + 1:
            raise ValueError("there is a piece before the first hole, and one after every hole")

    @property
    def domain(self) -> Domain:
        return self.sender.domain

    def encode(self) -> bytes:
        """Encode for the store. Equal values give equal bytes, so that a hash identifies them."""
        document = {
            "version": _VERSION,
            "kind": self.kind.value,
            "newsletter": self.newsletter,
            "sender": str(self.sender),
            "dated_s": self.dated_s,
            "seed": self.seed.hex(),
            "fields": self.fields,
            "pieces": self.pieces,
            "holes": [[placed.hole.value, placed.is_html] for placed in self.holes],
        }
        return json.dumps(document, separators=(",", ":")).encode("ascii")

    @classmethod
    def decode(cls, data: bytes) -> "IssueContent":
        """Inverse of `encode`. Raises ValueError for anything else, such as a later version."""
        try:
            document = json.loads(data)
            if document["version"] != _VERSION:
                raise ValueError(
                    f"the content of this issue has format {document['version']}, not {_VERSION}"
                )
            return cls(
                kind=ReaderMailKind(document["kind"]),
                newsletter=str(document["newsletter"]),
                sender=Mailbox.parse(document["sender"]),
                dated_s=int(document["dated_s"]),
                seed=bytes.fromhex(document["seed"]),
                fields=tuple(document["fields"]),
                pieces=tuple(document["pieces"]),
                holes=tuple(PlacedHole(Hole(hole), is_html is True) for hole, is_html in document["holes"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is not the content of an issue: {error}") from error


@dataclass(frozen=True, slots=True)
class Addressee:
    """The recipient of one mail. `number`: of the issue, or of the sign-up to confirm."""

    subscriber: int
    number: int
    address: Mailbox  # spelled as it was given
