"""A DNS record that the server or its newsletters need: what to publish, where, why, and when."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, StrEnum

TTL_SECONDS = 3600
COMMENT = "; "
SNIPPET_BEGINS = f"{COMMENT}1. "  # the heading of the first turn
STRING_OCTETS_MAX = 255  # of one string of a TXT record: RFC 1035 §3.3


class PublishedBy(StrEnum):
    """Who can publish a record."""

    ZONE = "zone"  # the owner of the zone, as a line of its file
    HOSTER = "hoster"  # the owner of the IP address: the company that rents out the machine
    WEB = "web"  # a web server: the text of an MTA-STS policy


class Turn(Enum):
    """When to publish a record: each turn needs those before it. `title` heads it on a screen."""

    HOST = 1, "This server's own name: other servers look it up before they take its mail"
    SENDERS = 2, "What newsletters and this server's own mail are proved with"
    POLICIES = 3, "What names this server to strict senders (MTA-STS); they refuse it otherwise"
    BACKUP = 4, "Mail comes here from now on: publish this when the service runs"

    def __init__(self, number: int, title: str) -> None:
        self.number = number
        self.title = title


@dataclass(frozen=True, slots=True)
class WantedRecord:
    name: str  # without a final dot
    type: str  # "MX"; of an MTA-STS policy "text", and its name is a URL
    value: str  # as in a zone file, but a text as it is, without quotes
    why: str  # what it is for, and what the owner must know to write it
    turn: Turn
    by: PublishedBy = PublishedBy.ZONE
    is_optional: bool = False  # mail flows without it

    @property
    def zone_line(self) -> str:
        return zone_line(self.name, self.type, self.value)


def zone_line(name: str, kind: str, value: str) -> str:
    """A record as a line of a zone file. A long text becomes several strings (RFC 1035 §3.3.14, RFC 6376
    §3.6.2.2).
    """
    return f"{name}. {TTL_SECONDS} IN {kind} {value if kind != 'TXT' else _quoted(value)}"


def _quoted(text: str) -> str:
    """A text as the strings of a TXT record in a zone file (RFC 1035 §5.1)."""
    octets = text.encode()
    starts = range(0, max(len(octets), 1), STRING_OCTETS_MAX)
    return " ".join(f'"{_escaped(octets[start : start + STRING_OCTETS_MAX])}"' for start in starts)


def _escaped(octets: bytes) -> str:
    return "".join(_character(octet) for octet in octets)


def _character(octet: int) -> str:
    if octet in b'"\\':
        return f"\\{octet:c}"
    return f"{octet:c}" if 32 <= octet < 127 else f"\\{octet:03d}"


def zone_snippet(records: tuple[WantedRecord, ...]) -> str:
    """The records as lines to paste into zone files, by turn. What stands in no zone is a comment.

    Names are absolute and each line has its TTL and class, so that the lines mean the same in every
    file, whatever its $ORIGIN and $TTL.
    """
    lines: list[str] = []
    for heading, of_turn in by_turn(records):
        lines += [f"{COMMENT}{heading}", *_lines(of_turn), ""]
    return "\n".join(lines)


def by_turn(records: tuple[WantedRecord, ...]) -> Iterator[tuple[str, tuple[WantedRecord, ...]]]:
    """The records of each turn that has any, with a numbered heading."""
    turns = [turn for turn in Turn if any(record.turn is turn for record in records)]
    for number, turn in enumerate(turns, 1):
        yield f"{number}. {turn.title}.", tuple(record for record in records if record.turn is turn)


def _lines(records: tuple[WantedRecord, ...]) -> list[str]:
    lines: list[str] = []
    for record in records:
        match record.by:
            case PublishedBy.ZONE:
                lines.append(record.zone_line)
            case PublishedBy.HOSTER:
                lines.append(f"; where the machine is rented: {record.zone_line}")
            case PublishedBy.WEB:
                lines.append(f"; on the web, as {record.name}:")
                lines += [f";   {line}" for line in record.value.splitlines()]
    return lines
