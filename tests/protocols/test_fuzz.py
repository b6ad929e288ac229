"""No input breaks a core: it answers in well-formed SMTP, or closes."""

import re

from hypothesis import example, given, settings
from hypothesis import strategies as st

from secondpost.mail.address import Domain, Mailbox
from secondpost.protocols.smtp.client import (
    BodyWanted,
    Broken,
    ClientState,
    Done,
    SessionReady,
    SmtpClient,
    TlsWanted,
)
from secondpost.protocols.smtp.server_states import ServerState
from tests.protocols.drivers import ServerDriver

REPLIES = re.compile(rb"(?:[2-5][0-9][0-9][ -][ -~]{0,506}\r\n)*")
COMMANDS = re.compile(rb"(?:[ -~]+\r\n)*")

CLIENT_WORDS = st.sampled_from(
    [
        b"EHLO x\r\n",
        b"HELO x\r\n",
        b"MAIL FROM:<a@example.org>",
        b"MAIL FROM:<>",
        b"RCPT TO:<b@example.net>",
        b" SIZE=",
        b" BODY=8BITMIME",
        b"\r\n",
        b"\n",
        b"\r",
        b".",
        b"DATA\r\n",
        b".\r\n",
        b"RSET\r\n",
        b"QUIT\r\n",
        b"STARTTLS\r\n",
        b"NOOP",
        b" ",
        b"<",
        b">",
        b'"',
        b"\\",
        b"@",
        b"\0",
        b"\xff",
        b"x" * 700,
    ]
)
SERVER_WORDS = st.sampled_from(
    [
        b"220 x\r\n",
        b"250 x\r\n",
        b"250-x\r\n",
        b"250-PIPELINING\r\n",
        b"250 STARTTLS\r\n",
        b"250 SIZE 99999999999999999999999\r\n",
        b"354 x\r\n",
        b"250",
        b"421 x\r\n",
        b"450 4.2.1 x\r\n",
        b"550 5.1.1 x\r\n",
        b"550-5.1.1 x\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"-",
        b"5",
        b"\0",
        b"\xff",
        b"x" * 700,
    ]
)


@settings(max_examples=400)
@given(st.lists(st.one_of(CLIENT_WORDS, st.binary(max_size=30)), max_size=40), st.booleans())
def test_our_server_survives_any_client(said: list[bytes], refuse_bare: bool) -> None:
    driver = ServerDriver({"tls": "yes", "bare": "refuse" if refuse_bare else "normalize"})
    driver.act("greet")
    for data in said:
        driver.receive(data)
        assert REPLIES.fullmatch(driver.sent()) is not None
        if driver.core.state is ServerState.TLS_AWAITED:
            driver.act("tls started")
    if driver.core.state is ServerState.CLOSED:
        driver.receive(b"NOOP\r\n")
        assert driver.sent() == b""


@settings(max_examples=400)
@given(st.lists(st.one_of(SERVER_WORDS, st.binary(max_size=30)), max_size=40), st.booleans())
@example([b"220 x\r\n", b"250 x\r\n", b"250 x\r\n", b"250 x\r\n", b"354 x\r\n", b"250 x\r\n"], False)
def test_our_client_survives_any_server(said: list[bytes], wants_tls: bool) -> None:
    client = SmtpClient("mx2.example.net", wants_tls=wants_tls, requires_tls=False)
    recipients = [Mailbox("bert", Domain("example.org")), Mailbox("carl", Domain("example.org"))]
    for data in said:
        broken = False
        for event in client.feed(data):
            assert not broken
            match event:
                case TlsWanted():
                    client.tls_started()
                case SessionReady():
                    client.send_message(recipients[0], recipients, 10, False)
                case BodyWanted():
                    assert None in client.replies_so_far()
                    client.send_body(b"Hello\r\n")
                    client.end_body()
                case Done(results):
                    assert len(results) == len(recipients)
                    assert client.ready
                    client.send_message(recipients[1], recipients, 10, False)
                case Broken():
                    broken = True
                    assert client.state is ClientState.CLOSED
                case _:
                    raise AssertionError(event)
        assert COMMANDS.fullmatch(client.data_to_send()) is not None
        assert not client.dot_sent or client.state in (ClientState.DOT, ClientState.CLOSED)
