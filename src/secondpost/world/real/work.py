"""Runs jobs in other threads, so that the loop never waits for a disk or a signature.

A pool runs independent jobs. A line is one thread with a queue: the store writes through one.
Finished jobs are reported to the loop in batches, because waking the loop is the main cost.
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
# How long a thread waits at most for the GIL held by another. The store's writer needs it for each
# statement, while it holds the store's lock.
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
        """Finish the submitted jobs and end all threads. Blocks."""
        for line in self._lines:
            line.close()
        self._pool.shutdown(wait=True)


class RealLine:
    """A thread that runs jobs from a queue, one at a time, in order."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[tuple[WorkJob, WhenDone, asyncio.AbstractEventLoop] | None] = SimpleQueue()
        self._completed: deque[tuple[WhenDone, BaseException | None]] = deque()
        self._hop_is_due = False
        self._is_closed = False
        # A daemon thread: a process whose main thread failed must not wait for it.
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: WorkJob, done: WhenDone) -> None:
        """Submit a job; call this in the loop, in which `done` is then called."""
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
            except BaseException as error:  # noqa: BLE001  passed to `done`: the thread must not die of it
                raised = error
            self._completed.append((done, raised))
            # The entry is in the queue before the flag is read, and the loop clears the flag before
            # it empties the queue: no entry is left without a callback.
            if not self._hop_is_due:
                self._hop_is_due = True
                self._hop(loop)
            del entry, job, done, raised  # so that nothing is kept alive during the wait for the next job

    def _hop(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            loop.call_soon_threadsafe(self._report, loop)
        except RuntimeError:  # the loop is closed: the job is done, but there is no waiter left
            self._hop_is_due = False

    def _report(self, loop: asyncio.AbstractEventLoop) -> None:
        self._hop_is_due = False
        while len(self._completed) > 0:
            done, raised = self._completed.popleft()
            try:
                done(raised)
            except Exception as error:  # noqa: BLE001  later completions must still be called
                loop.call_exception_handler(
                    {"message": f"a completion of {self._thread.name!r} failed", "exception": error}
                )
