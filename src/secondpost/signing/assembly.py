"""Assemble one reader's mail from the shared content: fill the holes, add the personal header
fields, and sign.

What is equal for all readers is encoded, canonicalised and, up to the first hole, hashed once. The
same content, keys and reader give the same octets at every attempt and on every machine.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from html import escape

from secondpost.mail.address import Domain
from secondpost.mail.issue_content import Addressee, Hole, IssueContent, ReaderMailKind
from secondpost.mail.signed_mail import SignedMail
from secondpost.protocols.dkim.canonical import relaxed_field, relaxed_lines
from secondpost.protocols.dkim.signing import Signatures, SigningKey
from secondpost.protocols.mime.header_fields import structured_field
from secondpost.protocols.mime.list_headers import (
    ONE_CLICK,
    cfbl_address,
    list_unsubscribe,
    may_ask_for_complaints,
    message_id,
)
from secondpost.protocols.mime.quoted_printable import filling
from secondpost.protocols.smtp.body import stuffed_lines
from secondpost.protocols.tokens import KeyRing, Purpose, Token
from secondpost.protocols.verp import CONFIRMATION, address_of

HASHED_AT_ONCE = 2_047  # octets


@dataclass(frozen=True, slots=True)
class OwnAddresses:
    """Where links point, and the domain for mail to us."""

    web_url: str | None  # without final slash; None: no web pages
    bounces: Domain


@dataclass(frozen=True, slots=True)
class ReaderKeys:
    signing: Sequence[SigningKey]
    links: KeyRing
    addresses: KeyRing


def _small(data: bytes) -> Iterator[bytes]:
    """Pieces below 2,048 octets: for longer ones hashlib releases the GIL, and getting it back
    beside a busy loop takes far longer than hashing.
    """
    for start in range(0, len(data), HASHED_AT_ONCE):
        yield data[start : start + HASHED_AT_ONCE]


class Assembly:
    """The shared part of one issue or confirmation. Immutable, so threads may share it."""

    def __init__(self, content: IssueContent, keys: ReaderKeys, own: OwnAddresses) -> None:
        self._content = content
        self._keys = keys
        self._own = own
        self._is_issue = content.kind is ReaderMailKind.ISSUE
        fields = list(content.fields)
        if self._is_issue and own.web_url is not None:
            fields.append(ONE_CLICK)
        self._asks_for_complaints = self._is_issue and may_ask_for_complaints(content.domain, own.bounces)
        self._fields = "".join(f"{field}\r\n" for field in fields).encode("ascii")
        self._header_hash = sha256(b"".join(relaxed_field(field.encode("ascii")) for field in fields))
        names = [field.partition(":")[0].lower() for field in fields]
        personal = ["to", "message-id", "list-unsubscribe" if self._is_issue else "reply-to"]
        if self._asks_for_complaints:
            personal.append("cfbl-address")  # RFC 9477 §3.1.4: covered by the signature
        self._signatures = Signatures(keys.signing, content.domain, content.dated_s, (*names, *personal))
        self._pieces = [piece.encode("ascii") for piece in content.pieces]
        self._relaxed = [relaxed_lines(piece) for piece in self._pieces]
        self._stuffed = [stuffed_lines(piece) for piece in self._pieces]
        self._doubled_dots = sum(map(len, self._stuffed)) - sum(map(len, self._pieces))
        self._body_hash = sha256(self._relaxed[0])  # never updated itself, only its copies
        self._holes = sorted(set(content.holes), key=lambda placed: (placed.hole, placed.is_html))
        self._order = [self._holes.index(placed) for placed in content.holes]

    def mail_for(self, reader: Addressee) -> SignedMail:
        """Make and sign one reader's mail. Blocks for about 0.5 ms, mostly without the GIL."""
        id = message_id(self._content.seed, reader.subscriber, reader.number, self._content.domain)
        leave_url, personal = self._personal(reader, id)
        header_hash = self._header_hash.copy()
        for field in personal:
            header_hash.update(relaxed_field(field))
        fillings = self._fillings(reader, leave_url)
        body_hash = self._body_hash.copy()
        for piece in _small(self._joined(self._relaxed, fillings)):
            body_hash.update(piece)
        signatures = self._signatures.fields(header_hash, body_hash.digest())
        number = reader.number if self._is_issue else CONFIRMATION
        bounce = Token(Purpose.BOUNCE, reader.subscriber, number)
        # Header lines need no dot-stuffing: each begins with a field name or a space.
        header = (signatures, self._fields, b"\r\n".join(personal), b"\r\n\r\n")
        own = [stuffed_lines(filling) for filling in fillings]
        stuffed = b"".join((*header, self._stuffed[0], self._joined(self._stuffed, own)))
        doubled_dots = self._doubled_dots + sum(map(len, own)) - sum(map(len, fillings))
        return SignedMail(
            sender=address_of(self._keys.addresses, bounce, self._own.bounces),
            message_id=id,
            stuffed=stuffed,
            size=len(stuffed) - doubled_dots,
        )

    def _personal(self, reader: Addressee, id: str) -> tuple[str, list[bytes]]:
        """The link to unsubscribe ("" in a confirmation), and the personal fields in order."""
        own, addresses = self._own, self._keys.addresses
        fields = [structured_field("To", (str(reader.address),)), structured_field("Message-ID", (id,))]
        if self._is_issue:
            token = Token(Purpose.LEAVE_BY_MAIL, reader.subscriber, reader.number)
            mailbox = str(address_of(addresses, token, own.bounces))
            page = self._page("leave", Token(Purpose.LEAVE, reader.subscriber, reader.number))
            fields.append(list_unsubscribe(page, mailbox))
            leave_url = page if page is not None else f"mailto:{mailbox}"
            if self._asks_for_complaints:
                token = Token(Purpose.FEEDBACK, reader.subscriber, reader.number)
                fields.append(cfbl_address(str(address_of(addresses, token, own.bounces))))
        else:
            token = Token(Purpose.CONFIRM_BY_MAIL, reader.subscriber, reader.number)
            fields.append(structured_field("Reply-To", (str(address_of(addresses, token, own.bounces)),)))
            leave_url = ""
        return leave_url, [field.encode("ascii") for field in fields]

    def _page(self, name: str, token: Token) -> str | None:
        if self._own.web_url is None:
            return None
        return f"{self._own.web_url}/{name}/{self._keys.links.write(token)}"

    def _fillings(self, reader: Addressee, leave_url: str) -> list[bytes]:
        """The values of the holes, in their order."""
        values = []
        for placed in self._holes:
            value = self._value(placed.hole, reader, leave_url)
            values.append(filling(escape(value) if placed.is_html else value).encode("ascii"))
        return [values[which] for which in self._order]

    def _value(self, hole: Hole, reader: Addressee, leave_url: str) -> str:
        match hole:
            case Hole.LEAVE_URL:
                return leave_url
            case Hole.ME_URL:
                # The number does not matter here: the page is the same from every issue.
                page = self._page("me", Token(Purpose.ME, reader.subscriber, 0))
                return page if page is not None else leave_url
            case Hole.CONFIRM_URL:
                page = self._page("confirm", Token(Purpose.CONFIRM, reader.subscriber, reader.number))
                if page is not None:
                    return page
                token = Token(Purpose.CONFIRM_BY_MAIL, reader.subscriber, reader.number)
                return f"mailto:{address_of(self._keys.addresses, token, self._own.bounces)}"
            case Hole.VIEW_URL:
                if self._own.web_url is None:
                    return f"mailto:{self._content.sender}"
                return f"{self._own.web_url}/{self._content.newsletter}/{reader.number}"
            case Hole.ADDRESS:
                return str(reader.address)

    @staticmethod
    def _joined(pieces: list[bytes], fillings: list[bytes]) -> bytes:
        """All pieces but the first, each preceded by the value of the hole before it."""
        return b"".join([part for pair in zip(fillings, pieces[1:], strict=True) for part in pair])
