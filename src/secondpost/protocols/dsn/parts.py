"""Splits a received mail into its header and the leaves of its MIME tree.

Hostile mail is expected: nothing here raises or recurses, and all work is bounded. Malformed parts
are read as text; parts beyond a bound are left out.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from secondpost.mail.inside_mail import BEGINNING_OCTETS_MAX

HEADER_OCTETS_MAX = 64 * 1024
PARTS_MAX = 50  # leaves and branches together
DEPTH_MAX = 5
FIELDS_MAX = 500  # of one block
LINES_MAX = 10_000  # of one block
VALUE_CHARACTERS_MAX = 2_000
TEXT_OCTETS_MAX = 64 * 1024  # searched for the end of the text
TEXT_CHARACTERS_MAX = 2_000

# Parts with the mail that a report is about. Each type has a variant for UTF-8 (RFC 6533); some
# providers leave out the last letter of text/rfc822-headers.
_MESSAGE_PARTS = frozenset(
    {
        *("message/rfc822", "message/global"),
        *("text/rfc822-headers", "text/rfc822-header", "message/global-headers"),
    }
)
# The mail that came back follows; its words are ours.
_ORIGINAL = re.compile(
    r"^.{0,80}(?:copy of (?:the|your) message|original message|message headers|returned message"
    r"|unsent message|text of message|message follows).{0,80}$",
    re.IGNORECASE | re.MULTILINE,
)
_BOUNDARY = re.compile(r'boundary[ \t]*=[ \t]*(?:"([^"]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FieldGroup:
    """Header fields, or a group of lines in their form. Names in lower case, values unfolded."""

    fields: tuple[tuple[str, str], ...]

    def first(self, name: str) -> str:
        """The value of the first field of that name; "" if there is none."""
        for each, value in self.fields:
            if each == name:
                return value
        return ""


@dataclass(frozen=True, slots=True)
class Leaf:
    content_type: str  # lower case, without parameters, such as "message/delivery-status"
    body: bytes  # decoded; line ends LF


def header_of(message: bytes) -> FieldGroup:
    """The header of a mail or of its beginning; any line ends."""
    return header_and_body(_with_lf(message[:HEADER_OCTETS_MAX]))[0]


def header_and_body(message: bytes) -> tuple[FieldGroup, bytes]:
    """Split a mail with LF line ends."""
    if message.startswith(b"\n"):
        return FieldGroup(()), message[1:]
    header, _, body = message.partition(b"\n\n")
    return block_of(header), body


def block_of(data: bytes) -> FieldGroup:
    """Parse fields with LF line ends. Lines that are no field are left out."""
    fields: list[tuple[str, list[str]]] = []
    for line in data.split(b"\n", LINES_MAX)[:LINES_MAX]:
        text = line[:VALUE_CHARACTERS_MAX].decode("utf-8", "replace")
        if text.startswith((" ", "\t")):
            if len(fields) > 0:
                fields[-1][1].append(text.strip())
            continue
        name, colon, value = text.partition(":")
        if len(colon) > 0 and len(fields) < FIELDS_MAX:
            fields.append((name.strip().lower(), [value.strip()]))
    return FieldGroup(tuple((name, " ".join(parts)[:VALUE_CHARACTERS_MAX]) for name, parts in fields))


def leaves(message: bytes) -> Iterator[Leaf]:
    """The leaves in order; attached messages are leaves."""
    waiting = [(_with_lf(message[:BEGINNING_OCTETS_MAX]), 0)]
    seen = 0
    while len(waiting) > 0 and seen < PARTS_MAX:
        part, depth = waiting.pop()
        seen += 1
        header, body = header_and_body(part)
        content_type = header.first("content-type")
        kind = content_type.partition(";")[0].strip().lower()
        boundary = _BOUNDARY.search(content_type)
        if kind.startswith("multipart/") and boundary is not None and depth < DEPTH_MAX:
            inside = _parts(body, (boundary[1] or boundary[2]).encode("utf-8", "replace"))
            waiting += [(each, depth + 1) for each in reversed(inside)]
        else:
            encoding = header.first("content-transfer-encoding").lower()
            yield Leaf(kind if len(kind) > 0 else "text/plain", _decoded(body, encoding))


def original_header(found: Sequence[Leaf]) -> FieldGroup:
    """The header of the mail that a report is about; empty if it is not attached."""
    for leaf in found:
        if leaf.content_type in _MESSAGE_PARTS:
            return header_and_body(leaf.body.lstrip(b"\n"))[0]
    return FieldGroup(())


def first_text(found: Iterable[Leaf]) -> str:
    """The first text for people in one line, up to the mail that came back; "" if there is none."""
    for leaf in found:
        if leaf.content_type == "text/plain":
            text = leaf.body[:TEXT_OCTETS_MAX].decode("utf-8", "replace").strip()
            return " ".join(_ORIGINAL.split(text, maxsplit=1)[0].split())[:TEXT_CHARACTERS_MAX]
    return ""


def _parts(body: bytes, boundary: bytes) -> list[bytes]:
    """The parts of a multipart body (RFC 2046 §5.1.1). An unterminated part extends to the end."""
    line = re.compile(rb"(?:\A|\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:(?=\n)|\Z)")
    parts, start = [], None
    for found in line.finditer(body):
        if start is not None:
            parts.append(body[start + 1 : found.start()])
        start = found.end()
        if found[1] is not None or len(parts) >= PARTS_MAX:
            return parts
    if start is not None:
        parts.append(body[start + 1 :])
    return parts


def _with_lf(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


def _decoded(body: bytes, encoding: str) -> bytes:
    """Decode a body. RFC 3464 §2.1 forbids encodings here, but some reporters use them."""
    try:
        match encoding:
            case "quoted-printable":
                return _with_lf(binascii.a2b_qp(body))
            case "base64":
                return _with_lf(base64.b64decode(body))
    except ValueError:
        pass  # then it is used undecoded
    return body
