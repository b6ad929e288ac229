"""One client: its bytes go to the protocol core, what it wants to policy, its message to the spool.

The core says what the client wants; this class finds the answer. What can be answered at once is
answered in line, and the replies to a pipelined group go out in one write. While an answer is awaited
(`_waiting`) nothing of what comes in is acted upon.
"""

import asyncio
from collections.abc import Callable
from typing import cast

from secondpost.mail.address import Mailbox, NullPath, ReversePath, as_ip
from secondpost.mail.content import Content
from secondpost.mail.delivery import KeptFor
from secondpost.mail.envelope import Arrival, Envelope, Lane, Peer
from secondpost.mail.message import field_count, header_block
from secondpost.mail.queue_id import QueueId, queue_id_text
from secondpost.mail.reply import Reply
from secondpost.mail.verdict import Accept, Reject, Verdict, Way
from secondpost.policy.recipient import judge_recipient
from secondpost.policy.room import judge_quota, judge_size
from secondpost.protocols.smtp_server import (
    BodyEnd,
    BodyPiece,
    BodyRefused,
    Close,
    DataBegin,
    Event,
    Fault,
    Hello,
    MailFrom,
    Quit,
    RcptTo,
    Reset,
    SmtpServer,
    StartTls,
)
from secondpost.receive.body import BodyKeeper
from secondpost.receive.reception import Reception
from secondpost.receive.trace import date_time, received_line
from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.world.asking import Unfinished, begin, finish
from secondpost.world.ports import DiskFailed, DiskFull, NetError, ServerTls

RECEIVED_FIELDS_MAX = 100  # RFC 5321 §6.3
UNREAD_OCTETS_MAX = 64 * 1024  # of what a client sends while it has to wait for an answer
ROOM_CHECK_OCTETS = 1024 * 1024  # how often the disk is looked at while a body comes in
TLS_SECONDS_MAX = 60
BODY_SECONDS_MAX = 3600  # from 354 to the final dot, however slowly it drips

OK = Reply.of(250, "2.1.0", "Sender ok")
RECIPIENT_OK = Reply.of(250, "2.1.5", "Recipient ok")
GO_AHEAD = Reply.of(354, "", "End data with <CR><LF>.<CR><LF>")
LOOPING = Reply.of(554, "5.4.6", f"More than {RECEIVED_FIELDS_MAX} Received fields: a mail loop")
STORE_BUSY = Reply.of(451, "4.3.0", "The queue cannot take it now; try again later")
STORE_FULL = Reply.of(452, "4.3.1", "Not enough disk space here now; try again later")
ONE_WAY = Reply.of(452, "4.5.3", "Send this recipient a copy of its own")
CLOSING = Reply.of(421, "4.3.2", "Service is closing; try again soon")
TOO_MANY = Reply.of(421, "4.7.0", "Too many connections; try again later")
TIMED_OUT = Reply.of(421, "4.4.2", "Nothing was heard for too long")


class Conversation(asyncio.Protocol):
    """`admits` is asked once, when the client is known; `gone` is called when the connection is over."""

    def __init__(
        self,
        reception: Reception,
        session: SmtpServer,
        *,
        admits: Callable[["Conversation"], bool],
        gone: Callable[["Conversation"], None],
    ) -> None:
        self._reception = reception
        self._session = session
        self._admits = admits
        self._gone = gone
        self._transport: asyncio.Transport | None = None
        self._peer_address = ""
        self._tls = ""
        self._waiting = False
        self._choked = False
        self._paused = False
        self._upgrading = False
        self._draining = False
        self._early: list[bytes] = []
        self._unread = 0
        self._asking: asyncio.Task[Verdict] | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._clear_transaction()

    def _clear_transaction(self) -> None:
        self._sender: ReversePath = NullPath()
        self._eight_bit = False
        self._size = 0
        self._recipients: list[Mailbox] = []
        self._way: Way | None = None
        self._queue_id: QueueId | None = None
        self._keeper: BodyKeeper | None = None
        self._room_checked = 0

    # ------------------------------------------------------------ the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peername = transport.get_extra_info("peername")
        address = as_ip(str(peername[0])) if peername is not None else None
        self._peer_address = str(address) if address is not None else "unknown"
        if not self._admits(self):
            self._part(TOO_MANY)
            return
        self._reception.log.connected(self._peer_address)
        self._session.greeting()
        self._wait_seconds(self._reception.config.receive.timeout_ms / 1000)
        self._flush()

    @property
    def peer_address(self) -> str:
        return self._peer_address

    def data_received(self, data: bytes) -> None:
        if self._upgrading:  # ciphertext's first fruits, which may come before start_tls returns
            self._early.append(data)
            return
        self._session.receive_data(data)
        if self._waiting or self._choked:
            self._unread += len(data)
            if self._unread > UNREAD_OCTETS_MAX:
                self._pause()
            return
        self._advance()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        if self._queue_id is not None and not self._waiting:
            self._reception.log.lost_connection(self._peer_address, "body")
        if self._timer is not None:
            self._timer.cancel()
        if self._asking is not None:
            self._asking.cancel()
        if self._queue_id is None or not self._waiting:
            self._forget_body()  # a whole message that is on its way to the disk is seen through
        self._transport = None
        self._gone(self)

    def pause_writing(self) -> None:
        self._choked = True

    def resume_writing(self) -> None:
        self._choked = False
        if not self._waiting:
            self._advance()

    def drain(self) -> None:
        """Finish the message that is under way, if one is, then part."""
        self._draining = True
        if self._queue_id is None and not self._waiting:
            self._part(CLOSING)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _part(self, reply: Reply) -> None:
        self._session.abandon(reply)
        self._flush()
        self._close()

    def _close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def _flush(self) -> None:
        data = self._session.data_to_send()
        if len(data) > 0 and self._transport is not None:
            self._transport.write(data)

    def _pause(self) -> None:
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    # ------------------------------------------------------------ time

    def _wait_seconds(self, seconds: float) -> None:
        """Move the deadline. The timer is set anew only when it rings: moving it is one assignment."""
        loop = asyncio.get_running_loop()
        self._deadline = loop.time() + seconds
        if self._timer is None:
            self._timer = loop.call_later(seconds, self._ring)

    def _ring(self) -> None:
        loop = asyncio.get_running_loop()
        left = self._deadline - loop.time()
        self._timer = None
        if self._transport is None:
            return
        if left > 0 or self._waiting:  # while we make it wait, its time stands still
            self._timer = loop.call_later(max(left, 1.0), self._ring)
            return
        self._reception.log.lost_connection(self._peer_address, "timeout")
        self._part(TIMED_OUT)

    # ------------------------------------------------------------ what the client wants

    def _advance(self) -> None:
        session = self._session
        self._unread = 0
        while not self._waiting and not self._choked:
            event = session.next_event()
            if event is None:
                break
            self._act(event)
        self._flush()
        if self._keeper is not None and self._keeper.is_full:
            self._pause()
        elif not self._waiting and not self._choked:
            self._resume()

    def _act(self, event: Event) -> None:
        match event:
            case BodyPiece(data):
                self._take_piece(data)
            case RcptTo(mailbox):
                self._judge(mailbox)
            case MailFrom():
                self._begin(event)
            case DataBegin():
                self._begin_body()
            case BodyEnd():
                self._end_body(event)
            case Hello():
                pass
            case Reset() | BodyRefused():
                self._forget_body()
                self._clear_transaction()
                self._after_message()
            case StartTls():
                self._waiting = self._upgrading = True
                self._flush()
                self._reception.background(self._start_tls())
            case Fault(text):
                self._reception.log.protocol_fault(self._peer_address, text)
            case Close(text):
                self._reception.log.protocol_fault(self._peer_address, text)
                self._flush()
                self._close()
            case Quit():
                self._flush()
                self._close()
        if not isinstance(event, BodyPiece):
            self._deadline_after(event)

    def _deadline_after(self, event: Event) -> None:
        seconds = self._reception.config.receive.timeout_ms / 1000
        self._wait_seconds(BODY_SECONDS_MAX if isinstance(event, DataBegin) else seconds)

    def _answer(self, reply: Reply) -> None:
        self._session.answer(reply)

    # ------------------------------------------------------------ MAIL and RCPT

    def _begin(self, event: MailFrom) -> None:
        self._clear_transaction()
        self._sender, self._eight_bit = event.sender, event.eight_bit
        self._size = event.size if event.size is not None else 0
        verdict = judge_size(self._size, self._reception.free())
        if isinstance(verdict, Accept):
            self._answer(OK)
        else:
            self._refuse(verdict.reply, verdict.reason, None)

    def _judge(self, mailbox: Mailbox) -> None:
        asking = judge_recipient(mailbox, self._reception.recipients(), self._reception.own_domains)
        try:
            self._judged(mailbox, begin(asking))
        except Unfinished as unfinished:
            self._waiting = True
            deciding = finish(asking, unfinished.question, self._reception.answerer)
            self._asking = asyncio.get_running_loop().create_task(deciding)
            self._asking.add_done_callback(lambda task: self._judged_later(mailbox, task))

    def _judged_later(self, mailbox: Mailbox, task: asyncio.Task[Verdict]) -> None:
        self._asking = None
        if task.cancelled() or self._transport is None:
            return
        self._waiting = False
        self._judged(mailbox, task.result())
        self._advance()

    def _judged(self, mailbox: Mailbox, verdict: Verdict) -> None:
        if not isinstance(verdict, Accept):
            self._refuse(verdict.reply, verdict.reason, mailbox)
            return
        backup = self._reception.config.backup_for(mailbox.domain)
        if backup is not None and (backup.quota is not None or self._size > backup.max_size):
            stored = self._reception.intake.stored_octets(mailbox.domain)
            room = judge_quota(backup, self._size, stored)
            if not isinstance(room, Accept):
                self._refuse(room.reply, room.reason, mailbox)
                return
        if self._way is not None and self._way is not verdict.way:
            self._refuse(ONE_WAY, "mixed-ways", mailbox)
            return
        self._way = verdict.way
        self._recipients.append(mailbox)
        self._answer(RECIPIENT_OK)

    def _refuse(self, reply: Reply, reason: str, mailbox: Mailbox | None) -> None:
        self._reception.log.refused(self._peer_address, self._sender, mailbox, reply, reason)
        self._answer(reply)

    # ------------------------------------------------------------ the body

    def _begin_body(self) -> None:
        reception = self._reception
        now_ms = reception.clock.now_ms()
        self._queue_id = reception.ids.next(now_ms)
        line = received_line(
            self._peer(),
            reception.config.hostname,
            self._queue_id,
            tuple(self._recipients),
            date_time(now_ms),
        )
        self._keeper = BodyKeeper(
            reception.disk,
            reception.work,
            f"{reception.ids.worker}-{queue_id_text(self._queue_id)}",
            line,
            drained=self._body_drained,
            failed=self._body_failed,
        )
        self._answer(GO_AHEAD)

    def _peer(self) -> Peer:
        session = self._session
        protocol = ("ESMTPS" if session.tls else "ESMTP") if session.extended else "SMTP"
        return Peer(self._peer_address, session.hello or self._peer_address, protocol, self._tls)

    def _take_piece(self, data: bytes) -> None:
        keeper = self._keeper
        if keeper is None:
            return
        keeper.add(data)
        if keeper.size - self._room_checked > ROOM_CHECK_OCTETS:
            self._room_checked = keeper.size
            verdict = judge_size(0, self._reception.free())
            if not isinstance(verdict, Accept):
                self._session.refuse_body(verdict.reply)

    def _body_drained(self) -> None:
        if self._keeper is not None and not self._keeper.is_full and not self._waiting:
            self._resume()

    def _body_failed(self, error: BaseException) -> None:
        self._session.refuse_body(STORE_FULL if isinstance(error, DiskFull) else STORE_BUSY)
        self._resume()

    def _end_body(self, event: BodyEnd) -> None:
        keeper, queue_id = self._keeper, self._queue_id
        assert keeper is not None
        assert queue_id is not None
        if event.bare_newlines > 0:
            self._reception.log.normalized(queue_id, self._peer_address, event.bare_newlines)
        if field_count(header_block(keeper.start_of()), b"received") > RECEIVED_FIELDS_MAX:
            self._turn_away(LOOPING, "loop")
            return
        reply = self._too_large_for_its_domain(event.size)
        if reply is not None:
            self._turn_away(reply, "too-large")
            return
        self._waiting = True
        content = keeper.whole()
        if content is not None:
            self._submit(content)
        else:
            self._reception.background(self._submit_file(keeper))

    def _too_large_for_its_domain(self, size: int) -> Reply | None:
        """Said only now when the client did not give a SIZE."""
        for domain in {mailbox.domain for mailbox in self._recipients}:
            backup = self._reception.config.backup_for(domain)
            if backup is not None:
                verdict = judge_quota(backup, size, 0)
                if isinstance(verdict, Reject):
                    return verdict.reply
        return None

    def _turn_away(self, reply: Reply, reason: str) -> None:
        assert self._queue_id is not None
        self._reception.log.not_accepted(self._queue_id, self._peer_address, reply, reason)
        self._forget_body()
        self._clear_transaction()
        self._answer(reply)
        self._after_message()

    async def _submit_file(self, keeper: BodyKeeper) -> None:
        try:
            content = await keeper.finish()
        except (DiskFull, DiskFailed) as error:
            self._waiting = False
            self._turn_away(STORE_FULL if isinstance(error, DiskFull) else STORE_BUSY, "disk")
            self._advance()
        else:
            self._submit(content)

    def _submit(self, content: Content) -> None:
        assert self._queue_id is not None
        for_owner = self._way is Way.OWNER
        recipients = self._reception.config.owner if for_owner else tuple(self._recipients)
        arrival = Arrival(
            queue_id=self._queue_id,
            lane=Lane.OWN if for_owner else Lane.RELAY,
            envelope=Envelope(self._sender, recipients, self._eight_bit),
            peer=self._peer(),
            arrived_ms=self._reception.clock.now_ms(),
            content=content,
        )
        self._keeper = None  # from here on the spool has it, whatever becomes of the connection
        kept_for = KeptFor.QUARANTINE if self._way is Way.QUARANTINE else None
        stored = asyncio.ensure_future(self._reception.intake.accept(arrival, kept_for))
        stored.add_done_callback(lambda done: self._stored(arrival, done))

    def _stored(self, arrival: Arrival, stored: asyncio.Future[None]) -> None:
        error = stored.exception()
        if error is None:
            reply = Reply.of(250, "2.0.0", f"Ok: queued as {queue_id_text(arrival.queue_id)}")
            self._reception.log.accepted(arrival)
            self._reception.arrived()
        else:
            reply = STORE_FULL if isinstance(error, StoreFull | DiskFull) else STORE_BUSY
            reason = "store-full" if reply is STORE_FULL else "store-unavailable"
            self._reception.log.not_accepted(arrival.queue_id, self._peer_address, reply, reason)
            if not isinstance(error, StoreFull | StoreUnavailable | DiskFull | DiskFailed):
                raise error
        self._waiting = False
        self._clear_transaction()
        if self._transport is not None:
            self._answer(reply)
            self._after_message()
            self._advance()

    def _after_message(self) -> None:
        if self._draining:
            self._part(CLOSING)

    def _forget_body(self) -> None:
        if self._keeper is not None:
            removing = self._keeper.forget()
            if removing is not None:
                self._reception.background(removing)

    # ------------------------------------------------------------ STARTTLS

    async def _start_tls(self) -> None:
        assert self._transport is not None
        try:
            transport, facts = await self._reception.net.start_tls(
                self._transport, self, ServerTls(), TLS_SECONDS_MAX
            )
        except NetError as error:
            self._reception.log.protocol_fault(self._peer_address, f"TLS handshake failed: {error}")
            return
        self._transport, self._tls = transport, str(facts)
        self._session.tls_started()
        self._waiting = self._upgrading = False
        early, self._early = self._early, []
        for data in early:
            self._session.receive_data(data)
        self._advance()
