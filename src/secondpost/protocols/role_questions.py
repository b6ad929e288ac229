"""What one role asks another over a Unix socket: one line of JSON each way, answered in any order.

Now there is one question: does the primary have this mailbox? Both ends are ours, but the asking role
may have been taken over by whoever spoke to it, so every line is bounded and checked.
"""

from dataclasses import dataclass

import msgspec

from secondpost.mail.address import AddressError, Mailbox
from secondpost.mail.questions import Knowledge

LINE_OCTETS_MAX = 4096


class _Asked(msgspec.Struct, tag="recipient", tag_field="ask"):
    number: int
    mailbox: str
    prefix: str


class _Answered(msgspec.Struct, tag="knowledge", tag_field="answer"):
    number: int
    knowledge: Knowledge


@dataclass(frozen=True, slots=True)
class RecipientAsked:
    number: int
    mailbox: Mailbox
    prefix: str = ""  # the network of the caller who named it, as mail/prefix writes it


@dataclass(frozen=True, slots=True)
class RecipientAnswered:
    number: int
    knowledge: Knowledge


class Garbled(Exception):
    """The other side does not speak this protocol; the connection is of no use any more."""


def question_line(asked: RecipientAsked) -> bytes:
    return msgspec.json.encode(_Asked(asked.number, str(asked.mailbox), asked.prefix)) + b"\n"


def answer_line(answered: RecipientAnswered) -> bytes:
    return msgspec.json.encode(_Answered(answered.number, answered.knowledge)) + b"\n"


def read_question(line: bytes) -> RecipientAsked:
    try:
        asked = msgspec.json.decode(line, type=_Asked)
        return RecipientAsked(asked.number, Mailbox.parse(asked.mailbox), asked.prefix)
    except (msgspec.MsgspecError, AddressError) as error:
        raise Garbled(str(error)) from error


def read_answer(line: bytes) -> RecipientAnswered:
    try:
        answered = msgspec.json.decode(line, type=_Answered)
    except msgspec.MsgspecError as error:
        raise Garbled(str(error)) from error
    return RecipientAnswered(answered.number, answered.knowledge)


class Lines:
    """Cuts a stream into lines."""

    def __init__(self) -> None:
        self._rest = b""

    def receive_data(self, data: bytes) -> list[bytes]:
        """Whole lines, without their ends. Raises Garbled when one is too long."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LINE_OCTETS_MAX or any(len(line) > LINE_OCTETS_MAX for line in lines):
            raise Garbled("a line is too long")
        return lines
