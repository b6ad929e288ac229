"""The events of the SMTP client core: frozen values, one class per event."""

import re
from collections.abc import Iterable
from enum import StrEnum

from msgspec import Struct

from secondpost.mail.outcome import Cause
from secondpost.mail.reply import Reply
from secondpost.protocols.sasl.credentials import Salting

_MECHANISM = re.compile(r"[A-Z0-9_-]{1,20}")  # RFC 4422 §3.1


class Extensions(Struct, frozen=True, gc=False):
    """The extensions offered in the server's last EHLO reply."""

    pipelining: bool = False
    eight_bit: bool = False
    starttls: bool = False
    size: bool = False  # SIZE may be declared
    size_max: int | None = None  # octets; None: no limit was named
    enhanced_codes: bool = False
    smtputf8: bool = False
    mechanisms: frozenset[str] = frozenset()  # of a login

    @classmethod
    def parse(cls, reply: Reply) -> "Extensions":
        """Parse the reply to EHLO; its first line is the server's name."""
        offered = [line.upper().split() for line in reply.lines[1:]]
        arguments = {words[0]: words[1:] for words in offered if len(words) > 0}
        return cls(
            pipelining="PIPELINING" in arguments,
            eight_bit="8BITMIME" in arguments,
            starttls="STARTTLS" in arguments,
            size="SIZE" in arguments,
            size_max=_size_max(arguments.get("SIZE", [])),
            enhanced_codes="ENHANCEDSTATUSCODES" in arguments,
            smtputf8="SMTPUTF8" in arguments,
            mechanisms=frozenset(_mechanisms(offered)),
        )


def _size_max(words: list[str]) -> int | None:
    """RFC 1870 §4: at most twenty digits; 0 means no limit."""
    if len(words) == 0 or len(words[0]) > 20 or not (words[0].isascii() and words[0].isdigit()):
        return None
    octets = int(words[0])
    return None if octets == 0 else octets


def _mechanisms(offered: list[list[str]]) -> Iterable[str]:
    """The names after AUTH, in all its lines: some servers have a second one in the form AUTH=LOGIN,
    which is older than RFC 4954.
    """
    for words in offered:
        keyword, _, first = words[0].partition("=") if len(words) > 0 else ("", "", "")
        if keyword == "AUTH":
            yield from (word for word in (first, *words[1:]) if _MECHANISM.fullmatch(word) is not None)


class Phase(StrEnum):
    """The command whose reply decided."""

    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "DOT"  # the content


class RecipientResult(Struct, frozen=True, gc=False):
    """The result for one recipient: delivered only if the phase is DOT and the reply positive."""

    phase: Phase
    reply: Reply


class SessionReady(Struct, frozen=True, gc=False):
    """The session is ready for `send_message` or `quit`."""

    extensions: Extensions


class TlsWanted(Struct, frozen=True, gc=False):
    """The server agreed to STARTTLS: upgrade, then call `tls_started`."""


class SaltingWanted(Struct, frozen=True, gc=False):
    """The login needs a salted password: compute it, then call `salted`."""

    salting: Salting


class BodyWanted(Struct, frozen=True, gc=False):
    """At least one recipient was accepted: call `send_body` as often as needed, then `end_body`."""


class Done(Struct, frozen=True, gc=False):
    """The transaction is over, with one result per recipient in order. Another may begin."""

    results: tuple[RecipientResult, ...]


class Bye(Struct, frozen=True, gc=False):
    """QUIT was answered: close."""


class Broken(Struct, frozen=True, gc=False):
    """The session is over: close. `reply` is the peer's, or our own text with a 4xx code.

    `octets`: what came last, with what was no reply or came unasked; of bounded length, and empty
    if it may have secrets of a login.
    """

    cause: Cause
    reply: Reply
    octets: bytes = b""


Event = SessionReady | TlsWanted | SaltingWanted | BodyWanted | Done | Bye | Broken
