"""The protocol by which a command has the deliver role make a round of `watch reach` at once: a line of JSON
each way. The answer comes when the round is over.
"""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from secondpost.protocols.role_questions import read_line

REASON_CHARACTERS_MAX = 300
ROUND_LINE_OCTETS_MAX = 12 * REASON_CHARACTERS_MAX + 100


class _RoundAsked(msgspec.Struct, tag="reach-round", tag_field="ask"):
    pass


class _RoundOver(msgspec.Struct, tag="reach-round", tag_field="answer"):
    fault: Annotated[str, msgspec.Meta(max_length=REASON_CHARACTERS_MAX)]


_ASKED = msgspec.json.Decoder(_RoundAsked)
_OVER = msgspec.json.Decoder(_RoundOver)


@dataclass(frozen=True, slots=True)
class RoundAsked:
    """Make a round now."""


@dataclass(frozen=True, slots=True)
class RoundOver:
    fault: str = ""  # why it could not be made to its end


def round_asked_line() -> bytes:
    return msgspec.json.encode(_RoundAsked()) + b"\n"


def read_round_asked(line: bytes) -> RoundAsked:
    """Decode a question. Raises Garbled."""
    read_line(line, _ASKED)
    return RoundAsked()


def round_over_line(over: RoundOver) -> bytes:
    return msgspec.json.encode(_RoundOver(over.fault[:REASON_CHARACTERS_MAX])) + b"\n"


def read_round_over(line: bytes) -> RoundOver:
    """Decode an answer. Raises Garbled."""
    return RoundOver(read_line(line, _OVER).fault)
