"""The protocol by which the deliver role has the fetch role post to the webhook: a line of JSON each.

The address is not asked: the fetch role takes it from the configuration, so that no other role can
have it post elsewhere.
"""

from dataclasses import dataclass
from typing import Annotated

import msgspec

from secondpost.protocols.role_questions import read_line

POST_CHARACTERS_MAX = 16 * 1024
POST_LINE_OCTETS_MAX = 12 * POST_CHARACTERS_MAX + 100  # in JSON a character takes at most twelve
REASON_CHARACTERS_MAX = 300


class _PostAsked(msgspec.Struct, tag="post", tag_field="ask"):
    body: Annotated[str, msgspec.Meta(max_length=POST_CHARACTERS_MAX)]


class _PostAnswered(msgspec.Struct, tag="posted", tag_field="answer"):
    accepted: bool
    reason: Annotated[str, msgspec.Meta(max_length=REASON_CHARACTERS_MAX)]


_ASKED = msgspec.json.Decoder(_PostAsked)
_ANSWERED = msgspec.json.Decoder(_PostAnswered)


@dataclass(frozen=True, slots=True)
class PostAccepted:
    """The webhook answered 2xx."""


@dataclass(frozen=True, slots=True)
class PostNotAccepted:
    reason: str


PostOutcome = PostAccepted | PostNotAccepted


def post_line(body: str) -> bytes:
    return msgspec.json.encode(_PostAsked(body)) + b"\n"


def read_post(line: bytes) -> str:
    """Decode the body of a post. Raises Garbled."""
    return read_line(line, _ASKED).body


def outcome_line(outcome: PostOutcome) -> bytes:
    match outcome:
        case PostAccepted():
            answer = _PostAnswered(accepted=True, reason="")
        case PostNotAccepted(reason):
            answer = _PostAnswered(accepted=False, reason=reason[:REASON_CHARACTERS_MAX])
    return msgspec.json.encode(answer) + b"\n"


def read_outcome(line: bytes) -> PostOutcome:
    """Decode an outcome. Raises Garbled."""
    answer = read_line(line, _ANSWERED)
    return PostAccepted() if answer.accepted else PostNotAccepted(answer.reason)
