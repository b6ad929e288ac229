"""Canonical forms of header fields and bodies for DKIM (RFC 6376 §3.4). All run in linear time."""

import re
from dataclasses import dataclass

FIELDS_MAX = 2_000  # of one header; later fields are ignored

_FIELD_END = re.compile(rb"\r\n(?![ \t])")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_SPACES = re.compile(rb"[ \t]+")


@dataclass(frozen=True, slots=True)
class Field:
    """A header field as received, with its folds and its last CRLF."""

    name: bytes  # lower case, without white space around it
    raw: bytes


def relaxed_field(raw: bytes) -> bytes:
    """§3.4.2: lower-case name, unfolded, white space reduced, none at the colon and the end."""
    name, _, value = raw.partition(b":")
    value = _SPACES.sub(b" ", _FOLD.sub(b"", value).rstrip(b"\r\n")).strip(b" ")
    return name.rstrip(b" \t").lower() + b":" + value + b"\r\n"


def simple_field(raw: bytes) -> bytes:
    """§3.4.1: unchanged."""
    return raw


def relaxed_lines(lines: bytes) -> bytes:
    """§3.4.4 (a) for whole lines of a body, or for a part without white space at its ends."""
    return _SPACES.sub(b" ", lines).replace(b" \r\n", b"\r\n")


def relaxed_body(body: bytes) -> bytes:
    """§3.4.4: runs of white space reduced, none at line ends, no empty lines at the end."""
    body = without_empty_lines_at_end(relaxed_lines(body).removesuffix(b" "))
    return body + b"\r\n" if len(body) > 0 else b""


def simple_body(body: bytes) -> bytes:
    """§3.4.3: unchanged, with exactly one CRLF at the end."""
    return without_empty_lines_at_end(body) + b"\r\n"


def without_empty_lines_at_end(body: bytes) -> bytes:
    """The body without its empty lines at the end and without the last CRLF."""
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    return body[:end]


def split_message(message: bytes) -> tuple[list[Field], bytes]:
    """Split a message (CRLF) into its fields and its body. Lines without a colon are left out."""
    if message.startswith(b"\r\n"):
        return [], message[2:]
    header, _, body = message.partition(b"\r\n\r\n")
    fields = []
    for raw in _FIELD_END.split(header.removesuffix(b"\r\n"), FIELDS_MAX)[:FIELDS_MAX]:
        name, colon, _ = raw.partition(b":")
        if len(colon) > 0:
            fields.append(Field(name.strip(b" \t").lower(), raw + b"\r\n"))
    return fields, body
