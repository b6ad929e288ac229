"""One content for all readers of an issue: what stands in the store, frozen, until the last of them has it.

The parts that are the same for everybody are finished bytes of a MIME message; between them lie holes
for what is personal. protocols/mime makes it once, signing/assembly fills it and signs, once per reader.
A confirmation has the same shape and one reader.
"""

import json
from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.address import Domain, Mailbox

# Noncharacters of Unicode: they pass templates, sanitisers and inliners untouched, and nobody writes them.
_OPENING, _CLOSING = "\ufdd0", "\ufdd1"
MARKS = frozenset(_OPENING + _CLOSING)
_VERSION = 1


class Hole(StrEnum):
    """What differs from reader to reader inside the text and the HTML."""

    LEAVE_URL = "LEAVE_URL"  # leaves after one more click; a mailto: where there are no web pages
    ME_URL = "ME_URL"  # what we know of the reader; the same as LEAVE_URL where there are no web pages
    CONFIRM_URL = "CONFIRM_URL"
    ADDRESS = "ADDRESS"  # the reader's, as it was given
    VIEW_URL = "VIEW_URL"  # the issue in the archive; the newsletter's address where there are no web pages

    @property
    def marker(self) -> str:
        """What a template writes where the hole shall be."""
        return f"{_OPENING}{self.value}{_CLOSING}"


class ReaderMailKind(StrEnum):
    """Which personal header fields the mail has, and which link it must not go without."""

    ISSUE = "issue"  # List-Unsubscribe and its kin
    CONFIRMATION = "confirmation"  # the answer to it confirms

    @property
    def link(self) -> Hole:
        """Stands in the text exactly once, and in the HTML exactly once."""
        return Hole.LEAVE_URL if self is ReaderMailKind.ISSUE else Hole.CONFIRM_URL


@dataclass(frozen=True, slots=True)
class PlacedHole:
    hole: Hole
    is_html: bool  # its value is escaped for HTML


@dataclass(frozen=True, slots=True)
class IssueContent:
    """ASCII throughout, line ends CRLF, no line over 998 octets once the holes are filled.

    `pieces` are the body: piece, hole, piece, hole … piece. Each piece but the first begins on a line of its
    own, and each but the last ends with its line, so that filling is joining.
    """

    kind: ReaderMailKind
    newsletter: str  # its name in addresses
    sender: Mailbox  # of the From field; its domain signs
    dated_s: int  # the Date field and the signatures' time, seconds since 1970: the same at every attempt
    seed: bytes  # unguessable: Message-IDs are derived from it
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
        """For the store. The same value always makes the same bytes, so that their hash names it."""
        told = {
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
        return json.dumps(told, separators=(",", ":")).encode("ascii")

    @classmethod
    def decode(cls, data: bytes) -> "IssueContent":
        """What `encode` made. Raises ValueError for anything else, a later version above all."""
        try:
            told = json.loads(data)
            if told["version"] != _VERSION:
                raise ValueError(f"the content of this issue has format {told['version']}, not {_VERSION}")
            return cls(
                kind=ReaderMailKind(told["kind"]),
                newsletter=str(told["newsletter"]),
                sender=Mailbox.parse(told["sender"]),
                dated_s=int(told["dated_s"]),
                seed=bytes.fromhex(told["seed"]),
                fields=tuple(told["fields"]),
                pieces=tuple(told["pieces"]),
                holes=tuple(PlacedHole(Hole(hole), is_html is True) for hole, is_html in told["holes"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"this is not the content of an issue: {error}") from error


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom one mail is for. `number` is the issue's, for a confirmation that of the sign-up."""

    subscriber: int
    number: int
    address: Mailbox  # spelled as it was given
