"""HTTPS and port 80 over real sockets: certificates by name and moment, challenges, and odd clients."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from secondpost.mail.own_certificate import ALPN_PROTOCOL, SERVER_PEM, alpn_answer, http_answer
from secondpost.maillog import MailLog
from secondpost.processes.pages import PageDoor, WebServer
from secondpost.web.guests import Guests, GuestTimes
from secondpost.web.redirects import Redirects
from secondpost.web.well_known import WellKnown
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.tls import ServerCertificate
from secondpost.world.real.tls_entrance import SPOKE_HTTP, CertificateChoice
from tests.world.certificates import make_pair

from .test_connections import GET, answered, is_ended

pytestmark = pytest.mark.anyio

TEST_SECONDS_MAX = 20.0
LONG, SHORT = 600, 0.2
PATIENT = GuestTimes(head=LONG, body=LONG, answer=LONG, idle=LONG, reading=LONG)
HOST = "mx2.example.net"
URL = f"https://{HOST}"
POLICY = "version: STSv1\r\nmode: testing\r\nmx: mx2.example.net\r\nmax_age: 604800\r\n"
TOKEN = "DGyRejmCefe7v4NfDGDKfA_-1"


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The event loop of the service."""
    return "asyncio", {"use_uvloop": True}


async def scheme(request: Request) -> Response:
    return PlainTextResponse(request.url.scheme)


async def large(request: Request) -> Response:
    return PlainTextResponse(b"x" * 5_000_000)


class Doors:
    """A web role with one door of https, and one that leads there."""

    def __init__(self, store: Path, times: GuestTimes) -> None:
        self.store = store
        (store / "tls").mkdir()
        disk = RealDisk(str(store))
        self.certificate = ServerCertificate(
            disk.path(SERVER_PEM), disk.path(SERVER_PEM), is_awaited=True, protocols=("http/1.1",)
        )
        self.choice = CertificateChoice(self.certificate, disk)
        self.guests = Guests([], times=times)
        self.failures: list[BaseException] = []
        https, http = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
        self.https: int = https.getsockname()[1]
        self.http: int = http.getsockname()[1]
        pages = Starlette(routes=[Route("/", scheme), Route("/large", large)])
        policies = {"example.net": POLICY}
        self.server = WebServer(
            [
                PageDoor(https, WellKnown(disk, policies.get, pages), self.choice),
                PageDoor(http, WellKnown(disk, policies.get, Redirects(URL, self.choice.has_certificate))),
            ],
            self.guests,
            MailLog(list[str]().append),
            self.failures.append,
        )

    def renew(self, name: str = HOST) -> None:
        """A new certificate takes the place of the old one, as the deliver role puts it there."""
        fresh = self.store / "tls" / "fresh.pem"
        fresh.write_bytes(pem(self.store, name))
        fresh.rename(self.store / SERVER_PEM)
        self.certificate.reload()  # without waiting for the next look

    def answer(self, name: str | None, octets: bytes) -> None:
        """The answer to a challenge, as the fetch role puts it there."""
        assert name is not None
        file = self.store / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(octets)

    async def call(
        self, name: str = HOST, protocols: tuple[str, ...] = ("http/1.1",)
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            "127.0.0.1", self.https, ssl=client(protocols), server_hostname=name
        )

    async def ask(self, request: bytes, *, is_tls: bool = False) -> bytes:
        """The whole answer to a request on a connection of its own."""
        if is_tls:
            reader, writer = await self.call()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.http)
        writer.write(request)
        answer = await reader.read()
        writer.close()
        return answer


def pem(folder: Path, name: str) -> bytes:
    pair = make_pair(folder, name)
    return Path(pair.key).read_bytes() + Path(pair.certificate).read_bytes()


def client(protocols: tuple[str, ...] = ("http/1.1",)) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if len(protocols) > 0:
        context.set_alpn_protocols(list(protocols))
    return context


def shown(writer: asyncio.StreamWriter) -> bytes:
    """The certificate that the server showed."""
    tls = writer.get_extra_info("ssl_object")
    assert isinstance(tls, ssl.SSLObject)
    der = tls.getpeercert(binary_form=True)
    assert der is not None
    return der


@asynccontextmanager
async def doors(store: Path, times: GuestTimes = PATIENT) -> AsyncIterator[Doors]:
    them = Doors(store, times)
    await them.server.start()
    try:
        async with asyncio.timeout(TEST_SECONDS_MAX):
            yield them
    finally:
        await them.server.drain()
    assert them.failures == []


def request(line: bytes, *fields: bytes) -> bytes:
    return b"\r\n".join((line, *fields, b"Connection: close", b"", b""))


# -- https


@pytest.mark.parametrize("name", [HOST, "other.example", "mta-sts.example.net"])
async def test_pages_come_encrypted_whatever_name_is_asked_for(tmp_path: Path, name: str) -> None:
    async with doors(tmp_path) as them:
        them.renew()
        reader, writer = await them.call(name)
        for _ in range(2):
            writer.write(GET)
            assert await answered(reader) == b"https"
        tls = writer.get_extra_info("ssl_object")
        assert tls.selected_alpn_protocol() == "http/1.1"
        assert tls.version() == "TLSv1.3"
        assert HOST.encode() in shown(writer)
        writer.write(GET.replace(b"/ ", b"/large "))
        assert len(await answered(reader)) == 5_000_000
        writer.close()


async def test_a_client_without_names_and_protocols_is_answered_too(tmp_path: Path) -> None:
    async with doors(tmp_path) as them:
        them.renew()
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", them.https, ssl=client(()), server_hostname=""
        )
        writer.write(GET)
        assert await answered(reader) == b"https"
        writer.close()


async def test_a_new_certificate_is_for_new_connections_and_the_open_ones_go_on(tmp_path: Path) -> None:
    async with doors(tmp_path) as them:
        them.renew()
        reader, writer = await them.call()
        old = shown(writer)
        them.renew()
        writer.write(GET)
        assert await answered(reader) == b"https"
        _, second = await them.call()
        assert shown(second) != old
        for each in (writer, second):
            each.close()


async def test_before_the_first_certificate_handshakes_are_refused_and_then_not_any_more(
    tmp_path: Path,
) -> None:
    async with doors(tmp_path) as them:
        with pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure"):
            await them.call()
        answer = await them.ask(request(b"GET / HTTP/1.1", b"Host: a"))
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 60" in answer.lower()
        assert b"no certificate yet" in answer
        them.renew()
        reader, writer = await them.call()
        writer.write(GET)
        assert await answered(reader) == b"https"
        writer.close()
        assert len(them.guests) <= 1


async def test_http_on_the_port_of_https_is_told_so(tmp_path: Path) -> None:
    async with doors(tmp_path) as them:
        them.renew()
        reader, writer = await asyncio.open_connection("127.0.0.1", them.https)
        writer.write(GET)
        assert await reader.read() == SPOKE_HTTP
        writer.close()


async def test_old_versions_and_renegotiation_are_refused(tmp_path: Path) -> None:
    async with doors(tmp_path) as them:
        them.renew()
        old = client()
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.warns(DeprecationWarning, match="TLSv1_1"):
            old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
        with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
            await asyncio.open_connection("127.0.0.1", them.https, ssl=old, server_hostname=HOST)


@pytest.mark.parametrize("octets", [b"", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x16\x03"])
async def test_a_handshake_that_does_not_come_ends_as_a_head_that_does_not(
    tmp_path: Path, octets: bytes
) -> None:
    async with doors(tmp_path, GuestTimes(head=SHORT)) as them:
        them.renew()
        reader, writer = await asyncio.open_connection("127.0.0.1", them.https)
        writer.write(octets)
        assert await is_ended(reader)
        writer.close()
        assert len(them.guests) == 0


async def test_a_handshake_that_stops_halfway_ends_too(tmp_path: Path) -> None:
    async with doors(tmp_path, GuestTimes(head=SHORT)) as them:
        them.renew()
        outgoing = ssl.MemoryBIO()
        half = client().wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=HOST)
        with pytest.raises(ssl.SSLWantReadError):
            half.do_handshake()
        reader, writer = await asyncio.open_connection("127.0.0.1", them.https)
        writer.write(outgoing.read())
        assert len(await reader.readexactly(100)) == 100  # the server's part of it
        await reader.read()
        writer.close()
        assert len(them.guests) == 0


@pytest.mark.parametrize("octets", [b"\x16\x03\x01\x00\x05hello", b"\x16" * 20_000])
async def test_broken_handshakes_end_at_once(tmp_path: Path, octets: bytes) -> None:
    async with doors(tmp_path) as them:
        them.renew()
        reader, writer = await asyncio.open_connection("127.0.0.1", them.https)
        writer.write(octets)
        await is_ended(reader)
        writer.close()
        assert len(them.guests) == 0


# -- challenges


async def test_a_pending_challenge_is_shown_its_certificate_and_nothing_is_exchanged(tmp_path: Path) -> None:
    async with doors(tmp_path) as them:
        them.answer(alpn_answer("mta-sts.example.net"), pem(tmp_path, "challenge.example"))
        for _ in range(2):  # also before the first certificate
            reader, writer = await them.call("MTA-STS.example.net", (ALPN_PROTOCOL,))
            assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == ALPN_PROTOCOL
            assert b"challenge.example" in shown(writer)
            writer.write(GET)
            assert await is_ended(reader)
            writer.close()
            them.renew()
        _, writer = await them.call("mta-sts.example.net")
        assert HOST.encode() in shown(writer)
        writer.close()


@pytest.mark.parametrize("protocols", [(ALPN_PROTOCOL,), (ALPN_PROTOCOL, "http/1.1")])
async def test_a_client_never_gets_pages_as_a_challenge_nor_a_challenge_as_pages(
    tmp_path: Path, protocols: tuple[str, ...]
) -> None:
    async with doors(tmp_path) as them:
        them.renew()
        if protocols == (ALPN_PROTOCOL,):
            with pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure"):
                await them.call(HOST, protocols)
            return
        them.answer(alpn_answer(HOST), pem(tmp_path, "challenge.example"))
        _, writer = await them.call(HOST, protocols)
        assert writer.get_extra_info("ssl_object").selected_alpn_protocol() == "http/1.1"
        assert b"challenge.example" not in shown(writer)
        writer.close()


async def test_a_broken_or_oversized_challenge_is_refused(tmp_path: Path) -> None:
    async with doors(tmp_path) as them:
        for octets in (b"no certificate", pem(tmp_path, HOST) + b"\n" * 9_000):
            them.answer(alpn_answer(HOST), octets)
            with pytest.raises(ssl.SSLError, match=r"(?i)handshake.failure"):
                await them.call(HOST, (ALPN_PROTOCOL,))


@pytest.mark.parametrize("is_tls", [False, True])
async def test_an_answer_is_given_on_every_port_as_long_as_it_is_there(tmp_path: Path, is_tls: bool) -> None:
    async with doors(tmp_path) as them:
        them.renew()
        asked = request(f"GET /.well-known/acme-challenge/{TOKEN} HTTP/1.1".encode(), b"Host: any.example")
        assert (await them.ask(asked, is_tls=is_tls)).startswith(b"HTTP/1.1 404 ")
        them.answer(http_answer(TOKEN), b"key authorization")
        answer = await them.ask(asked, is_tls=is_tls)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert answer.endswith(b"\r\n\r\nkey authorization")
        (tmp_path / "acme" / "http-01" / TOKEN).unlink()
        assert (await them.ask(asked, is_tls=is_tls)).startswith(b"HTTP/1.1 404 ")


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "../account.pem", "..%2faccount.pem", "%2e%2e/account.pem", "..%252faccount.pem",
     "%2Fetc%2Fpasswd", "a%00b", "a%0d%0ab", "x" * 300, f"{TOKEN}/", f"{TOKEN}/../account.pem", "%ff"],
)  # fmt: skip
async def test_no_token_leads_to_another_file(tmp_path: Path, token: str) -> None:
    async with doors(tmp_path) as them:
        them.renew()
        them.answer(http_answer(TOKEN), b"key authorization")
        (tmp_path / "acme" / "account.pem").write_bytes(b"secret")
        path = f"/.well-known/acme-challenge/{token}"
        for is_tls in (False, True):
            answer = await them.ask(request(f"GET {path} HTTP/1.1".encode(), b"Host: a"), is_tls=is_tls)
            assert answer.startswith(b"HTTP/1.1 404 ")
            assert b"secret" not in answer


# -- port 80


@pytest.mark.parametrize(
    ("target", "location"),
    [
        (b"/", b"/"),
        (b"/weekly/12?from=feed&x=%0d%0aSet-Cookie:", b"/weekly/12?from=feed&x=%0d%0aSet-Cookie:"),
        (b"/%2e%2e//evil.example/", b"/%2e%2e//evil.example/"),
        (b"//evil.example/", b"//evil.example/"),
        (b"@evil.example/", b"/"),
        (b".evil.example", b"/"),
        (b"http://evil.example/weekly/", b"/"),
        (b"/" + b"x" * 3_000, b"/"),
        (b"/mta-sts.txt", b"/mta-sts.txt"),
    ],
)
@pytest.mark.parametrize("host", [b"evil.example", b"mx2.example.net@evil.example", b"mx2.example.net:80"])
async def test_port_80_leads_to_the_configured_host_alone(
    tmp_path: Path, target: bytes, location: bytes, host: bytes
) -> None:
    async with doors(tmp_path) as them:
        them.renew()
        answer = await them.ask(request(b"GET " + target + b" HTTP/1.1", b"Host: " + host))
        head = answer.split(b"\r\n\r\n")[0].split(b"\r\n")
        assert head[0].startswith(b"HTTP/1.1 301 ")
        found = [line.partition(b": ")[2] for line in head if line.lower().startswith(b"location:")]
        assert found == [URL.encode() + location]
        # RFC 6797 §7.2: never without encryption.
        assert b"strict-transport-security" not in answer.lower()


async def test_what_is_posted_in_the_clear_is_neither_taken_nor_led_on(tmp_path: Path) -> None:
    async with doors(tmp_path) as them:
        them.renew()
        answer = await them.ask(request(b"POST /weekly/ HTTP/1.1", b"Host: a", b"Content-Length: 0"))
        assert answer.startswith(b"HTTP/1.1 405 ")
        assert b"location" not in answer.lower()


@pytest.mark.parametrize(
    "octets",
    [
        # Two lengths, two codings, or both: where the next request begins would be a matter of opinion.
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 50\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40) + b"\r\n\r\n",  # TLS on port 80
    ],
)
async def test_an_ambiguous_request_gets_one_refusal_and_the_end(tmp_path: Path, octets: bytes) -> None:
    async with doors(tmp_path) as them:
        them.renew()
        smuggled = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
        answer = await them.ask(octets + smuggled)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b"smuggled" not in answer


# -- policies


@pytest.mark.parametrize(
    "host",
    [b"mta-sts.example.net", b"MTA-STS.Example.Net", b"mta-sts.example.net:443", b"mta-sts.example.net."],
)
async def test_a_policy_is_served_at_its_own_host(tmp_path: Path, host: bytes) -> None:
    async with doors(tmp_path) as them:
        them.renew()
        answer = await them.ask(
            request(b"GET /.well-known/mta-sts.txt HTTP/1.1", b"Host: " + host), is_tls=True
        )
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"content-type: text/plain" in answer.lower()
        assert answer.endswith(b"\r\n\r\n" + POLICY.encode())


@pytest.mark.parametrize(
    ("line", "host"),
    [
        (b"GET /.well-known/mta-sts.txt HTTP/1.1", HOST.encode()),
        (b"GET /.well-known/mta-sts.txt HTTP/1.1", b"example.net"),
        (b"GET /.well-known/mta-sts.txt HTTP/1.1", b"mta-sts.other.example"),
        (b"GET /.well-known/mta-sts.txt HTTP/1.1", b"mta-sts."),
        (b"GET /.well-known/mta-sts.txt HTTP/1.1", b"mta-sts.../../tls/server.pem"),
        (b"GET /.well-known/mta-sts.txt HTTP/1.1", b"x.mta-sts.example.net"),
        (b"GET / HTTP/1.1", b"mta-sts.example.net"),
        (b"GET /weekly/ HTTP/1.1", b"mta-sts.example.net"),
        (b"POST /.well-known/mta-sts.txt HTTP/1.1", b"mta-sts.example.net"),
        (b"GET https://mta-sts.example.net/.well-known/mta-sts.txt HTTP/1.1", HOST.encode()),
        (b"GET https://mta-sts.other.example/.well-known/mta-sts.txt HTTP/1.1", b"mta-sts.example.net"),
    ],
)
async def test_no_policy_is_served_to_another_question(tmp_path: Path, line: bytes, host: bytes) -> None:
    async with doors(tmp_path) as them:
        them.renew()
        answer = await them.ask(request(line, b"Host: " + host), is_tls=True)
        assert answer.startswith((b"HTTP/1.1 404 ", b"HTTP/1.1 400 "))
        assert b"STSv1" not in answer
