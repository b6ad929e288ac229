"""The outcome of an attempt: one frozen value per kind, and a cause with its level for a fault."""

from enum import Enum, StrEnum

from msgspec import Struct

from secondpost.mail.reply import Reply


class Level(StrEnum):
    """How far a fault reaches. Only a fault of the site delays other mail."""

    SITE = "site"
    DOMAIN = "domain"
    RECIPIENT = "recipient"
    MESSAGE = "message"


class Cause(Enum):
    """Why an attempt did not deliver, and how far that reaches (design §4)."""

    DNS = ("dns", Level.SITE)  # the route does not resolve
    LOOP = ("loop", Level.SITE)  # the route leads back to us
    CONNECT = ("connect", Level.SITE)  # refused, unreachable, timed out
    GREETING = ("greeting", Level.SITE)  # no 220, or no usable EHLO
    SHUTDOWN = ("shutdown", Level.SITE)  # 421
    TLS = ("tls", Level.SITE)
    LOST = ("lost", Level.SITE)  # the connection broke, or a command timed out, before the final dot
    UNANSWERED = ("unanswered", Level.MESSAGE)  # the final dot was sent and no reply came
    DOMAIN_POLICY = ("domain-policy", Level.DOMAIN)  # 5.7.x to every recipient of one domain
    SENDER = ("sender", Level.MESSAGE)  # MAIL was refused
    SENDER_POLICY = ("sender-policy", Level.DOMAIN)  # MAIL was refused with 5.7.x
    RECIPIENT = ("recipient", Level.RECIPIENT)  # RCPT was refused
    MESSAGE = ("message", Level.MESSAGE)  # DATA or the content was refused; in old stores also MAIL
    TOO_LARGE = ("too-large", Level.MESSAGE)  # beyond the SIZE that the next server offers
    SMTPUTF8 = ("smtputf8", Level.MESSAGE)  # it needs SMTPUTF8, and the next server does not offer it
    UNREADABLE = ("unreadable", Level.MESSAGE)  # we cannot read or sign it
    LOGIN = ("login", Level.SITE)  # a smart host refuses our login, or offers none that is safe
    GARBLED = ("garbled", Level.SITE)  # the peer's reply is not SMTP
    EXPIRED = ("expired", Level.MESSAGE)

    def __init__(self, word: str, level: Level) -> None:
        self.word = word
        self.level = level


CAUSES = {cause.word: cause for cause in Cause}


class Delivered(Struct, frozen=True, gc=False):
    """The host accepted the message; `reply` is the final one."""

    host: str
    reply: Reply


class Deferred(Struct, frozen=True, gc=False):
    """A temporary failure. `reply` is the peer's, or our own 4xx if it sent none."""

    cause: Cause
    host: str
    reply: Reply


class Failed(Struct, frozen=True, gc=False):
    """A permanent refusal. spool/schedule decides what becomes of the delivery."""

    cause: Cause
    host: str
    reply: Reply


Outcome = Delivered | Deferred | Failed
