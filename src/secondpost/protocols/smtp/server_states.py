"""The states of a client's session with our SMTP server, and their transitions (RFC 5321 §4.1.4).

The core in `server` follows this table; docs/smtp.md shows it as a picture.
"""

from enum import StrEnum
from typing import Final

from secondpost.protocols.smtp.server_commands import CommandVerb


class ServerState(StrEnum):
    """What the session waits for."""

    CONNECTED = "connected"  # nothing was sent by either side
    GREETED = "greeted"  # the client has to send EHLO or HELO
    READY = "ready"
    MAIL_ASKED = "mail asked"  # the "asked" states wait for our own answer and read nothing
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
    """Events besides the client's commands."""

    GREETING = "greeting"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    CONDEMNED = "condemned"  # too large, bare newlines refused, or no disk space
    DOT = "dot"  # CRLF.CRLF
    TLS_STARTED = "tls started"


Table = dict[ServerState, dict[CommandVerb | Happening, ServerState]]

# Valid in every state that reads commands, unless the state has its own entry. A client may hang
# up, be hung up on or be abandoned in any state: that always leads to CLOSED and is not drawn.
_HELLO: Final[dict[CommandVerb | Happening, ServerState]] = {
    CommandVerb.EHLO: ServerState.READY,
    CommandVerb.HELO: ServerState.READY,
}
_END: Final[dict[CommandVerb | Happening, ServerState]] = {CommandVerb.QUIT: ServerState.CLOSED}
_TRANSACTION: Final[dict[CommandVerb | Happening, ServerState]] = {
    **_HELLO,
    **_END,
    CommandVerb.RSET: ServerState.READY,
    CommandVerb.STARTTLS: ServerState.TLS_AWAITED,
}

TABLE: Final[Table] = {
    ServerState.CONNECTED: {Happening.GREETING: ServerState.GREETED},
    ServerState.GREETED: {**_HELLO, **_END, CommandVerb.RSET: ServerState.GREETED},
    ServerState.READY: {**_TRANSACTION, CommandVerb.MAIL: ServerState.MAIL_ASKED},
    ServerState.MAIL_ASKED: {Happening.ACCEPTED: ServerState.SENDER, Happening.REFUSED: ServerState.READY},
    ServerState.SENDER: {**_TRANSACTION, CommandVerb.RCPT: ServerState.FIRST_RCPT_ASKED},
    ServerState.FIRST_RCPT_ASKED: {
        Happening.ACCEPTED: ServerState.RECIPIENTS,
        Happening.REFUSED: ServerState.SENDER,
    },
    ServerState.RECIPIENTS: {
        **_TRANSACTION,
        CommandVerb.RCPT: ServerState.RCPT_ASKED,
        CommandVerb.DATA: ServerState.DATA_ASKED,
    },
    ServerState.RCPT_ASKED: {
        Happening.ACCEPTED: ServerState.RECIPIENTS,
        Happening.REFUSED: ServerState.RECIPIENTS,
    },
    ServerState.DATA_ASKED: {Happening.ACCEPTED: ServerState.BODY, Happening.REFUSED: ServerState.READY},
    ServerState.BODY: {Happening.DOT: ServerState.END_ASKED, Happening.CONDEMNED: ServerState.DISCARD},
    ServerState.DISCARD: {Happening.DOT: ServerState.READY},
    ServerState.END_ASKED: {Happening.ACCEPTED: ServerState.READY, Happening.REFUSED: ServerState.READY},
    ServerState.TLS_AWAITED: {Happening.TLS_STARTED: ServerState.GREETED},
    ServerState.CLOSED: {},
}
# Valid wherever commands are read, without effect on the state.
ANYWHERE: Final = frozenset({CommandVerb.NOOP, CommandVerb.VRFY, CommandVerb.HELP})
READING_COMMANDS: Final = frozenset(state for state, moves in TABLE.items() if CommandVerb.QUIT in moves)
READING_BODY: Final = frozenset({ServerState.BODY, ServerState.DISCARD})
READING_NOTHING: Final = frozenset({ServerState.TLS_AWAITED, ServerState.CLOSED})
RCPT_ASKED: Final = frozenset({ServerState.FIRST_RCPT_ASKED, ServerState.RCPT_ASKED})
TRANSACTION: Final = frozenset({ServerState.SENDER, ServerState.RECIPIENTS})
