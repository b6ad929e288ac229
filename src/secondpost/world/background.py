"""Background tasks of a role."""

import asyncio
from collections.abc import Callable, Coroutine

Background = Callable[[Coroutine[None, None, None]], None]  # starts a task that is not awaited


class BackgroundTasks:
    """Tasks that are not awaited. If one raises, `failed` gets the error and the role ends."""

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._loop: asyncio.AbstractEventLoop | None = None  # kept: asking for it is a system call each time
        self._tasks: set[asyncio.Task[None]] = set()

    def run(self, work: Coroutine[None, None, None]) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failed(error)

    def cancel(self) -> None:
        for task in self._tasks:
            task.cancel()
