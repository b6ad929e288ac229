"""Has signing processes started when the deliver role has more mails to sign than its threads can,
and ends them.

The rest of the time there are none: a server that sends one issue a week keeps no processes for it.
"""

import asyncio
import os
from collections.abc import Callable
from socket import socket, socketpair

from secondpost.processes.makers import SIGNERS_MAX, Maker, StartMaker
from secondpost.world.background import Background
from secondpost.world.ports import WorkshopClosed
from secondpost.world.real.workshop import Bench

IDLE_SECONDS = 5.0
ORDER_SECONDS_MAX = 60.0  # a batch of signatures takes milliseconds
RETRY_SECONDS = 60.0  # after losing a process
END_SECONDS_MAX = 5.0


def makers_wanted() -> int:
    """Number of signing processes: one per processor, up to the few that one loop can feed."""
    return min(len(os.sched_getaffinity(0)), SIGNERS_MAX)


class MailWorkshop:
    """The Workshop port. `opening` is sent to each process first; `lost` is called with how one ended
    unasked.
    """

    def __init__(
        self,
        opening: bytes,
        makers: int,
        start: StartMaker,
        background: Background,
        lost: Callable[[str], None],
        idle_seconds: float = IDLE_SECONDS,
        order_seconds_max: float = ORDER_SECONDS_MAX,
    ) -> None:
        self._opening = opening
        self._makers = makers
        self._background = background
        self._lost = lost
        self._start = start
        self._idle_seconds = idle_seconds
        self._order_seconds_max = order_seconds_max
        self._connected: set[Bench] = set()
        self._ready: list[Bench] = []
        self._processes: set[Maker] = set()
        self._starting = 0
        self._not_before = 0.0  # loop time
        self._used = 0.0  # loop time
        self._closing = False

    @property
    def places(self) -> int:
        return len(self._ready)

    def open(self) -> None:
        loop = asyncio.get_running_loop()
        if self._closing or self._starting > 0 or len(self._processes) > 0 or loop.time() < self._not_before:
            return
        self._used = loop.time()
        loop.call_later(self._idle_seconds, self._close_if_idle)
        self._starting = self._makers
        for _ in range(self._makers):
            self._background(self._see_through())

    async def do(self, order: bytes) -> bytes:
        """Have an order carried out. Raises WorkshopClosed."""
        if len(self._ready) == 0:
            raise WorkshopClosed
        self._used = asyncio.get_running_loop().time()
        bench = min(self._ready, key=lambda bench: bench.waiting)
        try:
            async with asyncio.timeout(self._order_seconds_max):
                return await bench.do(order)
        except TimeoutError:
            bench.abort()
            raise WorkshopClosed from None

    async def close(self) -> None:
        """End all signing processes, for good."""
        self._closing = True
        self._let_go()
        try:
            async with asyncio.timeout(END_SECONDS_MAX):
                await asyncio.gather(*(maker.ended for maker in self._processes))
        except TimeoutError:
            for maker in self._processes:
                maker.kill()

    def _let_go(self) -> None:
        for bench in self._connected:
            bench.close()

    def _close_if_idle(self) -> None:
        if self._starting + len(self._processes) == 0:
            return
        loop = asyncio.get_running_loop()
        idle_seconds = loop.time() - self._used
        if self._starting > 0 or any(bench.waiting > 0 for bench in self._connected):
            idle_seconds = 0.0
        if idle_seconds < self._idle_seconds:
            loop.call_later(self._idle_seconds - idle_seconds, self._close_if_idle)
        else:
            self._let_go()

    async def _see_through(self) -> None:
        """Run one process from start to end."""
        ours, theirs = socketpair()
        with theirs:
            maker = self._start(theirs)
        self._starting -= 1
        self._processes.add(maker)
        bench = await self._connect(ours)
        await self._work(bench)
        if bench.is_aborted:
            maker.kill()
        how = await maker.ended
        self._processes.discard(maker)
        if not bench.is_closed:
            self._failed(how)

    async def _connect(self, door: socket) -> Bench:
        bench = Bench()
        door.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: bench, door)
        if self._closing:
            bench.close()
        return bench

    async def _work(self, bench: Bench) -> None:
        self._connected.add(bench)
        try:
            await bench.do(self._opening)
            self._used = asyncio.get_running_loop().time()
            self._ready.append(bench)
            await bench.ended
            self._ready.remove(bench)
        except WorkshopClosed:
            pass  # ended before it was ready; its exit code says why
        finally:
            self._connected.discard(bench)

    def _failed(self, why: str) -> None:
        self._not_before = asyncio.get_running_loop().time() + RETRY_SECONDS
        self._lost(why)
