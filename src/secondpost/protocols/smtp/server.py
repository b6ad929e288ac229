"""The SMTP server, without I/O: bytes in, events out; answers in, bytes out.

RFC 5321, with PIPELINING (2920), SIZE (1870), 8BITMIME (6152), SMTPUTF8 (6531), ENHANCEDSTATUSCODES
(2034) and STARTTLS (3207). The table in server_states says which command fits which state and where
it leads. The core itself answers for grammar, order and bounds. For policy it emits a Question and
reads no further until `answer`, so that replies to pipelined commands stay in order and leave in
one write.
"""

from collections import deque
from collections.abc import Iterator

from secondpost.mail.address import Domain
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp import server_replies
from secondpost.protocols.smtp.lines import EndlessLine, LineBuffer, OutOfTurn
from secondpost.protocols.smtp.server_body import TOO_LARGE, IncomingBody
from secondpost.protocols.smtp.server_commands import (
    NOT_OFFERED,
    OTHER_PROTOCOLS,
    VERBS,
    WITHOUT_ARGUMENT,
    CommandError,
    CommandVerb,
    command_text,
    hello_name,
    mail_command,
    rcpt_command,
)
from secondpost.protocols.smtp.server_events import (
    AskedAbout,
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
    SentAhead,
    StartTls,
)
from secondpost.protocols.smtp.server_limits import Limits
from secondpost.protocols.smtp.server_states import (
    ANYWHERE,
    RCPT_ASKED,
    READING_BODY,
    READING_COMMANDS,
    READING_NOTHING,
    TABLE,
    TRANSACTION,
    Happening,
    ServerState,
)

# Members needed for every message, as globals: in Python 3.11, looking up a member of an enum takes
# ten times as long.
_ACCEPTED, _REFUSED, _DOT = Happening.ACCEPTED, Happening.REFUSED, Happening.DOT
_READY, _BODY = ServerState.READY, ServerState.BODY
_DATA_ASKED, _END_ASKED = ServerState.DATA_ASKED, ServerState.END_ASKED
REPLIES_MAX = 100  # queued replies after which no more commands are read
_SAMPLE_OCTETS_MAX = 80  # of a faulty command, in the text of its ClientFault
_SEEN_OCTETS_MAX = 2048  # of what is no command, in events


class SmtpServer:
    """One client's session."""

    __slots__ = (
        "_body",
        "_ended",
        "_events",
        "_faults",
        "_group_fails",
        "_host",
        "_idle_commands",
        "_limits",
        "_lines",
        "_offers_tls",
        "_out",
        "_refusals",
        "_refuse_bare_newlines",
        "_spoken",
        "_utf8",
        "extended",
        "hello",
        "recipients",
        "state",
        "tls",
    )

    def __init__(self, host: Domain, limits: Limits, *, offers_tls: bool, refuse_bare_newlines: bool) -> None:
        self._host = host
        self._limits = limits
        self._offers_tls = offers_tls
        self._refuse_bare_newlines = refuse_bare_newlines
        self.state = ServerState.CONNECTED
        self.tls = False
        self.hello: str | None = None
        self.extended = False
        self.recipients = 0  # accepted in the open transaction
        self._lines = LineBuffer(limits.command_octets_max)
        self._out: list[bytes] = []
        self._events: deque[Event] = deque()
        self._spoken = False
        self._faults = 0
        self._idle_commands = 0
        self._refusals = 0
        self._group_fails = False  # MAIL or RCPT was refused: commands pipelined behind it are no fault
        self._utf8 = False  # SMTPUTF8 was declared in the last MAIL

    # -- called by the driver
    def greeting(self) -> None:
        self._move(Happening.GREETING)
        self._out.append(server_replies.greeting(self._host))

    def feed(self, data: bytes = b"") -> Iterator[Event]:
        """Yield the events in the received bytes, `data` last; reading goes on as they are taken.

        Stops when more bytes are needed, when an answer is awaited, when the session is over, and
        when a MustSend was not followed by `data_to_send`. All bytes are kept, even if no event is
        taken: calling `feed` without bytes continues.
        """
        if len(data) > 0 and self.state not in READING_NOTHING:
            self._lines.receive(data)
        elif len(data) > 0 and self.state is ServerState.TLS_AWAITED:  # no TLS handshake (CVE-2011-0411)
            self._events.append(SentAhead(CommandVerb.STARTTLS, data[:_SEEN_OCTETS_MAX]))
            self._end("bytes in the clear after STARTTLS")
        return self._read()

    def _read(self) -> Iterator[Event]:
        events = self._events
        more = True
        while more:
            while len(events) > 0:
                yield events.popleft()
            if len(self._out) >= REPLIES_MAX:
                yield MustSend()
                more = len(self._out) < REPLIES_MAX
            elif self.state in READING_COMMANDS:
                more = self._read_command()
            elif self.state in READING_BODY:
                more = self._read_body()
            else:
                more = False

    def answer(self, reply: Reply) -> None:
        """Answer the last Question. A 421 also ends the session, with a Close."""
        asked = self.state
        accepted = reply.code == 354 if asked is _DATA_ASKED else reply.is_positive
        self._move(_ACCEPTED if accepted else _REFUSED)
        self._say(reply)
        self._group_fails = not accepted
        if not accepted and reply.code == 421:
            self._end("our answer was 421")
            return
        self._refusals += reply.code >= 500
        if asked in RCPT_ASKED:
            self.recipients += accepted
        elif self.state is _BODY:
            self._ended = False
            self._body = IncomingBody(self._limits.size_max, refuse_bare_newlines=self._refuse_bare_newlines)
        elif self.state is _READY:
            self.recipients = 0
        self._end_of_guessing()
        if asked is _END_ASKED and accepted:
            self._idle_commands = self._refusals = 0

    def refuse_body(self, reply: Reply) -> None:
        """Discard the rest of the body, then answer with `reply` at its end.

        Only the first refusal counts. Without a body (a late disk error) this does nothing.
        """
        if self.state is ServerState.BODY:
            self._move(Happening.CONDEMNED)
            self._body.refuse(reply)

    def tls_started(self) -> None:
        """Continue after the TLS handshake; what the client said before is void (RFC 3207 §4.2)."""
        self._move(Happening.TLS_STARTED)
        self.tls = True
        self.hello = None
        self.extended = False
        self._end_of_guessing()

    def abandon(self, reply: Reply) -> None:
        """Send `reply` (a 421) and end the session, in any state."""
        if self.state not in READING_NOTHING:  # no plain text into a handshake
            self._say(reply)
        self.state = ServerState.CLOSED
        self._lines.clear()
        self._events.clear()

    def data_to_send(self) -> bytes:
        """The octets queued since the last call."""
        out, self._out = self._out, []
        return out[0] if len(out) == 1 else b"".join(out)

    @property
    def octets_waiting(self) -> int:
        """Octets not yet read, since an answer is awaited: pause reading when this grows."""
        return len(self._lines)

    # -- commands
    def _read_command(self) -> bool:
        """Read one command; False if none is complete."""
        if not self._spoken and len(self._lines) > 0:
            if self._lines.begins_binary():
                first = self._lines.peek(_SEEN_OCTETS_MAX)
                self._hang_up(server_replies.NOT_SMTP, "binary data where SMTP was expected", first)
                return True
            # Empty lines decide nothing yet: a PROXY v2 header begins with two of them and a NUL.
            self._spoken = not self._lines.begins_empty()
        try:
            line = self._lines.take_line()
        except EndlessLine:
            line = self._lines.peek(_SEEN_OCTETS_MAX)
            self._hang_up(server_replies.ENDLESS_LINE, "endless line", line)
            return True
        if line is None:
            return False
        try:
            self._obey(command_text(line))
        except CommandError as wrong:
            self._fault(wrong.reply, line)
        self._end_of_guessing()
        return True

    def _obey(self, text: str) -> None:
        word, _, argument = text.partition(" ")
        verb = VERBS.get(word.upper())
        if verb is None:
            self._unknown(word.upper(), text)
            return
        after = self.state if verb in ANYWHERE else TABLE[self.state].get(verb)
        if after is None:
            self._out_of_order(verb)
            return
        argument = argument.strip()
        if verb in WITHOUT_ARGUMENT:
            if len(argument) > 0:
                raise CommandError(Reply.of(501, "5.5.4", f"{verb} has no argument"))
            self._bare_verb(verb, after)
            return
        match verb:
            case CommandVerb.MAIL:
                self._mail(argument, after)
            case CommandVerb.RCPT:
                self._rcpt(argument, after)
            case CommandVerb.EHLO | CommandVerb.HELO:
                self._hello(argument, after, extended=verb is CommandVerb.EHLO)
            case CommandVerb.NOOP:  # RFC 5321 §4.1.1.9: an argument is ignored
                self._idle(server_replies.OK)
            case CommandVerb.HELP:
                self._idle(server_replies.HELP)
            case CommandVerb.VRFY:
                if len(argument) == 0:
                    raise CommandError(Reply.of(501, "5.5.4", "VRFY whom?"))
                self._events.append(AskedAbout(text.encode()))
                self._idle(server_replies.VRFY)

    def _mail(self, argument: str, after: ServerState) -> None:
        self._group_fails = True
        mail = mail_command(argument)
        if mail.size is not None and mail.size > self._limits.size_max:
            self._say(TOO_LARGE)
            self._events.append(ClientFault(f"a message of {mail.size} octets was declared"))
            return
        self.state = after
        self._utf8 = mail.utf8
        self._events.append(MailFrom(mail.sender, mail.size, mail.eight_bit, mail.utf8))

    def _rcpt(self, argument: str, after: ServerState) -> None:
        self._group_fails = True
        mailbox = rcpt_command(argument, self._host, utf8=self._utf8)
        limits = self._limits
        if self.recipients >= limits.recipients_max or self._refusals >= limits.refusals_beside_max:
            self._say(server_replies.TOO_MANY_RECIPIENTS)
            return
        self.state = after
        self._events.append(RcptTo(mailbox))

    def _hello(self, argument: str, after: ServerState, *, extended: bool) -> None:
        name = hello_name(argument)
        self._forget_transaction()
        self.state = after
        self.hello = name
        self.extended = extended
        self._events.append(Hello(name, extended))
        if len(self._lines) > 0:
            self._sent_ahead(CommandVerb.EHLO)
        self._idle(self._offer() if extended else server_replies.helo(self._host))

    def _offer(self) -> bytes:
        offers_tls = self._offers_tls and not self.tls
        return server_replies.ehlo(self._host, self._limits.size_max, offers_tls)

    def _bare_verb(self, verb: CommandVerb, after: ServerState) -> None:
        match verb:
            case CommandVerb.DATA:
                self.state = after
                self._events.append(DataBegin())
            case CommandVerb.RSET:
                self._forget_transaction()
                self.state = after
                self._idle(server_replies.OK)
            case CommandVerb.STARTTLS:
                self._starttls(after)
            case _:
                self._out.append(server_replies.BYE)
                self.state = after
                self._lines.clear()
                self._events.append(Quit())

    def _starttls(self, after: ServerState) -> None:
        if not self._offers_tls:
            raise CommandError(Reply.of(502, "5.5.1", "TLS is not offered here"))
        if self.tls:
            raise CommandError(Reply.of(503, "5.5.1", "TLS is on already"))
        if len(self._lines) > 0:  # STARTTLS must be the last of its group (RFC 3207 §4.2, CVE-2011-0411)
            self._sent_ahead(CommandVerb.STARTTLS)
            self._hang_up(server_replies.NOTHING_BEHIND_STARTTLS, "bytes after STARTTLS")
            return
        self._forget_transaction()
        self.state = after
        self._out.append(server_replies.GO_TLS)
        self._events.append(StartTls())

    def _sent_ahead(self, verb: CommandVerb) -> None:
        self._events.append(SentAhead(verb, self._lines.peek(_SEEN_OCTETS_MAX)))

    def _forget_transaction(self) -> None:
        if self.state in TRANSACTION:
            self._events.append(Reset())
        self.recipients = 0
        self._group_fails = False

    def _idle(self, encoded_reply: bytes) -> None:
        self._out.append(encoded_reply)
        self._idle_commands += 1
        if self._idle_commands > self._limits.idle_commands_max:
            self._hang_up(server_replies.TOO_MANY_COMMANDS, "too many commands")

    # -- faults
    def _unknown(self, word: str, text: str) -> None:
        if word in OTHER_PROTOCOLS or word.startswith("SSH-"):
            said = f"another protocol: {word[:_SAMPLE_OCTETS_MAX]}"
            self._hang_up(server_replies.NOT_SMTP, said, text.encode())
        elif word in NOT_OFFERED:
            raise CommandError(Reply.of(502, "5.5.1", f"{word} is not offered here"))
        else:
            raise CommandError(Reply.of(500, "5.5.2", "Unknown command"))

    def _out_of_order(self, verb: CommandVerb) -> None:
        reply = server_replies.out_of_order(self.state, verb)
        if not (self._group_fails and verb in (CommandVerb.RCPT, CommandVerb.DATA)):
            raise CommandError(reply)
        self._say(reply)
        self._group_fails = verb is CommandVerb.RCPT

    def _fault(self, reply: Reply, line: bytes) -> None:
        sample = line.rstrip(b"\r\n")[:_SAMPLE_OCTETS_MAX].decode("latin-1")
        self._say(reply)
        self._events.append(ClientFault(f"{reply} to: {sample}", line))
        self._faults += 1
        if self._faults > self._limits.faults_max:
            self._hang_up(server_replies.TOO_MANY_ERRORS, "too many faults")

    def _end_of_guessing(self) -> None:
        """End the session of a client that guesses recipients.

        Good recipients get their message first: mailing lists and forwarders have bad ones too.
        """
        guesses = self._refusals >= self._limits.refusals_max
        if guesses and self.recipients == 0 and self.state in READING_COMMANDS:
            self._hang_up(server_replies.TOO_MANY_REFUSALS, "too many refusals")

    def _hang_up(self, reply: Reply, text: str, line: bytes = b"") -> None:
        self._say(reply)
        self._end(text, line)

    def _end(self, text: str, line: bytes = b"") -> None:
        self.state = ServerState.CLOSED
        self._lines.clear()
        self._events.append(Close(text, line))

    # -- the body
    def _read_body(self) -> bool:
        """Read a piece of the body; False if nothing is there.

        The end is handled only after the last piece was taken, since that may still be refused.
        """
        if self._ended:
            self._dot()
            return True
        if len(self._lines) == 0:
            return False
        content, after = self._body.read(self._lines.take_all())
        if self._body.smuggled is not None:
            self._events.append(self._body.smuggled)
            self._body.smuggled = None
        if len(content) > 0:
            self._events.append(BodyPiece(content))
        if self._body.refusal is not None and self.state is _BODY:
            self._move(Happening.CONDEMNED)
        if after is not None:
            self._lines.give_back(after)
            self._ended = True
        elif self._body.refusal is not None and self._body.discarded > self._limits.discard_octets_max:
            self._hang_up(self._body.refusal, "endless body")
        return True

    def _dot(self) -> None:
        self._move(_DOT)
        body = self._body
        if body.refusal is None:
            self._events.append(BodyEnd(body.size, body.bare_newlines, body.received_fields))
        else:
            self.recipients = 0
            self._refusals += body.refusal.code >= 500
            self._say(body.refusal)
            self._events.append(BodyRefused(body.refusal, body.bare_newlines, body.received_fields))
            self._end_of_guessing()

    # -- internal steps
    def _say(self, reply: Reply) -> None:
        self._out.append(reply.encode())

    def _move(self, happening: Happening) -> None:
        after = TABLE[self.state].get(happening)
        if after is None:
            raise OutOfTurn(f"{happening} in the state {self.state}")
        self.state = after
