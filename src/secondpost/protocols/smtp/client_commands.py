"""The commands of our SMTP client. An address cannot inject a second command."""

from secondpost.mail.address import Mailbox, ReversePath, is_readable
from secondpost.protocols.smtp.client_events import Extensions
from secondpost.protocols.smtp.lines import OutOfTurn


def command(text: str, *, as_utf8: bool = False) -> bytes:
    """Encode a command line. `as_utf8`: SMTPUTF8 is declared for this message."""
    if not ((as_utf8 or text.isascii()) and is_readable(text)):
        raise OutOfTurn(f"{text!r} cannot be sent as a command")
    return text.encode("utf-8") + b"\r\n"


def mail_from(
    sender: ReversePath, size: int, eight_bit: bool, extensions: Extensions, *, as_utf8: bool
) -> bytes:
    declared = f" SIZE={size}" if extensions.size else ""
    body = " BODY=8BITMIME" if eight_bit and extensions.eight_bit else ""
    if as_utf8:
        return command(f"MAIL FROM:<{sender.written}>{declared}{body} SMTPUTF8", as_utf8=True)
    return command(f"MAIL FROM:<{sender}>{declared}{body}")


def rcpt_to(mailbox: Mailbox, *, as_utf8: bool) -> bytes:
    """RCPT; the domain as A-labels unless SMTPUTF8 is used (RFC 6531 §3.2)."""
    if as_utf8:
        return command(f"RCPT TO:<{mailbox.written}>", as_utf8=True)
    return command(f"RCPT TO:<{mailbox}>")
