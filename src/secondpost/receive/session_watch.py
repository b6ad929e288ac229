"""Looks for attacks in what the protocol core reports of one session. It changes nothing.

Ordinary mail costs a quick look at each address and one at the header, as soon as that is complete.
"""

from dataclasses import dataclass

from secondpost.mail.address import Mailbox, ReversePath
from secondpost.protocols.attacks.matching import (
    HEADER_OCTETS_MAX,
    LINE_OCTETS_MAX,
    AttackFound,
    did,
    found_at_first,
    found_in_address,
    found_in_header,
    found_in_hello,
    found_in_line,
    found_in_server_name,
    is_plain,
)
from secondpost.protocols.attacks.rule import AttackPlace
from secondpost.protocols.attacks.rules import (
    BARE_LINE_ENDS,
    MANY_RECEIVED,
    SMUGGLING,
    TALKS_AHEAD,
    TLS_INJECTION,
)
from secondpost.protocols.smtp.lines import CRLF
from secondpost.protocols.smtp.server_commands import CommandVerb
from secondpost.protocols.smtp.server_events import (
    AskedAbout,
    BodyEnd,
    BodyPiece,
    BodyRefused,
    ClientFault,
    Close,
    DataBegin,
    Event,
    Hello,
    MailFrom,
    MustSend,
    Quit,
    RcptTo,
    Reset,
    SentAhead,
    Smuggling,
    StartTls,
)

RECEIVED_FIELDS_MAX = 30  # Exim's limit, which attacks reach on purpose; honest mail has less than ten
NOTHING: tuple[AttackFound, ...] = ()
SAYING_NOTHING = (Quit, MustSend, StartTls, Reset)
_EMPTY_LINE = b"\r\n\r\n"


class HeaderCollector:
    """Gathers the pieces of a header, up to its end or to what is looked at."""

    __slots__ = ("_pieces", "_size", "_tail")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self._tail = b""

    def add(self, piece: bytes) -> bool:
        """Whether the header is complete."""
        ends = _EMPTY_LINE in self._tail + piece
        self._pieces.append(piece)
        self._size += len(piece)
        self._tail = (self._tail + piece[-3:])[-3:]
        return ends or self._size >= HEADER_OCTETS_MAX

    def header(self) -> bytes:
        text = b"".join(self._pieces)
        end = 0 if text.startswith(CRLF) else text.find(_EMPTY_LINE)
        return text if end < 0 else text[:end]


@dataclass(frozen=True, slots=True)
class ServerNamed:
    """A client asked for a server by this name in its TLS handshake (RFC 6066 §3)."""

    name: str


class SessionWatch:
    """Looks at one session. Of all rules that one text fits, the most telling is found."""

    __slots__ = ("_awaits_header", "_collector", "_opening")

    def __init__(self) -> None:
        self._awaits_header = False
        self._collector: HeaderCollector | None = None  # of a header that comes in pieces
        self._opening: bytes | None = b""  # the empty lines that the session began with; None: over

    def see(self, event: Event | ServerNamed) -> tuple[AttackFound, ...]:
        # Not `match`: its patterns for classes take five times as long, and this is for every event.
        if isinstance(event, BodyPiece):
            return self._piece(event.data) if self._awaits_header else NOTHING
        if isinstance(event, RcptTo):
            return NOTHING if is_plain(event.mailbox.local) else _address(event.mailbox)
        if isinstance(event, MailFrom):
            return _address(event.sender)
        if isinstance(event, DataBegin):
            self._awaits_header = True
            return NOTHING
        if isinstance(event, BodyEnd):
            is_usual = not self._awaits_header and event.bare_newlines == 0
            return NOTHING if is_usual and event.received_fields <= RECEIVED_FIELDS_MAX else self._end(event)
        if isinstance(event, Hello):
            self._opening = None
            return found_in_hello(event.name.encode())[:1]
        return NOTHING if isinstance(event, SAYING_NOTHING) else self._see_rare(event)

    def _see_rare(self, event: Event | ServerNamed) -> tuple[AttackFound, ...]:
        match event:
            case ClientFault(_, line) | Close(_, line) if len(line) > 0:
                return self._line(line)
            case ServerNamed(name):
                return found_in_server_name(name.encode("utf-8", "replace"))[:1]
            case AskedAbout(line):
                return found_in_line(line)[:1]
            case SentAhead(verb, octets):
                rule = TLS_INJECTION if verb is CommandVerb.STARTTLS else TALKS_AHEAD
                return (did(rule, octets),)
            case BodyRefused():
                return self._end(event)
            case Smuggling(octets):
                return (AttackFound(SMUGGLING, AttackPlace.BODY, octets),)
        return NOTHING

    def _piece(self, data: bytes) -> tuple[AttackFound, ...]:
        if self._collector is None:  # nearly always the whole header is in the first piece
            end = 0 if data.startswith(CRLF) else data.find(_EMPTY_LINE)
            if end >= 0:
                self._awaits_header = False
                return found_in_header(data[:end])
            self._collector = HeaderCollector()
        if not self._collector.add(data):
            return NOTHING
        return self._header(self._collector)

    def _header(self, collector: HeaderCollector) -> tuple[AttackFound, ...]:
        self._awaits_header, self._collector = False, None
        return found_in_header(collector.header())

    def _line(self, line: bytes) -> tuple[AttackFound, ...]:
        first = NOTHING
        if self._opening is not None:
            opening = self._opening + line[:LINE_OCTETS_MAX]
            first = found_at_first(opening)[:1]
            is_empty = len(line.strip()) == 0 and len(opening) < LINE_OCTETS_MAX
            self._opening = opening if is_empty else None
        return first if len(first) > 0 else found_in_line(line)[:1]

    def _end(self, end: BodyEnd | BodyRefused) -> tuple[AttackFound, ...]:
        # A message without an empty line is all header.
        found = NOTHING if self._collector is None else self._header(self._collector)
        self._awaits_header = False
        if end.bare_newlines > 0:
            found += (did(BARE_LINE_ENDS),)
        if end.received_fields > RECEIVED_FIELDS_MAX:
            found += (did(MANY_RECEIVED),)
        return found


def _address(path: ReversePath) -> tuple[AttackFound, ...]:
    if not isinstance(path, Mailbox) or is_plain(path.local):
        return NOTHING
    return found_in_address(str(path).encode("utf-8", "replace"))[:1]
