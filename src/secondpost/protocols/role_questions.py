"""The protocol between roles over a Unix socket: one line of JSON each way, answered in any order.

Two kinds of questions: does the primary have this mailbox, and what does DNS say of this name? Both
ends are ours, but the asking role may be compromised by its SMTP clients, so every line is bounded
and checked, and only names that can be public are looked up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, TypeVar

import msgspec

from secondpost.mail.address import AddressError, Domain, Mailbox, as_ip
from secondpost.mail.dns_questions import AddressRecords, Ptr, PtrAnswer
from secondpost.mail.questions import (
    AddressAnswer,
    Finding,
    Knowledge,
    Mx,
    MxAnswer,
    MxRecord,
    Txt,
    TxtAnswer,
)
from secondpost.protocols.smtp.international import written_mailbox

LINE_OCTETS_MAX = 4096
ANSWER_OCTETS_MAX = 128 * 1024  # a DNS message of 64 KiB, and what JSON adds
NAME_CHARACTERS_MAX = 253  # RFC 1035 §2.3.4
LABEL_CHARACTERS_MAX = 63
INTEGER_MAX = 2**53  # the largest integer that all JSON readers and stores can hold

T = TypeVar("T")
Number = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]
PublicQuestion = Mx | AddressRecords | Txt | Ptr
PublicAnswer = MxAnswer | AddressAnswer | TxtAnswer | PtrAnswer


class _Records(StrEnum):
    """What is asked of a name."""

    MX = "mx"
    A = "a"
    AAAA = "aaaa"
    TXT = "txt"
    PTR = "ptr"  # of an IP address


class _AskedRecipient(msgspec.Struct, tag="recipient", tag_field="ask"):
    number: Number
    mailbox: str
    prefix: str


class _AskedName(msgspec.Struct, tag="name", tag_field="ask"):
    number: Number
    records: _Records
    name: str


class _AnsweredRecipient(msgspec.Struct, tag="knowledge", tag_field="answer"):
    number: Number
    knowledge: Knowledge


class _AnsweredName(msgspec.Struct, tag="name", tag_field="answer"):
    number: Number
    records: _Records
    finding: Finding
    values: list[str]
    preferences: list[Number]  # of the hosts of MX records


_ASKED = msgspec.json.Decoder(_AskedRecipient | _AskedName)
_ANSWERED = msgspec.json.Decoder(_AnsweredRecipient | _AnsweredName)


@dataclass(frozen=True, slots=True)
class RecipientAsked:
    number: int
    mailbox: Mailbox
    prefix: str = ""  # the network of the client that named it, in the form of mail/network


@dataclass(frozen=True, slots=True)
class NameAsked:
    number: int
    question: PublicQuestion


@dataclass(frozen=True, slots=True)
class RecipientAnswered:
    number: int
    knowledge: Knowledge


@dataclass(frozen=True, slots=True)
class NameAnswered:
    number: int
    answer: PublicAnswer


Asked = RecipientAsked | NameAsked
Answered = RecipientAnswered | NameAnswered


class Garbled(Exception):
    """The other end does not follow the protocol; the connection is unusable."""


def read_line(line: bytes, form: msgspec.json.Decoder[T]) -> T:
    """Decode a line of JSON. Raises only Garbled, for any input."""
    try:
        return form.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Garbled(f"{type(error).__name__}: {error}") from error


def question_line(asked: Asked) -> bytes:
    match asked:
        case RecipientAsked(number, mailbox, prefix):
            return msgspec.json.encode(_AskedRecipient(number, mailbox.written, prefix)) + b"\n"
        case NameAsked(number, question):
            return msgspec.json.encode(_AskedName(number, *_named(question))) + b"\n"


def answer_line(answered: Answered) -> bytes:
    match answered:
        case RecipientAnswered(number, knowledge):
            return msgspec.json.encode(_AnsweredRecipient(number, knowledge)) + b"\n"
        case NameAnswered(number, answer):
            line = msgspec.json.encode(_name_answered(number, answer)) + b"\n"
            if len(line) <= ANSWER_OCTETS_MAX:
                return line
            too_long = _name_answered(number, type(answer)(Finding.FAILED))
            return msgspec.json.encode(too_long) + b"\n"


def read_question(line: bytes) -> Asked:
    """Decode a question. Raises Garbled."""
    asked = read_line(line, _ASKED)
    try:
        if isinstance(asked, _AskedRecipient):
            return RecipientAsked(asked.number, written_mailbox(asked.mailbox), asked.prefix)
        return NameAsked(asked.number, _question_of(asked))
    except AddressError as error:
        raise Garbled(str(error)) from error


def read_answer(line: bytes) -> Answered:
    """Decode an answer. Raises Garbled."""
    answered = read_line(line, _ANSWERED)
    if isinstance(answered, _AnsweredRecipient):
        return RecipientAnswered(answered.number, answered.knowledge)
    return NameAnswered(answered.number, _answer_of(answered))


def may_be_asked(question: PublicQuestion) -> bool:
    """Whether a name can be one of the public DNS: of at least two labels, or an IP address."""
    if isinstance(question, Ptr):
        return as_ip(question.address) is not None
    _, name = _named(question)
    labels = name.removesuffix(".").split(".")
    return (
        len(labels) >= 2
        and len(name) <= NAME_CHARACTERS_MAX
        and all(0 < len(label) <= LABEL_CHARACTERS_MAX for label in labels)
        and all("!" <= character <= "~" for character in name)
    )


def without_records(question: PublicQuestion, finding: Finding) -> PublicAnswer:
    match question:
        case Mx():
            return MxAnswer(finding)
        case AddressRecords():
            return AddressAnswer(finding)
        case Txt():
            return TxtAnswer(finding)
        case Ptr():
            return PtrAnswer(finding)


def _named(question: PublicQuestion) -> tuple[_Records, str]:
    match question:
        case Mx(domain):
            return _Records.MX, domain.name
        case AddressRecords(host, version):
            return _Records.A if version == 4 else _Records.AAAA, host
        case Txt(name):
            return _Records.TXT, name
        case Ptr(address):
            return _Records.PTR, address


def _question_of(asked: _AskedName) -> PublicQuestion:
    """Raises Garbled for a name that the asking end never asks about."""
    question: PublicQuestion
    match asked.records:
        case _Records.MX:
            question = Mx(Domain(asked.name))
        case _Records.A:
            question = AddressRecords(asked.name, 4)
        case _Records.AAAA:
            question = AddressRecords(asked.name, 6)
        case _Records.TXT:
            question = Txt(asked.name)
        case _Records.PTR:
            question = Ptr(asked.name)
    if not may_be_asked(question):
        raise Garbled("a name that is no public one")
    return question


def _name_answered(number: int, answer: PublicAnswer) -> _AnsweredName:
    match answer:
        case MxAnswer(finding, records):
            hosts = [record.host for record in records]
            preferences = [record.preference for record in records]
            return _AnsweredName(number, _Records.MX, finding, hosts, preferences)
        case AddressAnswer(finding, values):
            return _AnsweredName(number, _Records.A, finding, list(values), [])
        case TxtAnswer(finding, values):
            return _AnsweredName(number, _Records.TXT, finding, list(values), [])
        case PtrAnswer(finding, values):
            return _AnsweredName(number, _Records.PTR, finding, list(values), [])


def _answer_of(answered: _AnsweredName) -> PublicAnswer:
    finding, values = answered.finding, tuple(answered.values)
    match answered.records:
        case _Records.MX:
            return MxAnswer(finding, _mx_records(answered.preferences, values))
        case _Records.A | _Records.AAAA:
            return AddressAnswer(finding, values)
        case _Records.TXT:
            return TxtAnswer(finding, values)
        case _Records.PTR:
            return PtrAnswer(finding, values)


def _mx_records(preferences: Sequence[int], hosts: Sequence[str]) -> tuple[MxRecord, ...]:
    if len(preferences) != len(hosts):
        raise Garbled("an MX record without its preference")
    return tuple(map(MxRecord, preferences, hosts))


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
