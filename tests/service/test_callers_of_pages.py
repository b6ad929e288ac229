"""The running web role, and strangers who occupy connections without a request."""

import resource
import select
import socket
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread

import pytest

from secondpost.mail.subscriber import SubscriberId
from secondpost.protocols.tokens import Purpose, Ring, Token
from secondpost.world.real.keys import load_key_ring
from tests.crash.postoffice import free_port
from tests.service.newsroom import Newsroom, ask
from tests.service.test_hard_times import until
from tests.world.web_server import WebServer

NAME = "refused"  # its feed is never reachable
READERS = [f"reader{n}@crowd.example" for n in range(40)]
CALLERS = 1_500
DESCRIPTORS = 6_000
GROWTH_OCTETS_MAX = 100_000_000
CONNECT_SECONDS = 10.0
# What they send, and the time after which the last of them must be gone: time-out plus ten seconds.
SAID = {
    "half a body": (
        b"POST %s HTTP/1.1\r\nHost: news.example\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 5000\r\n\r\ndo=",
        40.0,
    ),
    "half a head": (b"GET /refused/ HTTP/1.1\r\nHost: news.example\r\nX: " + b"x" * 1_000, 20.0),
    "nothing": (b"", 20.0),
}


@contextmanager
def many_descriptors() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(DESCRIPTORS, hard), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Newsroom]:
    it = Newsroom(tmp_path, WebServer({}), free_port(), {NAME: ""})
    it.have_readers({NAME: READERS})
    it.start()
    it.wait_for_roles()
    try:
        yield it
    finally:
        it.end()


class Strangers:
    """Connections from one address, all at once; they wait for the server."""

    def __init__(self, room: Newsroom, data: bytes) -> None:
        host, _, port = room.web.removeprefix("http://").partition(":")
        self._at = (host, int(port))
        self._data = data
        self._calls: list[socket.socket] = []
        self._thread = Thread(target=self._come)
        self._thread.start()

    def _come(self) -> None:
        for _ in range(CALLERS):
            call = socket.create_connection(self._at, CONNECT_SECONDS)
            self._calls.append(call)
            with suppress(ConnectionError):  # it was closed already
                call.sendall(self._data)

    def have_come(self) -> None:
        self._thread.join()

    def are_gone(self) -> bool:
        """Whether the server has closed all of them."""
        poll = select.poll()
        for call in self._calls:
            poll.register(call, select.POLLRDHUP)
        return len(poll.poll(0)) == len(self._calls)

    def go(self) -> None:
        self._thread.join()
        for call in self._calls:
            call.close()


def resident_octets(pid: int) -> int:
    [line] = [one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS:")]
    return int(line.split()[1]) * 1024


def paths_of_readers(room: Newsroom, page: str, purpose: Purpose) -> list[str]:
    links = load_key_ring(str(room.store), Ring.LINKS)
    found = room.rows("SELECT id FROM subscriber ORDER BY id")
    return [
        f"/{page}/{links.write(Token(purpose, SubscriberId(id), 0))}"
        for (id,) in found
        if isinstance(id, int)
    ]


def test_readers_leave_while_strangers_take_every_place_and_ask_for_nothing(room: Newsroom) -> None:
    web = room.processes()["web"]
    paths = paths_of_readers(room, "leave", Purpose.LEAVE)
    page_with_a_form = paths_of_readers(room, "me", Purpose.ME)[0].encode()
    assert len(paths) == len(READERS)
    assert ask(f"{room.web}/health").status == 200
    before = resident_octets(web)
    share = len(paths) // len(SAID)
    with many_descriptors():
        crowds: dict[str, Strangers] = {}
        try:
            for number, (what, (data, _)) in enumerate(SAID.items()):
                crowds[what] = Strangers(room, data.replace(b"%s", page_with_a_form))
                took = []
                for path in paths[number * share : (number + 1) * share]:
                    began = time.monotonic()
                    assert ask(f"{room.web}{path}", "POST", "List-Unsubscribe=One-Click").status == 200
                    took.append(time.monotonic() - began)
                crowds[what].have_come()
                print(
                    f"{what}: a reader leaves in {statistics.median(took):.3f} s, at most {max(took):.3f} s"
                )
            grown = resident_octets(web) - before
            print(f"memory grew by {grown / 1e6:.0f} MB")
            assert grown < GROWTH_OCTETS_MAX
            came = time.monotonic()
            for what, (_, seconds) in SAID.items():
                until(f"who said {what} is gone", crowds[what].are_gone, seconds)
                print(f"who said {what} is gone after {time.monotonic() - came:.0f} s")
        finally:
            for crowd in crowds.values():
                crowd.go()
    left = room.rows("SELECT count(*) FROM subscriber WHERE state = 'left'")
    assert left == [(share * len(SAID),)]
    assert room.log.read_text().count("pages-crowded") <= 2
    assert "web alarm" not in room.log.read_text()
    assert room.processes()["web"] == web
