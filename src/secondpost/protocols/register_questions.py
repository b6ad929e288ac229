"""The protocol by which the deliver role has the fetch role search the register copy: a JSON line each way.

The register is larger than an answer may be, so the fetch role reads it as it comes, and answers with the
hits alone. Its address is not asked: the fetch role takes it from the configuration.
"""

from dataclasses import asdict
from typing import Annotated

import msgspec

from secondpost.mail.register import RegisterAsked, RegisterHit, RegisterRead, RegisterResult, RegisterUnread
from secondpost.protocols.role_questions import Number, read_line

SUBJECTS_MAX = 1_000  # addresses, and as many names
HITS_MAX = 100
SUBJECT_CHARACTERS_MAX = 300
TEXT_CHARACTERS_MAX = 1_000
REGISTER_LINE_OCTETS_MAX = 4 * SUBJECTS_MAX * SUBJECT_CHARACTERS_MAX
REGISTER_RESULT_OCTETS_MAX = 12 * 5 * HITS_MAX * TEXT_CHARACTERS_MAX

_Subject = Annotated[str, msgspec.Meta(max_length=SUBJECT_CHARACTERS_MAX)]
_Text = Annotated[str, msgspec.Meta(max_length=TEXT_CHARACTERS_MAX)]
_Subjects = Annotated[tuple[_Subject, ...], msgspec.Meta(max_length=SUBJECTS_MAX)]


class _RegisterAsked(msgspec.Struct, tag="register", tag_field="ask"):
    addresses: _Subjects
    names: _Subjects


class _Hit(msgspec.Struct):
    subject: _Text
    entry: _Text
    authority: _Text
    decision: _Text
    date: _Text


class _RegisterRead(msgspec.Struct, tag="read", tag_field="answer"):
    updated: _Text
    files: Number
    lines: Number
    hits: Annotated[tuple[_Hit, ...], msgspec.Meta(max_length=HITS_MAX)]


class _RegisterUnread(msgspec.Struct, tag="unread", tag_field="answer"):
    reason: _Text


_ASKED = msgspec.json.Decoder(_RegisterAsked)
_RESULT = msgspec.json.Decoder(_RegisterRead | _RegisterUnread)


def register_line(asked: RegisterAsked) -> bytes:
    return msgspec.json.encode(_RegisterAsked(asked.addresses, asked.names)) + b"\n"


def read_register_asked(line: bytes) -> RegisterAsked:
    """Decode a question. Raises Garbled."""
    asked = read_line(line, _ASKED)
    return RegisterAsked(asked.addresses, asked.names)


def register_result_line(result: RegisterResult) -> bytes:
    match result:
        case RegisterRead(updated, files, lines, hits):
            kept = tuple(_Hit(**asdict(hit)) for hit in hits[:HITS_MAX])
            answer: msgspec.Struct = _RegisterRead(updated, files, lines, kept)
        case RegisterUnread(reason):
            answer = _RegisterUnread(reason[:TEXT_CHARACTERS_MAX])
    return msgspec.json.encode(answer) + b"\n"


def read_register_result(line: bytes) -> RegisterResult:
    """Decode an answer. Raises Garbled."""
    result = read_line(line, _RESULT)
    if isinstance(result, _RegisterUnread):
        return RegisterUnread(result.reason)
    hits = (RegisterHit(one.subject, one.entry, one.authority, one.decision, one.date) for one in result.hits)
    return RegisterRead(result.updated, result.files, result.lines, tuple(hits))
