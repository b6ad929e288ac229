"""Reads one log: its octets go in, attempts are counted in a tally."""

import re
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from secondpost.protocols.attacks.matching import AttackFound, found_in, found_in_line
from secondpost.protocols.attacks.rule import AttackPlace, AttackRule
from secondpost.protocols.attacks.rules import RULES
from secondpost.watch.hole import KnownHole, MailSoftware
from secondpost.watch.holes import holes_of
from secondpost.watch.logs.blocks import BLOCK_OCTETS, LINE_OCTETS_MAX, LogLines, worth_a_look
from secondpost.watch.logs.dates import LogCalendar, year_earlier
from secondpost.watch.logs.entry import OWN, LogEntry, entry_of
from secondpost.watch.logs.exim import EXIM_LOG
from secondpost.watch.logs.opensmtpd import OPENSMTPD_LOG
from secondpost.watch.logs.own import OWN_LOG
from secondpost.watch.logs.postfix import POSTFIX_LOG
from secondpost.watch.logs.seen import LogOutcome, LogReader, LogText, Origin, SeenInLog
from secondpost.watch.logs.sendmail import SENDMAIL_LOG
from secondpost.watch.logs.tally import LogAttempt, LogTally

ENTRY_OCTETS_MAX = 8_192  # no server writes longer ones
TEXT_OCTETS_MAX = 2_048
KNOWN_LINES = 50  # at the beginning of a log, to see whose it is
# In a log of many programs a mail server's first line may come later.
_SERVER_NAME = re.compile(rb"postfix|exim|smtpd|secondpost|sendmail|sm-")
SESSIONS_MAX = 4_096  # remembered, to count an attempt once
BACK_OCTETS_MAX = 256 * 1024  # how far above a line its session is looked for
NEARBY_OCTETS_MAX = 16 * 1024
LOOKALIKES_MAX = 8  # lines with the marks of a session that turn out to be something else
_ORDER: dict[str, int] = {rule.id: place for place, rule in enumerate(RULES)}


def reader_of(program: bytes) -> LogReader | None:
    if program.startswith(b"postfix"):
        return POSTFIX_LOG
    if program == OWN:
        return OWN_LOG
    if program.startswith(b"exim"):
        return EXIM_LOG
    if program in (b"smtpd", b"opensmtpd"):
        return OPENSMTPD_LOG
    return SENDMAIL_LOG if program.startswith((b"sendmail", b"sm-")) else None


@dataclass(slots=True)
class LogSummary:
    """Of one log: `first_ms` and `last_ms` as its lines say, None without times."""

    lines: int = 0
    cut: int = 0
    software: set[MailSoftware] = field(default_factory=set)
    has_form: bool = False  # a line with time and program, or of a form of one server alone
    first_ms: int | None = None
    last_ms: int | None = None
    years_guessed: bool = False


class LogScan:
    """`written_ms`: when the log was last written; `since_ms`: what is older is not counted."""

    def __init__(self, written_ms: int, since_ms: int | None = None) -> None:
        self.tally = LogTally()
        self.summary = LogSummary()
        self._since_ms = since_ms
        self._calendar = LogCalendar(written_ms)
        self._lines = LogLines()
        self._waiting = b""  # whole lines that are not read yet
        self._before = b""  # the end of what was read, for lines of sessions
        self._counted: OrderedDict[tuple[str, bytes], LogAttempt] = OrderedDict()

    def feed(self, octets: bytes) -> None:
        self._waiting += self._lines.fed(octets)
        if len(self._waiting) >= BLOCK_OCTETS + NEARBY_OCTETS_MAX:
            # The last lines wait for those below them.
            self._read(self._waiting.rfind(b"\n", 0, -NEARBY_OCTETS_MAX) + 1)

    def end(self) -> None:
        self._waiting += self._lines.ended()
        self._read(len(self._waiting))
        self.summary.cut = self._lines.cut
        self.summary.years_guessed = self._calendar.guessed

    def _read(self, octets: int) -> None:
        """Read so many octets of what waits: whole lines."""
        block = self._waiting[:octets]
        if len(block) == 0:
            return
        if self.summary.lines < KNOWN_LINES:
            self._get_to_know(block.split(b"\n", KNOWN_LINES)[:KNOWN_LINES])
        if len(self.summary.software) == 0:
            self._get_to_know(_lines_naming_a_server(block))
        self.summary.lines += block.count(b"\n")
        self._note_time(_line_at(block, 0))
        for start in worth_a_look(block):
            self._look_at(self._waiting, start)
        self._note_time(_line_at(block, block.rfind(b"\n", 0, -1) + 1))
        self._before = (self._before + block)[-BACK_OCTETS_MAX:]
        self._waiting = self._waiting[octets:]

    def _get_to_know(self, lines: Iterable[bytes]) -> None:
        for line in lines:
            entry = entry_of(line[:LINE_OCTETS_MAX], LogCalendar(0))  # its time does not matter
            self.summary.has_form |= entry is not None
            reader = None if entry is None else reader_of(entry.program)
            if reader is not None:
                self.summary.software.add(reader.software)

    def _note_time(self, line: bytes) -> None:
        entry = self._entry(line)
        if entry is None or entry.when_ms is None:
            return
        if self.summary.first_ms is None:
            self.summary.first_ms = entry.when_ms
        self.summary.last_ms = entry.when_ms

    def _entry(self, line: bytes) -> LogEntry | None:
        turns = self._calendar.turns
        entry = entry_of(line, self._calendar)
        if self._calendar.turns > turns:
            self.tally.year_earlier()
            if self.summary.first_ms is not None:
                self.summary.first_ms = year_earlier(self.summary.first_ms)
            self._calendar.turns = turns
        return entry

    def _look_at(self, block: bytes, start: int) -> None:
        entry = self._entry(_line_at(block, start))
        reader = None if entry is None else reader_of(entry.program)
        if entry is None or reader is None:
            return
        self.summary.software.add(reader.software)
        if self._since_ms is not None and entry.when_ms is not None and entry.when_ms < self._since_ms:
            return
        seen = reader.read(entry.program, entry.text[:ENTRY_OCTETS_MAX])
        if seen is None:
            return
        named = named_in(seen)
        if named is None or self._is_said_nearby(seen, block, start):
            return
        peer, session = seen.peer, seen.session
        if peer is None and len(session) > 0:
            peer, session = self._origin_of(session, reader, (block, start))
        rule, sample, rules = named
        open_ = () if seen.outcome is LogOutcome.REFUSED else _holes(rules, reader.software)
        attempt = LogAttempt(rule, reader.software, seen.outcome, peer, entry.when_ms, sample, open_)
        self._count(attempt, session)

    def _count(self, attempt: LogAttempt, session: bytes) -> None:
        """Count it, or learn more of it: a session tries the same thing once."""
        if len(session) == 0:
            self.tally.add(attempt)
            return
        key = (attempt.rule.id, session)
        counted = self._counted.get(key)
        if counted is None:
            self.tally.add(attempt)
        elif counted.outcome is not LogOutcome.TAKEN and attempt.outcome is LogOutcome.TAKEN:
            self.tally.taken(counted, attempt)
            attempt = replace(counted, outcome=attempt.outcome)
        else:
            return
        self._counted[key] = attempt
        if len(self._counted) > SESSIONS_MAX:
            self._counted.popitem(last=False)

    def _origin_of(
        self, session: bytes, reader: LogReader, place: tuple[bytes, int]
    ) -> tuple[str | None, bytes]:
        """The client of a session or message by another line of it, and the session that it is."""
        for _ in range(2):  # a delivery names its message, the message its session
            origin = self._line_of(session, reader, place)
            if origin is None:
                return None, session
            if origin.peer is not None or len(origin.session) == 0:
                return origin.peer, session
            session = origin.session
        return None, session

    def _line_of(self, session: bytes, reader: LogReader, place: tuple[bytes, int]) -> Origin | None:
        block, start = place
        for mark in (form for each in reader.marks(session) for form in _forms(each)):
            for line in _lines_with(mark, block, start, self._before):
                entry = entry_of(line, LogCalendar(0))  # its time does not matter
                origin = None if entry is None else reader.origin(session, entry.text)
                if origin is not None:
                    return origin
        return None

    def _is_said_nearby(self, seen: SeenInLog, block: bytes, start: int) -> bool:
        if len(seen.unless) == 0:
            return False
        above = self._before[start - NEARBY_OCTETS_MAX :] if start < NEARBY_OCTETS_MAX else b""
        near = above + block[max(0, start - NEARBY_OCTETS_MAX) : start + NEARBY_OCTETS_MAX]
        return any(form in near for form in _forms(seen.unless))


def _forms(mark: bytes) -> tuple[bytes, bytes]:
    """A mark as it is, and as the journal writes a text that is no UTF-8: the numbers of its octets."""
    return mark, b",".join(b"%d" % octet for octet in mark)


def named_in(seen: SeenInLog) -> tuple[AttackRule, bytes, tuple[str, ...]] | None:
    """The most telling rule that the line fits, what it fits, and the ids of all such rules."""
    found = [each for text in seen.texts for each in _found(text)]
    if len(found) == 0:
        if seen.behaviour is None:
            return None
        sample = b"" if len(seen.texts) == 0 else seen.texts[0].octets
        return seen.behaviour, sample, (seen.behaviour.id,)
    first = min(found, key=lambda each: _ORDER[each.rule.id])
    return first.rule, first.sample, tuple(each.rule.id for each in found)


def _holes(rules: tuple[str, ...], software: MailSoftware) -> tuple[KnownHole, ...]:
    return tuple(dict.fromkeys(hole for rule in rules for hole in holes_of(rule, software)))


def _found(text: LogText) -> tuple[AttackFound, ...]:
    octets = text.octets[:TEXT_OCTETS_MAX]
    return found_in_line(octets) if text.place is AttackPlace.LINE else found_in(text.place, octets)


def _lines_with(mark: bytes, block: bytes, start: int, before: bytes) -> list[bytes]:
    """Lines with a mark: above the place first, the nearest first, then soon below it."""
    lines: list[bytes] = []
    for text, end in ((block, start), (before, len(before))):
        at = text.rfind(mark, max(0, end - BACK_OCTETS_MAX), end)
        while at >= 0 and len(lines) < LOOKALIKES_MAX:
            begin = text.rfind(b"\n", 0, at) + 1
            lines.append(_line_at(text, begin))
            at = text.rfind(mark, max(0, end - BACK_OCTETS_MAX), begin)
    below = block.find(mark, start, start + NEARBY_OCTETS_MAX)
    if below >= 0:
        lines.append(_line_at(block, block.rfind(b"\n", 0, below) + 1))
    return lines


def _line_at(block: bytes, start: int) -> bytes:
    end = block.find(b"\n", start)
    return block[start : min(len(block) if end < 0 else end, start + LINE_OCTETS_MAX)].rstrip(b"\r")


def _lines_naming_a_server(block: bytes) -> Iterator[bytes]:
    at = 0
    while at >= 0 and (found := _SERVER_NAME.search(block, at)) is not None:
        begin = block.rfind(b"\n", 0, found.start()) + 1
        yield _line_at(block, begin)
        at = block.find(b"\n", found.end())
