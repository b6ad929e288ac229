"""Writes outcomes down, together, and does not let go of one before it is durable.

An outcome that is lost is a delivery made twice, a lease that is kept holds its site's mail: the store
being busy or full is waited out.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TypeVar

from secondpost.maillog import MailLog
from secondpost.store.ports import Claims, Lease, Settlement, StoreFull, StoreUnavailable

RETRY_SECONDS = 1.0
T = TypeVar("T")


async def insist(write: Callable[[], Awaitable[T]], what: str, log: MailLog) -> T:
    """Until the store takes it."""
    while True:
        try:
            return await write()
        except (StoreUnavailable, StoreFull) as error:
            log.alarm("store-waits", f"{what}: {type(error).__name__} {error}")
        await asyncio.sleep(RETRY_SECONDS)


async def together(writes: Sequence[Coroutine[None, None, None]]) -> None:
    """What is begun in one turn of the loop joins one group of the store, whatever lease it is under."""
    await asyncio.gather(*writes)


class Settler:
    def __init__(self, claims: Claims, log: MailLog) -> None:
        self._claims = claims
        self._log = log
        self._waiting: dict[Lease, list[Settlement]] = {}
        self._task: asyncio.Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        return len(self._waiting) == 0 and self._task is None

    def add(self, lease: Lease, settlement: Settlement) -> None:
        self._waiting.setdefault(lease, []).append(settlement)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._write())

    async def finished(self) -> None:
        """Until all that was added is durable."""
        while self._task is not None:
            await asyncio.wait([self._task])

    async def _write(self) -> None:
        try:
            while len(self._waiting) > 0:
                waiting, self._waiting = self._waiting, {}
                await together([self._settle(lease, batch) for lease, batch in waiting.items()])
        finally:
            self._task = None

    async def _settle(self, lease: Lease, batch: list[Settlement]) -> None:
        settled = await insist(lambda: self._claims.settle(lease, batch), f"{len(batch)} outcomes", self._log)
        if settled < len(batch):
            self._log.alarm("fence-fell", f"{len(batch) - settled} outcomes came too late")
