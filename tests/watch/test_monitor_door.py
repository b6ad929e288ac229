"""HTTP for monitors, over real sockets: what is asked, and callers that are slow or many."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from secondpost.mail.address import Endpoint
from secondpost.watch.monitor_door import CONNECTIONS_MAX, REQUEST_OCTETS_MAX, MonitorDoor, MonitorPage
from secondpost.watch.shared_look import SharedLook
from secondpost.world.background import BackgroundTasks
from secondpost.world.real.net import RealNet

MANY = 1_000
ANSWER_SECONDS_MAX = 20.0  # then the test fails
Ask = Callable[[bytes], Awaitable[bytes]]


async def hello(accept: str) -> MonitorPage:
    return MonitorPage(json.dumps({"accept": accept}).encode(), "application/json")


def at_the_door(story: Callable[[int, Ask], Awaitable[None]]) -> None:
    """`story` gets the port, and a function that sends octets and returns all that comes back."""

    async def run() -> None:
        failures: list[BaseException] = []
        door = MonitorDoor({"/hello": hello}, BackgroundTasks(failures.append).run)
        listening = await RealNet().listen(door.welcome, Endpoint("127.0.0.1", 0))
        port = listening.endpoint.port

        async def ask(request: bytes) -> bytes:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            try:
                return await asyncio.wait_for(reader.read(), ANSWER_SECONDS_MAX)
            except ConnectionError:
                return b""
            finally:
                writer.close()

        await story(port, ask)
        listening.close()
        assert failures == []

    asyncio.run(run())


def test_head_has_the_header_of_get_and_no_body() -> None:
    async def story(port: int, ask: Ask) -> None:
        got = await ask(b"GET /hello?x=1 HTTP/1.1\r\nHost: a\r\nAccept: text/x\r\n\r\n")
        head, _, body = got.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"connection: close" in head.lower()
        assert body == b'{"accept": "text/x"}'
        assert await ask(b"HEAD /hello HTTP/1.1\r\nHost: a\r\nAccept: text/x\r\n\r\n") == head + b"\r\n\r\n"

    at_the_door(story)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"404 Not Found"),
        (b"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", b"405 Method Not Allowed"),
        (b"GET /hello HTTP/1.0\r\n\r\n", b"200 OK"),
        (b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\nGET /hello HTTP/1.1\r\nHost: a\r\n\r\n", b"200 OK"),
    ],
)
def test_one_request_gets_one_answer(request_: bytes, status: bytes) -> None:
    async def story(port: int, ask: Ask) -> None:
        answer = await ask(request_)
        assert answer.startswith(b"HTTP/1.1 " + status)
        assert answer.count(b"HTTP/1.1") == 1

    at_the_door(story)


@pytest.mark.parametrize("junk", [b"\x16\x03\x01\r\n\r\n", b"GET /" + b"x" * (2 * REQUEST_OCTETS_MAX)])
def test_what_is_no_request_is_hung_up_on(junk: bytes) -> None:
    async def story(port: int, ask: Ask) -> None:
        assert await ask(junk) == b""

    at_the_door(story)


def test_a_thousand_silent_callers_keep_no_other_out() -> None:
    async def story(port: int, ask: Ask) -> None:
        silent = [await asyncio.open_connection("127.0.0.1", port) for _ in range(MANY)]
        answer = await ask(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 OK")
        gone = await asyncio.gather(*(_ended(reader) for reader, _ in silent[: MANY - CONNECTIONS_MAX]))
        assert all(gone)
        for _, writer in silent:
            writer.close()

    at_the_door(story)


async def _ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read() == b""
    except ConnectionError:
        return True


def test_a_look_is_shared_by_those_who_asked_before_it_began() -> None:
    async def story() -> None:
        looks = 0

        async def look() -> int:
            nonlocal looks
            looks += 1
            await asyncio.sleep(0)
            return looks

        shared = SharedLook(look, 0.0)
        assert await asyncio.gather(*(shared.now() for _ in range(100))) == [1] + [2] * 99
        assert await shared.now() == 3

    asyncio.run(story())
