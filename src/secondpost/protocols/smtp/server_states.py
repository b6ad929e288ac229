"""The states of an SMTP client's session with us, and what leads from one to another (RFC 5321 §4.1.4).

The core in server decides by this table; docs/smtp.md shows it as a picture.
"""

from enum import StrEnum
from typing import Final

from secondpost.protocols.smtp.server_commands import CommandVerb


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


Table = dict[State, dict[CommandVerb | Happening, State]]

# Fits every state that reads commands; what a state says itself comes first. A client may hang up, be
# hung up on or be abandoned in any state: that always leads to CLOSED and is not drawn.
_HELLO: Final[dict[CommandVerb | Happening, State]] = {
    CommandVerb.EHLO: State.READY,
    CommandVerb.HELO: State.READY,
}
_END: Final[dict[CommandVerb | Happening, State]] = {CommandVerb.QUIT: State.CLOSED}
_TRANSACTION: Final[dict[CommandVerb | Happening, State]] = {
    **_HELLO,
    **_END,
    CommandVerb.RSET: State.READY,
    CommandVerb.STARTTLS: State.TLS_AWAITED,
}

TABLE: Final[Table] = {
    State.CONNECTED: {Happening.GREETING: State.GREETED},
    State.GREETED: {**_HELLO, **_END, CommandVerb.RSET: State.GREETED},
    State.READY: {**_TRANSACTION, CommandVerb.MAIL: State.MAIL_ASKED},
    State.MAIL_ASKED: {Happening.ACCEPTED: State.SENDER, Happening.REFUSED: State.READY},
    State.SENDER: {**_TRANSACTION, CommandVerb.RCPT: State.FIRST_RCPT_ASKED},
    State.FIRST_RCPT_ASKED: {Happening.ACCEPTED: State.RECIPIENTS, Happening.REFUSED: State.SENDER},
    State.RECIPIENTS: {
        **_TRANSACTION,
        CommandVerb.RCPT: State.RCPT_ASKED,
        CommandVerb.DATA: State.DATA_ASKED,
    },
    State.RCPT_ASKED: {Happening.ACCEPTED: State.RECIPIENTS, Happening.REFUSED: State.RECIPIENTS},
    State.DATA_ASKED: {Happening.ACCEPTED: State.BODY, Happening.REFUSED: State.READY},
    State.BODY: {Happening.DOT: State.END_ASKED, Happening.CONDEMNED: State.DISCARD},
    State.DISCARD: {Happening.DOT: State.READY},
    State.END_ASKED: {Happening.ACCEPTED: State.READY, Happening.REFUSED: State.READY},
    State.TLS_AWAITED: {Happening.TLS_STARTED: State.GREETED},
    State.CLOSED: {},
}
# These fit wherever commands are read, and change nothing.
ANYWHERE: Final = frozenset({CommandVerb.NOOP, CommandVerb.VRFY, CommandVerb.HELP})
READING_COMMANDS: Final = frozenset(state for state, moves in TABLE.items() if CommandVerb.QUIT in moves)
TRANSACTION: Final = frozenset({State.SENDER, State.RECIPIENTS})
