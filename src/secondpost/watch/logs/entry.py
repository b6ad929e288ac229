"""A line of a log as time, program and text, in the forms in which mail servers' logs are kept."""

import re
from dataclasses import dataclass

import msgspec

from secondpost.watch.logs.dates import LogCalendar, iso_ms

EXIM, OPENSMTPD, OWN = b"exim", b"smtpd", b"secondpost"

_PRIORITY = re.compile(rb"<\d{1,3}>")
_TAGGED = rb"(?:[^\s:\[]{1,255} )?([^\s:\[]{1,64})(?:\[\d{1,10}\])?: (.*)"  # the host may be missing
_SYSLOG = re.compile(rb"([A-Z][a-z]{2}) ([ \d]\d) (\d\d):(\d\d):(\d\d) " + _TAGGED, re.DOTALL)
_STAMPED = re.compile(
    rb"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?) (.*)", re.DOTALL
)
_TAGGED_ALONE = re.compile(_TAGGED, re.DOTALL)
_OWN = re.compile(rb"[a-z]{3,12} ([a-z]{3,20}(?:-[a-z]{2,20}){0,4} [a-z]{1,20}=.*)", re.DOTALL)
_EXIM = re.compile(
    rb"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,6})?)(?: ([+-]\d{4}))? (?:\[\d{1,10}\] )?(.*)", re.DOTALL
)
_OPENSMTPD = re.compile(rb"[0-9a-f]{16} (?:smtp|mda|mta) ")


class _Journal(msgspec.Struct, frozen=True, gc=False):
    """What is read of an entry as `journalctl -o json` prints it; a value may be text or octets."""

    message: str | list[int] | None = msgspec.field(name="MESSAGE", default=None)
    identifier: str | list[int | str] | None = msgspec.field(name="SYSLOG_IDENTIFIER", default=None)
    command: str | list[int | str] | None = msgspec.field(name="_COMM", default=None)
    microseconds: str | None = msgspec.field(name="__REALTIME_TIMESTAMP", default=None)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """`when_ms`: None where the log has no times. `program`: as in postfix/smtpd."""

    when_ms: int | None
    program: bytes
    text: bytes


def entry_of(line: bytes, calendar: LogCalendar) -> LogEntry | None:
    """`line`: without its line end. None if it has none of the forms."""
    if line.startswith(b"{"):
        return _of_journal(line)
    if line.startswith(b"<"):
        priority = _PRIORITY.match(line)
        line = line if priority is None else line[priority.end() :]
    traditional = _SYSLOG.match(line)
    if traditional is not None:
        month, day, hour, minute, second, program, text = traditional.groups()
        when_ms = calendar.of_syslog(month, int(day), int(hour), int(minute), int(second))
        return _entry(when_ms, program, text)
    stamped = _STAMPED.match(line)
    if stamped is not None:
        return _of_stamped(iso_ms(stamped[1].decode().replace(",", ".")), stamped[2])
    exim = _EXIM.match(line)
    if exim is not None:
        zone = b"" if exim[2] is None else exim[2]
        return LogEntry(iso_ms((exim[1] + zone).decode()), EXIM, exim[3])
    if _OPENSMTPD.match(line) is not None:
        return LogEntry(None, OPENSMTPD, line)
    return None


def _of_stamped(when_ms: int | None, rest: bytes) -> LogEntry | None:
    own = _OWN.fullmatch(rest)
    if own is not None:
        return LogEntry(when_ms, OWN, own[1])
    tagged = _TAGGED_ALONE.fullmatch(rest)
    return None if tagged is None else _entry(when_ms, tagged[1], tagged[2])


def _entry(when_ms: int | None, program: bytes, text: bytes) -> LogEntry:
    if program.startswith(EXIM):
        again = _EXIM.fullmatch(text)  # Exim writes its own time behind that of syslog
        text = text if again is None else again[3]
    if program == OWN:
        stamped = _STAMPED.fullmatch(text)
        own = None if stamped is None else _OWN.fullmatch(stamped[2])
        text = text if own is None else own[1]
    return LogEntry(when_ms, program, text)


def _of_journal(line: bytes) -> LogEntry | None:
    try:
        entry = msgspec.json.decode(line, type=_Journal)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    text = _octets(entry.message)
    program = _octets(entry.identifier)
    if len(program) == 0:
        program = _octets(entry.command)
    when = entry.microseconds
    when_ms = int(when) // 1000 if when is not None and re.fullmatch(r"\d{1,18}", when) is not None else None
    return _entry(when_ms, program, text.rstrip(b"\r\n"))


def _octets(value: str | list[int] | list[int | str] | None) -> bytes:
    """A value of the journal: text, or the numbers of its octets; of several values none."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace")
    if value is None:
        return b""
    numbers = [each for each in value if isinstance(each, int) and 0 <= each <= 255]
    return bytes(numbers) if len(numbers) == len(value) else b""
