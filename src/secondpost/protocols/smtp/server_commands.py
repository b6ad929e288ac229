"""The grammar of a client's commands: one line in, one frozen value out (RFC 5321 §4.1).

Whether a command fits the state is decided in server_states, whether its sender or recipient is
accepted by policy.
"""

import re
from enum import StrEnum

from msgspec import Struct

from secondpost.mail.address import (
    AddressError,
    Domain,
    Mailbox,
    ReversePath,
    is_readable,
    parse_reverse_path,
    without_source_route,
)
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.international import written_mailbox, written_reverse_path


class CommandVerb(StrEnum):
    """The supported commands. Those of extensions we do not offer are in NOT_OFFERED."""

    EHLO = "EHLO"
    HELO = "HELO"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    RSET = "RSET"
    NOOP = "NOOP"
    VRFY = "VRFY"
    HELP = "HELP"
    STARTTLS = "STARTTLS"
    QUIT = "QUIT"


VERBS = {str(verb): verb for verb in CommandVerb}
WITHOUT_ARGUMENT = frozenset({CommandVerb.DATA, CommandVerb.RSET, CommandVerb.STARTTLS, CommandVerb.QUIT})
UTF8_VERBS = ("MAIL ", "RCPT ", "VRFY ")  # RFC 6531: no other command contains an address
NOT_OFFERED = frozenset({"AUTH", "ATRN", "BDAT", "ETRN", "EXPN", "SAML", "SEND", "SOML", "TURN"})
# A browser or proxy tricked into connecting would send commands in its body: hang up at once.
OTHER_PROTOCOLS = frozenset(
    {"CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PROXY", "PUT", "TRACE"}
)
HELLO_OCTETS_MAX = 255  # RFC 5321 §4.5.3.1.2

_HELLO = re.compile(r"[A-Za-z0-9._:\[\]-]+")  # wider than RFC 5321: honest hosts send odd names
_PATH = r'<((?:"(?:[^"\\]|\\.)*"|[^">])*)>(?: (.*))?'
_FROM = re.compile("FROM: *" + _PATH, re.IGNORECASE)  # the space is wrong, but very common
_TO = re.compile("TO: *" + _PATH, re.IGNORECASE)
_SIZE = re.compile(r"[0-9]{1,20}")  # RFC 1870 §3
_PARAMETER = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*(?:=[!-<>-~]+)?")


class CommandError(Exception):
    """The command is malformed; `reply` says so to the client."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(str(reply))
        self.reply = reply


class MailCommand(Struct, frozen=True, gc=False):
    """A parsed MAIL command."""

    sender: ReversePath
    size: int | None  # octets, as declared
    eight_bit: bool
    utf8: bool = False  # SMTPUTF8 was declared


def command_text(line: bytes) -> str:
    """The line without its line end and trailing spaces (RFC 5321 §4.1.1). Raises CommandError."""
    if not line.endswith(b"\r\n"):
        raise CommandError(Reply.of(500, "5.5.2", "A command ends in CRLF"))
    text = line.decode("latin-1")[:-2].rstrip(" ")
    return text if text.isascii() and text.isprintable() else _utf8_command(line[:-2])


def _utf8_command(line: bytes) -> str:
    try:
        text = line.decode("utf-8").rstrip(" ")
    except UnicodeDecodeError:
        text = ""
    if not (text.upper().startswith(UTF8_VERBS) and is_readable(text)):
        raise CommandError(Reply.of(500, "5.5.2", "A command is made of printable ASCII characters"))
    return text


def hello_name(argument: str) -> str:
    """The client's name from EHLO or HELO. Raises CommandError."""
    if _HELLO.fullmatch(argument) is None or len(argument) > HELLO_OCTETS_MAX:
        raise CommandError(Reply.of(501, "5.5.4", "Say your host name"))
    return argument


def mail_command(argument: str) -> MailCommand:
    """Parse the argument of MAIL. Raises CommandError."""
    match = _FROM.fullmatch(argument)
    if match is None:
        raise CommandError(Reply.of(501, "5.5.4", "The form is MAIL FROM:<address>"))
    path, parameters = match.groups()
    try:
        sender = parse_reverse_path(path) if path.isascii() else written_reverse_path(path)
    except AddressError:
        raise CommandError(Reply.of(501, "5.1.7", "The sender is not an address")) from None
    mail = MailCommand(sender, None, False) if parameters is None else _with_parameters(sender, parameters)
    if not (path.isascii() or mail.utf8):  # RFC 6531 §3.5
        raise CommandError(Reply.of(550, "5.6.7", "An address that is not ASCII needs SMTPUTF8"))
    return mail


def _with_parameters(sender: ReversePath, parameters: str) -> MailCommand:
    size: int | None = None
    body: str | None = None
    utf8 = False
    for parameter in parameters.split():
        name, _, value = _well_formed(parameter).partition("=")
        match name.upper():
            case "SIZE" if size is None and _SIZE.fullmatch(value) is not None:
                size = int(value)
            case "BODY" if body is None and value.upper() in ("7BIT", "8BITMIME"):
                body = value.upper()
            case "SMTPUTF8" if not utf8 and "=" not in parameter:  # RFC 6531 §3.4: it has no value
                utf8 = True
            case "SIZE" | "BODY" | "SMTPUTF8":
                raise CommandError(Reply.of(501, "5.5.4", f"{name.upper()} is malformed or said twice"))
            case _:
                raise CommandError(_unknown_parameter(name))
    return MailCommand(sender, size, body == "8BITMIME", utf8)


def rcpt_command(argument: str, host: Domain, *, utf8: bool = False) -> Mailbox:
    """Parse the argument of RCPT. Raises CommandError.

    `host`: our name, the domain of a bare <postmaster> (RFC 5321 §4.5.1). `utf8`: MAIL declared
    SMTPUTF8.
    """
    match = _TO.fullmatch(argument)
    if match is None:
        raise CommandError(Reply.of(501, "5.5.4", "The form is RCPT TO:<address>"))
    path, parameters = match.groups()
    if parameters is not None and len(parameters.strip()) > 0:
        raise CommandError(_unknown_parameter(_well_formed(parameters.split()[0]).partition("=")[0]))
    if path.lower() == "postmaster":
        return Mailbox(path, host)
    try:
        mailbox = Mailbox.parse(without_source_route(path)) if path.isascii() else written_mailbox(path)
    except AddressError:
        raise CommandError(Reply.of(501, "5.1.3", "The recipient is not an address")) from None
    if not (path.isascii() or utf8):  # RFC 6531 §3.5
        raise CommandError(Reply.of(553, "5.6.7", "An address that is not ASCII needs SMTPUTF8"))
    return mailbox


def _well_formed(parameter: str) -> str:
    if _PARAMETER.fullmatch(parameter) is None:
        raise CommandError(Reply.of(501, "5.5.4", "A parameter is malformed"))
    return parameter


def _unknown_parameter(name: str) -> Reply:
    return Reply.of(555, "5.5.4", f"{name.upper()} is not a parameter of this server")  # RFC 5321 §4.1.1.11
