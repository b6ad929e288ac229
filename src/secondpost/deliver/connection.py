"""One SMTP connection to one host: drives the client core, keeps time, streams the body.

It reports that it is ready, that a message is done with a result per recipient, or that it broke
and why. It never decides about a delivery.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, cast

from secondpost.deliver.logins import LoginAttempt
from secondpost.deliver.marks import Mark
from secondpost.deliver.message import Body, ContentUnreadable, InPieces, Job, Prepared
from secondpost.deliver.recipient_results import is_refusal
from secondpost.mail.address import Mailbox
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Hop, TlsDemand
from secondpost.mail.reply import Reply
from secondpost.mail.signed_mail import SignedMail
from secondpost.protocols.sasl.credentials import Salting
from secondpost.protocols.smtp.client import (
    BodyWanted,
    Broken,
    Bye,
    ClientState,
    Done,
    Event,
    Extensions,
    RecipientResult,
    SaltingWanted,
    SessionReady,
    SmtpClient,
    TlsWanted,
)
from secondpost.world.background import Background
from secondpost.world.closing import close_soon
from secondpost.world.ports import ClientTls, Net, NetError

# RFC 5321 §4.5.3.2: time-outs for the replies.
COMMAND_SECONDS = 300.0
RECIPIENTS_SECONDS_MAX = 3600.0  # for the replies to all recipients of one message
BODY_PIECE_SECONDS = 180.0
FINAL_DOT_SECONDS = 600.0
TLS_SECONDS_MAX = 60.0
QUIT_SECONDS = 5.0
# The timer is set no further ahead, so that a shorter time-out seldom has to replace it.
RING_SECONDS_MAX = BODY_PIECE_SECONDS


# Is called with a server's address and its last octets once it broke the protocol.
LookAt = Callable[[str, bytes], None]


class Holder(Protocol):
    """Has a connection; is called once when it breaks."""

    def connection_broken(self, connection: "Connection", cause: Cause, reply: Reply) -> None: ...


class Opening(Holder, Protocol):
    """Has a connection until the host has accepted it."""

    def connection_ready(self, connection: "Connection") -> None: ...


class Sending(Holder, Protocol):
    """Sends messages over a connection, one after the other."""

    def message_done(
        self, connection: "Connection", job: Job, results: tuple[RecipientResult, ...]
    ) -> None: ...


class Connection(asyncio.Protocol):
    def __init__(
        self,
        opening: Opening,
        net: Net,
        hello: str,
        hop: Hop,
        background: Background,
        login: LoginAttempt | None = None,
        look_at: LookAt | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.holder: Holder = opening
        self._opening = opening
        self._sending: Sending | None = None
        self._net = net
        self._background = background
        self.hop = hop
        self.host = hop.name  # with its address once known
        self._address = ""  # until connected
        self._look_at = look_at
        self._client = SmtpClient(
            hello,
            wants_tls=hop.tls is not TlsDemand.NONE,
            requires_tls=hop.tls in (TlsDemand.ENCRYPT, TlsDemand.VERIFY),
            tls_first=hop.tls_first,
            credentials=None if login is None else login.credentials,
        )
        self._login = login
        self._transport: asyncio.Transport | None = None
        self._early: list[bytes] | None = None  # input while TLS begins
        self._over = False
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._rings_at = 0.0  # loop time; kept, as uvloop gives no when() for a delay of 0
        self._choked = False
        # Awaited between pieces of a body while choked.
        self._goes_on: asyncio.Future[None] | None = None
        self._answered: Callable[[RecipientResult], None] | None = None
        self._body: Body = b""
        self._mark: Mark | None = None
        self.job: Job | None = None
        self.job_since = 0.0  # loop time
        self._recipients_answered = 0
        self.answered = 0  # messages answered over this connection
        self.has_taken = False  # at least one message
        self.refused = 0  # recipients of these messages

    @property
    def extensions(self) -> Extensions:
        """The extensions of the host's last EHLO."""
        return self._client.extensions

    @property
    def login_begun(self) -> bool:
        """Whether the host was asked to let us log in."""
        return self._client.login_begun

    @property
    def dot_sent(self) -> bool:
        """Whether the message is sent and unanswered: the peer may have it or not."""
        return self._client.dot_sent

    @property
    def peer_had_enough(self) -> bool:
        """Whether a 421 or a close now means that the peer's limit of messages per connection is
        reached, and has nothing to do with the message under way.
        """
        return self.answered > 0 and not self._client.sender_taken

    @property
    def was_refusing(self) -> bool:
        """Whether a break now may be due to refusals: many servers close after a number of refused
        recipients.
        """
        return self.refused > 0 or any(
            result is not None and is_refusal(result) for result in self.results_so_far
        )

    @property
    def results_so_far(self) -> tuple[RecipientResult | None, ...]:
        return self._client.replies_so_far()

    # ------------------------------------------------------------ what is asked of it

    def send(self, prepared: Prepared, sending: Sending, mark: Mark | None = None) -> None:
        """Send a message. `mark`: for a reader's mail; its dot waits until the mark is settled."""
        job, body = prepared.job, prepared.body
        self.job, self._body, self._mark = job, body, mark
        self._sending = sending
        self._recipients_answered = 0
        first = job.first
        sender = body.sender if isinstance(body, SignedMail) else first.sender
        size = len(body) if isinstance(body, bytes) else body.size
        recipients = [claimed.recipient for claimed in job.claimed]
        self._client.send_message(sender, recipients, size, first.eight_bit, first.utf8)
        self.job_since = self._within(COMMAND_SECONDS)
        self._flush_or_advance()

    def ask(self, mailbox: Mailbox, answered: Callable[[RecipientResult], None]) -> None:
        """Ask whether the host would accept mail for `mailbox`, with MAIL and RCPT."""
        self._answered = answered
        self._client.ask_recipient(mailbox)
        self._within(COMMAND_SECONDS)
        self._flush_or_advance()

    def _flush_or_advance(self) -> None:
        """Flush. A result that the core has without asking the peer is reported in the loop's next
        turn, as the caller of `send` has not returned yet.
        """
        if self._client.has_news:
            self._loop.call_soon(self._advance, b"")
        else:
            self._flush()

    def quit(self) -> None:
        """Send QUIT, and close within QUIT_SECONDS; while a reply is awaited, abort instead."""
        if self._over or self._transport is None:
            return
        if not self._client.ready:
            self.abort()
            return
        self._client.quit()
        self._within(QUIT_SECONDS)
        self._flush()

    def abort(self) -> None:
        self._end()
        if self._transport is not None:
            self._transport.abort()

    # ------------------------------------------------------------ what the network says

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if peer is not None:
            self._address = peer[0]
            self.host = self.hop.at(peer[0])
        self._within(COMMAND_SECONDS)
        if self.hop.tls_first:
            self._early = []
            self._background(self._start_tls())

    def data_received(self, data: bytes) -> None:
        if self._over:
            return
        if self._early is not None:
            self._early.append(data)
            return
        self._advance(data)
        if self._client.state is ClientState.RCPT:
            self._await_next_recipient()

    def _await_next_recipient(self) -> None:
        """Extend the time-out per recipient, up to a maximum for all: some peers take long to check
        each one.
        """
        if self._client.recipients_answered > self._recipients_answered:
            self._recipients_answered = self._client.recipients_answered
            spent = self._loop.time() - self.job_since
            self._within(min(COMMAND_SECONDS, max(0.0, RECIPIENTS_SECONDS_MAX - spent)))

    def eof_received(self) -> bool:
        """The peer will answer nothing more, so sending more is useless."""
        self._lose("the connection was closed")
        self._close()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self._lose("the connection was closed" if error is None else str(error))

    def _lose(self, why: str) -> None:
        self._break(self._cause_of_silence(), Reply.of(451, "4.4.2", f"Lost: {why}"))

    def _cause_of_silence(self) -> Cause:
        """Cause.TLS if the peer closed during STARTTLS or just after it: a retry may do without
        TLS.
        """
        state = self._client.state
        over_tls = (
            state is ClientState.STARTTLS
            or self._early is not None
            or (self._client.tls and state is ClientState.EHLO)
        )
        return Cause.TLS if over_tls else Cause.LOST

    def pause_writing(self) -> None:
        self._choked = True

    def resume_writing(self) -> None:
        self._choked = False
        self._wake()

    def _wake(self) -> None:
        if self._goes_on is not None and not self._goes_on.done():
            self._goes_on.set_result(None)

    def _advance(self, data: bytes) -> None:
        for event in self._client.feed(data):
            if self._over:
                break
            self._act(event)
        self._flush()

    def _act(self, event: Event) -> None:
        match event:
            case Done(results):
                self._done(results)
            case BodyWanted():
                self._send_body(self._body)
            case SessionReady():
                self._within(COMMAND_SECONDS)
                self._opening.connection_ready(self)
            case TlsWanted():
                self._early = []
                self._flush()
                self._background(self._start_tls())
            case SaltingWanted(salting):
                self._background(self._salt(salting))
            case Broken(cause, reply, octets):
                if self._look_at is not None and len(octets) > 0:
                    self._look_at(self._address, octets)
                self._break(cause, reply)
                self._close()
            case Bye():
                self._end()
                self._close()

    def _done(self, results: tuple[RecipientResult, ...]) -> None:
        if self._answered is not None:
            self._answered(results[0])
            return
        job, self.job = self.job, None
        assert job is not None
        assert self._sending is not None
        self._within(COMMAND_SECONDS)
        self.answered += 1
        self.refused += sum(map(is_refusal, results))
        if any(result.reply.is_positive for result in results):
            self.has_taken = True
        self._sending.message_done(self, job, results)

    def _send_body(self, body: Body) -> None:
        match body:
            case bytes():
                self._client.send_body(body)
                self._end_body()
            case InPieces():
                self._background(self._send_pieces(body))
            case SignedMail():
                assert self._mark is not None
                self._mark.when_settled(self._send_marked)

    async def _send_pieces(self, body: InPieces) -> None:
        """Send the body as fast as the connection takes it."""
        offset = 0
        while offset < body.size:
            try:
                piece = await body.piece(offset)
            except ContentUnreadable as error:
                self._break_body(str(error))
                return
            if not self._over:
                offset += len(piece)
                self._client.send_body(piece)
                self._within(BODY_PIECE_SECONDS)
                self._flush()
            if self._choked and not self._over:
                self._goes_on = self._loop.create_future()
                await self._goes_on
            if self._over:
                return
        self._end_body()

    def _break_body(self, why: str) -> None:
        """Break without the final dot, so that the peer discards the message."""
        self._break(Cause.UNREADABLE, Reply.of(451, "4.3.0", f"The content cannot be read here: {why}"))
        self.abort()

    def _end_body(self) -> None:
        self._client.end_body()
        self._within(FINAL_DOT_SECONDS)
        self._flush()

    def _send_marked(self) -> None:
        if self._over:
            return
        assert self._mark is not None
        assert isinstance(self._body, SignedMail)
        if self._mark.may_send is True:
            self._client.send_stuffed(self._body.stuffed)
            self._end_body()
            return
        # The reader left or the issue was stopped meanwhile. The store has settled the row, and a
        # message can only be withdrawn by breaking the connection.
        self.job = None
        self._break(Cause.LOST, Reply.of(451, "4.3.0", "withdrawn before its end"))
        self.abort()

    async def _start_tls(self) -> None:
        assert self._transport is not None
        side = ClientTls(self.hop.name, verify=self.hop.tls is TlsDemand.VERIFY)
        try:
            self._transport, _ = await self._net.start_tls(self._transport, self, side, TLS_SECONDS_MAX)
        except NetError as error:
            self._break(Cause.TLS, Reply.of(451, "4.7.5", f"TLS: {error}"))
            return
        if not self.hop.tls_first:
            self._client.tls_started()
        early, self._early = self._early, None
        self._flush()
        for data in early if early is not None else []:
            self.data_received(data)

    async def _salt(self, salting: Salting) -> None:
        assert self._login is not None, "only a login asks for salt"
        salted_password = await self._login.salted_password(salting)
        if not self._over:
            self._client.salted(salted_password)
            self._advance(b"")

    # ------------------------------------------------------------ time and end

    def _within(self, seconds: float) -> float:
        """Set the time-out to `seconds` from now; returns now in loop time."""
        now = self._loop.time()
        self._deadline = now + seconds
        if self._timer is None or self._rings_at > self._deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._set_timer(now)
        return now

    def _set_timer(self, now: float) -> None:
        self._rings_at = min(self._deadline, now + RING_SECONDS_MAX)
        self._timer = self._loop.call_at(self._rings_at, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._over:
            return
        now = self._loop.time()
        if now < self._deadline:
            self._set_timer(now)
            return
        reply = Reply.of(451, "4.4.2", "Lost: the peer did not answer in time")
        self._break(self._cause_of_silence(), reply)
        self.abort()

    def _flush(self) -> None:
        data = self._client.data_to_send()
        if len(data) > 0 and self._transport is not None:
            self._transport.write(data)

    def _break(self, cause: Cause, reply: Reply) -> None:
        if not self._over:
            self._end()
            self.holder.connection_broken(self, cause, reply)

    def _end(self) -> None:
        self._over = True
        self._wake()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _close(self) -> None:
        self._flush()
        if self._transport is not None:
            close_soon(self._transport)
