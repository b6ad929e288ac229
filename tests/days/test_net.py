"""The simulated network: in order, delayed, split, blocked, broken, and with TLS by name."""

import asyncio
from dataclasses import dataclass, field

import pytest

from secondpost.mail.address import Endpoint
from secondpost.world.closing import CLOSE_SECONDS_MAX, close_soon
from secondpost.world.ports import ClientTls, NetError, ServerTls
from simulation.clock import Timeline, run
from simulation.dice import SimDice
from simulation.internet.net import SimInternet, SimTransport


@dataclass
class Ear(asyncio.Protocol):
    """Records what it receives."""

    heard: bytearray = field(default_factory=bytearray)
    pieces: int = 0
    events: list[str] = field(default_factory=list)
    transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.events.append("made")

    def data_received(self, data: bytes) -> None:
        self.heard += data
        self.pieces += 1

    def eof_received(self) -> None:
        self.events.append("eof")

    def connection_lost(self, exc: Exception | None) -> None:
        self.events.append(f"lost {type(exc).__name__}")

    def pause_writing(self) -> None:
        self.events.append("pause")

    def resume_writing(self) -> None:
        self.events.append("resume")


class Place:
    """Two hosts in two networks, and a listener on the second."""

    def __init__(self, seed: str = "place") -> None:
        self.timeline = Timeline(SimDice(seed))
        self.internet = SimInternet(self.timeline, SimDice(seed + "s"), SimDice(seed + "f"))
        self.here = self.internet.host("here", ("192.0.2.1", "2001:db8::1"), "home")
        self.there = self.internet.host("there", ("198.51.100.1",), "abroad")
        self.loop = self.internet.loop
        self.net = self.internet.net_for("192.0.2.1")
        self.far_net = self.internet.net_for("198.51.100.1")
        self.near, self.far = Ear(), Ear()

    async def connected(self) -> asyncio.Transport:
        await self.far_net.listen(lambda: self.far, Endpoint("198.51.100.1", 25))
        return await self.net.connect(lambda: self.near, Endpoint("198.51.100.1", 25), 30.0)


def test_data_arrives_in_order_however_it_is_cut() -> None:
    place = Place()
    place.internet.weather.cut_chance = 0.9
    place.internet.weather.loss_chance = 0.2
    sent = b"".join(b"%d\r\n" % number for number in range(2000))

    async def talk() -> None:
        transport = await place.connected()
        for start in range(0, len(sent), 100):
            transport.write(sent[start : start + 100])
        transport.close()
        await asyncio.sleep(600)

    run(talk(), place.timeline, place.loop)
    assert bytes(place.far.heard) == sent
    assert place.far.pieces > 120
    assert place.far.events == ["made", "eof", "lost NoneType"]
    assert place.near.events == ["made", "lost NoneType"]


def test_both_sides_know_their_addresses() -> None:
    place = Place()
    transport = run(place.connected(), place.timeline, place.loop)
    run(asyncio.sleep(1), place.timeline, place.loop)
    assert transport.get_extra_info("peername") == ("198.51.100.1", 25)
    assert place.far.transport is not None
    assert place.far.transport.get_extra_info("peername")[0] == "192.0.2.1"


@pytest.mark.parametrize(
    ("endpoint", "up", "says"),
    [
        (Endpoint("198.51.100.1", 26), True, "refused"),
        (Endpoint("198.51.100.1", 25), False, "timed out"),
        (Endpoint("203.0.113.9", 25), True, "timed out"),
        (Endpoint("2001:db8::9", 25), True, "timed out"),
    ],
)
def test_a_connection_that_cannot_be_made_says_why(endpoint: Endpoint, up: bool, says: str) -> None:
    place = Place()
    place.there.up = up

    async def fail() -> float:
        with pytest.raises(NetError, match=says):
            await place.net.connect(Ear, endpoint, 30.0)
        return place.timeline.now

    took = run(fail(), place.timeline, place.loop)
    assert took < 30.001
    assert (took < 1) == (says == "refused")


def test_behind_the_black_hole_everything_vanishes_until_the_block_falls() -> None:
    place = Place()

    async def through(seconds: float) -> None:
        transport = await place.connected()
        await asyncio.sleep(1)
        place.internet.block("home", "abroad")
        transport.write(b"late")
        await asyncio.sleep(seconds)
        assert place.far.heard == b""
        place.internet.unblock("abroad", "home")
        await asyncio.sleep(100)

    run(through(300), place.timeline, place.loop)
    assert place.far.heard == b"late"
    assert place.near.events == ["made"]


def test_a_connection_left_in_the_black_hole_ends_for_the_sender_and_stays_half_open_for_the_other() -> None:
    place = Place()

    async def lose() -> None:
        transport = await place.connected()
        await asyncio.sleep(1)
        place.internet.block("home", "abroad")
        transport.write(b"never")
        await asyncio.sleep(2000)

    run(lose(), place.timeline, place.loop)
    assert place.near.events == ["made", "lost TimeoutError"]
    assert place.far.events == ["made"]


def test_an_abort_is_a_reset_for_the_other_side() -> None:
    place = Place()

    async def abort() -> None:
        transport = await place.connected()
        transport.abort()
        await asyncio.sleep(10)

    run(abort(), place.timeline, place.loop)
    assert place.near.events == ["made", "lost NoneType"]
    assert place.far.events == ["made", "lost ConnectionResetError"]


def test_a_reset_in_the_weather_breaks_both_sides_in_the_midst() -> None:
    place = Place()
    place.internet.weather.reset_chance = 1.0

    async def write() -> None:
        transport = await place.connected()
        other = place.far
        for _ in range(400):
            transport.write(b"x" * 50)
            if other.transport is not None:
                other.transport.write(b"y" * 50)
            await asyncio.sleep(0.1)

    run(write(), place.timeline, place.loop)
    assert place.near.events == ["made", "lost ConnectionResetError"]
    assert place.far.events == ["made", "lost ConnectionResetError"]
    assert 0 < len(place.far.heard) < 8000


def test_a_writer_is_paused_while_nobody_reads_and_resumed_after() -> None:
    place = Place()

    async def flood() -> None:
        transport = await place.connected()
        await asyncio.sleep(1)
        assert place.far.transport is not None
        place.far.transport.pause_reading()
        transport.write(b"z" * 200_000)
        await asyncio.sleep(10)
        assert place.near.events == ["made", "pause"]
        assert place.far.heard == b""
        place.far.transport.resume_reading()
        await asyncio.sleep(10)

    run(flood(), place.timeline, place.loop)
    assert place.near.events == ["made", "pause", "resume"]
    assert len(place.far.heard) == 200_000


@pytest.mark.parametrize(
    ("verify", "names", "ends"), [(False, ("x",), "ok"), (True, ("mx",), "ok"), (True, ("x",), "not valid")]
)
def test_both_sides_call_start_tls_and_the_name_counts_when_it_is_verified(
    verify: bool, names: tuple[str, ...], ends: str
) -> None:
    place = Place()
    place.there.certificate = names

    async def encrypt() -> str:
        transport = await place.connected()
        await asyncio.sleep(1)
        assert place.far.transport is not None
        server = asyncio.ensure_future(
            place.far_net.start_tls(place.far.transport, place.far, ServerTls(), 10.0)
        )
        try:
            secured, facts = await place.net.start_tls(transport, place.near, ClientTls("mx", verify), 10.0)
        except NetError as fault:
            await asyncio.wait([server])
            return str(fault)
        await server
        secured.write(b"secret")
        await asyncio.sleep(1)
        assert place.far.heard == b"secret"
        assert str(facts) == "TLSv1.3 TLS_AES_256_GCM_SHA384"
        return "ok"

    assert ends in run(encrypt(), place.timeline, place.loop)
    assert place.internet.complaints == []


def test_plain_text_written_after_tls_began_is_a_complaint() -> None:
    place = Place()
    place.there.certificate = ("mx",)

    async def careless() -> None:
        transport = await place.connected()
        await asyncio.sleep(1)
        assert place.far.transport is not None
        server = asyncio.ensure_future(
            place.far_net.start_tls(place.far.transport, place.far, ServerTls(), 10.0)
        )
        await place.net.start_tls(transport, place.near, ClientTls("mx", False), 10.0)
        await server
        transport.write(b"oops")

    run(careless(), place.timeline, place.loop)
    assert "wrote past its TLS" in place.internet.complaints[0]


@pytest.mark.parametrize("fault", ["fails", "hangs"])
def test_a_broken_handshake_is_a_net_error_for_the_client(fault: str) -> None:
    place = Place()
    place.there.certificate = ("mx",)
    place.there.tls_fault = fault

    async def encrypt() -> None:
        transport = await place.connected()
        await asyncio.sleep(1)
        assert place.far.transport is not None
        server = asyncio.ensure_future(
            place.far_net.start_tls(place.far.transport, place.far, ServerTls(), 60.0)
        )
        with pytest.raises(NetError, match="TLS handshake"):
            await place.net.start_tls(transport, place.near, ClientTls("mx", False), 10.0)
        assert transport.is_closing()
        await asyncio.wait([server])
        assert isinstance(server.exception(), NetError)

    run(encrypt(), place.timeline, place.loop)


def test_a_dead_process_falls_with_its_doors_and_connections() -> None:
    place = Place()

    async def die() -> None:
        await place.connected()
        await asyncio.sleep(1)
        place.far_net.die(silently=False)
        await asyncio.sleep(1)
        with pytest.raises(NetError, match="refused"):
            await place.net.connect(Ear, Endpoint("198.51.100.1", 25), 5.0)

    run(die(), place.timeline, place.loop)
    assert place.near.events[-1].startswith("lost")
    assert place.far.events == ["made"]


def test_after_a_power_cut_the_other_side_learns_of_it_only_by_speaking() -> None:
    place = Place()

    async def cut() -> None:
        transport = await place.connected()
        await asyncio.sleep(1)
        place.far_net.die(silently=True)
        place.there.up = False
        await asyncio.sleep(3600)
        assert place.near.events == ["made"]
        place.there.up = True
        transport.write(b"anybody?")
        await asyncio.sleep(10)

    run(cut(), place.timeline, place.loop)
    assert place.near.events == ["made", "lost ConnectionResetError"]


def test_roles_of_one_machine_speak_over_local_sockets_and_hints() -> None:
    place = Place()
    other = place.internet.net_for("192.0.2.1")
    hints: list[str] = []

    async def speak() -> None:
        with pytest.raises(NetError):
            await place.net.connect_local(Ear, "/run/deliver", 1.0)
        await other.listen_local(lambda: place.far, "/run/deliver")
        await other.listen_hints("/run/hint", lambda: hints.append("look"))
        transport = await place.net.connect_local(lambda: place.near, "/run/deliver", 1.0)
        transport.write(b"question")
        place.net.hint("/run/hint")
        place.net.hint("/run/nobody")
        await asyncio.sleep(1)
        other.die(silently=False)
        place.net.hint("/run/hint")
        await asyncio.sleep(1)

    run(speak(), place.timeline, place.loop)
    assert place.far.heard == b"question"
    assert hints == ["look"]
    assert place.near.events[-1].startswith("lost")


def test_transports_are_those_of_asyncio() -> None:
    place = Place()
    transport = run(place.connected(), place.timeline, place.loop)
    assert isinstance(transport, SimTransport)
    assert isinstance(transport, asyncio.Transport)
    assert transport.get_protocol() is place.near


def test_who_closes_still_sends_what_the_other_side_reads_late() -> None:
    place = Place()

    async def close() -> None:
        transport = await place.connected()
        await asyncio.sleep(1)
        assert place.far.transport is not None
        place.far.transport.pause_reading()
        transport.write(b"z" * 200_000)
        transport.close()
        await asyncio.sleep(10)
        assert place.near.events == ["made", "pause"]
        place.far.transport.resume_reading()
        await asyncio.sleep(10)

    run(close(), place.timeline, place.loop)
    assert len(place.far.heard) == 200_000
    assert place.near.events == ["made", "pause", "resume", "lost NoneType"]
    assert place.far.events == ["made", "eof", "lost NoneType"]


def test_who_closes_soon_does_not_wait_for_a_reader_that_reads_nothing() -> None:
    place = Place()

    async def close() -> float:
        transport = await place.connected()
        await asyncio.sleep(1)
        assert place.far.transport is not None
        place.far.transport.pause_reading()
        transport.write(b"z" * 200_000)
        close_soon(transport)
        began = place.timeline.now
        while place.near.events[-1] != "lost NoneType":
            await asyncio.sleep(0.1)
        return place.timeline.now - began

    assert CLOSE_SECONDS_MAX <= run(close(), place.timeline, place.loop) < CLOSE_SECONDS_MAX + 0.2
