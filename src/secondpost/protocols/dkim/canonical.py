"""Canonical forms of header fields and bodies, as DKIM hashes them (RFC 6376 §3.4). Linear in what comes."""

import re
from dataclasses import dataclass

FIELDS_MAX = 2_000  # of one header; what comes after them is not looked at

_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_SPACES = re.compile(rb"[ \t]+")


@dataclass(frozen=True, slots=True)
class Field:
    """A header field as it came, folds and last CRLF included."""

    name: bytes  # lower case, without white space around it
    raw: bytes


def relaxed_field(raw: bytes) -> bytes:
    """§3.4.2: name in lower case, unfolded, white space one space, none around the colon or at the end."""
    name, _, value = raw.partition(b":")
    value = _SPACES.sub(b" ", _FOLD.sub(b"", value).rstrip(b"\r\n")).strip(b" ")
    return name.rstrip(b" \t").lower() + b":" + value + b"\r\n"


def simple_field(raw: bytes) -> bytes:
    """§3.4.1: as it came."""
    return raw


def relaxed_lines(lines: bytes) -> bytes:
    """§3.4.4 (a) for whole lines of a body, or for a piece that begins and ends without white space."""
    return _SPACES.sub(b" ", lines).replace(b" \r\n", b"\r\n")


def relaxed_body(body: bytes) -> bytes:
    """§3.4.4: white space one space, none at the end of a line, no empty lines at the end."""
    body = without_empty_lines_at_end(relaxed_lines(body).removesuffix(b" "))
    return body + b"\r\n" if len(body) > 0 else b""


def simple_body(body: bytes) -> bytes:
    """§3.4.3: as it came, with exactly one line end at its end."""
    return without_empty_lines_at_end(body) + b"\r\n"


def without_empty_lines_at_end(body: bytes) -> bytes:
    """Nor the line end of the last line."""
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end]


def split_message(message: bytes) -> tuple[list[Field], bytes]:
    """The header's fields in order, and the body. Line ends are CRLF. A line without a colon is no field."""
    if message.startswith(b"\r\n"):
        return [], message[2:]
    header, _, body = message.partition(b"\r\n\r\n")
    fields = []
    for raw in _FIELD_END.split(header.removesuffix(b"\r\n"), FIELDS_MAX)[:FIELDS_MAX]:
        name, colon, _ = raw.partition(b":")
        if len(colon) > 0:
            fields.append(Field(name.strip(b" \t").lower(), raw + b"\r\n"))
    return fields, body
