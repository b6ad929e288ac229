"""The protocol by which the publish role asks the fetch role to read a feed: lines of JSON.

The fetch role parses hostile documents and may be compromised, so its answer is bounded and checked
like any other input.
"""

from dataclasses import asdict

import msgspec

from secondpost.mail.article import (
    ARTICLES_MAX,
    FeedAnswered,
    FeedAsked,
    FeedNotLookedAt,
    FeedRead,
    FeedUnchanged,
    FeedUnreadable,
)
from secondpost.protocols.role_questions import INTEGER_MAX, Garbled, read_line

ANSWER_OCTETS_MAX = 64 * 1024 * 1024


class _Read(msgspec.Struct, tag="read", tag_field="found"):
    read: FeedRead  # complete: the result of a fetch must not depend on the asker
    etag: str
    last_modified: str


class _Unreadable(msgspec.Struct, tag="unreadable", tag_field="found"):
    reason: str


class _Unchanged(msgspec.Struct, tag="unchanged", tag_field="found"):
    etag: str
    last_modified: str


_ASKED = msgspec.json.Decoder(FeedAsked)
_ANSWERED: msgspec.json.Decoder[_Read | _Unreadable | _Unchanged] = msgspec.json.Decoder(
    _Read | _Unreadable | _Unchanged
)


def asked_line(asked: FeedAsked) -> bytes:
    return msgspec.json.encode(asdict(asked)) + b"\n"


def read_asked(line: bytes) -> FeedAsked:
    """Decode a question. Raises Garbled."""
    return read_line(line, _ASKED)


def answered_line(answered: FeedAnswered) -> bytes:
    """Encode an answer; one that is too long becomes FeedUnreadable."""
    match answered.found:
        case FeedRead() as read:
            answer: msgspec.Struct = _Read(read, answered.etag, answered.last_modified)
        case FeedUnreadable(reason) | FeedNotLookedAt(reason):
            answer = _Unreadable(reason)
        case FeedUnchanged():
            answer = _Unchanged(answered.etag, answered.last_modified)
    line = msgspec.json.encode(answer) + b"\n"
    if len(line) > ANSWER_OCTETS_MAX:
        return answered_line(FeedAnswered(FeedUnreadable("It is larger than any feed should be.")))
    return line


def read_answered(line: bytes) -> FeedAnswered:
    """Decode and check an answer. Raises Garbled."""
    answer = read_line(line, _ANSWERED)
    match answer:
        case _Read():
            if len(answer.read.articles) > ARTICLES_MAX:
                raise Garbled(f"{len(answer.read.articles)} articles in one feed")
            if any(not _is_a_time(article.published_ms) for article in answer.read.articles):
                raise Garbled("an article whose time is out of range")
            return FeedAnswered(answer.read, answer.etag, answer.last_modified)
        case _Unreadable():
            return FeedAnswered(FeedUnreadable(answer.reason))
        case _Unchanged():
            return FeedAnswered(FeedUnchanged(), answer.etag, answer.last_modified)


def _is_a_time(published_ms: int | None) -> bool:
    return published_ms is None or abs(published_ms) <= INTEGER_MAX
