"""The states of our session as an SMTP client, and what leads from one to another.

The core in client decides by this table; docs/smtp.md shows it as a picture.
"""

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Mostly: the reply to what is awaited."""

    GREETING = "greeting"
    EHLO = "ehlo"
    HELO = "helo"
    STARTTLS = "starttls"
    TLS_AWAITED = "tls awaited"  # our own side is to upgrade the connection
    READY = "ready"
    UNCLEAN = "unclean"  # ready, but a failed transaction stands open and the next one begins with RSET
    RSET = "rset"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"  # our own side is to send the content
    DOT = "dot"
    LONE_DOT = "lone dot"  # the peer wants a body though nobody is to get it
    QUIT = "quit"
    CLOSED = "closed"


class Happening(StrEnum):
    """What a reply means in its state, or what our own side does."""

    OK = "ok"
    TLS_OFFERED = "ok, with the TLS we want"
    REFUSED = "refused"
    REFUSED_IN_GROUP = "refused, the rest was sent already"
    MORE_RCPT = "more recipients to answer"
    LAST_RCPT = "last recipient answered"
    NO_RCPT = "all refused, DATA not sent"
    ONLY_ASKED = "recipient answered, no more was wanted"
    GO_ON = "354"
    GO_ON_FOR_NOBODY = "354, but no recipient"
    SEND_MESSAGE = "send message"
    END_BODY = "end body"
    TLS_STARTED = "tls started"
    QUIT = "quit"


Table = dict[State, dict[Happening, State]]

# What has no line here breaks the session: that leads to CLOSED from anywhere, and is not drawn.
TABLE: Final[Table] = {
    State.GREETING: {Happening.OK: State.EHLO},
    State.EHLO: {
        Happening.OK: State.READY,
        Happening.TLS_OFFERED: State.STARTTLS,
        Happening.REFUSED: State.HELO,  # RFC 5321 §3.2
    },
    State.HELO: {Happening.OK: State.READY},
    State.STARTTLS: {Happening.OK: State.TLS_AWAITED, Happening.REFUSED: State.READY},
    State.TLS_AWAITED: {Happening.TLS_STARTED: State.EHLO},
    State.READY: {Happening.SEND_MESSAGE: State.MAIL, Happening.QUIT: State.QUIT},
    State.UNCLEAN: {Happening.SEND_MESSAGE: State.RSET, Happening.QUIT: State.QUIT},
    State.RSET: {Happening.OK: State.MAIL},
    State.MAIL: {
        Happening.OK: State.RCPT,
        Happening.REFUSED_IN_GROUP: State.RCPT,
        Happening.REFUSED: State.READY,
    },
    State.RCPT: {
        Happening.MORE_RCPT: State.RCPT,
        Happening.LAST_RCPT: State.DATA,
        Happening.NO_RCPT: State.UNCLEAN,
        Happening.ONLY_ASKED: State.UNCLEAN,
    },
    State.DATA: {
        Happening.GO_ON: State.BODY,
        Happening.GO_ON_FOR_NOBODY: State.LONE_DOT,
        Happening.REFUSED: State.UNCLEAN,
    },
    State.BODY: {Happening.END_BODY: State.DOT},
    State.DOT: {Happening.OK: State.READY, Happening.REFUSED: State.READY},
    State.LONE_DOT: {Happening.OK: State.READY, Happening.REFUSED: State.READY},
    State.QUIT: {Happening.OK: State.CLOSED, Happening.REFUSED: State.CLOSED},
    State.CLOSED: {},
}
