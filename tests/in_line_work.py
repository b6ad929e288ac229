"""Work without threads, which would switch twice for each verb of a store."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class InLineWork:
    """A job runs when it is awaited, one of a line at the next turn, so that groups form."""

    async def run(self, job: Callable[[], T]) -> T:
        return job()

    def line(self, name: str) -> "InLineLine":
        return InLineLine()


class InLineLine:
    def __init__(self) -> None:
        self._jobs: deque[tuple[Callable[[], None], Callable[[BaseException | None], None]]] = deque()

    def submit(self, job: Callable[[], None], done: Callable[[BaseException | None], None]) -> None:
        self._jobs.append((job, done))
        asyncio.get_running_loop().call_soon(self._next)

    def close(self) -> None:
        while len(self._jobs) > 0:
            self._next()

    def _next(self) -> None:
        if len(self._jobs) == 0:
            return
        job, done = self._jobs.popleft()
        raised: BaseException | None = None
        try:
            job()
        except Exception as error:  # noqa: BLE001  passed to `done`, as a thread would
            raised = error
        done(raised)
