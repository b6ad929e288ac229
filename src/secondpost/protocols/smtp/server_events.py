"""The events of the SMTP server core: frozen values, one class per event.

A Question needs an answer before the core reads on.
"""

from dataclasses import dataclass

from secondpost.mail.address import Mailbox, ReversePath
from secondpost.mail.reply import Reply


@dataclass(frozen=True, slots=True)
class Hello:
    """The client sent EHLO or HELO; the core has answered."""

    name: str
    extended: bool  # EHLO, not HELO


@dataclass(frozen=True, slots=True)
class MailFrom:
    sender: ReversePath
    size: int | None  # octets, as declared by the client (RFC 1870); never more than the limit
    eight_bit: bool  # BODY=8BITMIME was declared (RFC 6152)
    utf8: bool = False  # SMTPUTF8 was declared (RFC 6531)


@dataclass(frozen=True, slots=True)
class RcptTo:
    mailbox: Mailbox


@dataclass(frozen=True, slots=True)
class DataBegin:
    """DATA: answer 354 to continue; any other reply ends the transaction."""


@dataclass(frozen=True, slots=True)
class BodyPiece:
    """The next bytes of the message: dot-stuffing removed, every line end CRLF; never empty."""

    data: bytes


@dataclass(frozen=True, slots=True)
class BodyEnd:
    """The message is complete. Answer positively only once it is stored."""

    size: int  # octets of all pieces together
    bare_newlines: int  # line ends that were not CRLF and were converted
    received_fields: int


@dataclass(frozen=True, slots=True)
class BodyRefused:
    """The message ended but was refused: discard its pieces. The core has answered `reply`."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Reset:
    """An open transaction was aborted by RSET, EHLO, HELO or STARTTLS."""


@dataclass(frozen=True, slots=True)
class StartTls:
    """220 is queued: send it, upgrade, then call `tls_started`."""


@dataclass(frozen=True, slots=True)
class MustSend:
    """Too many replies are queued: the core reads nothing more before `data_to_send`."""


@dataclass(frozen=True, slots=True)
class Quit:
    """221 is queued: send it and close."""


@dataclass(frozen=True, slots=True)
class ClientFault:
    """The client broke a rule and got a negative reply. The text is for our log."""

    text: str


@dataclass(frozen=True, slots=True)
class Close:
    """Send the queued replies and close. The text is for our log."""

    text: str


Question = MailFrom | RcptTo | DataBegin | BodyEnd
Event = Question | Hello | BodyPiece | BodyRefused | Reset | StartTls | MustSend | Quit | ClientFault | Close
