"""What one line of a log says of a client: its address, what it sent, and what became of it."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.address import as_ip
from secondpost.protocols.attacks.rule import AttackPlace, AttackRule
from secondpost.watch.hole import MailSoftware


class LogOutcome(StrEnum):
    """What the server did with what was sent, as its log says."""

    REFUSED = "refused"
    TAKEN = "taken"
    UNSAID = "not said"


@dataclass(frozen=True, slots=True)
class LogText:
    """Octets that a client sent, as far as the log has them."""

    place: AttackPlace
    octets: bytes


@dataclass(frozen=True, slots=True)
class SeenInLog:
    """`peer`: an IP address, or None where the line has none or could be read in two ways.
    `session`: the id of the session or message, by which an earlier line with the address is found.
    `behaviour`: what the server itself noticed. `unless`: a line nearby with these octets says more, such
    as a refusal after all, and counts instead.
    """

    outcome: LogOutcome
    peer: str | None = None
    session: bytes = b""
    texts: tuple[LogText, ...] = ()
    behaviour: AttackRule | None = None
    unless: bytes = b""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a session or message came from: an address, or the session that has one."""

    peer: str | None = None
    session: bytes = b""


@dataclass(frozen=True, slots=True)
class LogReader:
    """`read`: of a program and its text. `marks`: what lines with the origin of a session contain.
    `origin`: of such a line's text; None if it is of another session.
    """

    software: MailSoftware
    read: Callable[[bytes, bytes], SeenInLog | None]
    marks: Callable[[bytes], tuple[bytes, ...]]
    origin: Callable[[bytes, bytes], Origin | None]


def address_of(text: bytes) -> str | None:
    """An IP address as logs write it, as in 192.0.2.7 or [IPv6:2001:db8::7]; None if it is none."""
    written = text.decode("ascii", "replace").strip("[]").removeprefix("IPv6:")
    ip = as_ip(written)
    return None if ip is None else str(ip)


def first_line(text: bytes) -> bytes:
    """The first line of what a client sent, where a log writes line ends as \\r\\n."""
    return text.partition(b"\\r")[0].partition(b"\\n")[0]
