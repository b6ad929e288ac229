"""The SMTP client, without I/O: bytes in, events out; a message in, bytes out.

RFC 5321, with PIPELINING (2920), SIZE (1870), 8BITMIME (6152), SMTPUTF8 (6531), ENHANCEDSTATUSCODES
(2034), STARTTLS (3207) and AUTH (4954) if offered. client_session is the part around the messages.
"""

from collections.abc import Sequence

from secondpost.mail.address import Mailbox, ReversePath
from secondpost.mail.envelope import Utf8
from secondpost.mail.outcome import Cause
from secondpost.mail.reply import Reply
from secondpost.protocols.sasl.credentials import Credentials
from secondpost.protocols.smtp.body import DotWriter
from secondpost.protocols.smtp.client_commands import mail_from, rcpt_to
from secondpost.protocols.smtp.client_events import (
    BodyWanted,
    Broken,
    Bye,
    Done,
    Event,
    Extensions,
    Phase,
    RecipientResult,
    SaltingWanted,
    SessionReady,
    TlsWanted,
)
from secondpost.protocols.smtp.client_session import SmtpSession
from secondpost.protocols.smtp.client_states import TABLE, ClientState, Happening
from secondpost.protocols.smtp.lines import OutOfTurn

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
    "SaltingWanted",
    "SessionReady",
    "SmtpClient",
    "TlsWanted",
]

# Every server accepts this many (RFC 5321 §4.5.3.1.8), and their commands fit into any socket
# buffer, so that a group never waits for a peer that waits for us (RFC 2920 §3.1).
RECIPIENTS_MAX = 100
# Our own reply, with the code of RFC 6531 §3.5: the server is not asked.
_NO_SMTPUTF8 = Reply.of(550, "5.6.7", "The message needs SMTPUTF8, which the server does not offer")


class SmtpClient(SmtpSession):
    """One session with one server, and the messages in it."""

    __slots__ = (
        "_body",
        "_grouped",
        "_only_asks",
        "_rcpts_answered",
        "_results",
        "sender_taken",
    )

    def __init__(
        self,
        hello: str,
        *,
        wants_tls: bool,
        requires_tls: bool,
        tls_first: bool = False,
        credentials: Credentials | None = None,
    ) -> None:
        super().__init__(
            hello,
            wants_tls=wants_tls,
            requires_tls=requires_tls,
            tls_first=tls_first,
            credentials=credentials,
        )
        self.sender_taken = False  # MAIL of the current message was accepted
        self._grouped = False
        self._only_asks = False
        self._results: list[RecipientResult | None] = []
        self._rcpts_answered = 0

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

    @property
    def recipients_answered(self) -> int:
        """How many recipients of the current message have a reply."""
        return self._rcpts_answered

    def replies_so_far(self) -> tuple[RecipientResult | None, ...]:
        """The results so far, one per recipient of the current message; valid if it breaks."""
        return tuple(self._results)

    # -- replies
    def _take(self, reply: Reply) -> None:
        match self.state:
            case ClientState.RCPT:
                self._take_rcpt(reply)
            case ClientState.MAIL:
                self._take_mail(reply)
            case ClientState.DATA:
                self._take_data(reply)
            case ClientState.DOT | ClientState.LONE_DOT:
                self._take_dot(reply)
            case ClientState.RSET:
                self._take_rset(reply)
            case _:
                super()._take(reply)

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
        if self.state is ClientState.BODY and not reply.is_positive:
            # A refusal of the content that is being sent.
            self._settle(RecipientResult(Phase.DOT, reply))
            self._break(Cause.MESSAGE, reply)
        else:
            super()._take_unasked(reply)

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
