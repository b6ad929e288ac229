"""Minimal drivers of the two cores: they answer by fixed rules and note all events.

The server's rules depend on the local part of an address: `refused` gets 550, `later` 451, `hangup`
421; a recipient `nodata` has DATA refused with 451, `full` the whole message with 452, and `noroom`
the body while it arrives.
"""

from secondpost.mail.address import Domain, Mailbox, ReversePath
from secondpost.mail.envelope import Utf8
from secondpost.mail.reply import Reply
from secondpost.protocols.sasl.credentials import Credentials, Salting
from secondpost.protocols.smtp import client, server, server_events
from secondpost.protocols.smtp.international import written_mailbox, written_reverse_path
from secondpost.protocols.smtp.server_limits import Limits
from tests.protocols.dialogue import escaped, unescaped

HOST = Domain.parse("mx.example.net")
SIZE_MAX = 1000
NO_ROOM = Reply.of(452, "4.3.1", "No room now")
_RULES = {
    "refused": Reply.of(550, "5.7.1", "Not welcome"),
    "later": Reply.of(451, "4.7.1", "Come again later"),
    "hangup": Reply.of(421, "4.3.2", "Closing"),
}


class ServerDriver:
    """Drives the server core; `messages` has what was accepted."""

    def __init__(self, options: dict[str, str]) -> None:
        self._limits = Limits(
            size_max=int(options.get("size_max", str(SIZE_MAX))),
            recipients_max=int(options.get("recipients_max", "1000")),
            faults_max=int(options.get("faults_max", "20")),
            idle_commands_max=int(options.get("idle_commands_max", "100")),
            refusals_max=int(options.get("refusals_max", "20")),
            refusals_beside_max=int(options.get("refusals_beside_max", "100")),
            discard_octets_max=int(options.get("discard_octets_max", "1000000")),
        )
        self.core = server.SmtpServer(
            HOST,
            self._limits,
            offers_tls=options.get("tls", "no") == "yes",
            refuse_bare_newlines=options.get("bare", "normalize") == "refuse",
        )
        self._notes: list[str] = []
        self._said: list[bytes] = []
        self._sender: ReversePath | None = None
        self._eight_bit = self._utf8 = False
        self._recipients: list[Mailbox] = []
        self._body = b""
        self.messages: list[bytes] = []

    def receive(self, data: bytes) -> None:
        self._advance(data)

    def act(self, verb: str) -> None:
        match verb:
            case "greet":
                self.core.greeting()
            case "tls started":
                self.core.tls_started()
            case "pause":
                pass
            case "abandon":
                self.core.abandon(Reply.of(421, "4.3.2", "Closing"))
            case _:
                raise ValueError(verb)
        self._advance()

    def sent(self) -> bytes:
        said, self._said = self._said, []
        return b"".join([*said, self.core.data_to_send()])

    def noted(self) -> list[str]:
        notes, self._notes = self._notes, []
        return notes

    def _advance(self, data: bytes = b"") -> None:
        for event in self.core.feed(data):
            self._act(event)

    def _act(self, event: server_events.Event) -> None:
        match event:
            case server_events.MailFrom(sender, _, eight_bit, utf8):
                self._sender, self._eight_bit, self._utf8 = sender, eight_bit, utf8
                self._recipients, self._body = [], b""
                local = sender.local if isinstance(sender, Mailbox) else ""
                self.core.answer(_RULES.get(local, Reply.of(250, "2.1.0", "Sender ok")))
            case server_events.RcptTo(mailbox):
                reply = _RULES.get(mailbox.local, Reply.of(250, "2.1.5", "Recipient ok"))
                if reply.is_positive:
                    self._recipients.append(mailbox)
                self.core.answer(reply)
                assert reply.code == 421 or self.core.recipients == len(self._recipients)
            case server_events.DataBegin():
                self.core.answer(_RULES["later"] if self._is_for("nodata") else Reply.of(354, "", "Go ahead"))
            case server_events.BodyPiece(data):
                self._body += data
                if self._is_for("noroom"):
                    self.core.refuse_body(NO_ROOM)
            case server_events.BodyEnd():
                self._end(event)
            case server_events.MustSend():
                self._said.append(self.core.data_to_send())
            case server_events.ClientFault():
                self._notes.append("fault")
            case server_events.Close(text):
                self._notes.append(f"close: {text}")
            case server_events.BodyRefused(reply):
                self._notes.append(f"refused: {reply.code}")
            case server_events.Hello(name, extended):
                self._notes.append(f"{'ehlo' if extended else 'helo'}: {name}")
            case server_events.AskedAbout():
                self._notes.append("asked about an address")
            case server_events.SentAhead():
                pass  # depends on how the stream was cut
            case server_events.Smuggling():
                self._notes.append("smuggling")
            case server_events.Reset() | server_events.StartTls() | server_events.Quit():
                self._notes.append(type(event).__name__.lower())

    def _is_for(self, local: str) -> bool:
        return any(recipient.local == local for recipient in self._recipients)

    def _end(self, end: server_events.BodyEnd) -> None:
        assert end.size == len(self._body)
        if self._is_for("full"):
            self.core.answer(NO_ROOM)
            return
        to = ", ".join(_both_forms(recipient) for recipient in self._recipients)
        marks = (" 8bit" if self._eight_bit else "") + (" utf8" if self._utf8 else "")
        marks += f" bare={end.bare_newlines}" if end.bare_newlines > 0 else ""
        marks += f" received={end.received_fields}" if end.received_fields > 0 else ""
        sender = _both_forms(self._sender) if isinstance(self._sender, Mailbox) else ""
        self._notes.append(f"message <{sender}> to {to}{marks}: {escaped(self._body)}")
        self.messages.append(self._body)
        self.core.answer(Reply.of(250, "2.0.0", "Kept"))


def _both_forms(mailbox: Mailbox) -> str:
    """The address as written, and with its A-label if that differs."""
    return mailbox.written if mailbox.written == str(mailbox) else f"{mailbox.written} = {mailbox.domain}"


def _credentials(options: dict[str, str]) -> Credentials | None:
    if "login" not in options:
        return None
    password = unescaped(options.get("password", "pencil")).decode()
    return Credentials(options["login"], password, options.get("nonce", "rOprNGfwEbeRWgbNEkqO"))


class ClientDriver:
    """Drives the client core by the dialogue's verbs.

    `send <a> to b, c` with ` 8bit`, ` utf8=said` or ` utf8=needed` after it, `ask b`, `body TEXT`,
    `end`, `tls started`, `salted`, `quit`. Options: `tls=wanted`, `required` or `first`, `login=NAME`,
    `password` and `nonce`.
    """

    def __init__(self, options: dict[str, str]) -> None:
        self.core = client.SmtpClient(
            "mx2.example.net",
            wants_tls=options.get("tls", "no") == "wanted",
            requires_tls=options.get("tls", "no") == "required",
            tls_first=options.get("tls", "no") == "first",
            credentials=_credentials(options),
        )
        self._salting: Salting | None = None
        self._notes: list[str] = []

    def receive(self, data: bytes) -> None:
        self._advance(data)

    def act(self, verb: str) -> None:
        word, _, argument = verb.partition(" ")
        match word:
            case "send":
                self._send(argument)
            case "ask":
                self.core.ask_recipient(written_mailbox(argument))
            case "body":
                self.core.send_body(unescaped(argument))
            case "end":
                self.core.end_body()
            case "tls":
                self.core.tls_started()
            case "salted":
                assert self._salting is not None
                self.core.salted(self._salting.salted_password())
            case "quit":
                self.core.quit()
            case _:
                raise ValueError(verb)
        self._advance()

    def _send(self, argument: str) -> None:
        argument, _, utf8 = argument.partition(" utf8=")
        argument, eight_bit, _ = argument.partition(" 8bit")
        sender, _, recipients = argument.partition(" to ")
        mailboxes = [written_mailbox(text) for text in recipients.split(", ")]
        path = written_reverse_path(sender.strip("<>"))
        self.core.send_message(path, mailboxes, 100, len(eight_bit) > 0, Utf8(utf8))

    def sent(self) -> bytes:
        return self.core.data_to_send()

    def noted(self) -> list[str]:
        notes, self._notes = self._notes, []
        return notes

    def _advance(self, data: bytes = b"") -> None:
        for event in self.core.feed(data):
            self._notes.append(self._note(event))

    def _note(self, event: client.Event) -> str:
        match event:
            case client.SessionReady(extensions):
                offered = [
                    "pipelining" if extensions.pipelining else "",
                    "8bit" if extensions.eight_bit else "",
                    "starttls" if extensions.starttls else "",
                    f"size={extensions.size_max}" if extensions.size else "",
                    "utf8" if extensions.smtputf8 else "",
                ]
                return " ".join(["ready", *(word for word in offered if len(word) > 0)])
            case client.Done(results):
                return "done: " + "; ".join(self._result(result) for result in results)
            case client.Broken(cause, reply):
                known = self.core.replies_so_far()
                settled = "; ".join("?" if result is None else self._result(result) for result in known)
                unknown = " dot sent" if self.core.dot_sent else ""
                return f"broken{unknown}: {cause.word}: {reply}" + (f" [{settled}]" if known else "")
            case client.SaltingWanted(salting):
                self._salting = salting
                return f"salt: {salting.iterations} times"
            case client.TlsWanted() | client.BodyWanted() | client.Bye():
                return type(event).__name__.lower()

    def _result(self, result: client.RecipientResult) -> str:
        return f"{result.phase} {result.reply}"
