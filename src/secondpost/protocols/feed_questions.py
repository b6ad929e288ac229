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
    FeedGone,
    FeedNotLookedAt,
    FeedRead,
    FeedUnchanged,
    FeedUnreadable,
)
from secondpost.mail.duration import DAY_MS
from secondpost.protocols.role_questions import INTEGER_MAX, Garbled, read_line

ASKED_OCTETS_MAX = 32 * 1024  # several URLs and two validators
ANSWER_OCTETS_MAX = 64 * 1024 * 1024
WAIT_MS_MAX = 31 * DAY_MS  # more than any wait that newsletter/response_times finds


class _Response(msgspec.Struct):
    """What every answer says of the response."""

    etag: str
    last_modified: str
    validators_url: str
    location: str
    wait_ms: int | None


class _Read(msgspec.Struct, tag="read", tag_field="found"):
    read: FeedRead  # complete: the result of a fetch must not depend on the asker
    response: _Response


class _Unreadable(msgspec.Struct, tag="unreadable", tag_field="found"):
    reason: str
    response: _Response


class _Gone(msgspec.Struct, tag="gone", tag_field="found"):
    response: _Response


class _Unchanged(msgspec.Struct, tag="unchanged", tag_field="found"):
    response: _Response


_FeedFound = _Read | _Unreadable | _Gone | _Unchanged
_ASKED = msgspec.json.Decoder(FeedAsked)
_ANSWERED: msgspec.json.Decoder[_FeedFound] = msgspec.json.Decoder(_FeedFound)


def asked_line(asked: FeedAsked) -> bytes:
    return msgspec.json.encode(asdict(asked)) + b"\n"


def read_asked(line: bytes) -> FeedAsked:
    """Decode a question. Raises Garbled."""
    return read_line(line, _ASKED)


def answered_line(answered: FeedAnswered) -> bytes:
    """Encode an answer; one that is too long becomes FeedUnreadable."""
    response = _Response(
        answered.etag,
        answered.last_modified,
        answered.validators_url,
        answered.location,
        answered.wait_ms,
    )
    match answered.found:
        case FeedRead() as read:
            answer: msgspec.Struct = _Read(read, response)
        case FeedUnreadable(reason) | FeedNotLookedAt(reason):
            answer = _Unreadable(reason, response)
        case FeedGone():
            answer = _Gone(response)
        case FeedUnchanged():
            answer = _Unchanged(response)
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
            if not 0 <= answer.read.refresh_ms <= WAIT_MS_MAX:
                raise Garbled(f"a feed that is to be fetched every {answer.read.refresh_ms} ms")
            return _answered(answer.read, answer.response)
        case _Unreadable():
            return _answered(FeedUnreadable(answer.reason), answer.response)
        case _Gone():
            return _answered(FeedGone(), answer.response)
        case _Unchanged():
            return _answered(FeedUnchanged(), answer.response)


def _answered(found: FeedRead | FeedUnreadable | FeedGone | FeedUnchanged, said: _Response) -> FeedAnswered:
    if said.wait_ms is not None and not 0 <= said.wait_ms <= WAIT_MS_MAX:
        raise Garbled(f"a server that is to be left alone for {said.wait_ms} ms")
    return FeedAnswered(
        found,
        said.etag,
        said.last_modified,
        said.validators_url,
        said.location,
        said.wait_ms,
    )


def _is_a_time(published_ms: int | None) -> bool:
    return published_ms is None or abs(published_ms) <= INTEGER_MAX
