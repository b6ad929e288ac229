"""The server core's own replies; constant ones as encoded octets."""

from functools import lru_cache

from secondpost.mail.address import Domain
from secondpost.mail.reply import Reply

OK = Reply.of(250, "2.0.0", "Ok").encode()
VRFY = Reply.of(252, "2.5.0", "Cannot verify, but will accept the message and try to deliver").encode()
HELP = Reply.of(214, "2.0.0", "See RFC 5321").encode()
BYE = Reply.of(221, "2.0.0", "Bye").encode()
GO_TLS = Reply.of(220, "2.0.0", "Ready to start TLS").encode()
TOO_MANY_RECIPIENTS = Reply.of(452, "4.5.3", "Too many recipients; send the rest in another message")
TOO_MANY_REFUSALS = Reply.of(421, "4.7.0", "Too many refusals")
NOT_SMTP = Reply.of(554, "5.5.1", "This is an SMTP server")


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
