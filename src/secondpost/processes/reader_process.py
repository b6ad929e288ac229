"""Has a process read a stranger's documents, one after the other.

It is started for the first document, used again, and ended when idle. If a document makes it end or
keeps it busy too long, that document has no answer, and the next one gets a fresh process.
"""

import asyncio
from dataclasses import dataclass
from socket import socketpair

from secondpost.processes.makers import Maker, StartMaker
from secondpost.world.ports import WorkshopClosed
from secondpost.world.real.workshop import ANSWER_OCTETS_MAX, Bench

IDLE_SECONDS = 5.0  # documents often come one right after the other
DOCUMENT_SECONDS_MAX = 30.0  # by the clock, with the start of the process
END_SECONDS_MAX = 5.0


@dataclass(frozen=True, slots=True)
class TookTooLong:
    """The process was ended, since it did not answer in time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class ReaderEnded:
    """The process ended over the document; `how` in words."""

    how: str


@dataclass(frozen=True, slots=True)
class _Started:
    maker: Maker
    bench: Bench


class ReaderProcess:
    def __init__(
        self,
        start: StartMaker,
        idle_seconds: float = IDLE_SECONDS,
        document_seconds_max: float = DOCUMENT_SECONDS_MAX,
        answer_octets_max: int = ANSWER_OCTETS_MAX,
    ) -> None:
        self._start = start
        self._idle_seconds = idle_seconds
        self._document_seconds_max = document_seconds_max
        self._answer_octets_max = answer_octets_max
        self._turn = asyncio.Lock()
        self._running: _Started | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def answer(self, order: bytes) -> bytes | TookTooLong | ReaderEnded:
        """The process's answer to a document. Never raises for a fault of the document."""
        async with self._turn:
            self._stop_clock()
            try:
                async with asyncio.timeout(self._document_seconds_max):
                    answer = await (await self._process()).do(order)
            except TimeoutError:
                await self._end()
                return TookTooLong(self._document_seconds_max)
            except WorkshopClosed:
                return ReaderEnded(await self._end())
            except asyncio.CancelledError:
                self._abort()
                raise
            self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._let_go)
        return answer

    async def distrust(self) -> None:
        """End the process, since an answer of it made no sense."""
        async with self._turn:
            self._stop_clock()
            await self._end()

    async def close(self) -> None:
        """End the process."""
        self._stop_clock()
        await self._end()

    async def _process(self) -> Bench:
        running = self._running
        if running is not None and not running.bench.ended.done():
            return running.bench
        ours, theirs = socketpair()
        with theirs:
            maker = self._start(theirs)
        bench = Bench(self._answer_octets_max)
        self._running = _Started(maker, bench)
        ours.setblocking(False)
        await asyncio.get_running_loop().connect_accepted_socket(lambda: bench, ours)
        await bench.do(b"")  # answered when it is ready
        return bench

    def _stop_clock(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _let_go(self) -> None:
        """The process ends when its socket does."""
        if self._running is not None:
            self._running.bench.close()
            self._running = None

    def _abort(self) -> None:
        if self._running is not None:
            self._running.bench.abort()
            self._running.maker.kill()
            self._running = None

    async def _end(self) -> str:
        """End the process if it has not ended; returns how it ended."""
        if self._running is None:
            return "it was not running"
        ended, bench = self._running.maker.ended, self._running.bench
        if bench.ended.done() and not bench.is_aborted:  # by itself: the reason is its own
            self._running = None
        else:
            self._abort()
        try:
            async with asyncio.timeout(END_SECONDS_MAX):
                return await asyncio.shield(ended)
        except TimeoutError:
            return "it does not end"
