"""What is common to the answers of all sources: refusals, and forms that are not known. Pure."""

from dataclasses import dataclass
from typing import Annotated, TypeVar

import msgspec

from secondpost.mail.duration import HOUR_MS, MINUTE_MS, SECOND_MS
from secondpost.mail.printable import printable
from secondpost.protocols.service_questions import ServiceAnswer, ServiceResult, ServiceSilent

T = TypeVar("T")
AsNumber = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 1)]  # of an autonomous system

REASON_CHARACTERS_MAX = 300
REST_MS = 10 * MINUTE_MS  # after too many questions, if the service does not say for how long
REST_MS_MAX = 24 * HOUR_MS  # whatever it says


@dataclass(frozen=True, slots=True)
class SourceFailed:
    """A source gave no answer that can be used."""

    reason: str  # in words that can follow "Globalping "
    rest_ms: int = 0  # it does not want to be asked for so long


def usable(result: ServiceResult, form: msgspec.json.Decoder[T]) -> T | SourceFailed:
    """The document of a good answer."""
    match result:
        case ServiceSilent(reason):
            return SourceFailed(_cut(f"did not answer: {reason}"))
        case ServiceAnswer(status) if status in (200, 201, 202):
            return _document(result.body, form)
        case ServiceAnswer():
            return _refusal(result)


def _document(body: bytes, form: msgspec.json.Decoder[T]) -> T | SourceFailed:
    if len(body.strip()) == 0:
        return SourceFailed("answered with nothing")
    try:
        return form.decode(body)
    except msgspec.ValidationError as error:
        return SourceFailed(_cut(f"answered in a form that this version does not know: {error}"))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return SourceFailed(_cut(f"answered with a torn or broken document: {error}"))


def _refusal(answer: ServiceAnswer) -> SourceFailed:
    status, said = answer.status, _said(answer.body)
    if status == 429:
        return SourceFailed(_cut(f"says that we asked too often (HTTP 429){said}"), _rest_ms(answer))
    if status in (401, 403):
        return SourceFailed(_cut(f"refuses us, or our key (HTTP {status}){said}"))
    if status >= 500:
        return SourceFailed(_cut(f"has a problem (HTTP {status}){said}"))
    if 300 <= status < 400:
        return SourceFailed(f"has moved (HTTP {status})")
    return SourceFailed(_cut(f"does not accept the question (HTTP {status}){said}"))


class _Detail(msgspec.Struct):
    detail: str = ""


class _Error(msgspec.Struct):
    type: str = ""
    message: str = ""
    title: str = ""
    detail: str = ""
    errors: tuple[_Detail, ...] = ()


class _WithError(msgspec.Struct):
    """Globalping and RIPE Atlas explain a refusal in an object `error`."""

    error: _Error = msgspec.field(default_factory=_Error)


_WITH_ERROR = msgspec.json.Decoder(_WithError)


def _said(body: bytes) -> str:
    try:
        error = _WITH_ERROR.decode(body).error
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""
    named = [one.detail for one in error.errors]
    said = "; ".join(text for text in named if len(text) > 0)
    for text in (error.message, error.detail, error.title, error.type):
        said = text if len(said) == 0 else said
    return f": {printable(said).rstrip('.')}" if len(said) > 0 else ""


def _rest_ms(answer: ServiceAnswer) -> int:
    for name in ("retry-after", "x-ratelimit-reset"):
        written = answer.headers.get(name, "")
        if written.isdecimal() and len(written) < 10:
            return min(int(written) * SECOND_MS, REST_MS_MAX)
    return REST_MS


def _cut(text: str) -> str:
    shown = printable(text)
    return shown if len(shown) <= REASON_CHARACTERS_MAX else f"{shown[: REASON_CHARACTERS_MAX - 1]}…"
