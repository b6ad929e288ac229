"""Connections to the pages over real sockets: odd clients get answers, and none stays for ever."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from secondpost.maillog import MailLog
from secondpost.processes.pages import PageDoor, WebServer
from secondpost.web.guests import GuestLimits, Guests, GuestTimes

pytestmark = pytest.mark.anyio

TEST_SECONDS_MAX = 20.0
SHORT = 0.2
LONG = 600
PATIENT = GuestTimes(head=LONG, body=LONG, answer=LONG, idle=LONG, reading=LONG)
GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
LARGE_OCTETS = 40_000_000  # more than the buffers of both ends


async def small(request: Request) -> Response:
    return PlainTextResponse("small")


async def echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def unread(request: Request) -> Response:
    return PlainTextResponse("not looked at")


async def large(request: Request) -> Response:
    return PlainTextResponse(b"x" * LARGE_OCTETS)


ROUTES = [
    Route("/", small),
    Route("/echo", echo, methods=["POST"]),
    Route("/unread", unread, methods=["POST"]),
    Route("/large", large),
]


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """The event loop of the service."""
    return "asyncio", {"use_uvloop": True}


class Pages:
    def __init__(self, server: WebServer, port: int, guests: Guests, lines: list[str]) -> None:
        self.server = server
        self.port = port
        self.guests = guests
        self.lines = lines
        self.callers: list[asyncio.StreamWriter] = []

    async def call(self, data: bytes = b"") -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.callers.append(writer)
        writer.write(data)
        await writer.drain()
        return reader, writer


@asynccontextmanager
async def pages(
    times: GuestTimes = PATIENT, in_all: int = 100, trusted: tuple[str, ...] = ()
) -> AsyncIterator[Pages]:
    door = socket.socket()
    door.bind(("127.0.0.1", 0))
    door.listen()
    port: int = door.getsockname()[1]
    lines: list[str] = []
    failures: list[BaseException] = []
    guests = Guests([ip_network(one) for one in trusted], GuestLimits(in_all=in_all), times)
    doors = [PageDoor(door, Starlette(routes=ROUTES))]
    server = WebServer(doors, guests, MailLog(lines.append), failures.append)
    await server.start()
    them = Pages(server, port, guests, lines)
    try:
        async with asyncio.timeout(TEST_SECONDS_MAX):
            yield them
    finally:
        for caller in them.callers:
            caller.transport.abort()
        await server.drain()
    assert failures == []


async def answered(reader: asyncio.StreamReader) -> bytes:
    """The body of the next response."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    [length] = [line.split()[1] for line in head.lower().splitlines() if line.startswith(b"content-length")]
    return await reader.readexactly(int(length))


async def is_ended(reader: asyncio.StreamReader) -> bool:
    """Wait until the server closes."""
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


async def test_a_connection_takes_one_request_after_the_other() -> None:
    async with pages() as them:
        reader, writer = await them.call()
        for _ in range(3):
            writer.write(GET)
            assert await answered(reader) == b"small"
        writer.write(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc" + GET)
        assert [await answered(reader), await answered(reader)] == [b"abc", b"small"]
        assert len(them.guests) == 1


async def test_requests_that_come_together_or_in_pieces_are_all_answered() -> None:
    async with pages() as them:
        reader, writer = await them.call(GET * 5 + GET[:10])
        for _ in range(5):
            assert await answered(reader) == b"small"
        for octet in GET[10:]:
            writer.write(bytes((octet,)))
            await writer.drain()
            await asyncio.sleep(0)
        assert await answered(reader) == b"small"
        writer.write(b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in (b"3\r\nabc\r\n", b"2\r\nde\r\n", b"0\r\n\r\n"):
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        assert await answered(reader) == b"abcde"


async def test_who_waits_to_be_told_to_send_the_body_is_told() -> None:
    async with pages() as them:
        head = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        reader, writer = await them.call(head)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(b"ok")
        assert await answered(reader) == b"ok"


@pytest.mark.parametrize("said", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n"])
async def test_a_head_that_does_not_come_ends_the_connection(said: bytes) -> None:
    async with pages(GuestTimes(head=SHORT)) as them:
        reader, _ = await them.call(said)
        assert await is_ended(reader)
        assert len(them.guests) == 0


async def test_a_slow_head_ends_the_connection_also_after_a_request_that_was_answered() -> None:
    async with pages(GuestTimes(head=SHORT, idle=LONG)) as them:
        reader, writer = await them.call(GET + GET[:-2])
        assert await answered(reader) == b"small"
        while len(them.guests) > 0:
            writer.write(b"X: y\r\n")  # each octet would restart a keep-alive time-out
            await asyncio.sleep(SHORT / 10)


@pytest.mark.parametrize("path", [b"/echo", b"/unread"])
async def test_a_slow_body_ends_the_connection_though_the_answer_did_not_wait_for_it(path: bytes) -> None:
    async with pages(GuestTimes(body=SHORT, idle=LONG)) as them:
        _, writer = await them.call(b"POST " + path + b" HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n")
        await asyncio.sleep(0)
        while len(them.guests) == 0:
            await asyncio.sleep(0)
        while len(them.guests) > 0:
            writer.write(b"x")
            await asyncio.sleep(SHORT / 10)


@pytest.mark.parametrize("request_", [GET.replace(b"/ ", b"/large "), GET.replace(b"/ ", b"/large ") * 2])
async def test_who_never_reads_the_answer_is_cut_off(request_: bytes) -> None:
    async with pages(GuestTimes(answer=SHORT, idle=0, reading=SHORT)) as them:
        reader, _ = await them.call(request_)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        while len(them.guests) > 0:
            await asyncio.sleep(SHORT / 10)


async def test_who_reads_slowly_gets_the_whole_answer() -> None:
    async with pages(GuestTimes(idle=0, reading=LONG)) as them:
        reader, _ = await them.call(GET.replace(b"/ ", b"/large "))
        assert len(await answered(reader)) == LARGE_OCTETS


async def test_a_proxy_keeps_its_connections_and_others_do_not() -> None:
    times = GuestTimes(head=SHORT, idle=0, idle_proxy=LONG, reading=SHORT)
    async with pages(times, trusted=("127.0.0.1",)) as them:
        unused = await them.call()
        used = await them.call(GET)
        assert await answered(used[0]) == b"small"
        async with pages(times) as others:
            one = await others.call()
            assert await is_ended(one[0])  # both time-outs are over
        for reader, writer in (unused, used):
            writer.write(GET)
            assert await answered(reader) == b"small"


async def test_who_speaks_no_http_is_refused_and_writes_nothing_into_our_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with pages() as them:
        for said in (b"EHLO mx.example", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/1.1\r\nX"):
            reader, _ = await them.call(said + b"\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        head = b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 10_000
        await them.call(head)
        while len(them.guests) > 0:
            await asyncio.sleep(SHORT / 10)
    assert caplog.records == []


async def test_callers_who_say_nothing_give_their_place_to_one_who_asks() -> None:
    async with pages(in_all=10) as them:
        silent = [await them.call(b"GET") for _ in range(30)]
        reader, _ = await them.call(GET)
        assert await answered(reader) == b"small"
        assert len(them.guests) == 10
        for one, _ in silent[:20]:
            assert await is_ended(one)
        while not any(line.startswith("pages-crowded connected=10") for line in them.lines):
            await asyncio.sleep(SHORT / 10)


async def test_when_a_successor_listens_each_connection_gets_its_next_answer_and_then_ends() -> None:
    """The answer says so, so that no client sends a request into a connection that closes."""
    async with pages(GuestTimes(idle=60)) as them:
        kept = [await them.call() for _ in range(3)]
        for reader, writer in kept:
            writer.write(GET)
            assert await answered(reader) == b"small"
        body_reader, body_writer = await them.call(
            b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\na"
        )
        while len(them.guests) < 4:
            await asyncio.sleep(0)
        handing = asyncio.ensure_future(them.server.hand_over())
        await asyncio.sleep(0.2)
        with pytest.raises(OSError):
            await them.call()
        body_writer.write(b"bc")
        for reader, writer in (*kept, (body_reader, body_writer)):
            assert not handing.done()
            writer.write(GET if reader is not body_reader else b"")
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            assert head.lower().count(b"\r\nconnection: close\r\n") == 1
            assert await reader.read() == (b"abc" if reader is body_reader else b"small")
        await handing
