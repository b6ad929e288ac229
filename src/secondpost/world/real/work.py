"""Runs work in other threads, so that the loop never waits for a disk or a signature.

A pool takes jobs that stand alone. A line is one thread with a queue: the store writes through one.
Completions come back to the loop in one hop for as many as are ready, because waking the loop costs
more than all else here.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")
WorkJob = Callable[[], None]
WhenDone = Callable[[BaseException | None], None]

THREADS = 4
# A thread that needs the interpreter waits this long at most for one that does not pause. The writer of the
# store asks for it once a statement, and holds the store's lock meanwhile.
SWITCH_SECONDS = 0.0005


class RealWork:
    def __init__(self, threads: int = THREADS) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="work")
        self._lines: list[RealLine] = []

    def run(self, job: Callable[[], T]) -> Awaitable[T]:
        return asyncio.get_running_loop().run_in_executor(self._pool, job)

    def line(self, name: str) -> "RealLine":
        line = RealLine(name)
        self._lines.append(line)
        return line

    def close(self) -> None:
        """Finish what was given, then end every thread. Blocks."""
        for line in self._lines:
            line.close()
        self._pool.shutdown(wait=True)


class RealLine:
    """A thread that takes jobs from a queue, one at a time, in the order given."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[tuple[WorkJob, WhenDone, asyncio.AbstractEventLoop] | None] = SimpleQueue()
        self._completed: deque[tuple[WhenDone, BaseException | None]] = deque()
        self._hop_is_due = False
        self._is_closed = False
        # A daemon: a process that dies of an error in its main thread must not hang on this one.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: WorkJob, done: WhenDone) -> None:
        """Call it in the loop; `done` is called in the same one."""
        if self._is_closed:
            raise RuntimeError(f"the line {self._thread.name!r} is closed")
        self._jobs.put((job, done, asyncio.get_running_loop()))

    def close(self) -> None:
        if not self._is_closed:
            self._is_closed = True
            self._jobs.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (entry := self._jobs.get()) is not None:
            job, done, loop = entry
            raised: BaseException | None = None
            try:
                job()
            except BaseException as error:  # noqa: BLE001  `done` judges it, whatever it is
                raised = error
            self._completed.append((done, raised))
            # The entry is in the queue before the flag is read, and the loop clears the flag before
            # it empties the queue: an entry is never left behind without a hop.
            if not self._hop_is_due:
                self._hop_is_due = True
                self._hop(loop)
            del entry, job, done, raised  # nothing stays alive while the next job is waited for

    def _hop(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.call_soon_threadsafe(self._report, loop)
        except RuntimeError:  # the loop is closed: the job is done, and nobody is left to hear of it
            self._hop_is_due = False

    def _report(self, loop: asyncio.AbstractEventLoop) -> None:
        self._hop_is_due = False
        while len(self._completed) > 0:
            done, raised = self._completed.popleft()
            try:
                done(raised)
            except Exception as error:  # noqa: BLE001  the others behind it must be told too
                loop.call_exception_handler(
                    {"message": f"a completion of {self._thread.name!r} failed", "exception": error}
                )
