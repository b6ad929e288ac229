"""The SMTP client, without I/O: bytes in, events out; a message in, bytes out.

RFC 5321, with PIPELINING (2920), SIZE (1870), 8BITMIME (6152), SMTPUTF8 (6531), ENHANCEDSTATUSCODES
(2034) and STARTTLS (3207) if offered. client_states says where each reply leads. The server is
treated as hostile: a reply out of turn ends the session, before it is taken for the next one.
"""

from collections import deque
from collections.abc import Iterator, Sequence

from secondpost.mail.address import Mailbox, ReversePath
from secondpost.mail.envelope import Utf8
from secondpost.mail.outcome import Cause
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.body import DotWriter
from secondpost.protocols.smtp.client_commands import command, mail_from, rcpt_to
from secondpost.protocols.smtp.client_events import (
    BodyWanted,
    Broken,
    Bye,
    Done,
    Event,
    Extensions,
    Phase,
    RecipientResult,
    SessionReady,
    TlsWanted,
)
from secondpost.protocols.smtp.client_states import TABLE, ClientState, Happening
from secondpost.protocols.smtp.lines import OutOfTurn
from secondpost.protocols.smtp.replies import GarbledReply, ReplyReader

__all__ = [
    "RECIPIENTS_MAX",
    "TABLE",
    "BodyWanted",
    "Broken",
    "Bye",
    "ClientState",
    "Done",
    "Event",
    "Extensions",
    "Happening",
    "Phase",
    "RecipientResult",
    "SessionReady",
    "SmtpClient",
    "TlsWanted",
]

# Every server accepts this many (RFC 5321 §4.5.3.1.8), and their commands fit into any socket
# buffer, so that a group never waits for a peer that waits for us (RFC 2920 §3.1).
RECIPIENTS_MAX = 100
# Our own reply, with the code of RFC 6531 §3.5: the server is not asked.
_NO_SMTPUTF8 = Reply.of(550, "5.6.7", "The message needs SMTPUTF8, which the server does not offer")


class SmtpClient:
    """One session with one server."""

    __slots__ = (
        "_body",
        "_events",
        "_grouped",
        "_hello",
        "_only_asks",
        "_out",
        "_rcpts_answered",
        "_replies",
        "_requires_tls",
        "_results",
        "_unsent",
        "_wants_tls",
        "dot_sent",
        "extensions",
        "sender_taken",
        "state",
        "tls",
    )

    def __init__(self, hello: str, *, wants_tls: bool, requires_tls: bool) -> None:
        """`requires_tls`: end the session rather than send in plain text."""
        self._hello = hello
        self._wants_tls = wants_tls or requires_tls
        self._requires_tls = requires_tls
        self.state = ClientState.GREETING
        self.tls = False
        self.extensions = Extensions()
        self.sender_taken = False  # MAIL of the current message was accepted
        self.dot_sent = False  # the outcome is unknown if the connection ends now
        self._replies = ReplyReader()
        self._out: list[bytes] = []
        self._events: deque[Event] = deque()
        self._unsent: deque[bytes] = deque()  # commands that wait for the reply to the previous one
        self._grouped = False
        self._only_asks = False
        self._results: list[RecipientResult | None] = []
        self._rcpts_answered = 0

    # -- called by the driver
    @property
    def ready(self) -> bool:
        """Whether a message or QUIT may be sent."""
        return self.state is ClientState.READY or self.state is ClientState.UNCLEAN

    @property
    def has_news(self) -> bool:
        """Whether `feed` has events without any new bytes."""
        return len(self._events) > 0

    def feed(self, data: bytes = b"") -> Iterator[Event]:
        """Yield the events in the received bytes, `data` last.

        Stops when more bytes are needed, our side must act, or the session ends. Bytes are kept.
        """
        if self.state is not ClientState.CLOSED:
            self._replies.receive(data)
        return self._happenings()

    def _happenings(self) -> Iterator[Event]:
        while True:
            while len(self._events) > 0:
                yield self._events.popleft()
            if self.state is ClientState.CLOSED or not self._read_on():
                return

    def _read_on(self) -> bool:
        """Process one more reply; False if none is complete."""
        if self.state is ClientState.TLS_AWAITED:
            self._refuse_plain_text()
            return len(self._events) > 0
        try:
            reply = self._replies.next_reply()
        except GarbledReply as garbled:
            self._break(Cause.GARBLED, _own_words(str(garbled)))
            return True
        if reply is None:
            return False
        self._take(reply)
        return True

    def send_message(
        self,
        sender: ReversePath,
        recipients: Sequence[Mailbox],
        size: int,
        eight_bit: bool,
        utf8: Utf8 = Utf8.NONE,
    ) -> None:
        """Begin a transaction. `size`: octets of the content before dot-stuffing (RFC 1870 §5).

        If SMTPUTF8 is needed but not offered, it is Done with nothing sent (RFC 6531 §3.2).
        """
        if not 1 <= len(recipients) <= RECIPIENTS_MAX:
            raise OutOfTurn(f"{len(recipients)} recipients in one transaction")
        if sender.needs_utf8 or any(recipient.needs_utf8 for recipient in recipients):
            utf8 = Utf8.NEEDED  # redirected mail may have come without it
        if utf8 is Utf8.NEEDED and not self.extensions.smtputf8:
            self._refuse_utf8(len(recipients))
            return
        as_utf8 = utf8 is not Utf8.NONE and self.extensions.smtputf8
        reset = [b"RSET\r\n"] if self.state is ClientState.UNCLEAN else []
        self._move(Happening.SEND_MESSAGE)
        self._results = [None] * len(recipients)
        self._rcpts_answered = 0
        self.sender_taken = False
        self._grouped, self._only_asks = self.extensions.pipelining, False
        mail = mail_from(sender, size, eight_bit, self.extensions, as_utf8=as_utf8)
        rcpts = [rcpt_to(recipient, as_utf8=as_utf8) for recipient in recipients]
        commands = [*reset, mail, *rcpts, b"DATA\r\n"]
        if self._grouped:
            self._ask(b"".join(commands))
        else:
            self._unsent.extend(commands)
            self._ask_next()

    def ask_recipient(self, mailbox: Mailbox) -> None:
        """Ask whether the server accepts this mailbox; Done has the reply, no mail is sent."""
        if mailbox.needs_utf8 and not self.extensions.smtputf8:
            self._refuse_utf8(1)
            return
        reset = [b"RSET\r\n"] if self.state is ClientState.UNCLEAN else []
        self._move(Happening.SEND_MESSAGE)
        self._results = [None]
        self._rcpts_answered = 0
        self._grouped, self._only_asks = False, True
        as_utf8 = mailbox.needs_utf8
        mail = b"MAIL FROM:<> SMTPUTF8\r\n" if as_utf8 else b"MAIL FROM:<>\r\n"
        self._unsent.extend([*reset, mail, rcpt_to(mailbox, as_utf8=as_utf8)])
        self._ask_next()

    def _refuse_utf8(self, recipients: int) -> None:
        if not self.ready:
            raise OutOfTurn(f"{Happening.SEND_MESSAGE} in the state {self.state}")
        self._events.append(Done((RecipientResult(Phase.MAIL, _NO_SMTPUTF8),) * recipients))

    def send_body(self, data: bytes) -> None:
        self._need_body_wanted()
        self._out.append(self._body.stuffed(data))

    def send_stuffed(self, content: bytes) -> None:
        """Send the whole content: already dot-stuffed, with CRLF line ends only, one at the end."""
        self._need_body_wanted()
        self._out.append(content)

    def _need_body_wanted(self) -> None:
        if self.state is not ClientState.BODY:
            raise OutOfTurn(f"no body is wanted in the state {self.state}")

    def end_body(self) -> None:
        self._need_body_wanted()
        if self._peer_is_silent():
            self._move(Happening.END_BODY)
            self.dot_sent = True
            self._out.append(self._body.end())

    def tls_started(self) -> None:
        """Continue after the TLS handshake, discarding the earlier EHLO offers (RFC 3207 §4.2)."""
        self._refuse_plain_text()
        if self.state is ClientState.CLOSED:
            return
        self._move(Happening.TLS_STARTED)
        self.tls = True
        self.extensions = Extensions()
        self._ask(command(f"EHLO {self._hello}"))

    def quit(self) -> None:
        self._move(Happening.QUIT)
        self._ask(b"QUIT\r\n")

    def data_to_send(self) -> bytes:
        """The octets queued since the last call."""
        out, self._out = self._out, []
        return out[0] if len(out) == 1 else b"".join(out)

    @property
    def recipients_answered(self) -> int:
        """How many recipients of the current message have a reply."""
        return self._rcpts_answered

    def replies_so_far(self) -> tuple[RecipientResult | None, ...]:
        """The results so far, one per recipient of the current message; valid if it breaks."""
        return tuple(self._results)

    # -- replies
    def _take(self, reply: Reply) -> None:
        if reply.code == 421 and self.state is not ClientState.QUIT:  # RFC 5321 §3.8: may come at any time
            self.dot_sent = False  # it also answers the dot: not accepted
            self._break(Cause.SHUTDOWN, reply)
            return
        match self.state:
            case ClientState.RCPT:
                self._take_rcpt(reply)
            case ClientState.MAIL:
                self._take_mail(reply)
            case ClientState.DATA:
                self._take_data(reply)
            case ClientState.DOT | ClientState.LONE_DOT:
                self._take_dot(reply)
            case ClientState.GREETING:
                self._take_greeting(reply)
            case ClientState.EHLO | ClientState.HELO:
                self._take_hello(reply)
            case ClientState.STARTTLS:
                self._take_starttls(reply)
            case ClientState.RSET:
                self._take_rset(reply)
            case ClientState.QUIT:
                self._move(Happening.OK if reply.is_positive else Happening.REFUSED)
                self._events.append(Bye())
            case _:
                self._take_unasked(reply)

    def _take_greeting(self, reply: Reply) -> None:
        # A 5xx here concerns the host, not any message (RFC 7504 §3).
        if reply.code != 220:
            self._break(Cause.GREETING, reply)
            return
        self._move(Happening.OK)
        self._ask(command(f"EHLO {self._hello}"))

    def _take_hello(self, reply: Reply) -> None:
        if reply.is_permanent and self.state is ClientState.EHLO:
            self._move(Happening.REFUSED)
            self._ask(command(f"HELO {self._hello}"))
        elif reply.code != 250:
            self._break(Cause.GARBLED if reply.is_positive else Cause.GREETING, reply)
        else:
            if self.state is ClientState.EHLO:
                self.extensions = Extensions.parse(reply)
            self._settle_tls()

    def _settle_tls(self) -> None:
        if self.tls or not self._wants_tls:
            self._become_ready(Happening.OK)
        elif self.extensions.starttls:
            self._move(Happening.TLS_OFFERED)
            self._ask(b"STARTTLS\r\n")
        elif self._requires_tls:
            self._break(Cause.TLS, _own_words("TLS is required here, but the server does not offer it"))
        else:
            self._become_ready(Happening.OK)

    def _take_starttls(self, reply: Reply) -> None:
        if reply.code == 220:
            self._move(Happening.OK)
            self._events.append(TlsWanted())
            self._refuse_plain_text()
        elif reply.is_positive:
            self._break(Cause.GARBLED, reply)
        elif self._requires_tls:
            self._break(Cause.TLS, reply)
        else:
            self._become_ready(Happening.REFUSED)

    def _refuse_plain_text(self) -> None:
        """Break if plain text stands between the 220 to STARTTLS and TLS (CVE-2011-0411)."""
        if not self._replies.is_empty:
            self._events.clear()
            self._break(Cause.TLS, _own_words("the server sent plain text where only TLS may come"))

    def _become_ready(self, happening: Happening) -> None:
        self._move(happening)
        self._events.append(SessionReady(self.extensions))

    def _take_rset(self, reply: Reply) -> None:
        if not reply.is_positive:
            self._break(Cause.GARBLED, reply)
            return
        self._move(Happening.OK)
        self._ask_next()

    def _take_mail(self, reply: Reply) -> None:
        match reply.code // 100:
            case 2:
                self.sender_taken = True
                self._move(Happening.OK)
                self._ask_next()
            case 3:
                self._break(Cause.GARBLED, reply)
            case _:
                self._results = [RecipientResult(Phase.MAIL, reply)] * len(self._results)
                if self._grouped:
                    self._move(Happening.REFUSED_IN_GROUP)
                else:
                    self._finish(Happening.REFUSED)

    def _take_rcpt(self, reply: Reply) -> None:
        if reply.code // 100 == 3:
            self._break(Cause.GARBLED, reply)
            return
        index = self._rcpts_answered
        self._rcpts_answered += 1
        if self._only_asks:
            self._results[index] = RecipientResult(Phase.RCPT, reply)
            self._finish(Happening.ONLY_ASKED)
            return
        if self._results[index] is None and not reply.is_positive:
            self._results[index] = RecipientResult(Phase.RCPT, reply)
        if self._rcpts_answered < len(self._results):
            self._move(Happening.MORE_RCPT)
            self._ask_next()
        elif self._grouped or None in self._results:
            self._move(Happening.LAST_RCPT)
            self._ask_next()
        else:
            self._finish(Happening.NO_RCPT)

    def _take_data(self, reply: Reply) -> None:
        match reply.code // 100:
            case 2:
                self._break(Cause.GARBLED, reply)
            case 3 if None in self._results:
                self._move(Happening.GO_ON)
                self._body = DotWriter()
                self._events.append(BodyWanted())
            case 3:
                self._move(Happening.GO_ON_FOR_NOBODY)
                self._ask(b".\r\n")  # RFC 2920 §3.1
            case _:
                self._settle(RecipientResult(Phase.DATA, reply))
                self._finish(Happening.REFUSED)

    def _take_dot(self, reply: Reply) -> None:
        if reply.code // 100 == 3:
            self._break(Cause.GARBLED, reply)
            return
        self.dot_sent = False
        self._settle(RecipientResult(Phase.DOT, reply))
        self._finish(Happening.OK if reply.is_positive else Happening.REFUSED)

    def _take_unasked(self, reply: Reply) -> None:
        """Handle a reply that was not asked for: a refusal of content being sent, or a fault."""
        if self.state is ClientState.BODY and not reply.is_positive:
            self._settle(RecipientResult(Phase.DOT, reply))
            self._break(Cause.MESSAGE, reply)
        else:
            self._break(Cause.GARBLED, _own_words(f"the server spoke out of turn: {reply}"))

    # -- the current message
    def _settle(self, result: RecipientResult) -> None:
        self._results = [result if known is None else known for known in self._results]

    def _finish(self, happening: Happening) -> None:
        self._move(happening)
        self._unsent.clear()
        self._events.append(Done(tuple(result for result in self._results if result is not None)))
        self._results = []

    # -- internal steps
    def _ask_next(self) -> None:
        if len(self._unsent) > 0:
            self._ask(self._unsent.popleft())

    def _ask(self, commands: bytes) -> None:
        """Send commands. An unread reply breaks the session: it would pass as their reply."""
        if self._peer_is_silent():
            self._out.append(commands)

    def _peer_is_silent(self) -> bool:
        """Whether every reply received was read; otherwise break the session."""
        if self._replies.is_empty:
            return True
        try:
            reply = self._replies.next_reply()
        except GarbledReply:
            reply = None
        if reply is None:
            self._break(Cause.GARBLED, _own_words("the server spoke out of turn"))
        elif reply.code == 421:
            self._break(Cause.SHUTDOWN, reply)
        else:
            self._take_unasked(reply)
        return False

    def _break(self, cause: Cause, reply: Reply) -> None:
        self.state = ClientState.CLOSED
        self._replies.clear()
        self._unsent.clear()
        self._events.append(Broken(cause, reply))

    def _move(self, happening: Happening) -> None:
        after = TABLE[self.state].get(happening)
        if after is None:
            raise OutOfTurn(f"{happening} in the state {self.state}")
        self.state = after


def _own_words(text: str) -> Reply:
    return Reply.of(451, "4.5.0", text)
