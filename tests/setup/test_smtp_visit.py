"""A look at a server: what is seen of good, broken and hostile ones, each a script on loopback."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from secondpost.mail.address import Domain, Endpoint, Mailbox
from secondpost.protocols.smtp.client import Phase
from secondpost.setup.looks import SmtpLook, SmtpSeen, TurnedAway, Unreached, Visited
from secondpost.setup.smtp_visit import visit
from secondpost.world.real.net import RealNet
from tests.world.certificates import make_pair

HOST = "mx1.example"
NET = Domain("example.net")
Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def answering(*replies: str) -> Script:
    """A server that greets with the first reply, and answers each command with the next."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number, reply in enumerate(replies):
            if number > 0 and len(await reader.readline()) == 0:
                return
            writer.write(f"{reply}\r\n".encode())
            await writer.drain()

    return script


def with_tls(context: ssl.SSLContext, offers: str = "250-mx1.example\r\n250 STARTTLS") -> Script:
    """A server that upgrades to TLS, and takes every recipient."""

    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx1.example\r\n")
        while len(line := await reader.readline()) > 0:
            verb = line.split()[0]
            if verb == b"STARTTLS":
                writer.write(b"220 go\r\n")
                await writer.drain()
                try:
                    await writer.start_tls(context)
                except (OSError, asyncio.IncompleteReadError):
                    return
            elif verb == b"EHLO":
                writer.write(f"{offers}\r\n".encode())
            elif verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                return
            else:
                writer.write(b"250 2.1.0 ok\r\n")

    return script


def seen_of(script: Script, *recipients: str, authorities: str | None = None) -> SmtpSeen:
    """What a look at the server finds. `authorities`: trusted CAs."""

    async def look() -> SmtpSeen:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await script(reader, writer)
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        endpoint = Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
        net = RealNet(authorities_path=authorities)
        try:
            asked = tuple(Mailbox(local, NET) for local in recipients)
            return await visit(net, "mx2.example.net", SmtpLook(endpoint, HOST, asked))
        finally:
            net.close()
            server.close()

    return asyncio.run(look())


@pytest.fixture
def context(tmp_path: Path) -> ssl.SSLContext:
    pair = make_pair(tmp_path, HOST)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(pair.certificate, pair.key)
    return made


def test_a_trusted_server_shows_its_certificate(tmp_path: Path, context: ssl.SSLContext) -> None:
    seen = seen_of(with_tls(context), "ada", authorities=str(tmp_path / f"{HOST}.pem"))
    assert isinstance(seen, Visited)
    assert seen.tls is not None
    assert (seen.tls.version, seen.distrust) == ("TLSv1.3", "")
    assert ssl.DER_cert_to_PEM_cert(seen.tls.certificate) == (tmp_path / f"{HOST}.pem").read_text()
    assert [answer.reply.code for answer in seen.answers] == [250]


def test_a_certificate_of_no_authority_is_seen_too_with_the_reason(context: ssl.SSLContext) -> None:
    seen = seen_of(with_tls(context))
    assert isinstance(seen, Visited)
    assert seen.tls is not None
    assert seen.distrust == "the certificate was refused: self-signed certificate"


def test_a_server_without_starttls_is_talked_to_in_the_clear() -> None:
    script = answering("220 mx", "250 mx", "250 ok", "550 5.1.1 no such user", "221 bye")
    seen = seen_of(script, "nobody")
    assert isinstance(seen, Visited)
    assert (seen.tls, seen.distrust) == (None, "")
    [answer] = seen.answers
    assert (answer.phase, answer.reply.code, answer.reply.status) == (Phase.RCPT, 550, "5.1.1")


def test_a_broken_starttls_is_told_from_none() -> None:
    async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mx\r\n")
        while len(line := await reader.readline()) > 0:
            match line.split()[0]:
                case b"EHLO":
                    writer.write(b"250-mx\r\n250 STARTTLS\r\n")
                case b"STARTTLS":
                    writer.write(b"220 go\r\n")
                    await reader.read(1)
                    writer.write(b"what is this?\r\n")
                    return
                case _:
                    writer.write(b"221 bye\r\n")
                    return

    seen = seen_of(script)
    assert isinstance(seen, Visited)
    assert (seen.tls, seen.distrust) == (None, "wrong version number")


def test_a_refusal_to_talk_is_seen_with_its_words() -> None:
    seen = seen_of(answering("554 5.7.1 go away"))
    assert isinstance(seen, TurnedAway)
    assert str(seen.reply) == "554 5.7.1 go away"
    assert isinstance(seen_of(answering("220 mx", "550 not you", "550 not you either")), TurnedAway)


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (answering(), "it closed the connection"),
        (answering("220 mx"), "it closed the connection"),
        (answering("HTTP/1.1 400 Bad Request"), "reply"),
        (answering("220 mx", "250 mx", "250 ok"), "it closed the connection"),
    ],
)
def test_what_is_no_mail_server_is_not_reached(script: Script, why: str) -> None:
    seen = seen_of(script, "ada")
    assert isinstance(seen, Unreached)
    assert why in seen.why.lower()
    assert not seen.is_silent


def test_a_closed_port_is_not_a_silent_one() -> None:
    async def look() -> SmtpSeen:
        server = await asyncio.start_server(lambda _r, _w: None, "127.0.0.1", 0)
        endpoint = Endpoint("127.0.0.1", server.sockets[0].getsockname()[1])
        server.close()
        await server.wait_closed()
        return await visit(RealNet(), "mx2.example.net", SmtpLook(endpoint, HOST))

    seen = asyncio.run(look())
    assert isinstance(seen, Unreached)
    assert "connection refused" in seen.why
    assert not seen.is_silent
