"""The server core's own replies; constant ones as encoded octets."""

from functools import lru_cache

from secondpost.mail.address import Domain
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.server_commands import CommandVerb
from secondpost.protocols.smtp.server_states import ServerState

OK = Reply.of(250, "2.0.0", "Ok").encode()
VRFY = Reply.of(252, "2.5.0", "Cannot verify, but will accept the message and try to deliver").encode()
HELP = Reply.of(214, "2.0.0", "See RFC 5321").encode()
BYE = Reply.of(221, "2.0.0", "Bye").encode()
GO_TLS = Reply.of(220, "2.0.0", "Ready to start TLS").encode()
TOO_MANY_RECIPIENTS = Reply.of(452, "4.5.3", "Too many recipients; send the rest in another message")
TOO_MANY_REFUSALS = Reply.of(421, "4.7.0", "Too many refusals")
NOT_SMTP = Reply.of(554, "5.5.1", "This is an SMTP server")
ENDLESS_LINE = Reply.of(500, "5.5.2", "Line too long")
NOTHING_BEHIND_STARTTLS = Reply.of(554, "5.5.1", "Nothing may follow STARTTLS")
TOO_MANY_ERRORS = Reply.of(421, "4.7.0", "Too many errors")
TOO_MANY_COMMANDS = Reply.of(421, "4.7.0", "Too many commands without a message")


@lru_cache(1)
def greeting(host: Domain) -> bytes:
    return Reply.of(220, "", f"{host} ESMTP").encode()


@lru_cache(1)
def helo(host: Domain) -> bytes:
    return Reply.of(250, "", str(host)).encode()


@lru_cache(2)
def ehlo(host: Domain, size_max: int, offers_tls: bool) -> bytes:
    starttls = ("STARTTLS",) if offers_tls else ()
    offered = ("PIPELINING", f"SIZE {size_max}", "8BITMIME", "SMTPUTF8", *starttls, "ENHANCEDSTATUSCODES")
    return Reply(250, "", (str(host), *offered)).encode()


def out_of_order(state: ServerState, verb: CommandVerb) -> Reply:
    """The answer to a command that has no place in this state (RFC 5321 §4.1.4)."""
    if state is ServerState.GREETED:
        return Reply.of(503, "5.5.1", "Say EHLO first")
    if verb is CommandVerb.MAIL:
        return Reply.of(503, "5.5.1", "A sender was given already")
    if state is ServerState.READY:
        return Reply.of(503, "5.5.1", "MAIL comes first")
    return Reply.of(554, "5.5.1", "No valid recipients")  # RFC 5321 §4.1.1.4
