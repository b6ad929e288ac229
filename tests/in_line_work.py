"""Work for a store without threads, which switch twice for each of its verbs."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


class InLineWork:
    """Jobs run at once, lines at the next turn, so that groups form."""

    def run(self, job: Callable[[], T]) -> Awaitable[T]:
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        try:
            answer.set_result(job())
        except Exception as error:  # noqa: BLE001
            answer.set_exception(error)
        return answer

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
        except Exception as error:  # noqa: BLE001
            raised = error
        done(raised)
