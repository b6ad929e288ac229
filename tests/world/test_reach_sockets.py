"""The register is searched by the fetch role, keys are read there, and a round is asked of deliver."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path

import pytest

from secondpost.config.faults import Wrong
from secondpost.mail.register import RegisterAsked, RegisterHit, RegisterRead, RegisterResult, RegisterUnread
from secondpost.protocols.reach_questions import RoundOver, read_round_asked, read_round_over
from secondpost.protocols.register_questions import (
    HITS_MAX,
    read_register_asked,
    read_register_result,
    register_result_line,
)
from secondpost.protocols.role_questions import Garbled
from secondpost.protocols.service_questions import ServiceRequest, ServiceSilent, WebService
from secondpost.roles.web_services import KeyFile, ServicePlace, WebServices
from secondpost.watch.reach.register_reading import RegisterReading
from secondpost.world.real.net import RealNet
from secondpost.world.sockets.reach import ask_round, round_door
from secondpost.world.sockets.register import RegisterAsker, register_door

from .conftest import Run
from .test_fetch import loopback_fetcher
from .web_server import WebServer, answer

ASKED = RegisterAsked(("192.0.2.25",), ("mx1.provider.example",))
FIRST = "Updated: 2029-01-05 09:00:00 +0000\n192.0.2.0/24;;;ФНС;27-31;2029-01-04\n".encode("cp1251")
SECOND = ";mx1.provider.example;;Суд;5;2028-01-01".encode("cp1251")
HITS = (
    RegisterHit("192.0.2.25", "192.0.2.0/24", "ФНС", "27-31", "2029-01-04"),
    RegisterHit("mx1.provider.example", "mx1.provider.example", "Суд", "5", "2028-01-01"),
)


class Tasks:
    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[None]] = []

    def run(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.append(asyncio.get_running_loop().create_task(work))

    async def over(self) -> None:
        await asyncio.gather(*self._tasks)


def pages(*files: bytes) -> dict[str, bytes | None]:
    return {f"/z-i/dump-{number:02}.csv": answer("200 OK", each) for number, each in enumerate(files)}


async def searched(pages: dict[str, bytes | None]) -> RegisterResult:
    async with WebServer(pages).running() as server:
        url = f"http://blog.example:{server.port}/z-i"
        return await RegisterReading(url, loopback_fetcher()).search(ASKED)


def test_all_files_are_read_and_the_hits_cross_the_socket(run: Run[None], tmp_path: Path) -> None:
    async def story() -> None:
        tasks, net, path = Tasks(), RealNet(), str(tmp_path / "door")
        async with WebServer(pages(FIRST, SECOND)).running() as server:
            reading = RegisterReading(f"http://blog.example:{server.port}/z-i", loopback_fetcher())
            door = await register_door(reading.search, tasks.run).open(net, path)
            found = await RegisterAsker(net, path).search(ASKED)
            door.close()
            await tasks.over()
        assert found == RegisterRead("2029-01-05 09:00:00 +0000", 2, 2, HITS)
        assert [head.split()[1] for head in server.asked] == [f"/z-i/dump-{n:02}.csv" for n in range(3)]

    run(story())


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({}, "answered with HTTP 404 for http://blog.example"),
        ({"/z-i/dump-00.csv": answer("500 Oops")}, "answered with HTTP 500"),
        ({"/z-i/dump-00.csv": answer("302 Found", location="/login")}, "answered with HTTP 302"),
        ({**pages(FIRST), "/z-i/dump-01.csv": answer("503 Later")}, "answered with HTTP 503"),
        ({"/z-i/dump-00.csv": answer("200 OK", FIRST, content_length="9000")}, "was not read: "),
        (pages(b"<!doctype html>"), "has a form that this version does not know: its first line"),
        (pages(FIRST, b"a,b,c\n" * 9), "has a form that this version does not know: 9 of 10 lines"),
    ],
    ids=["nothing", "500", "moved", "broken in the middle", "torn", "a page", "another form"],
)
def test_a_register_that_cannot_be_read_says_why(
    files: dict[str, bytes | None], reason: str, run: Run[None]
) -> None:
    async def story() -> None:
        found = await searched(files)
        assert isinstance(found, RegisterUnread)
        assert reason in found.reason

    run(story())


def test_without_a_fetch_role_a_command_reads_the_register_itself(run: Run[None], tmp_path: Path) -> None:
    async def itself(asked: RegisterAsked) -> RegisterResult:
        return RegisterRead("today", 1, 1)

    async def story() -> None:
        net, path = RealNet(), str(tmp_path / "nothing")
        assert await RegisterAsker(net, path).search(ASKED) == RegisterUnread(
            "was not read: the fetch role is not there"
        )
        assert await RegisterAsker(net, path, itself).search(ASKED) == RegisterRead("today", 1, 1)

    run(story())


@pytest.mark.parametrize(
    "line", [b"", b"{}", b'{"ask": "register"}', b'{"ask": "register", "addresses": [1], "names": []}']
)
def test_a_garbled_question_is_refused(line: bytes) -> None:
    with pytest.raises(Garbled):
        read_register_asked(line)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b'{"answer": "read"}',
        b'{"answer": "read", "updated": "", "files": -1, "lines": 0, "hits": []}',
        b'{"answer": "unread", "reason": "' + b"x" * 1_001 + b'"}',
    ],
)
def test_a_garbled_answer_is_refused(line: bytes) -> None:
    with pytest.raises(Garbled):
        read_register_result(line)


def test_more_hits_than_an_answer_may_have_are_left_out() -> None:
    hits = tuple(RegisterHit("192.0.2.25", str(number), "", "", "") for number in range(HITS_MAX + 5))
    read = read_register_result(register_result_line(RegisterRead("", 1, 1, hits)))
    assert read == RegisterRead("", 1, 1, hits[:HITS_MAX])


def test_a_key_is_read_anew_for_each_question_and_a_bad_one_is_told(run: Run[None]) -> None:
    keys = ["first", "second"]

    async def read_key(path: str) -> str:
        assert path == "/etc/secondpost/token"
        if len(keys) == 0:
            raise Wrong('"/etc/secondpost/token" is empty')
        return keys.pop(0)

    async def story() -> None:
        async with WebServer({"/v1/measurements/a": answer("200 OK", b"{}")}).running() as server:
            key = KeyFile("Bearer", "/etc/secondpost/token")
            place = ServicePlace(f"http://blog.example:{server.port}", key=key)
            services = WebServices({WebService.GLOBALPING: place}, loopback_fetcher(), read_key)
            request = ServiceRequest(WebService.GLOBALPING, "/v1/measurements/a")
            for expected in ("Bearer first", "Bearer second"):
                await services.ask(request)
                assert server.header("authorization") == expected
            refused = await services.ask(request)
        assert refused == ServiceSilent('our key for it cannot be read: "/etc/secondpost/token" is empty')
        assert len(server.asked) == 2

    run(story())


def test_a_round_is_asked_of_the_deliver_role_and_its_end_waited_for(run: Run[None], tmp_path: Path) -> None:
    async def story() -> None:
        tasks, net, path = Tasks(), RealNet(), str(tmp_path / "door")
        assert await ask_round(net, path) is None
        made: list[str] = []

        async def make() -> RoundOver:
            await asyncio.sleep(0)
            made.append("a round")
            return RoundOver("" if len(made) == 1 else "the store is busy")

        door = await round_door(make, tasks.run).open(net, path)
        assert await ask_round(net, path) == RoundOver()
        assert await ask_round(net, path) == RoundOver("the store is busy")
        door.close()
        await tasks.over()
        assert made == ["a round"] * 2

    run(story())


def test_another_question_than_for_a_round_is_garbled() -> None:
    for read in (read_round_asked, read_round_over):
        with pytest.raises(Garbled):
            read(b'{"ask": "recipient"}')
