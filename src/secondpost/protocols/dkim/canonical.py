"""Canonical forms of header fields and bodies for DKIM (RFC 6376 §3.4). All run in linear time."""

import re
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

FIELDS_MAX = 2_000  # of one header
EMPTY_LINES_AT_ONCE = 4_096  # hashed together
REST = b""  # no field has this name
_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_FOLD = re.compile(rb"\r\n(?=[ \t])")


class CanonicalForm(StrEnum):
    """A canonicalization algorithm (RFC 6376 §3.4), of fields or of bodies."""

    SIMPLE = "simple"
    RELAXED = "relaxed"


@dataclass(frozen=True, slots=True)
class Field:
    """A header field as received, with its folds and its last CRLF."""

    name: bytes  # lower case, without white space around it
    raw: bytes


def relaxed_field(raw: bytes) -> bytes:
    """§3.4.2: lower-case name, unfolded, white space reduced, none at the colon and the end."""
    name, _, value = raw.partition(b":")
    value = _one_space(_FOLD.sub(b"", value).rstrip(b"\r\n")).strip(b" ")
    return name.rstrip(b" \t").lower() + b":" + value + b"\r\n"


def simple_field(raw: bytes) -> bytes:
    """§3.4.1: unchanged."""
    return raw


def relaxed_lines(lines: bytes) -> bytes:
    """§3.4.4 (a) for whole lines of a body, or for a part without white space at its ends."""
    return _one_space(lines).replace(b" \r\n", b"\r\n")


def _one_space(text: bytes) -> bytes:
    """Each run of white space becomes one space. A round halves them; a pattern takes ten times as long."""
    text = text.replace(b"\t", b" ")
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def relaxed_body(body: bytes) -> bytes:
    """§3.4.4: runs of white space reduced, none at line ends, no empty lines at the end."""
    body = without_empty_lines_at_end(relaxed_lines(body).removesuffix(b" "))
    return body + b"\r\n" if len(body) > 0 else b""


def simple_body(body: bytes) -> bytes:
    """§3.4.3: unchanged, with exactly one CRLF at the end."""
    return without_empty_lines_at_end(body) + b"\r\n"


def without_empty_lines_at_end(body: bytes) -> bytes:
    """The body without its empty lines at the end and without the last CRLF."""
    line_ends = body[len(body.rstrip(b"\r\n")) :].replace(b"\r\n", b" ")
    return body[: len(body) - 2 * (len(line_ends) - len(line_ends.rstrip(b" ")))]


class BodyHash:
    """The SHA-256 of a body in its canonical form, while the body comes in pieces of any size.

    At most two octets of it are kept: white space or a CR that the next piece may belong to.
    """

    __slots__ = ("_form", "_hashed", "_held", "_line_ends", "octets")

    def __init__(self, form: CanonicalForm) -> None:
        self.octets = 0  # of the canonical form so far, without line ends that may be the last
        self._form = form
        self._hashed = sha256()
        self._held = b""
        self._line_ends = 0  # CRLFs after the octets hashed

    def add(self, piece: bytes) -> None:
        lines = self._held + piece if len(self._held) > 0 else piece
        text = lines.removesuffix(b"\r")
        self._held = lines[len(text) :]
        if self._form is CanonicalForm.RELAXED:
            stem = text.rstrip(b" \t")
            self._held = b" " + self._held if len(stem) < len(text) else self._held
            text = relaxed_lines(stem)
        self._hash(text)

    def digest(self) -> bytes:
        """The hash at the end of the body; nothing may be added after it."""
        self._hash(self._held.removesuffix(b" ") if self._form is CanonicalForm.RELAXED else self._held)
        self._held = b""
        if self._form is CanonicalForm.SIMPLE or self.octets > 0:
            self._line_ends = 0
            self._count(b"\r\n")
        return self._hashed.digest()

    def _hash(self, text: bytes) -> None:
        """Hash a text in canonical form, except the empty lines at its end."""
        lines = without_empty_lines_at_end(text)
        if len(lines) > 0:
            while self._line_ends > 0:
                together = min(self._line_ends, EMPTY_LINES_AT_ONCE)
                self._count(b"\r\n" * together)
                self._line_ends -= together
            self._count(lines)
        self._line_ends += (len(text) - len(lines)) // 2

    def _count(self, octets: bytes) -> None:
        self._hashed.update(octets)
        self.octets += len(octets)


def split_message(message: bytes) -> tuple[list[Field], bytes]:
    """Split a message (CRLF) into its fields and its body."""
    if message.startswith(b"\r\n"):
        return [], message[2:]
    header, _, body = message.partition(b"\r\n\r\n")
    return fields_of(header), body


def fields_of(header: bytes) -> list[Field]:
    """The fields of a header, with or without its empty line. Lines without a name are left out.

    What follows after FIELDS_MAX fields is one last field with the name REST.
    """
    lines = _FIELD_END.split(header.removesuffix(b"\r\n\r\n").removesuffix(b"\r\n"), FIELDS_MAX)
    fields = []
    for raw in lines[:FIELDS_MAX]:
        name, colon, _ = raw.partition(b":")
        name = name.strip(b" \t").lower()
        if len(colon) > 0 and len(name) > 0:
            fields.append(Field(name, raw + b"\r\n"))
    fields += [Field(REST, raw + b"\r\n") for raw in lines[FIELDS_MAX:]]
    return fields
