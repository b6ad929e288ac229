"""Letters with a marker field that identifies every copy."""

import re
from dataclasses import dataclass, field
from enum import StrEnum

from simulation.dice import SimDice

MARKER = "X-Marker"
_MARKER = re.compile(rb"^" + MARKER.encode() + rb": (\S+)\r$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MarkedLetter:
    marker: str
    sender: str  # "" is the null path
    recipients: tuple[str, ...]
    content: bytes  # line ends CRLF, not dot-stuffed

    @property
    def eight_bit(self) -> bool:
        return not self.content.isascii()


class Heard(StrEnum):
    """How a transaction ended for its sender."""

    ACKNOWLEDGED = "acknowledged"
    REFUSED = "refused"
    UNANSWERED = "unanswered"  # the final dot was sent and no reply came: it may have been taken


@dataclass(frozen=True, slots=True)
class Handing:
    """One transaction that reached the final dot, or one recipient refused before it."""

    marker: str
    recipients: tuple[str, ...]
    to: str  # IP address
    heard: Heard
    at_seconds: float
    reply: str


@dataclass(slots=True)
class LetterLedger:
    """The letters and transactions of all senders: what the product is checked against."""

    letters: dict[str, MarkedLetter] = field(default_factory=dict)
    handings: list[Handing] = field(default_factory=list)
    undeliverable: list[str] = field(default_factory=list)  # markers of letters given up by their sender


def marker_of(content: bytes) -> str | None:
    """The marker in the header; None for a message not made here."""
    header = content[: content.find(b"\r\n\r\n") + 2] if b"\r\n\r\n" in content else content
    found = _MARKER.findall(header)
    return found[-1].decode("ascii", "replace") if len(found) > 0 else None


def compose(
    dice: SimDice, marker: str, sender: str, recipients: tuple[str, ...], octets: int
) -> MarkedLetter:
    """A letter of about `octets`, with all the content that mail servers are known to damage."""
    header = (
        f"From: {sender or 'MAILER-DAEMON'}\r\nTo: {', '.join(recipients)}\r\n"
        f"{MARKER}: {marker}\r\nMessage-ID: <{marker}@sender.example>\r\n"
        "DKIM-Signature: v=1; a=rsa-sha256; d=sender.example;\r\n\tbh=aGVsbG8=; b=c2VlZA==\r\n"
        "Subject:  two spaces \r\n\tand a fold\r\n"
    ).encode()
    lines = [dice.one_of(_LINES) for _ in range(8)]
    filler = b"0123456789abcdef" * 4 + b"\r\n"
    body = b"\r\n".join(lines) + b"\r\n" + filler * max(0, (octets - len(header)) // len(filler))
    ending = dice.one_of((b"", b"\r\n", b".\r\n", b"..\r\n \r\n"))
    return MarkedLetter(marker, sender, recipients, header + b"\r\n" + body + ending)


def compose_report(marker: str, host: str, recipient: str, to: str) -> MarkedLetter:
    """A server's report (RFC 3464) that it could not deliver a mail after accepting it."""
    boundary = f"report-{marker}"
    lines = (
        f"From: MAILER-DAEMON@{host}",
        f"To: {to}",
        f"{MARKER}: {marker}",
        "Subject: Undelivered",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"',
        "",
        f"--{boundary}",
        "Content-Type: text/plain",
        "",
        "Sorry.",
        f"--{boundary}",
        "Content-Type: message/delivery-status",
        "",
        f"Reporting-MTA: dns; {host}",
        "",
        f"Final-Recipient: rfc822; {recipient}",
        "Action: failed",
        "Status: 5.1.1",
        "Diagnostic-Code: smtp; 550 5.1.1 no such user",
        "",
        f"--{boundary}--",
        "",
    )
    return MarkedLetter(marker, "", (to,), "\r\n".join(lines).encode("ascii"))


_LINES = (
    b"Hello.",
    b".",
    b"..",
    b". leading dot",
    b"trailing space ",
    b"",
    b"From the start of a line",
    "blåbærsyltetøy".encode(),
    b"\ttab",
    b"x" * 998,
    b"MAIL FROM:<nobody@victim.example>",
)
