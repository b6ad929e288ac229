"""Has a process parse the fetch role's feeds, one document after the other.

It is started for the first document, used again, and ended when idle. If a document makes it end or
keeps it busy too long, the result for that feed is "no information", and the next document gets a
fresh process.
"""

import asyncio
from dataclasses import dataclass
from socket import socketpair

import msgspec

from secondpost.mail.article import FeedRead, FeedUnreadable
from secondpost.processes.feed_reader import CPU_SECONDS_MAX, MEMORY_OCTETS_MAX, FeedDocumentOrder
from secondpost.processes.makers import Maker, StartMaker
from secondpost.protocols.feed_questions import read_answered
from secondpost.protocols.role_questions import Garbled
from secondpost.world.ports import WorkshopClosed
from secondpost.world.real.workshop import Bench

IDLE_SECONDS = 5.0  # the feeds of a round are read one right after the other
DOCUMENT_SECONDS_MAX = 30.0  # by the clock, with the start of the process
END_SECONDS_MAX = 5.0
BOUNDS = f"{MEMORY_OCTETS_MAX // (1_024 * 1_024)} MB of memory and {CPU_SECONDS_MAX} seconds of computing"


@dataclass(frozen=True, slots=True)
class _ReaderProcess:
    maker: Maker
    bench: Bench


class FeedReadingProcess:
    def __init__(
        self,
        start: StartMaker,
        idle_seconds: float = IDLE_SECONDS,
        document_seconds_max: float = DOCUMENT_SECONDS_MAX,
    ) -> None:
        self._start = start
        self._idle_seconds = idle_seconds
        self._document_seconds_max = document_seconds_max
        self._turn = asyncio.Lock()
        self._running: _ReaderProcess | None = None
        self._idle: asyncio.TimerHandle | None = None

    async def read(self, body: bytes, content_type: str, url: str) -> FeedRead | FeedUnreadable:
        """Parse a document. Never raises for a fault of the document."""
        order = msgspec.msgpack.encode(FeedDocumentOrder(body, content_type, url))
        async with self._turn:
            self._stop_clock()
            try:
                async with asyncio.timeout(self._document_seconds_max):
                    answer = await (await self._process()).do(order)
                found = read_answered(answer).found
            except TimeoutError:
                await self._end()
                seconds = self._document_seconds_max
                return FeedUnreadable(f"It cannot be read: parsing it took more than {seconds:g} seconds.")
            except WorkshopClosed:
                how = await self._end()
                return FeedUnreadable(
                    f"It cannot be read: the process that parsed it ended ({how}). A feed may take {BOUNDS}."
                )
            except Garbled as garbled:
                await self._end()
                return FeedUnreadable(f"It cannot be read: what was made of it makes no sense: {garbled}.")
            except asyncio.CancelledError:
                self._abort()
                raise
            self._idle = asyncio.get_running_loop().call_later(self._idle_seconds, self._let_go)
        if isinstance(found, FeedRead | FeedUnreadable):
            return found
        return FeedUnreadable("It cannot be read: what was made of it is no feed.")

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
        bench = Bench()
        self._running = _ReaderProcess(maker, bench)
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
