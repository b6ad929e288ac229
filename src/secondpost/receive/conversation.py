"""One client's connection: its bytes go to the protocol core, its messages to the spool.

The core reports what the client wants; this class finds the answer. Answers that need no waiting
are given in line, so the replies to a pipelined group go out in one write. While an answer is
awaited (`_waiting`) or the client does not read our replies (`_choked`), no input is acted upon. A
client that closes its sending half still gets the replies to all its commands.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import cast

from secondpost.mail.address import Mailbox
from secondpost.mail.envelope import Peer
from secondpost.mail.reply import Reply
from secondpost.mail.verdict import ACCEPT, VERDICTS, Accept, Defer, Reject, Verdict
from secondpost.policy.known import AtHello, AtMail, AtRcpt, Judgement
from secondpost.policy.stages import judge
from secondpost.protocols.smtp.server import SmtpServer
from secondpost.protocols.smtp.server_events import (
    BodyEnd,
    BodyPiece,
    BodyRefused,
    ClientFault,
    Close,
    DataBegin,
    Event,
    Hello,
    MailFrom,
    MustSend,
    Quit,
    RcptTo,
    Reset,
    StartTls,
)
from secondpost.receive.caller_log import SessionLog
from secondpost.receive.callers import UNKNOWN_CALLER, caller_at
from secondpost.receive.envelope import OpenEnvelope
from secondpost.receive.host import ASK_SUCCESSOR, Host
from secondpost.receive.incoming import STORE_BUSY, STORE_FULL, Incoming
from secondpost.receive.knowledge import answered
from secondpost.receive.patience import Patience
from secondpost.receive.reception import Reception
from secondpost.receive.trace import protocol_word
from secondpost.world.asking import Suspended, begin
from secondpost.world.closing import close_soon
from secondpost.world.ports import DiskFailed, DiskFull, NetError, ServerTls

UNREAD_OCTETS_MAX = 64 * 1024  # of input while the client has to wait for an answer
LINGER_SECONDS = 5.0  # after our last reply, for a client that goes on sending
WAITING_SECONDS = 1.0  # how often the timer rings while the client waits for us

OK = Reply.of(250, "2.1.0", "Sender ok")
RECIPIENT_OK = Reply.of(250, "2.1.5", "Recipient ok")
GO_AHEAD = Reply.of(354, "", "End data with <CR><LF>.<CR><LF>")
CLOSING = Reply.of(421, "4.3.2", "Service is closing; try again soon")
TIMED_OUT = Reply.of(421, "4.4.2", "Nothing was heard for too long")


class Conversation(asyncio.Protocol):
    def __init__(self, reception: Reception, session: SmtpServer, host: Host) -> None:
        self._reception = reception
        self._session = session
        self._host = host
        self._loop = asyncio.get_running_loop()  # cached: asking is a system call
        self._transport: asyncio.Transport | None = None
        self.caller = UNKNOWN_CALLER
        self.has_brought_mail = False
        self._lines: SessionLog  # set by connection_made
        self._tls = ""
        self._waiting = self._choked = self._paused = False
        self._all_heard = False  # the client has closed its sending half
        self._upgrading = self._draining = False
        self._asking: asyncio.Task[Verdict] | None = None
        self._hello: AtHello  # since the client's EHLO
        self._hello_verdict: Verdict = ACCEPT
        self._heard = 0.0  # loop time of the client's last input or our last answer
        self._envelope_begun = 0.0
        self._body_begun = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._envelope: OpenEnvelope | None = None  # since MAIL
        self._incoming: Incoming | None = None  # from DATA on, even if the body is refused

    # ------------------------------------------------------------ the connection

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peername = transport.get_extra_info("peername")
        self.caller = UNKNOWN_CALLER if peername is None else caller_at(str(peername[0]))
        self._lines = SessionLog(self._host.lines, self.caller)
        self._decide(judge(self._reception.stages.connect, self._host.look(self.caller)), self._caller_judged)

    def _caller_judged(self, verdict: Verdict) -> None:
        if not isinstance(verdict, Accept):
            self._host.lines.refused_connection(self.caller, verdict.reason)
            self._part(verdict.reply)
            return
        self._host.admit(self)
        self._lines.connected()
        self._session.greeting()
        self._heard = self._envelope_begun = self._loop.time()
        self._set_timer()
        self._flush()

    def data_received(self, data: bytes) -> None:
        if self._upgrading:  # plain text after STARTTLS (CVE-2011-0411)
            for event in self._session.feed(data):
                self._lines.see(event)
            self._lines.protocol_fault("bytes in the clear after STARTTLS")
            self.abort()
            return
        if self._waiting or self._choked:
            self._session.feed(data)
            if self._session.octets_waiting > UNREAD_OCTETS_MAX:
                self._pause()
            return
        self._advance(data)

    def eof_received(self) -> bool:
        """Answer all commands first; True while replies are pending, to stay open."""
        self._all_heard = True
        if self._choked or (self._waiting and not self._upgrading):
            return True
        self._close()
        return False

    def connection_lost(self, error: Exception | None) -> None:
        if self._incoming is not None and not self._waiting:
            self._lines.lost_connection("body")
        self._lines.end()
        if self._timer is not None:
            self._timer.cancel()
        if self._asking is not None:
            self._asking.cancel()
        self._forget()
        self._transport = None
        self._host.gone(self)

    def pause_writing(self) -> None:
        self._choked = True
        self._pause()

    def resume_writing(self) -> None:
        self._choked = False
        if not self._waiting:
            self._advance()

    def drain(self) -> None:
        """Finish the message under way, if any, then close."""
        self._draining = True
        if self._incoming is None and not self._waiting:
            self._part(CLOSING)

    def abort(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _part(self, reply: Reply) -> None:
        self._session.abandon(reply)
        self._flush()
        self._close()

    def _hang_up(self) -> None:
        """Close while the client may be sending. Its input is read and thrown away for a moment:
        the kernel answers unread input with a reset, which overtakes our last replies.
        """
        if self._transport is None or not self._transport.can_write_eof():
            self._close()
            return
        self._transport.write_eof()
        self._loop.call_later(LINGER_SECONDS, self.abort)

    def _close(self) -> None:
        if self._transport is not None:
            close_soon(self._transport)

    def _flush(self) -> None:
        data = self._session.data_to_send()
        if len(data) > 0 and self._transport is not None:
            self._transport.write(data)

    def _pause(self) -> None:
        if not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and not self._choked and not self._all_heard and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    # ------------------------------------------------------------ time

    def hurry(self) -> None:
        """Set the timer again, as the time-outs have become shorter."""
        if self._timer is not None:
            self._timer.cancel()
            self._set_timer()

    def _set_timer(self) -> None:
        """Set the timer for the next time-out, but not beyond that of a command, since a shorter
        one may apply by then. Input does not move the timer.
        """
        patience = self._host.patience(self)
        seconds = min(self._seconds_left(patience), patience.command)
        loop = self._loop
        self._timer = loop.call_later(max(seconds, WAITING_SECONDS if self._waiting else 0.0), self._ring)

    def _seconds_left(self, patience: Patience) -> float:
        if self._incoming is not None:
            body_ends = self._body_begun + patience.body_seconds(self._incoming.octets)
            ends = min(self._heard + patience.pause, body_ends)
        else:
            ends = min(self._heard + patience.command, self._envelope_begun + patience.envelope)
        return ends - self._loop.time()

    def _ring(self) -> None:
        self._timer = None
        if self._transport is None:
            return
        # The client's time does not run while it waits for us.
        if self._waiting or self._seconds_left(self._host.patience(self)) > 0:
            self._set_timer()
            return
        self._lines.lost_connection("timeout")
        self._part(TIMED_OUT)

    # ------------------------------------------------------------ what the client wants

    def _advance(self, data: bytes = b"") -> None:
        """Act on the client's input so far, `data` last."""
        now = self._loop.time()
        for event in self._session.feed(data):
            self._heard = now
            self._lines.see(event)
            self._act(event)
            if self._choked or self._waiting:
                break
        self._flush()
        if self._all_heard and not self._waiting and not self._choked:
            self._close()
        elif self._must_pause:
            self._pause()
        elif not self._waiting:
            self._resume()

    def _act(self, event: Event) -> None:
        match event:
            case BodyPiece(data):
                self._keep(data)
            case RcptTo(mailbox) if self._envelope is not None:
                self._judge(self._envelope, mailbox)
            case MailFrom():
                self._begin(event)
            case DataBegin() if self._envelope is not None:
                self._begin_body(self._envelope)
            case BodyEnd() if self._incoming is not None:
                self._end_body(self._incoming, event)
            case Hello(name):
                self._greet(name)
            case Reset() | BodyRefused():
                self._end_message()
            case StartTls():
                self._waiting = self._upgrading = True
                self._pause()  # input before the handshake must not be read as commands
                self._flush()
                self._reception.background(self._start_tls())
            case MustSend():
                self._flush()
            case ClientFault(text):
                self._lines.protocol_fault(text)
            case Close(text):
                if not self._draining:
                    self._lines.protocol_fault(text)
                self._flush()
                self._hang_up()
            case Quit():
                self._flush()
                self._close()

    # ------------------------------------------------------------ decisions

    def _decide(self, judgement: Judgement, judged: Callable[[Verdict], None]) -> None:
        """Run a decision, as a task only if it has to wait; nothing is read meanwhile."""
        if isinstance(judgement, VERDICTS):
            judged(judgement)
            return
        begun = begin(answered(judgement, self._reception.answerer))
        if isinstance(begun, Suspended):
            self._waiting = True
            self._asking = self._loop.create_task(begun.rest)
            self._asking.add_done_callback(partial(self._decided_later, judged))
        else:
            judged(begun)

    def _decided_later(self, judged: Callable[[Verdict], None], task: asyncio.Task[Verdict]) -> None:
        self._asking = None
        if task.cancelled() or self._transport is None:
            return
        self._waited()
        if task.exception() is not None:
            self.abort()  # so that the client does not wait forever
        judged(task.result())
        self._advance()

    def _greet(self, name: str) -> None:
        self._hello = AtHello(self.caller.address, name)
        self._decide(judge(self._reception.stages.hello, self._hello), self._hello_judged)

    def _hello_judged(self, verdict: Verdict) -> None:
        """Keep the verdict: the core has answered EHLO, so a refusal is the reply to each MAIL."""
        self._hello_verdict = verdict

    def _begin(self, event: MailFrom) -> None:
        free = self._reception.free()
        mail = AtMail(
            self._hello,
            event.sender,
            event.size if event.size is not None else 0,
            event.eight_bit,
            event.utf8,
            free,
            self._reception.under_way.disk.spoken_for(free),
        )
        envelope = self._envelope = OpenEnvelope(self._reception, self._lines, mail)
        judged = partial(self._sender_judged, envelope)
        if isinstance(self._hello_verdict, Accept):
            self._decide(judge(self._reception.stages.mail, mail), judged)
        else:
            judged(self._hello_verdict)

    def _sender_judged(self, envelope: OpenEnvelope, verdict: Verdict) -> None:
        if isinstance(verdict, Accept):
            envelope.part.begin()  # the message counts as under way from here on
            self._session.answer(OK)
        else:
            self._refuse(envelope, verdict, None)

    def _judge(self, envelope: OpenEnvelope, mailbox: Mailbox) -> None:
        at = envelope.at_rcpt(mailbox)
        self._decide(judge(self._reception.stages.rcpt, at), partial(self._recipient_judged, envelope, at))

    def _recipient_judged(self, envelope: OpenEnvelope, at: AtRcpt, verdict: Verdict) -> None:
        if isinstance(verdict, Accept):
            envelope.add_recipient(at, verdict.way)
            self._session.answer(RECIPIENT_OK)
        else:
            if isinstance(verdict, Reject) and self._host.is_leaving:
                verdict = ASK_SUCCESSOR
            self._reception.refusals.count(at.mailbox.domain, verdict.reply)
            self._refuse(envelope, verdict, at.mailbox)

    def _waited(self) -> None:
        """Act on input again; the client's time-out starts again."""
        self._waiting = False
        self._heard = self._loop.time()

    def _refuse(self, envelope: OpenEnvelope, verdict: Defer | Reject, mailbox: Mailbox | None) -> None:
        self._lines.refused(envelope.mail.sender, mailbox, verdict.reply, verdict.reason)
        self._session.answer(verdict.reply)

    # ------------------------------------------------------------ the body

    def _begin_body(self, envelope: OpenEnvelope) -> None:
        self._body_begun = self._heard
        peer = self._peer(envelope.mail.utf8)
        self._incoming = Incoming(envelope, peer, self._body_drained, self._body_failed)
        self._session.answer(GO_AHEAD)

    def _peer(self, utf8: bool) -> Peer:
        session = self._session
        protocol = protocol_word(session.extended, session.tls, utf8)
        return Peer(self.caller.address, session.hello or self.caller.address, protocol, self._tls)

    def _keep(self, data: bytes) -> None:
        unwanted = None if self._incoming is None else self._incoming.add(data)
        if unwanted is not None:
            self._give_up_body(unwanted)

    @property
    def _must_pause(self) -> bool:
        return self._incoming is not None and self._incoming.must_pause

    def _body_drained(self) -> None:
        if not self._must_pause and not self._waiting:
            self._resume()

    def _body_failed(self, error: BaseException) -> None:
        if isinstance(error, DiskFailed):
            self._reception.failed(error)
        if not self._waiting:  # otherwise the body is being finished, which raises the error
            self._give_up_body(STORE_FULL if isinstance(error, DiskFull) else STORE_BUSY)

    def _give_up_body(self, reply: Reply) -> None:
        """Keep no more of the body. The client sends it to its final dot, and then gets `reply`."""
        self._session.refuse_body(reply)
        self._forget()
        self._resume()

    def _end_body(self, incoming: Incoming, event: BodyEnd) -> None:
        if event.bare_newlines > 0:
            incoming.log_newlines(event.bare_newlines)
        self._waiting = True
        self._reception.background(self._see_through(incoming, incoming.take(event)))

    async def _see_through(self, incoming: Incoming, taking: Coroutine[None, None, Reply]) -> None:
        """Wait for the message to be taken, and answer; the client may disconnect meanwhile."""
        reply = await taking
        self._waited()
        if reply.is_positive:
            self._envelope_begun = self._heard
            self.has_brought_mail = True
            if incoming.is_for_people_here:
                self._host.brought_mail(self)
        if self._transport is not None:
            self._session.answer(reply)
            self._end_message()
            self._advance()

    def _forget(self) -> None:
        if self._incoming is not None:
            self._incoming.forget()
        elif self._envelope is not None:
            self._envelope.end()

    def _end_message(self) -> None:
        self._forget()
        self._incoming = None
        self._envelope = None
        if self._draining:
            self._part(CLOSING)

    # ------------------------------------------------------------ STARTTLS

    async def _start_tls(self) -> None:
        assert self._transport is not None
        try:
            transport, facts = await self._reception.net.start_tls(
                self._transport, self, ServerTls(self._lines.named), self._host.patience(self).handshake
            )
        except NetError as error:
            self._lines.handshake_failed(error)
            return
        self._lines.handshake(facts)
        self._transport, self._tls = transport, str(facts)
        self._session.tls_started()
        self._upgrading = self._paused = False
        self._waited()
        self._advance()
