"""The events of the SMTP server core: frozen values, one class per event.

A Question needs an answer before the core reads on.
"""

from msgspec import Struct

from secondpost.mail.address import Mailbox, ReversePath
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.server_commands import CommandVerb


class Hello(Struct, frozen=True, gc=False):
    """The client sent EHLO or HELO; the core has answered."""

    name: str
    extended: bool  # EHLO, not HELO


class MailFrom(Struct, frozen=True, gc=False):
    sender: ReversePath
    size: int | None  # octets, as declared by the client (RFC 1870); never more than the limit
    eight_bit: bool  # BODY=8BITMIME was declared (RFC 6152)
    utf8: bool = False  # SMTPUTF8 was declared (RFC 6531)


class RcptTo(Struct, frozen=True, gc=False):
    mailbox: Mailbox


class DataBegin(Struct, frozen=True, gc=False):
    """DATA: answer 354 to continue; any other reply ends the transaction."""


class BodyPiece(Struct, frozen=True, gc=False):
    """The next bytes of the message: dot-stuffing removed, every line end CRLF; never empty."""

    data: bytes


class BodyEnd(Struct, frozen=True, gc=False):
    """The message is complete. Answer positively only once it is stored."""

    size: int  # octets of all pieces together
    bare_newlines: int  # line ends that were not CRLF and were converted
    received_fields: int


class BodyRefused(Struct, frozen=True, gc=False):
    """The message ended but was refused: discard its pieces. The core has answered `reply`."""

    reply: Reply
    bare_newlines: int  # before the refusal
    received_fields: int  # before the refusal


class Reset(Struct, frozen=True, gc=False):
    """An open transaction was aborted by RSET, EHLO, HELO or STARTTLS."""


class StartTls(Struct, frozen=True, gc=False):
    """220 is queued: send it, upgrade, then call `tls_started`."""


class MustSend(Struct, frozen=True, gc=False):
    """Too many replies are queued: the core reads nothing more before `data_to_send`."""


class Quit(Struct, frozen=True, gc=False):
    """221 is queued: send it and close."""


class ClientFault(Struct, frozen=True, gc=False):
    """The client broke a rule and got a negative reply. The text is for our log.

    `line`: the command at fault as it came, with its line end; empty if only its meaning was wrong.
    """

    text: str
    line: bytes = b""


class Close(Struct, frozen=True, gc=False):
    """Send the queued replies and close. The text is for our log.

    `line`: what the client sent last, if that is the reason: a command, or the first octets of
    something that is none.
    """

    text: str
    line: bytes = b""


class AskedAbout(Struct, frozen=True, gc=False):
    """The client asked by VRFY for an address; the core has answered that it cannot tell."""

    line: bytes


class SentAhead(Struct, frozen=True, gc=False):
    """The client sent `octets` before the reply to a command that must be the last of its group (RFC
    2920 §3.1): EHLO or HELO, then they are obeyed, or STARTTLS, then they are thrown away.
    """

    verb: CommandVerb
    octets: bytes


class Smuggling(Struct, frozen=True, gc=False):
    """The body has what other servers take for its end, and behind it a command: `octets`."""

    octets: bytes


Question = MailFrom | RcptTo | DataBegin | BodyEnd
Event = (
    Question
    | Hello
    | BodyPiece
    | BodyRefused
    | Reset
    | StartTls
    | MustSend
    | Quit
    | ClientFault
    | Close
    | AskedAbout
    | SentAhead
    | Smuggling
)
