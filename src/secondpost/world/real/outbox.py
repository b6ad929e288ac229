"""Gathers what connections write in one turn of the loop, and sends it in one piece per connection.

Each write wakes the peer. Without this, a hundred clients on the same machine would be woken one by
one between our reads, and a pipelining client would get its replies in many small packets.
"""

import asyncio
from contextlib import suppress
from typing import cast

from secondpost.world.ports import ProtocolFactory

# More than this is sent at once, since a peer that does not read must be noticed within the turn.
GATHERED_OCTETS_MAX = 4096


class Outbox:
    """The connections with data to send at the end of this turn."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = (
            None  # cached, since getting it is a system call each time
        )
        self._waiting: list[GatheringTransport] = []

    def add(self, transport: "GatheringTransport") -> None:
        if len(self._waiting) == 0:
            if self._loop is None:
                self._loop = asyncio.get_running_loop()
            self._loop.call_soon(self._write_out, self._loop)
        self._waiting.append(transport)

    def _write_out(self, loop: asyncio.AbstractEventLoop) -> None:
        waiting, self._waiting = self._waiting, []
        for transport in waiting:
            try:
                transport.write_out()
            except Exception as error:  # noqa: BLE001  one broken transport must not stop the others
                loop.call_exception_handler({"message": "writing failed", "exception": error})


class GatheringTransport(asyncio.Transport):
    """A transport that gathers writes; its protocol is set on the loop's transport below."""

    __slots__ = ("_gathered", "_octets", "_outbox", "_wire")

    def __init__(self, wire: asyncio.Transport, outbox: Outbox) -> None:
        super().__init__()
        self._wire = wire
        self._outbox = outbox
        self._gathered: list[bytes | bytearray | memoryview] = []
        self._octets = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if len(self._gathered) == 0:
            self._outbox.add(self)
        self._gathered.append(data)
        self._octets += len(data)
        if self._octets > GATHERED_OCTETS_MAX:
            self.write_out()

    def write_out(self) -> None:
        """Send the gathered data; it is discarded if the connection is closed."""
        gathered = self._gathered
        if len(gathered) == 0:
            return
        data = gathered[0] if len(gathered) == 1 else b"".join(gathered)
        self._gathered = []
        self._octets = 0
        if not self._wire.is_closing():
            self._wire.write(data)

    def write_eof(self) -> None:
        self.write_out()
        with suppress(OSError):  # the peer reset it meanwhile, which the loop tells the protocol next
            self._wire.write_eof()

    def close(self) -> None:
        self.write_out()
        self._wire.close()

    def abort(self) -> None:
        """Abort after sending this turn's data, as if it had been written directly."""
        # uvloop closes a connection whose opening is cancelled, and `is_closing` does not say so.
        with suppress(RuntimeError):
            self.write_out()
        self._wire.abort()

    def get_write_buffer_size(self) -> int:
        return self._octets + self._wire.get_write_buffer_size()

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return self._wire.get_write_buffer_limits()

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self._wire.set_write_buffer_limits(high, low)

    def can_write_eof(self) -> bool:
        return self._wire.can_write_eof()

    def is_closing(self) -> bool:
        return self._wire.is_closing()

    def pause_reading(self) -> None:
        self._wire.pause_reading()

    def resume_reading(self) -> None:
        self._wire.resume_reading()

    def is_reading(self) -> bool:
        return self._wire.is_reading()

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self._wire.set_protocol(protocol)

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self._wire.get_protocol()

    def get_extra_info(self, name: str, default: object = None) -> object:
        return self._wire.get_extra_info(name, default)


class UntilConnected(asyncio.Protocol):
    """The initial protocol of a connection: creates the real one by `factory` and installs it."""

    def __init__(self, factory: ProtocolFactory, outbox: Outbox) -> None:
        self._factory = factory
        self._outbox = outbox
        self.transport: GatheringTransport  # set by connection_made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = cast(asyncio.Transport, transport)
        protocol = self._factory()
        wire.set_protocol(protocol)
        self.transport = GatheringTransport(wire, self._outbox)
        protocol.connection_made(self.transport)
