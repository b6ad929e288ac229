"""The network in memory: hosts by address, networks, listeners, weather and blocked routes.

`SimInternet.net_for(address)` gives one process its Net. Latency, split writes and loss come from
the scheduling dice; resets and silence from the fault dice; Troubles blocks networks and takes
hosts down.
"""

import asyncio
import errno
from collections.abc import Callable
from dataclasses import dataclass, field

from secondpost.mail.address import Endpoint, as_ip
from secondpost.world.ports import (
    ClientTls,
    Listening,
    NetError,
    ProtocolFactory,
    ServerTls,
    TlsFacts,
)
from simulation.clock import LeapingLoop, Timeline
from simulation.dice import SimDice
from simulation.internet.wire import FACTS, End
from simulation.trace import Trace

PIECE_OCTETS_MAX = 16 * 1024
SAME_MACHINE_SECONDS = 0.00005
LOCAL = Endpoint("", 0)  # the endpoint of a Unix socket
SYN_AGAIN_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


@dataclass(slots=True)
class Weather:
    """The current quality of the whole network."""

    latency_seconds: tuple[float, float] = (0.005, 0.08)
    cut_chance: float = 0.3  # a write arrives in several pieces
    loss_chance: float = 0.002  # a segment is retransmitted, and comes late
    loss_seconds: tuple[float, float] = (0.2, 3.0)
    reset_chance: float = 0.0  # a connection is reset at a random octet
    silence_chance: float = 0.0  # a connection goes dead without a reset or FIN


class SimTransport(asyncio.Transport):
    """The transport that a protocol gets for an End: one before STARTTLS, another after it."""

    def __init__(self, end: End, encrypted: bool) -> None:
        super().__init__({"peername": _socket_name(end.remote), "sockname": _socket_name(end.local)})
        self.end = end
        self._encrypted = encrypted

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._encrypted != self.end.encrypted:
            self.end.internet.complain(f"{self.end.local} wrote past its TLS: {bytes(data[:60])!r}")
        if not self.end.closing and len(data) > 0:
            self.end.write(bytes(data))

    def writelines(self, list_of_data: object) -> None:
        assert isinstance(list_of_data, list | tuple)
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        self.end.close()

    def abort(self) -> None:
        self.end.abort()

    def is_closing(self) -> bool:
        return self.end.closing

    def can_write_eof(self) -> bool:
        return not self._encrypted

    def write_eof(self) -> None:
        self.end.write_eof()

    def pause_reading(self) -> None:
        self.end.paused = True

    def resume_reading(self) -> None:
        self.end.resume_reading()

    def is_reading(self) -> bool:
        return not self.end.paused and not self.end.closing

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.end.high_octets = high if high is not None else self.end.high_octets
        self.end.low_octets = low if low is not None else self.end.high_octets // 4

    def get_write_buffer_size(self) -> int:
        return self.end.unsent_octets

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self.end.low_octets, self.end.high_octets

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        assert isinstance(protocol, asyncio.Protocol)
        self.end.protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        assert self.end.protocol is not None
        return self.end.protocol


@dataclass(eq=False, slots=True)
class Door:
    """A listening socket."""

    net: "SimNet"
    factory: ProtocolFactory
    endpoint: Endpoint
    close_door: Callable[["Door"], None]

    def close(self) -> None:
        self.close_door(self)


@dataclass(eq=False, slots=True)
class SimHost:
    """A machine with its addresses. `up` False: as if its network cable were unplugged."""

    name: str
    addresses: tuple[str, ...]
    network: str
    up: bool = True
    certificate: tuple[str, ...] = ()  # the names it is valid for; empty: no TLS offered
    tls_fault: str = ""  # "fails" or "hangs": its handshakes as a server
    doors: dict[tuple[str, int], Door] = field(default_factory=dict)
    local_doors: dict[str, Door] = field(default_factory=dict)

    def door(self, address: str, port: int) -> Door | None:
        return self.doors.get((address, port)) or self.doors.get(("*", port))

    def own_address(self, like: str) -> str | None:
        """The own address of the same family as `like`."""
        return next((own for own in self.addresses if (":" in own) == (":" in like)), None)


class SimInternet:
    """Hosts and the routes between them. Its own loop carries the segments and runs the peers."""

    def __init__(
        self, timeline: Timeline, scheduling: SimDice, faults: SimDice, trace: Trace | None = None
    ) -> None:
        self.timeline = timeline
        self.loop = timeline.loop("internet")
        self.scheduling = scheduling
        self.faults = faults
        self.trace = trace
        self.weather = Weather()
        self.hosts: dict[str, SimHost] = {}
        self.complaints: list[str] = []
        self._blocked: set[tuple[str, str]] = set()
        self._next_port = 10_000

    # -- hosts and networks
    def host(self, name: str, addresses: tuple[str, ...], network: str) -> SimHost:
        host = SimHost(name, addresses, network)
        for address in addresses:
            self.hosts[address] = host
        return host

    def net_for(self, address: str, loop: LeapingLoop | None = None) -> "SimNet":
        """The Net of one process on the host with that address."""
        return SimNet(self, self.hosts[address], loop or self.loop)

    def block(self, network_a: str, network_b: str) -> None:
        """Drop all packets between two networks, both ways."""
        self._blocked |= {(network_a, network_b), (network_b, network_a)}

    def unblock(self, network_a: str, network_b: str) -> None:
        self._blocked -= {(network_a, network_b), (network_b, network_a)}

    def reaches(self, source: SimHost, target: SimHost) -> bool:
        if source is target:
            return source.up
        return source.up and target.up and (source.network, target.network) not in self._blocked

    # -- weather
    def latency_seconds(self, source: SimHost, target: SimHost) -> float:
        if source is target:
            return SAME_MACHINE_SECONDS
        low, high = self.weather.latency_seconds
        late = self.scheduling.between(low, high)
        if self.scheduling.chance(self.weather.loss_chance):
            late += self.scheduling.between(*self.weather.loss_seconds)
        return late

    def cut(self, data: bytes) -> list[bytes]:
        """The pieces in which a write arrives."""
        pieces = []
        while len(data) > PIECE_OCTETS_MAX:
            pieces.append(data[:PIECE_OCTETS_MAX])
            data = data[PIECE_OCTETS_MAX:]
        if len(data) > 1 and self.scheduling.chance(self.weather.cut_chance):
            at = self.scheduling.whole(1, len(data) - 1)
            return [*pieces, data[:at], data[at:]]
        return [*pieces, data]

    def connect_ends(self, near: End, far: End) -> None:
        near.far, far.far = far, near
        near.net.ends[near] = None
        far.net.ends[far] = None
        if near.host is far.host:
            return
        if self.weather.reset_chance > 0 and self.faults.chance(self.weather.reset_chance):
            self.faults.one_of((near, far)).octets_until_reset = self.faults.whole(1, 6000)
        if self.weather.silence_chance > 0 and self.faults.chance(self.weather.silence_chance):
            near.octets_until_silence = far.octets_until_silence = self.faults.whole(1, 6000)

    def transport_of(self, end: End, encrypted: bool) -> SimTransport:
        end.transport = SimTransport(end, encrypted)
        return end.transport

    def complain(self, what: str) -> None:
        """Record a violation of the protocol that no correct program commits."""
        self.complaints.append(f"{self.timeline.now:.3f} {what}")

    def port(self) -> int:
        self._next_port = self._next_port + 1 if self._next_port < 60_000 else 10_000
        return self._next_port


class SimNet:
    """The Net port of one process. Its sockets are closed when the process dies."""

    def __init__(self, internet: SimInternet, host: SimHost, loop: LeapingLoop) -> None:
        self.internet = internet
        self.host = host
        self.loop = loop
        self.ends: dict[End, None] = {}  # an ordered set, by creation
        self.wrote: Callable[[], None] | None = None  # called at every write to another machine

    def own_addresses(self) -> frozenset[str]:
        return frozenset(self.host.addresses)

    @property
    def offers_tls(self) -> bool:
        return len(self.host.certificate) > 0

    async def connect(
        self, factory: ProtocolFactory, endpoint: Endpoint, timeout_seconds: float
    ) -> asyncio.Transport:
        own = self.host.own_address(endpoint.host)
        target = self.internet.hosts.get(_canonical(endpoint.host))
        if own is None:
            raise NetError(f"{endpoint}: {_text(errno.ENETUNREACH)}")
        try:
            async with asyncio.timeout(timeout_seconds):
                return await self._knock(factory, own, endpoint, target)
        except TimeoutError:
            raise NetError(f"{endpoint}: {_text(errno.ETIMEDOUT)}") from None

    async def _knock(
        self, factory: ProtocolFactory, own: str, endpoint: Endpoint, target: SimHost | None
    ) -> asyncio.Transport:
        for again_seconds in SYN_AGAIN_SECONDS:
            if target is not None and self.internet.reaches(self.host, target):
                await asyncio.sleep(2 * self.internet.latency_seconds(self.host, target))
                door = target.door(_canonical(endpoint.host), endpoint.port)
                if not self.internet.reaches(self.host, target):
                    continue
                if door is None:
                    raise NetError(f"{endpoint}: {_text(errno.ECONNREFUSED)}")
                return self._pass(door, factory, Endpoint(own, self.internet.port()), endpoint)
            await asyncio.sleep(again_seconds)
        raise TimeoutError

    def _pass(
        self, door: Door, factory: ProtocolFactory, local: Endpoint, remote: Endpoint
    ) -> asyncio.Transport:
        near, far = End(self, local, remote), End(door.net, remote, local)
        self.internet.connect_ends(near, far)
        far.loop.call_soon(_begin, far, door.factory)
        return _begin(near, factory)

    async def listen(self, factory: ProtocolFactory, endpoint: Endpoint) -> Listening:
        address = "*" if endpoint.host in ("0.0.0.0", "::") else _canonical(endpoint.host)
        key = (address, endpoint.port if endpoint.port > 0 else self.internet.port())
        if key in self.host.doors:
            raise NetError(f"{endpoint}: {_text(errno.EADDRINUSE)}")
        door = Door(self, factory, Endpoint(endpoint.host, key[1]), lambda _: self._shut(key))
        self.host.doors[key] = door
        return door

    def _shut(self, key: tuple[str, int]) -> None:
        door = self.host.doors.get(key)
        if door is not None and door.net is self:
            del self.host.doors[key]

    async def start_tls(
        self,
        transport: asyncio.Transport,
        protocol: asyncio.Protocol,
        side: ServerTls | ClientTls,
        timeout_seconds: float,
    ) -> tuple[asyncio.Transport, TlsFacts]:
        assert isinstance(transport, SimTransport)
        end = transport.end
        end.protocol = protocol
        if end.lost or end.dead:
            raise NetError("TLS handshake failed: the connection is gone")
        handshake = end.begin_tls(side)
        end.resume_reading()
        try:
            async with asyncio.timeout(timeout_seconds):
                return await asyncio.shield(handshake), FACTS
        except TimeoutError:
            transport.abort()
            raise NetError("TLS handshake timed out") from None

    # -- inside one machine
    async def connect_local(
        self, factory: ProtocolFactory, path: str, timeout_seconds: float
    ) -> asyncio.Transport:
        await asyncio.sleep(SAME_MACHINE_SECONDS)
        door = self.host.local_doors.get(path)
        if door is None:
            raise NetError(f"{path}: {_text(errno.ECONNREFUSED)}")
        return self._pass(door, factory, LOCAL, LOCAL)

    async def listen_local(self, factory: ProtocolFactory, path: str) -> Listening:
        door = Door(self, factory, LOCAL, lambda it: self._shut_local(path, it))
        self.host.local_doors[path] = door
        return door

    def _shut_local(self, path: str, door: Door) -> None:
        if self.host.local_doors.get(path) is door:
            del self.host.local_doors[path]

    async def listen_hints(self, path: str, heard: Callable[[], None]) -> Listening:
        def factory() -> asyncio.Protocol:
            heard()
            return asyncio.Protocol()

        return await self.listen_local(factory, path)

    def hint(self, path: str) -> None:
        door = self.host.local_doors.get(path)
        if door is not None:
            door.net.loop.call_later(SAME_MACHINE_SECONDS, door.factory)

    # -- the end of the process
    def die(self, silently: bool) -> None:
        """Close all listeners and connections; silently: without FIN or RST, as in a power cut."""
        for key in [key for key, door in self.host.doors.items() if door.net is self]:
            del self.host.doors[key]
        for path in [path for path, door in self.host.local_doors.items() if door.net is self]:
            del self.host.local_doors[path]
        for end in list(self.ends):
            end.die(silently)
        self.ends.clear()


def _begin(end: End, factory: ProtocolFactory) -> SimTransport:
    protocol = factory()
    end.protocol = protocol
    transport = end.internet.transport_of(end, encrypted=False)
    protocol.connection_made(transport)
    return transport


def _socket_name(endpoint: Endpoint) -> tuple[str, int] | str:
    return "" if endpoint is LOCAL else (endpoint.host, endpoint.port)


def _canonical(host: str) -> str:
    address = as_ip(host)
    return host if address is None else str(address)


def _text(number: int) -> str:
    return {
        errno.ENETUNREACH: "network is unreachable",
        errno.ETIMEDOUT: "timed out",
        errno.ECONNREFUSED: "connection refused",
        errno.EADDRINUSE: "address already in use",
    }[number]
