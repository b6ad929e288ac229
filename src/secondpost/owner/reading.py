"""Make a held message readable: decoded headers, text, names of attachments.

The mail is hostile. Nothing in it is trusted, followed or run, and no fault in it is an error: what
cannot be understood is shown as it is.
"""

from dataclasses import dataclass
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32

from secondpost.compose.html_words import lines_of

READ_OCTETS_MAX = 2_000_000  # of the content; the export has all of it
TEXT_CHARACTERS_MAX = 100_000
PARTS_MAX = 200
HEADERS = ("From", "To", "Cc", "Reply-To", "Subject", "Date", "Message-ID")


@dataclass(frozen=True, slots=True)
class Reading:
    headers: dict[str, str]
    text: str
    attachments: tuple[str, ...]


# Raised by Python's own parser for mail that is broken or endlessly nested.
_BROKEN = (ValueError, LookupError, TypeError, AttributeError, MessageError, RecursionError)


def read_message(data: bytes) -> Reading:
    """Read a message, which may be cut off anywhere."""
    try:
        return _read(data)
    except _BROKEN:
        return Reading({}, data.decode("utf-8", "replace")[:TEXT_CHARACTERS_MAX], ())


def _read(data: bytes) -> Reading:
    message = BytesParser(policy=compat32).parsebytes(data)
    headers = {name: _decoded(message[name]) for name in HEADERS if message[name] is not None}
    text: str | None = None
    html: str | None = None
    attachments: list[str] = []
    for number, part in enumerate(message.walk()):
        if number == PARTS_MAX:
            break
        if part.is_multipart():
            continue
        name = _file_name(part)
        kind = part.get_content_type()
        if name is not None:
            attachments.append(name)
        elif kind == "text/plain" and text is None:
            text = _text_of(part)
        elif kind == "text/html" and html is None:
            html = _text_of(part)
        else:
            attachments.append(kind)
    if text is None:
        text = "" if html is None else lines_of(html)
    return Reading(headers, text[:TEXT_CHARACTERS_MAX], tuple(attachments))


def _decoded(value: object) -> str:
    raw = str(value)
    try:
        return str(make_header(decode_header(raw)))
    except _BROKEN:  # e.g. an encoded word in an unknown charset
        return raw


def _file_name(part: Message) -> str | None:
    try:
        name = part.get_filename()
    except _BROKEN:
        return "unnamed"
    if name is None:
        return "unnamed" if part.get_content_disposition() == "attachment" else None
    return _decoded(name)


def _text_of(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        return payload.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):
        return payload.decode("latin-1")
