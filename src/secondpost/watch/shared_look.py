"""A look that all who ask at about the same time share, so that many askers cost no more than one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class SharedLook(Generic[T]):
    """Each asker gets a result that was begun after it asked; two looks begin `rest_seconds` apart or
    more.
    """

    def __init__(self, look: Callable[[], Awaitable[T]], rest_seconds: float) -> None:
        self._look = look
        self._rest_seconds = rest_seconds
        self._looking = asyncio.Lock()
        self._begun: float | None = None  # loop time
        self._found: list[T] = []  # the last result

    async def now(self) -> T:
        time = asyncio.get_running_loop().time
        asked = time()
        async with self._looking:
            if self._begun is None or self._begun < asked:
                if self._begun is not None:
                    await asyncio.sleep(self._begun + self._rest_seconds - time())
                self._begun = time()
                self._found = [await self._look()]
            return self._found[0]
