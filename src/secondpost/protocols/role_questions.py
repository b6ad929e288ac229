"""The protocol between roles over a Unix socket: one line of JSON each way, answered in any order.

It has one question: does the primary have this mailbox? Both ends are ours, but the asking role may
be compromised by its SMTP clients, so every line is bounded and checked.
"""

from dataclasses import dataclass
from typing import Annotated, TypeVar

import msgspec

from secondpost.mail.address import AddressError, Mailbox
from secondpost.mail.questions import Knowledge
from secondpost.protocols.smtp.international import written_mailbox

LINE_OCTETS_MAX = 4096
INTEGER_MAX = 2**53  # the largest integer that all JSON readers and stores can hold

T = TypeVar("T")
Number = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]


class _Asked(msgspec.Struct, tag="recipient", tag_field="ask"):
    number: Number
    mailbox: str
    prefix: str


class _Answered(msgspec.Struct, tag="knowledge", tag_field="answer"):
    number: Number
    knowledge: Knowledge


_ASKED = msgspec.json.Decoder(_Asked)
_ANSWERED = msgspec.json.Decoder(_Answered)


@dataclass(frozen=True, slots=True)
class RecipientAsked:
    number: int
    mailbox: Mailbox
    prefix: str = ""  # the network of the client that named it, in the form of mail/network


@dataclass(frozen=True, slots=True)
class RecipientAnswered:
    number: int
    knowledge: Knowledge


class Garbled(Exception):
    """The other end does not follow the protocol; the connection is unusable."""


def read_line(line: bytes, form: msgspec.json.Decoder[T]) -> T:
    """Decode a line of JSON. Raises only Garbled, for any input."""
    try:
        return form.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled(f"{type(error).__name__}: {error}") from error


def question_line(asked: RecipientAsked) -> bytes:
    return msgspec.json.encode(_Asked(asked.number, asked.mailbox.written, asked.prefix)) + b"\n"


def answer_line(answered: RecipientAnswered) -> bytes:
    return msgspec.json.encode(_Answered(answered.number, answered.knowledge)) + b"\n"


def read_question(line: bytes) -> RecipientAsked:
    """Decode a question. Raises Garbled."""
    asked = read_line(line, _ASKED)
    try:
        return RecipientAsked(asked.number, written_mailbox(asked.mailbox), asked.prefix)
    except AddressError as error:
        raise Garbled(str(error)) from error


def read_answer(line: bytes) -> RecipientAnswered:
    """Decode an answer. Raises Garbled."""
    answered = read_line(line, _ANSWERED)
    return RecipientAnswered(answered.number, answered.knowledge)


class Lines:
    """Splits a stream into lines of at most `octets_max`."""

    def __init__(self, octets_max: int = LINE_OCTETS_MAX) -> None:
        self._octets_max = octets_max
        self._rest = b""

    def receive_data(self, data: bytes) -> list[bytes]:
        """Complete lines without their line ends. Raises Garbled for a line that is too long."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if max(map(len, (self._rest, *lines))) > self._octets_max:
            raise Garbled("a line is too long")
        return lines
