"""Work in another process over a socket: octets in, octets out, one order after the other.

Both ends are here. A frame is its length in four octets and the octets. The first frame is the
start-up message; its answer means that the worker is ready.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from socket import MSG_WAITALL, socket
from typing import cast

from secondpost.world.ports import WorkshopClosed

LENGTH_OCTETS = 4
ANSWER_OCTETS_MAX = 64 * 1024 * 1024  # of one answer; a worker that reads hostile input may promise more


def serve_orders(door: socket, opened: Callable[[bytes], Callable[[bytes], bytes]]) -> None:
    """The worker's end: answer orders until the other end closes. Blocks.

    `opened` takes the first frame and returns the function that answers all others.
    """
    opening = _frame(door)
    if opening is None:
        return
    work = opened(opening)
    answer = b""
    while _is_sent(door, answer) and (order := _frame(door)) is not None:
        answer = work(order)


def _frame(door: socket) -> bytes | None:
    """Read one frame; None at the end of the stream."""
    length = door.recv(LENGTH_OCTETS, MSG_WAITALL)
    if len(length) < LENGTH_OCTETS:
        return None
    octets = int.from_bytes(length)
    frame = door.recv(octets, MSG_WAITALL)
    return frame if len(frame) == octets else None


def _is_sent(door: socket, answer: bytes) -> bool:
    try:
        door.sendall(_framed(answer))
    except (BrokenPipeError, ConnectionResetError):
        return False
    return True


def _framed(octets: bytes) -> bytes:
    return len(octets).to_bytes(LENGTH_OCTETS) + octets


class Bench(asyncio.Protocol):
    """The end that sends orders; answers come in the order of the orders.

    A worker that sends too long an answer, or one without an order, is aborted: it may have been taken
    over by what it reads.
    """

    def __init__(self, answer_octets_max: int = ANSWER_OCTETS_MAX) -> None:
        self._answer_octets_max = answer_octets_max
        self._transport: asyncio.Transport | None = None
        self._asked: deque[asyncio.Future[bytes]] = deque()
        self._received: list[bytes] = []
        self._octets = 0
        self.is_closed = False  # by us, since it is no longer needed
        self.is_aborted = False  # by us, since it does not answer
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    @property
    def waiting(self) -> int:
        """The number of orders without an answer."""
        return len(self._asked)

    async def do(self, order: bytes) -> bytes:
        """Send an order and wait for its answer. Raises WorkshopClosed."""
        if self._transport is None:
            raise WorkshopClosed
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        self._transport.write(_framed(order))
        return await answer

    def close(self) -> None:
        self.is_closed = True
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        self.is_aborted = True
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self.is_aborted:
            return
        self._received.append(data)
        self._octets += len(data)
        if self._octets >= self._wanted():
            self._take_frames(b"".join(self._received))

    def _wanted(self) -> int:
        """Octets until the first frame is complete."""
        first = self._received[0]
        if len(first) < LENGTH_OCTETS:
            first = b"".join(self._received)
        if len(first) < LENGTH_OCTETS:
            return LENGTH_OCTETS
        octets = int.from_bytes(first[:LENGTH_OCTETS])
        return LENGTH_OCTETS + (octets if octets <= self._answer_octets_max else 0)  # refused at once

    def _take_frames(self, data: bytes) -> None:
        at = 0
        while len(data) - at >= LENGTH_OCTETS:
            begin = at + LENGTH_OCTETS
            octets = int.from_bytes(data[at:begin])
            end = begin + octets
            if octets > self._answer_octets_max or len(self._asked) == 0:
                self._received, self._octets = [], 0
                self.abort()
                return
            if len(data) < end:
                break
            answer = self._asked.popleft()
            if not answer.done():
                answer.set_result(data[begin:end])
            at = end
        self._received = [data[at:]] if at < len(data) else []
        self._octets = len(data) - at

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self.ended.set_result(None)
        for answer in self._asked:
            if not answer.done():
                answer.set_exception(WorkshopClosed())
        self._asked.clear()
