"""Real sockets under uvloop or plain asyncio: connecting, listening and TLS.

Both loops set TCP_NODELAY, which SMTP dialogues need. Data written in one turn of the loop is sent
together.
"""

import asyncio
import os
import socket
import ssl
from collections.abc import Callable, Mapping, Sequence

from secondpost.mail.address import Endpoint, as_ip
from secondpost.world.ports import ClientTls, Listening, NetError, ProtocolFactory, ServerTls, TlsFacts
from secondpost.world.real.interfaces import interface_addresses
from secondpost.world.real.local import BACKLOG_CONNECTIONS, HintEar, LocalDoor, send_hint, stream_door
from secondpost.world.real.outbox import Outbox, UntilConnected
from secondpost.world.real.tls import ClientContexts, ServerCertificate, tls_text
from secondpost.world.real.tls_transport import TlsTransport

# The kernel buffers up to twice this for a client that does not read; the default would be 4 MB.
UNTAKEN_OCTETS_MAX = 32 * 1024
# A peer that lost power, or a cut wire, sends nothing: keepalive detects it after about a minute.
KEEPALIVE_IDLE_SECONDS = 30
KEEPALIVE_PROBE_SECONDS = 10
KEEPALIVE_PROBES = 3


def open_door(endpoint: Endpoint) -> socket.socket:
    """Create a listening TCP socket, as the supervisor does for its roles. Raises NetError.

    "::" also accepts IPv4. Close the socket, or pass it to `RealNet(inherited=…)`.
    """
    address = as_ip(endpoint.host)
    if address is None:
        raise NetError(f"cannot listen on {endpoint}: {endpoint.host} is not an IP address")
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    door = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # asyncio requires TCP
    try:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            door.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        door.bind((str(address), endpoint.port))
        door.listen(BACKLOG_CONNECTIONS)
        door.setblocking(False)
    except OSError as error:
        door.close()
        raise NetError(f"cannot listen on {endpoint}: {tls_text(error)}") from error
    return door


async def serve_door(
    door: socket.socket, factory: Callable[[], asyncio.Protocol], backlog: int
) -> asyncio.AbstractServer:
    """Let the loop accept the connections of a door that another library's protocols serve."""
    return await asyncio.get_running_loop().create_server(factory, sock=door, backlog=backlog)


def _endpoint_of(door: socket.socket) -> Endpoint:
    name = door.getsockname()
    return Endpoint(name[0], name[1])


class TcpDoor:
    """A listening socket served by the loop."""

    def __init__(self, endpoint: Endpoint, server: asyncio.AbstractServer) -> None:
        self._endpoint = endpoint
        self._server = server

    @property
    def endpoint(self) -> Endpoint:
        return self._endpoint

    def close(self) -> None:
        self._server.close()


class RealNet:
    def __init__(
        self,
        *,
        inherited: Mapping[Endpoint, socket.socket] | None = None,
        certificate: ServerCertificate | None = None,
        authorities_path: str | None = None,
        sources: Sequence[str] = (),
    ) -> None:
        """`inherited`: listening sockets; each is used once and then closed here.

        `sources`: own addresses for outgoing connections, at most one IPv4 and one IPv6.
        """
        self._inherited = dict(inherited) if inherited is not None else {}
        self._certificate = certificate
        self._clients = ClientContexts(authorities_path)
        self._sources = {address.version: str(address) for address in map(as_ip, sources) if address}
        self._hints: socket.socket | None = None
        self._outbox = Outbox()

    async def connect(
        self, factory: ProtocolFactory, endpoint: Endpoint, timeout_seconds: float
    ) -> asyncio.Transport:
        address = as_ip(endpoint.host)
        if address is None:
            raise NetError(f"cannot connect to {endpoint}: {endpoint.host} is not an IP address")
        source = self._sources.get(address.version)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_seconds):
                _, entry = await loop.create_connection(
                    lambda: UntilConnected(factory, self._outbox),
                    str(address),
                    endpoint.port,
                    local_addr=(source, 0) if source is not None else None,
                )
        except TimeoutError as error:
            raise NetError(f"cannot connect to {endpoint}: no answer in {timeout_seconds:g} s") from error
        except OSError as error:
            raise NetError(f"cannot connect to {endpoint}: {tls_text(error)}") from error
        _keep_alive(entry.transport)
        return entry.transport

    async def listen(self, factory: ProtocolFactory, endpoint: Endpoint) -> Listening:
        door = self._inherited.pop(endpoint, None)
        if door is None:
            door = open_door(endpoint)
        where = _endpoint_of(door)
        door.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, UNTAKEN_OCTETS_MAX
        )  # each connection inherits it
        loop = asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: UntilConnected(factory, self._outbox), sock=door, backlog=BACKLOG_CONNECTIONS
        )
        return TcpDoor(where, server)

    def own_addresses(self) -> frozenset[str]:
        return interface_addresses()

    @property
    def offers_tls(self) -> bool:
        return self._certificate is not None and self._certificate.context() is not None

    async def start_tls(
        self,
        transport: asyncio.Transport,
        protocol: asyncio.Protocol,
        side: ServerTls | ClientTls,
        timeout_seconds: float,
    ) -> tuple[asyncio.Transport, TlsFacts]:
        """Upgrade to TLS. After a NetError, connection_lost follows as after any close.

        There must be no await before the TlsTransport exists: otherwise the first octets of the
        peer's handshake would go to the protocol and be lost.
        """
        if transport.is_closing():
            raise NetError("TLS failed: the connection was closed before the handshake")
        try:
            context, server_name = self._context(side)
            named = side.named if isinstance(side, ServerTls) else None
            secret = TlsTransport(transport, protocol, context, server_name, named)
            await secret.handshake(timeout_seconds)
        except TimeoutError as error:
            transport.abort()
            raise NetError(f"TLS failed: no handshake in {timeout_seconds:g} s") from error
        except (OSError, ValueError) as error:  # ValueError: a server name that no certificate can have
            transport.abort()
            raise NetError(f"TLS failed: {tls_text(error)}") from error
        except BaseException:
            transport.abort()
            raise
        return secret, secret.facts()

    def _context(self, side: ServerTls | ClientTls) -> tuple[ssl.SSLContext, str | None]:
        """The TLS context, and as a client the server's name (None as a server)."""
        match side:
            case ServerTls():
                context = None if self._certificate is None else self._certificate.context()
                if context is None:
                    raise NetError("TLS failed: this server has no certificate")
                return context, None
            case ClientTls(name, verify):
                return self._clients.context(verify), name

    async def connect_local(
        self, factory: ProtocolFactory, path: str, timeout_seconds: float
    ) -> asyncio.Transport:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_seconds):
                transport, _ = await loop.create_unix_connection(factory, path)
        except TimeoutError as error:
            raise NetError(f"cannot connect to {path}: no answer in {timeout_seconds:g} s") from error
        except OSError as error:
            raise NetError(f"cannot connect to {path}: {tls_text(error)}") from error
        return transport

    async def listen_local(self, factory: ProtocolFactory, path: str) -> Listening:
        door = stream_door(path)
        loop = asyncio.get_running_loop()
        identity = os.stat(path)
        server = await loop.create_unix_server(factory, sock=door, backlog=BACKLOG_CONNECTIONS)
        return LocalDoor(path, identity, server.close)

    async def listen_hints(self, path: str, heard: Callable[[], None]) -> Listening:
        ear = HintEar(path, heard)
        return LocalDoor(path, os.stat(path), ear.close)

    def hint(self, path: str) -> None:
        if self._hints is None:
            self._hints = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        send_hint(self._hints, path)

    def close(self) -> None:
        """Close the socket for hints and unused inherited sockets."""
        if self._hints is not None:
            self._hints.close()
            self._hints = None
        for door in self._inherited.values():
            door.close()
        self._inherited.clear()


def _keep_alive(transport: asyncio.Transport) -> None:
    """Enable keepalive: while we wait for a reply nothing else would show that the peer is gone."""
    connection = transport.get_extra_info("socket")
    if connection is None:
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_IDLE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, KEEPALIVE_PROBE_SECONDS)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, KEEPALIVE_PROBES)
