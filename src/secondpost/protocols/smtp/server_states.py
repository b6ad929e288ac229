"""The states of an SMTP client's session with us, and what leads from one to another (RFC 5321 §4.1.4).

The core in server decides by this table; docs/smtp.md shows it as a picture.
"""

from enum import StrEnum
from typing import Final

from secondpost.protocols.smtp.server_commands import Verb


class State(StrEnum):
    """What the conversation waits for."""

    CONNECTED = "connected"  # nobody has spoken
    GREETED = "greeted"  # the client is to say who it is
    READY = "ready"
    MAIL_ASKED = "mail asked"  # the asked states wait for our own answer and read nothing
    SENDER = "sender"  # a transaction without recipients
    FIRST_RCPT_ASKED = "first rcpt asked"
    RECIPIENTS = "recipients"
    RCPT_ASKED = "rcpt asked"
    DATA_ASKED = "data asked"
    BODY = "body"
    DISCARD = "discard"  # the body is refused, but read to its end
    END_ASKED = "end asked"
    TLS_AWAITED = "tls awaited"
    CLOSED = "closed"


class Happening(StrEnum):
    """What leads on beside the client's commands."""

    GREETING = "greeting"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    CONDEMNED = "condemned"  # too large, bare newlines refused, or no room for it
    DOT = "dot"  # CRLF.CRLF
    TLS_STARTED = "tls started"


Table = dict[State, dict[Verb | Happening, State]]

# Fits every state that reads commands; what a state says itself comes first. A client may hang up, be
# hung up on or be abandoned in any state: that always leads to CLOSED and is not drawn.
_HELLO: Final[dict[Verb | Happening, State]] = {Verb.EHLO: State.READY, Verb.HELO: State.READY}
_END: Final[dict[Verb | Happening, State]] = {Verb.QUIT: State.CLOSED}
_TRANSACTION: Final[dict[Verb | Happening, State]] = {
    **_HELLO,
    **_END,
    Verb.RSET: State.READY,
    Verb.STARTTLS: State.TLS_AWAITED,
}

TABLE: Final[Table] = {
    State.CONNECTED: {Happening.GREETING: State.GREETED},
    State.GREETED: {**_HELLO, **_END, Verb.RSET: State.GREETED},
    State.READY: {**_TRANSACTION, Verb.MAIL: State.MAIL_ASKED},
    State.MAIL_ASKED: {Happening.ACCEPTED: State.SENDER, Happening.REFUSED: State.READY},
    State.SENDER: {**_TRANSACTION, Verb.RCPT: State.FIRST_RCPT_ASKED},
    State.FIRST_RCPT_ASKED: {Happening.ACCEPTED: State.RECIPIENTS, Happening.REFUSED: State.SENDER},
    State.RECIPIENTS: {**_TRANSACTION, Verb.RCPT: State.RCPT_ASKED, Verb.DATA: State.DATA_ASKED},
    State.RCPT_ASKED: {Happening.ACCEPTED: State.RECIPIENTS, Happening.REFUSED: State.RECIPIENTS},
    State.DATA_ASKED: {Happening.ACCEPTED: State.BODY, Happening.REFUSED: State.READY},
    State.BODY: {Happening.DOT: State.END_ASKED, Happening.CONDEMNED: State.DISCARD},
    State.DISCARD: {Happening.DOT: State.READY},
    State.END_ASKED: {Happening.ACCEPTED: State.READY, Happening.REFUSED: State.READY},
    State.TLS_AWAITED: {Happening.TLS_STARTED: State.GREETED},
    State.CLOSED: {},
}
# These fit wherever commands are read, and change nothing.
ANYWHERE: Final = frozenset({Verb.NOOP, Verb.VRFY, Verb.HELP})
READING_COMMANDS: Final = frozenset(state for state, moves in TABLE.items() if Verb.QUIT in moves)
TRANSACTION: Final = frozenset({State.SENDER, State.RECIPIENTS})
