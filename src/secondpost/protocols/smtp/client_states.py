"""The states of an SMTP client session, and the table of their transitions.

The core in `client` follows this table; docs/smtp.md shows it as a picture.
"""

from enum import StrEnum
from typing import Final


class ClientState(StrEnum):
    """The state of the session; most are named after the reply that is awaited."""

    GREETING = "greeting"
    EHLO = "ehlo"
    HELO = "helo"
    STARTTLS = "starttls"
    TLS_AWAITED = "tls awaited"  # the driver has to upgrade the connection
    AUTH = "auth"
    SALTING = "salting"  # the driver has to compute the salted password
    READY = "ready"
    UNCLEAN = "unclean"  # ready, but a failed transaction is open: the next one begins with RSET
    RSET = "rset"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"  # the driver has to send the content
    DOT = "dot"
    LONE_DOT = "lone dot"  # 354 came although no recipient was accepted
    QUIT = "quit"
    CLOSED = "closed"


class Happening(StrEnum):
    """The meaning of a reply in its state, or an action of our own side."""

    OK = "ok"
    TLS_OFFERED = "ok, with the TLS we want"
    LOGIN_OFFERED = "ok, with a login we have"
    REFUSED = "refused"
    REFUSED_IN_GROUP = "refused, the rest was sent already"
    MORE_RCPT = "more recipients to answer"
    LAST_RCPT = "last recipient answered"
    NO_RCPT = "all refused, DATA not sent"
    ONLY_ASKED = "recipient answered, no more was wanted"
    CHALLENGE = "334"
    SALT = "334 with a salt"
    SALTED = "salted"
    GO_ON = "354"
    GO_ON_FOR_NOBODY = "354, but no recipient"
    SEND_MESSAGE = "send message"
    END_BODY = "end body"
    TLS_STARTED = "tls started"
    QUIT = "quit"


Table = dict[ClientState, dict[Happening, ClientState]]

# A reply without an entry here breaks the session: it leads to CLOSED from any state, not drawn.
TABLE: Final[Table] = {
    ClientState.GREETING: {Happening.OK: ClientState.EHLO},
    ClientState.EHLO: {
        Happening.OK: ClientState.READY,
        Happening.TLS_OFFERED: ClientState.STARTTLS,
        Happening.LOGIN_OFFERED: ClientState.AUTH,
        Happening.REFUSED: ClientState.HELO,  # RFC 5321 §3.2
    },
    ClientState.HELO: {Happening.OK: ClientState.READY},
    ClientState.STARTTLS: {Happening.OK: ClientState.TLS_AWAITED, Happening.REFUSED: ClientState.READY},
    ClientState.TLS_AWAITED: {Happening.TLS_STARTED: ClientState.EHLO},
    ClientState.AUTH: {
        Happening.CHALLENGE: ClientState.AUTH,
        Happening.SALT: ClientState.SALTING,
        Happening.OK: ClientState.READY,
    },
    ClientState.SALTING: {Happening.SALTED: ClientState.AUTH},
    ClientState.READY: {Happening.SEND_MESSAGE: ClientState.MAIL, Happening.QUIT: ClientState.QUIT},
    ClientState.UNCLEAN: {Happening.SEND_MESSAGE: ClientState.RSET, Happening.QUIT: ClientState.QUIT},
    ClientState.RSET: {Happening.OK: ClientState.MAIL},
    ClientState.MAIL: {
        Happening.OK: ClientState.RCPT,
        Happening.REFUSED_IN_GROUP: ClientState.RCPT,
        Happening.REFUSED: ClientState.READY,
    },
    ClientState.RCPT: {
        Happening.MORE_RCPT: ClientState.RCPT,
        Happening.LAST_RCPT: ClientState.DATA,
        Happening.NO_RCPT: ClientState.UNCLEAN,
        Happening.ONLY_ASKED: ClientState.UNCLEAN,
    },
    ClientState.DATA: {
        Happening.GO_ON: ClientState.BODY,
        Happening.GO_ON_FOR_NOBODY: ClientState.LONE_DOT,
        Happening.REFUSED: ClientState.UNCLEAN,
    },
    ClientState.BODY: {Happening.END_BODY: ClientState.DOT},
    ClientState.DOT: {Happening.OK: ClientState.READY, Happening.REFUSED: ClientState.READY},
    ClientState.LONE_DOT: {Happening.OK: ClientState.READY, Happening.REFUSED: ClientState.READY},
    ClientState.QUIT: {Happening.OK: ClientState.CLOSED, Happening.REFUSED: ClientState.CLOSED},
    ClientState.CLOSED: {},
}
