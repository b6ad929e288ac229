"""One line over a Unix socket: a question or its answer, which is then the end of the connection."""

import asyncio
from typing import cast

from secondpost.protocols.role_questions import Garbled
from secondpost.world.closing import close_soon


class OneLine(asyncio.Protocol):
    """Reads one line into `whole`; Garbled if it is too long or the connection ends first."""

    def __init__(self, octets_max: int) -> None:
        self._octets_max = octets_max
        self._pieces: list[bytes] = []
        self._octets = 0
        self._transport: asyncio.Transport | None = None
        self.whole: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.whole.done():
            return
        self._pieces.append(data)
        self._octets += len(data)
        if b"\n" in data:
            self.whole.set_result(b"".join(self._pieces).partition(b"\n")[0])
        elif self._octets > self._octets_max:
            self.whole.set_exception(Garbled("it is too long"))

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if not self.whole.done():
            self.whole.set_exception(Garbled("the connection ended"))
            self.whole.exception()  # retrieved: asyncio would log it if the task that waited was cancelled

    @property
    def transport(self) -> asyncio.Transport | None:
        """None once the connection ended."""
        return self._transport

    def write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def close_soon(self) -> None:
        """Close once everything is sent."""
        if self._transport is not None:
            close_soon(self._transport)
