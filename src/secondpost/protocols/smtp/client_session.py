"""The session of an SMTP client, without I/O: greeting, EHLO, STARTTLS, login, QUIT.

client adds the messages. client_states says where each reply leads. The server is treated as
hostile: a reply out of turn ends the session, before it is taken for the next one.
"""

from collections import deque
from collections.abc import Iterator

from secondpost.mail.outcome import Cause
from secondpost.mail.reply import Reply
from secondpost.protocols.sasl.credentials import Credentials, LoginFault, Salting
from secondpost.protocols.smtp.client_commands import command
from secondpost.protocols.smtp.client_events import (
    Broken,
    Bye,
    Event,
    Extensions,
    SaltingWanted,
    SessionReady,
    TlsWanted,
)
from secondpost.protocols.smtp.client_login import LOGIN_OCTETS_MAX, LoginDialogue
from secondpost.protocols.smtp.client_states import TABLE, ClientState, Happening
from secondpost.protocols.smtp.lines import OutOfTurn
from secondpost.protocols.smtp.replies import REPLY_OCTETS_MAX, GarbledReply, ReplyReader


class SmtpSession:
    """One session with one server."""

    __slots__ = (
        "_credentials",
        "_events",
        "_hello",
        "_login",
        "_out",
        "_replies",
        "_requires_tls",
        "_unsent",
        "_wants_tls",
        "dot_sent",
        "extensions",
        "login_begun",
        "state",
        "tls",
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
        """`requires_tls`: end the session rather than send in plain text.

        `tls_first`: the connection is encrypted before the greeting (RFC 8314 §3.3). `credentials`:
        log in, or end the session. In plain text only if no TLS is wanted at all.
        """
        self._hello = hello
        self._requires_tls = requires_tls or (wants_tls and credentials is not None)
        self._wants_tls = wants_tls or requires_tls
        self._credentials = credentials
        self._login: LoginDialogue | None = None  # while it goes on
        self.state = ClientState.GREETING
        self.tls = tls_first
        self.extensions = Extensions()
        self.login_begun = False
        self.dot_sent = False  # the outcome is unknown if the connection ends now
        self._replies = ReplyReader()
        self._out: list[bytes] = []
        self._events: deque[Event] = deque()
        self._unsent: deque[bytes] = deque()  # commands that wait for the reply to the previous one

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
        self._hear(reply)
        return True

    def quit(self) -> None:
        self._move(Happening.QUIT)
        self._ask(b"QUIT\r\n")

    def data_to_send(self) -> bytes:
        """The octets queued since the last call."""
        out, self._out = self._out, []
        return out[0] if len(out) == 1 else b"".join(out)

    def tls_started(self) -> None:
        """Continue after the TLS handshake, discarding the earlier EHLO offers (RFC 3207 §4.2)."""
        self._refuse_plain_text()
        if self.state is ClientState.CLOSED:
            return
        self._move(Happening.TLS_STARTED)
        self.tls = True
        self.extensions = Extensions()
        self._ask(command(f"EHLO {self._hello}"))

    def salted(self, salted_password: bytes) -> None:
        """Continue the login with what SaltingWanted asked for."""
        if self.state is ClientState.CLOSED:
            return
        self._move(Happening.SALTED)
        assert self._login is not None, "set while the login goes on"
        self._ask(self._login.salted(salted_password))

    # -- replies
    def _hear(self, reply: Reply) -> None:
        if reply.code == 421 and self.state is not ClientState.QUIT:  # RFC 5321 §3.8: may come at any time
            self.dot_sent = False  # it also answers the dot: not accepted
            self._break(Cause.SHUTDOWN, reply)
        else:
            self._take(reply)

    def _take(self, reply: Reply) -> None:
        match self.state:
            case ClientState.GREETING:
                self._take_greeting(reply)
            case ClientState.EHLO | ClientState.HELO:
                self._take_hello(reply)
            case ClientState.STARTTLS:
                self._take_starttls(reply)
            case ClientState.AUTH:
                self._take_auth(reply)
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
            self._settle_login()
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

    def _settle_login(self) -> None:
        if self._credentials is None:
            self._become_ready(Happening.OK)
            return
        try:
            login = LoginDialogue(self._credentials, self.extensions.mechanisms)
            command_line = login.begin()
        except LoginFault as fault:
            self._break(Cause.LOGIN, _own_words(str(fault)))
            return
        self._login, self._credentials = login, None
        self.login_begun = True
        self._move(Happening.LOGIN_OFFERED)
        self._replies.allow_lines_of(LOGIN_OCTETS_MAX)
        self._ask(command_line)

    def _take_auth(self, reply: Reply) -> None:
        assert self._login is not None, "set while the login goes on"
        try:
            match reply.code:
                case 334:
                    self._respond(self._login.answer(reply))
                case 235:
                    self._login.end()
                    self._login = None
                    self._replies.allow_lines_of(REPLY_OCTETS_MAX)
                    self._become_ready(Happening.OK)
                case _:
                    self._break(Cause.GARBLED if reply.is_positive else Cause.LOGIN, reply)
        except LoginFault as fault:
            self._break(Cause.LOGIN, _own_words(str(fault)))

    def _respond(self, step: bytes | Salting) -> None:
        if isinstance(step, Salting):
            self._move(Happening.SALT)
            self._events.append(SaltingWanted(step))
        else:
            self._move(Happening.CHALLENGE)
            self._ask(step)

    def _become_ready(self, happening: Happening) -> None:
        self._move(happening)
        self._events.append(SessionReady(self.extensions))

    def _take_unasked(self, reply: Reply) -> None:
        """Handle a reply that was not asked for."""
        self._break(Cause.GARBLED, _own_words(f"the server spoke out of turn: {reply}"))

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
        octets = self._replies.last_octets()
        if self._login is not None:
            reply, self._login, octets = self._login.without_secrets(reply), None, b""
        self.state = ClientState.CLOSED
        self._replies.clear()
        self._unsent.clear()
        self._events.append(Broken(cause, reply, octets))

    def _move(self, happening: Happening) -> None:
        after = TABLE[self.state].get(happening)
        if after is None:
            raise OutOfTurn(f"{happening} in the state {self.state}")
        self.state = after


def _own_words(text: str) -> Reply:
    return Reply.of(451, "4.5.0", text)
