"""For any sequence of commands the server core agrees with a simple model of its state."""

import re

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from secondpost.protocols.smtp.server_states import ServerState
from tests.protocols.drivers import ServerDriver

LINE = re.compile(rb"(?:[2-5][0-9][0-9][ -](?:[245]\.[0-9]+\.[0-9]+ )?[ -~]*\r\n)+")
LOCAL_PARTS = st.sampled_from(["anna", "refused", "later"])


class Sessions(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        endless = ("faults_max", "idle_commands_max", "refusals_max", "refusals_beside_max")
        self.driver = ServerDriver({"tls": "yes"} | dict.fromkeys(endless, "10000"))
        self.driver.act("greet")
        assert self.driver.sent().startswith(b"220 ")
        self.greeted = False
        self.tls = False
        self.sender = False
        self.recipients = 0
        self.messages = 0

    def says(self, line: bytes) -> int:
        """Send the line in two pieces; return the code of the only reply."""
        at = len(line) // 2
        self.driver.receive(line[:at])
        assert self.driver.sent() == b""
        self.driver.receive(line[at:] + b"\r\n")
        said = self.driver.sent()
        assert LINE.fullmatch(said) is not None, said
        codes = {reply[:3] for reply in said.split(b"\r\n")[:-1]}
        assert len(codes) == 1, said
        return int(codes.pop())

    def forget(self) -> None:
        assert ("reset" in self.driver.noted()) == self.sender
        self.sender = False
        self.recipients = 0

    @rule(word=st.sampled_from([b"EHLO", b"HELO", b"ehlo"]))
    def hello(self, word: bytes) -> None:
        self.driver.noted()
        assert self.says(word + b" client.example") == 250
        self.greeted = True
        self.forget()

    @rule(local=LOCAL_PARTS)
    def mail(self, local: str) -> None:
        code = self.says(f"MAIL FROM:<{local}@example.org>".encode())
        if not self.greeted or self.sender:
            assert code == 503
        else:
            assert code == {"anna": 250, "refused": 550, "later": 451}[local]
            self.sender = code == 250

    @rule(local=LOCAL_PARTS)
    def rcpt(self, local: str) -> None:
        code = self.says(f"RCPT TO:<{local}@example.net>".encode())
        if not self.sender:
            assert code == 503
        else:
            assert code == {"anna": 250, "refused": 550, "later": 451}[local]
            self.recipients += code == 250

    @rule(body=st.lists(st.sampled_from([b"line", b"..", b"\n.\n", b"MAIL FROM:<x@example.org>", b"\r"])))
    def data(self, body: list[bytes]) -> None:
        code = self.says(b"DATA")
        if self.recipients == 0:
            assert code == (554 if self.sender else 503)
            return
        assert code == 354
        assert self.says(b"\r\n".join([*body, b"."])) == 250
        self.messages += 1
        self.sender = False
        self.recipients = 0

    @rule()
    def rset(self) -> None:
        self.driver.noted()
        assert self.says(b"RSET") == 250
        self.forget()

    @rule(line=st.sampled_from([b"NOOP", b"noop x", b"VRFY anna", b"HELP"]))
    def harmless(self, line: bytes) -> None:
        assert self.says(line) in (214, 250, 252)

    @rule(
        line=st.sampled_from(
            [b"", b"FOO", b"EHLO", b"MAIL", b"RCPT TO:x", b"DATA x", b"F\0", b"F\xff", b"AUTH"]
        )
    )
    def faulty(self, line: bytes) -> None:
        assert 500 <= self.says(line) < 560

    @precondition(lambda self: self.greeted)
    @rule()
    def starttls(self) -> None:
        self.driver.noted()
        code = self.says(b"STARTTLS")
        if self.tls:
            assert code == 503
            return
        assert code == 220
        self.forget()
        self.driver.act("tls started")
        self.tls = True
        self.greeted = False

    @invariant()
    def the_core_knows_it_too(self) -> None:
        core = self.driver.core
        assert (core.hello is not None) == self.greeted
        assert core.tls == self.tls
        assert core.recipients == self.recipients
        assert len(self.driver.messages) == self.messages
        if not self.greeted:
            assert core.state is ServerState.GREETED
        elif not self.sender:
            assert core.state is ServerState.READY
        else:
            assert core.state is (ServerState.RECIPIENTS if self.recipients > 0 else ServerState.SENDER)


TestSessions = Sessions.TestCase
TestSessions.settings = settings(max_examples=60, stateful_step_count=30)
