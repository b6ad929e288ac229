"""Writes once a turn of the loop what all connections have to say, each in one piece.

A write wakes the other side. When replies leave one by one, each of a hundred clients on the same machine is
woken between two reads of ours, and a client that pipelines gets its replies in many small packets.
"""

import asyncio
from typing import cast

from secondpost.world.ports import ProtocolFactory

# More than this leaves at once: what a peer does not take must be known before the turn ends.
GATHERED_OCTETS_MAX = 4096


class Outbox:
    """The connections that have something to say in this turn of the loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None  # kept: asking for it is a system call each time
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
            except Exception as error:  # noqa: BLE001  one broken transport must not keep back the rest
                loop.call_exception_handler({"message": "writing failed", "exception": error})


class GatheringTransport(asyncio.Transport):
    """A transport over one of the loop's, whose protocol is the connection's own: only what we say goes
    through here.
    """

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
        """Nothing is left of it when the connection is over already."""
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
        self._wire.write_eof()

    def close(self) -> None:
        self.write_out()
        self._wire.close()

    def abort(self) -> None:
        """What was said in this turn is with the kernel, as if it had been written when it was said."""
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
    """Stands in until a connection is made, then leaves the wire to the protocol that `factory` makes."""

    def __init__(self, factory: ProtocolFactory, outbox: Outbox) -> None:
        self._factory = factory
        self._outbox = outbox
        self.transport: GatheringTransport  # since the connection was made

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        wire = cast(asyncio.Transport, transport)
        protocol = self._factory()
        wire.set_protocol(protocol)
        self.transport = GatheringTransport(wire, self._outbox)
        protocol.connection_made(self.transport)
