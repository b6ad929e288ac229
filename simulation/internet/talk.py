"""Line-based SMTP for other people's machines: small, and independent of the product.

Peers must not use the product's protocol code, or one mistake would hide on both sides.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from secondpost.world.ports import ClientTls, NetError, ServerTls
from simulation.internet.net import SimNet, SimTransport

LINE_OCTETS_MAX = 64 * 1024
COMMAND_SECONDS = 300.0
DOT = b"\r\n.\r\n"


class Gone(Exception):
    """The peer disconnected, was silent for too long, or sent something that is not SMTP."""


@dataclass(frozen=True, slots=True)
class Said:
    """A reply as read by a client."""

    code: int
    text: str

    @property
    def ok(self) -> bool:
        return 200 <= self.code < 400

    @property
    def permanent(self) -> bool:
        return self.code >= 500


class Talk(asyncio.Protocol):
    """A connection read line by line. `on_open` runs the server's side."""

    transport: asyncio.Transport

    def __init__(self, net: SimNet, on_open: Callable[["Talk"], Awaitable[None]] | None = None) -> None:
        self.net = net
        self.encrypted = False
        self._on_open = on_open
        self._buffer = bytearray()
        self._gone = False  # disconnected, or the peer sent EOF
        self._waiting: asyncio.Future[None] | None = None
        self._task: asyncio.Future[None] | None = None

    # -- called by the transport
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        if self._on_open is not None:
            self._task = asyncio.ensure_future(self._serve(self._on_open))

    async def _serve(self, on_open: Callable[["Talk"], Awaitable[None]]) -> None:
        try:
            await on_open(self)
        except Gone:
            pass
        finally:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._wake()

    def eof_received(self) -> bool:
        """Keep a server's side open: commands received before EOF are still answered."""
        self._gone = True
        self._wake()
        return self._on_open is not None

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    # -- reading
    async def until(self, mark: bytes, seconds: float, octets_max: int) -> bytes:
        """Read up to and including the mark; raises Gone after `seconds` or `octets_max`."""
        at = self._buffer.find(mark)
        if at < 0:
            try:
                async with asyncio.timeout(seconds):
                    at = await self._find(mark, octets_max)
            except TimeoutError:
                raise Gone(f"silent for {seconds:g} s") from None
        found = bytes(self._buffer[: at + len(mark)])
        del self._buffer[: at + len(mark)]
        return found

    async def _find(self, mark: bytes, octets_max: int) -> int:
        searched = 0
        while (at := self._buffer.find(mark, searched)) < 0:
            if self._gone:
                raise Gone("connection lost")
            if len(self._buffer) > octets_max:
                raise Gone("endless")
            searched = max(0, len(self._buffer) - len(mark))
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        return at

    async def line(self, seconds: float = COMMAND_SECONDS) -> str:
        raw = await self.until(b"\r\n", seconds, LINE_OCTETS_MAX)
        return raw[:-2].decode("latin-1")

    async def reply(self, seconds: float = COMMAND_SECONDS) -> Said:
        texts = []
        while True:
            line = await self.line(seconds)
            if len(line) < 3 or not line[:3].isdigit() or line[3:4] not in ("", " ", "-"):
                raise Gone(f"not a reply: {line[:60]!r}")
            texts.append(line[4:])
            if line[3:4] != "-":
                return Said(int(line[:3]), "\n".join(texts))

    # -- writing
    def say(self, *lines: str) -> None:
        self.transport.write("".join(line + "\r\n" for line in lines).encode("latin-1"))

    def send(self, data: bytes) -> None:
        self.transport.write(data)

    def end_sending(self) -> None:
        """Close the sending side only (FIN, or close_notify in TLS); reading goes on."""
        assert isinstance(self.transport, SimTransport)
        self.transport.write_eof()

    def hang_up(self) -> None:
        self.transport.abort()

    @property
    def unread_octets(self) -> int:
        return len(self._buffer)

    async def start_tls(self, side: ServerTls | ClientTls) -> None:
        if len(self._buffer) > 0:
            raise Gone("plain text behind STARTTLS")
        try:
            self.transport, _ = await self.net.start_tls(self.transport, self, side, COMMAND_SECONDS)
        except NetError as fault:
            raise Gone(str(fault)) from None
        self.encrypted = True

    # -- the body
    async def message(self, seconds: float, octets_max: int) -> bytes:
        """Read the content after 354 up to the final dot, without dot-stuffing."""
        self._buffer[:0] = b"\r\n"  # so that a final dot on the very first line is found as well
        raw = await self.until(DOT, seconds, octets_max)
        return raw[: -len(b".\r\n")].replace(b"\r\n..", b"\r\n.")[2:]

    def send_message(self, content: bytes) -> None:
        """Send the content dot-stuffed, without the final dot."""
        self.transport.write((b"\r\n" + content).replace(b"\r\n.", b"\r\n..")[2:])
