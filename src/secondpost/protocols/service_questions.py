"""The protocol by which the deliver role has the fetch role ask a web service: a line of JSON each way.

The address is not asked: a question names a service, and the fetch role takes the address of that service
from the program or from the configuration, so that no other role can have it ask elsewhere. The fetch
role reads what strangers wrote, so its answer is bounded and checked like any other input.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

import msgspec

from secondpost.protocols.role_questions import Garbled, read_line

PATH_CHARACTERS_MAX = 1_500
BODY_ASKED_OCTETS_MAX = 256 * 1024  # of JSON that is posted
BODY_OCTETS_MAX = 16 * 1024 * 1024  # of an answer's body, whatever was asked
HEADER_CHARACTERS_MAX = 1_000
REASON_CHARACTERS_MAX = 300
# In JSON four characters stand for three octets of a body; a character of text takes at most twelve.
REQUEST_LINE_OCTETS_MAX = BODY_ASKED_OCTETS_MAX * 4 // 3 + 12 * PATH_CHARACTERS_MAX + 30_000
RESULT_LINE_OCTETS_MAX = BODY_OCTETS_MAX * 4 // 3 + 200_000

# Of an answer: what it says of itself and of our quota.
HEADERS_KEPT = (
    "content-type",
    "etag",
    "last-modified",
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
)
# It begins with one slash, so that it cannot be read as a host; neither a dot nor a percent sign begins a
# part of it, so that it stays below the address of the service.
PATH_FORM = r"^/$|^(/[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9._~!$&'()*+,;=:@%-]*)+/?(\?[!-~]*)?$"

HeaderText = Annotated[str, msgspec.Meta(max_length=HEADER_CHARACTERS_MAX, pattern="^[ -~]*$")]


class WebService(StrEnum):
    """A service that the fetch role can be asked to ask, if the configuration wants it."""

    OSV = "osv"  # advisories
    GLOBALPING = "globalping"  # probes in other countries
    ATLAS = "atlas"  # the same, of RIPE
    OONI = "ooni"  # web measurements of volunteers


class _ServiceAsked(msgspec.Struct, tag="service", tag_field="ask"):
    service: WebService
    path: Annotated[str, msgspec.Meta(max_length=PATH_CHARACTERS_MAX, pattern=PATH_FORM)]
    body: Annotated[bytes, msgspec.Meta(max_length=BODY_ASKED_OCTETS_MAX)] | None
    octets_max: Annotated[int, msgspec.Meta(ge=0, le=BODY_OCTETS_MAX)]
    etag: HeaderText
    last_modified: HeaderText


class _ServiceAnswered(msgspec.Struct, tag="answered", tag_field="answer"):
    status: Annotated[int, msgspec.Meta(ge=100, le=599)]
    headers: dict[str, HeaderText]
    body: Annotated[bytes, msgspec.Meta(max_length=BODY_OCTETS_MAX)]


class _ServiceUnanswered(msgspec.Struct, tag="silent", tag_field="answer"):
    reason: Annotated[str, msgspec.Meta(max_length=REASON_CHARACTERS_MAX)]


_ASKED = msgspec.json.Decoder(_ServiceAsked)
_RESULT = msgspec.json.Decoder(_ServiceAnswered | _ServiceUnanswered)


@dataclass(frozen=True, slots=True)
class ServiceRequest:
    service: WebService
    path: str  # below the address of the service, with the query; it begins with "/"
    body: bytes | None = None  # JSON, which is posted; None: the path is got
    octets_max: int = 1_000_000  # of the answer's body
    etag: str = ""  # of an earlier answer, which a 304 says still holds
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class ServiceAnswer:
    """Any status, also of a redirect, which is not followed."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)  # those of HEADERS_KEPT that it has
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class ServiceSilent:
    """No answer, one that is too large, or a service that the configuration does not want."""

    reason: str  # in words that can follow "api.example.net: "


ServiceResult = ServiceAnswer | ServiceSilent
AskService = Callable[[ServiceRequest], Awaitable[ServiceResult]]


def request_line(request: ServiceRequest) -> bytes:
    asked = _ServiceAsked(
        request.service, request.path, request.body, request.octets_max, request.etag, request.last_modified
    )
    return msgspec.json.encode(asked) + b"\n"


def read_request(line: bytes) -> ServiceRequest:
    """Decode a question. Raises Garbled."""
    asked = read_line(line, _ASKED)
    return ServiceRequest(
        asked.service, asked.path, asked.body, asked.octets_max, asked.etag, asked.last_modified
    )


def service_result_line(result: ServiceResult) -> bytes:
    match result:
        case ServiceAnswer(status, headers, body):
            answer: msgspec.Struct = _ServiceAnswered(status, kept_headers(headers), body)
        case ServiceSilent(reason):
            answer = _ServiceUnanswered(reason[:REASON_CHARACTERS_MAX])
    return msgspec.json.encode(answer) + b"\n"


def read_service_result(line: bytes, octets_max: int) -> ServiceResult:
    """Decode the answer to a question that wanted at most `octets_max`. Raises Garbled."""
    result = read_line(line, _RESULT)
    if isinstance(result, _ServiceUnanswered):
        return ServiceSilent(result.reason)
    if len(result.body) > octets_max:
        raise Garbled(f"a body of {len(result.body)} octets, at most {octets_max} were wanted")
    return ServiceAnswer(result.status, kept_headers(result.headers), result.body)


def kept_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Those that an answer hands on, if they have a form that a header should have."""
    found = {name: headers[name] for name in HEADERS_KEPT if name in headers}
    return {
        name: value
        for name, value in found.items()
        if len(value) <= HEADER_CHARACTERS_MAX and value.isascii() and value.isprintable()
    }
