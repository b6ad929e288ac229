"""Reads the replies of an SMTP server, which may be hostile: lines, counts and codes are bounded.

RFC 5321 §4.2. Enhanced status codes (RFC 2034) are moved from the text into `Reply.status`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.lines import EndlessLine, LineBuffer

REPLY_OCTETS_MAX = 2048  # of one line; RFC 5321 §4.5.3.1.5 says 512
REPLY_LINES_MAX = 100
OCTETS_AFTER_MAX = 2048  # not read yet, that are shown of a broken session
REPLIES_KEPT_MAX = 128  # one-line replies cached, since servers repeat them

_STATUS = rb"(([245])\.[0-9]{1,3}\.[0-9]{1,3})(?: |\Z)"
_LINE = re.compile(rb"([2-5][0-9][0-9])(?:([ -])(?:%b)?(.*))?" % _STATUS, re.DOTALL)


class GarbledReply(Exception):
    """The input is not a valid reply; the text says why."""


class ReplyReader:
    """Bytes in, replies out."""

    __slots__ = ("_code", "_lines", "_status", "_texts")

    def __init__(self) -> None:
        self._lines = LineBuffer(REPLY_OCTETS_MAX)
        self._code = 0  # of a reply whose last line has not come
        self._status = ""
        self._texts: list[str] = []

    def receive(self, data: bytes) -> None:
        self._lines.receive(data)

    def allow_lines_of(self, octets_max: int) -> None:
        """Accept lines of up to so many octets from now on."""
        self._lines.octets_max = octets_max

    def last_octets(self) -> bytes:
        """What came last, read or not, of bounded length: to look at once the session is broken."""
        return self._lines.around(REPLY_OCTETS_MAX, OCTETS_AFTER_MAX)

    def clear(self) -> None:
        self._lines.clear()
        self._texts = []

    @property
    def is_empty(self) -> bool:
        """Whether every received octet belongs to a reply already returned."""
        return len(self._lines) == 0 and len(self._texts) == 0

    def next_reply(self) -> Reply | None:
        """The next reply; None if it is not complete. Raises GarbledReply."""
        while True:
            try:
                line = self._lines.take_line()
            except EndlessLine:
                raise GarbledReply("a reply line without end") from None
            if line is None:
                return None
            if len(self._texts) == 0 and (known := _reply_of_one_line(line)) is not None:
                return known
            if self._is_last(line):
                reply = Reply(self._code, self._status, tuple(self._texts))
                self._texts = []
                return reply

    def _is_last(self, line: bytes) -> bool:
        parsed = _parsed(line)
        if len(self._texts) == 0:
            self._code = parsed.code
            self._status = ""
        elif parsed.code != self._code:
            raise GarbledReply(f"a reply of two codes, {self._code} and {parsed.code}")
        elif len(self._texts) == REPLY_LINES_MAX:
            raise GarbledReply(f"a reply of more than {REPLY_LINES_MAX} lines")
        words = parsed.words
        if parsed.status != "" and self._status in ("", parsed.status):
            self._status = parsed.status
        elif parsed.status != "":
            words = f"{parsed.status} {words}"
        self._texts.append(words)
        return parsed.is_last


@dataclass(frozen=True, slots=True)
class _ReplyLine:
    code: int
    is_last: bool
    status: str  # "" if there is none, or its class differs from the code's (RFC 2034 §4)
    words: str


def _parsed(line: bytes) -> _ReplyLine:
    """Parse one line of a reply. Raises GarbledReply."""
    match = _LINE.fullmatch(line.rstrip(b"\r\n"))  # a bare LF is accepted
    if match is None:
        raise GarbledReply(f"not a reply: {_readable(line.rstrip())[:80]}")
    code, separator, status, status_class, text = match.groups()
    words = "" if text is None else _readable(text)
    stated = "" if status is None else status.decode("ascii")
    if status_class != code[:1] and stated != "":
        words, stated = f"{stated} {words}", ""
    return _ReplyLine(int(code), separator != b"-", stated, words)


@lru_cache(REPLIES_KEPT_MAX)
def _reply_of_one_line(line: bytes) -> Reply | None:
    """The reply of a single line; None if more lines follow. Raises GarbledReply."""
    parsed = _parsed(line)
    return Reply(parsed.code, parsed.status, (parsed.words,)) if parsed.is_last else None


def _readable(data: bytes) -> str:
    """Decode text for people; characters that could affect a terminal or a log become "?"."""
    text = data.decode("utf-8", "replace")
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else "?" for c in text)
