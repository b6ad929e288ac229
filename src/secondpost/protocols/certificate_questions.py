"""The protocols about our own certificate, a line of JSON each: the deliver role has the fetch role get
one, and a command asks the deliver role for what the owner wants.

The authority, the account and the kind of challenge are not asked: the fetch role takes them from the
configuration, as with posts. It refuses names that are not this server's.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated

import msgspec

from secondpost.protocols.role_questions import read_line

REQUEST_CHARACTERS_MAX = 16_000  # of a signing request in PEM, of at most NAMES_MAX names
CHAIN_CHARACTERS_MAX = 100_000  # of a certificate and its chain in PEM
NAMES_MAX = 100  # RFC 8555 sets no bound; authorities allow 100
REASON_CHARACTERS_MAX = 1_000
RETRY_SECONDS_MAX = 31 * 24 * 3_600
ORDER_LINE_OCTETS_MAX = 12 * REQUEST_CHARACTERS_MAX + 100  # in JSON a character takes at most twelve
WISH_LINE_OCTETS_MAX = 12 * REASON_CHARACTERS_MAX + 100
RESULT_LINE_OCTETS_MAX = 2 * CHAIN_CHARACTERS_MAX + 12 * REASON_CHARACTERS_MAX

ReasonText = Annotated[str, msgspec.Meta(max_length=REASON_CHARACTERS_MAX)]
Seconds = Annotated[int, msgspec.Meta(ge=0, le=RETRY_SECONDS_MAX)]


class _Ordered(msgspec.Struct, tag="certificate", tag_field="ask"):
    request: Annotated[str, msgspec.Meta(max_length=REQUEST_CHARACTERS_MAX)]
    attempt: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class _Issued(msgspec.Struct, tag="issued", tag_field="answer"):
    chain: Annotated[str, msgspec.Meta(max_length=CHAIN_CHARACTERS_MAX, pattern="^[\\x0a\\x0d\\x20-\\x7e]*$")]


class _Withheld(msgspec.Struct, tag="not-issued", tag_field="answer"):
    reason: ReasonText
    retry_seconds: Seconds | None
    host: Annotated[str, msgspec.Meta(max_length=253)]


_ORDERED = msgspec.json.Decoder(_Ordered)
_RESULT = msgspec.json.Decoder(_Issued | _Withheld)


@dataclass(frozen=True, slots=True)
class CertificateOrder:
    request: str  # a signing request in PEM (RFC 2986)
    attempt: int = 0  # how many orders failed before: another kind of challenge is tried each time


@dataclass(frozen=True, slots=True)
class CertificateIssued:
    """`chain`: certificates in PEM, the server's first. It was not compared with the request."""

    chain: str


@dataclass(frozen=True, slots=True)
class CertificateNotIssued:
    reason: str  # in the authority's words where it gave any
    retry_seconds: int | None = None  # how long it asks to wait; None: it did not say
    host: str = ""  # whose challenge failed; "" if it was nothing about one host


CertificateResult = CertificateIssued | CertificateNotIssued


def order_line(order: CertificateOrder) -> bytes:
    return msgspec.json.encode(_Ordered(order.request, order.attempt)) + b"\n"


def read_order(line: bytes) -> CertificateOrder:
    """Decode an order. Raises Garbled."""
    ordered = read_line(line, _ORDERED)
    return CertificateOrder(ordered.request, ordered.attempt)


def result_line(result: CertificateResult) -> bytes:
    match result:
        case CertificateIssued(chain):
            return msgspec.json.encode(_Issued(chain)) + b"\n"
        case CertificateNotIssued(reason, retry_seconds, host):
            seconds = None if retry_seconds is None else min(retry_seconds, RETRY_SECONDS_MAX)
            return msgspec.json.encode(_Withheld(reason[:REASON_CHARACTERS_MAX], seconds, host)) + b"\n"


def read_result(line: bytes) -> CertificateResult:
    """Decode a result. Raises Garbled."""
    result = read_line(line, _RESULT)
    if isinstance(result, _Issued):
        return CertificateIssued(result.chain)
    return CertificateNotIssued(result.reason, result.retry_seconds, result.host)


# -- what the owner wants
class CertificateWish(StrEnum):
    RENEW = "renew"
    ROLL = "roll"
    KEEP_KEY = "keep-key"


class _Wished(msgspec.Struct, tag="wish", tag_field="ask"):
    wish: CertificateWish


class _WishAnswer(msgspec.Struct, tag="wish", tag_field="answer"):
    is_granted: bool
    text: ReasonText


_WISHED = msgspec.json.Decoder(_Wished)
_WISH_ANSWER = msgspec.json.Decoder(_WishAnswer)


@dataclass(frozen=True, slots=True)
class WishAnswered:
    is_granted: bool
    text: str  # what happens next, or why not: a sentence


def wish_line(wish: CertificateWish) -> bytes:
    return msgspec.json.encode(_Wished(wish)) + b"\n"


def read_wish(line: bytes) -> CertificateWish:
    """Decode a wish. Raises Garbled."""
    return read_line(line, _WISHED).wish


def wish_answer_line(answered: WishAnswered) -> bytes:
    text = answered.text[:REASON_CHARACTERS_MAX]
    return msgspec.json.encode(_WishAnswer(answered.is_granted, text)) + b"\n"


def read_wish_answer(line: bytes) -> WishAnswered:
    """Decode an answer. Raises Garbled."""
    answer = read_line(line, _WISH_ANSWER)
    return WishAnswered(answer.is_granted, answer.text)
