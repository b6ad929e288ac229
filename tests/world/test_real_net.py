"""Real sockets on loopback, under both loops."""

import asyncio
import os
import socket
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from secondpost.mail.address import Endpoint
from secondpost.world.ports import NetError
from secondpost.world.real.net import UNTAKEN_OCTETS_MAX, RealNet, open_door

from .conftest import Run

ANY = Endpoint("127.0.0.1", 0)


class Talker(asyncio.Protocol):
    """Keeps received data, and lets a test wait for it."""

    def __init__(self, greeting: bytes = b"") -> None:
        self.greeting = greeting
        self.heard = b""
        self.transport: asyncio.Transport | None = None
        self.is_lost = False
        self._changed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass
        self._changed.set()
        if len(self.greeting) > 0:
            self.transport.write(self.greeting)

    def data_received(self, data: bytes) -> None:
        self.heard += data
        self._changed.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        self._changed.set()

    async def until(self, condition: Callable[["Talker"], bool]) -> None:
        while not condition(self):
            self._changed.clear()
            await self._changed.wait()


def _self(talker: Talker) -> Talker:
    return talker


def test_a_peer_that_lost_its_power_is_noticed_within_about_a_minute(run: Run[object]) -> None:
    async def day() -> None:
        net = RealNet()
        door = await net.listen(Talker, ANY)
        transport = await net.connect(Talker, door.endpoint, 5)
        raw = transport.get_extra_info("socket")
        assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        idle, pause, probes = (
            raw.getsockopt(socket.IPPROTO_TCP, option)
            for option in (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
        )
        assert idle + probes * pause <= 60
        transport.close()
        door.close()

    run(day())


def test_what_one_side_writes_the_other_hears_without_delay_of_small_packets(run: Run[object]) -> None:
    async def day() -> None:
        net = RealNet()
        server = Talker(b"220 hello\r\n")
        door = await net.listen(lambda: server, ANY)
        client = Talker()
        transport = await net.connect(lambda: client, door.endpoint, 5)
        await client.until(lambda it: it.heard == b"220 hello\r\n")
        transport.write(b"QUIT\r\n")
        await server.until(lambda it: it.heard == b"QUIT\r\n")
        for side in (client, server):
            assert side.transport is not None
            raw = side.transport.get_extra_info("socket")
            assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        transport.close()
        await server.until(lambda it: it.is_lost)
        door.close()
        net.close()

    run(day())


def test_the_kernel_holds_little_for_a_caller_who_does_not_read(run: Run[object]) -> None:
    async def day() -> None:
        server = Talker(b"hello")
        door = await RealNet().listen(lambda: server, ANY)
        transport = await RealNet().connect(Talker, door.endpoint, 5)
        await server.until(lambda it: it.transport is not None)
        assert server.transport is not None
        raw = server.transport.get_extra_info("socket")
        assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 2 * UNTAKEN_OCTETS_MAX
        transport.abort()
        door.close()
        await server.until(lambda it: it.is_lost)

    run(day())


def test_a_door_that_closed_takes_nobody_new_but_those_inside_go_on(run: Run[object]) -> None:
    async def day() -> None:
        net = RealNet()
        server, client = Talker(), Talker()
        door = await net.listen(lambda: server, ANY)
        transport = await net.connect(lambda: client, door.endpoint, 5)
        await server.until(lambda it: it.transport is not None)
        door.close()
        await asyncio.sleep(0.01)
        with pytest.raises(NetError, match="connection refused"):
            await net.connect(Talker, door.endpoint, 5)
        transport.write(b"still here")
        await server.until(lambda it: it.heard == b"still here")
        transport.abort()
        await server.until(lambda it: it.is_lost)

    run(day())


def test_the_door_of_all_addresses_takes_both_families(run: Run[object]) -> None:
    async def day() -> None:
        net = RealNet()
        door = await net.listen(lambda: Talker(b"hello"), Endpoint("::", 0))
        for host in ("127.0.0.1", "::1"):
            client = Talker()
            transport = await net.connect(partial(_self, client), Endpoint(host, door.endpoint.port), 5)
            await client.until(lambda it: it.heard == b"hello")
            transport.abort()
        door.close()
        await asyncio.sleep(0.01)

    run(day())


def test_an_inherited_door_is_used_as_it_is(run: Run[object]) -> None:
    async def day() -> None:
        opened = open_door(ANY)
        port = opened.getsockname()[1]
        configured = Endpoint("127.0.0.1", 25)  # as configured; root opened it for us
        net = RealNet(inherited={configured: opened})
        door = await net.listen(lambda: Talker(b"hello"), configured)
        assert door.endpoint == Endpoint("127.0.0.1", port)
        client = Talker()
        transport = await net.connect(lambda: client, door.endpoint, 5)
        await client.until(lambda it: it.heard == b"hello")
        transport.abort()
        door.close()
        await asyncio.sleep(0.01)

    run(day())


def test_an_inherited_door_that_nobody_used_is_closed_with_the_net() -> None:
    opened = open_door(ANY)
    RealNet(inherited={ANY: opened}).close()
    assert opened.fileno() == -1


def test_a_port_that_is_taken_is_told_in_clear_text(run: Run[object]) -> None:
    async def day() -> None:
        net = RealNet()
        door = await net.listen(Talker, ANY)
        with pytest.raises(NetError, match=r"cannot listen on 127\.0\.0\.1:\d+: address already in use"):
            await net.listen(Talker, door.endpoint)
        door.close()
        await asyncio.sleep(0.01)

    run(day())


@pytest.mark.parametrize("host", ["mx.example", "localhost"])
def test_names_are_not_for_the_net(run: Run[object], host: str) -> None:
    async def day() -> None:
        net = RealNet()
        with pytest.raises(NetError, match="not an IP address"):
            await net.connect(Talker, Endpoint(host, 25), 5)
        with pytest.raises(NetError, match="not an IP address"):
            await net.listen(Talker, Endpoint(host, 25))

    run(day())


def test_whoever_does_not_answer_is_given_up(run: Run[object]) -> None:
    async def day() -> None:
        # A listener with a full backlog: the kernel drops further connections, like a firewall.
        with socket.socket() as door:
            door.bind(("127.0.0.1", 0))
            door.listen(0)
            endpoint = Endpoint(*door.getsockname())
            fillers = [
                socket.socket(socket.AF_INET, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) for _ in range(4)
            ]
            for filler in fillers:
                filler.connect_ex((endpoint.host, endpoint.port))
            await asyncio.sleep(0.05)
            with pytest.raises(NetError, match=r"no answer in 0\.2 s"):
                await RealNet().connect(Talker, endpoint, 0.2)
            for filler in fillers:
                filler.close()

    run(day())


def test_a_source_address_is_kept_for_its_family(run: Run[object]) -> None:
    async def day() -> None:
        net = RealNet(sources=["127.0.0.2"])
        server = Talker()
        door = await net.listen(lambda: server, Endpoint("::", 0))
        port = door.endpoint.port
        transport = await net.connect(Talker, Endpoint("127.0.0.1", port), 5)
        assert transport.get_extra_info("sockname")[0] == "127.0.0.2"
        transport.abort()
        transport = await net.connect(Talker, Endpoint("::1", port), 5)
        assert transport.get_extra_info("sockname")[0] == "::1"
        transport.abort()
        with pytest.raises(NetError, match="cannot assign requested address"):
            await RealNet(sources=["192.0.2.1"]).connect(Talker, Endpoint("127.0.0.1", port), 5)
        door.close()
        await asyncio.sleep(0.01)

    run(day())


def test_a_local_socket_is_ours_alone_and_replaces_what_a_dead_process_left(
    run: Run[object], tmp_path: Path
) -> None:
    async def day() -> None:
        path = str(tmp_path / "deliver.sock")
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(path)
        net = RealNet()
        with pytest.raises(NetError, match="connection refused"):
            await net.connect_local(Talker, path, 5)
        door = await net.listen_local(lambda: Talker(b"hello"), path)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        client = Talker()
        transport = await net.connect_local(lambda: client, path, 5)
        await client.until(lambda it: it.heard == b"hello")
        transport.abort()
        door.close()
        await asyncio.sleep(0.01)
        assert not os.path.exists(path)
        with pytest.raises(NetError, match="no such file"):
            await net.connect_local(Talker, path, 5)

    run(day())


def test_a_file_that_is_no_socket_is_not_replaced(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        path = tmp_path / "notes"
        path.write_text("mine")
        with pytest.raises(NetError):
            await RealNet().listen_local(Talker, str(path))
        assert path.read_text() == "mine"
        with pytest.raises(NetError, match="cannot listen"):
            await RealNet().listen_local(Talker, str(tmp_path / ("x" * 200)))

    run(day())


def test_a_successor_takes_a_local_socket_over_without_a_gap(run: Run[object], tmp_path: Path) -> None:
    """Callers always find a listener; the old one goes on with its connections, and its end leaves
    the new one alone.
    """

    async def day() -> None:
        path = str(tmp_path / "a.sock")
        net = RealNet()
        stop = asyncio.Event()
        greetings: list[bytes] = []

        async def call() -> None:
            caller = Talker()
            transport = await net.connect_local(lambda: caller, path, 5)
            await caller.until(lambda it: len(it.heard) > 0)
            greetings.append(caller.heard)
            transport.abort()

        async def call_again_and_again() -> None:
            while not stop.is_set():
                await call()

        first = Talker(b"old")
        old = await net.listen_local(lambda: first, path)
        kept = Talker()
        staying = await net.connect_local(lambda: kept, path, 5)
        await kept.until(lambda it: it.heard == b"old")
        doors = [await net.listen_local(lambda: Talker(b"0"), path)]
        old.close()
        calling = asyncio.ensure_future(call_again_and_again())
        for number in range(1, 30):
            doors.append(await net.listen_local(partial(Talker, b"%d" % number), path))
            while greetings[-1:] != [b"%d" % number]:
                assert not calling.done()
                await asyncio.sleep(0)
            doors[number - 1].close()
        stop.set()
        await calling
        assert first.transport is not None
        first.transport.write(b" again")
        await kept.until(lambda it: it.heard == b"old again")
        staying.abort()
        assert os.listdir(tmp_path) == ["a.sock"]
        doors[-1].close()
        await asyncio.sleep(0.01)
        assert os.listdir(tmp_path) == []

    run(day())


def test_many_hints_are_heard_as_few_and_never_fail(run: Run[object], tmp_path: Path) -> None:
    async def day() -> None:
        path = str(tmp_path / "hints")
        net = RealNet()
        net.hint(path)  # without a listener
        net.hint("\0bad\0" * 100)
        heard: list[None] = []
        once = asyncio.Event()

        def hear() -> None:
            heard.append(None)
            once.set()

        ear = await net.listen_hints(path, hear)
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
        for _ in range(5_000):
            net.hint(path)
        await once.wait()
        await asyncio.sleep(0.01)
        assert len(heard) < 10
        once.clear()
        net.hint(path)
        await once.wait()
        ear.close()
        net.hint(path)
        assert not os.path.exists(path)
        net.close()

    run(day())
