"""What our SMTP server core tells the conversation that drives it: frozen values, one class per event.

Those of the type Question want an answer before the core reads on.
"""

from dataclasses import dataclass

from secondpost.mail.address import Mailbox, ReversePath
from secondpost.mail.reply import Reply


@dataclass(frozen=True, slots=True)
class Hello:
    """The client said who it is; the core has answered."""

    name: str
    extended: bool  # EHLO, not HELO


@dataclass(frozen=True, slots=True)
class MailFrom:
    sender: ReversePath
    size: int | None  # octets, as the client declared them (RFC 1870); never more than the limit
    eight_bit: bool  # BODY=8BITMIME was said (RFC 6152)
    utf8: bool = False  # SMTPUTF8 was said (RFC 6531)


@dataclass(frozen=True, slots=True)
class RcptTo:
    mailbox: Mailbox


@dataclass(frozen=True, slots=True)
class DataBegin:
    """Answer 354 to go on; any other reply ends the transaction."""


@dataclass(frozen=True, slots=True)
class BodyPiece:
    """The next bytes of the message: dots removed, every line end CRLF; never empty."""

    data: bytes


@dataclass(frozen=True, slots=True)
class BodyEnd:
    """The message is whole. A positive answer means that it is safe."""

    size: int  # octets of all pieces together
    bare_newlines: int  # line ends that were not CRLF and are now
    received_fields: int


@dataclass(frozen=True, slots=True)
class BodyRefused:
    """The message came to its end but was not taken: forget its pieces. The core has answered `reply`."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Reset:
    """An open transaction was thrown away: by RSET, by another EHLO, or by STARTTLS."""


@dataclass(frozen=True, slots=True)
class StartTls:
    """220 is queued: send it, upgrade, then call `tls_started`."""


@dataclass(frozen=True, slots=True)
class MustSend:
    """So many replies wait that nothing more is read before `data_to_send` is called."""


@dataclass(frozen=True, slots=True)
class Quit:
    """221 is queued: send it and close."""


@dataclass(frozen=True, slots=True)
class ClientFault:
    """The client broke a rule, and the core has told it so. The text is for our log."""

    text: str


@dataclass(frozen=True, slots=True)
class Close:
    """Send what is queued and close. The text is for our log."""

    text: str


Question = MailFrom | RcptTo | DataBegin | BodyEnd
Event = Question | Hello | BodyPiece | BodyRefused | Reset | StartTls | MustSend | Quit | ClientFault | Close
