"""Writes outcomes to the store, and keeps each until it is durable.

A lost outcome is a delivery made twice, and a lease not given back holds up its site's mail; so a
busy or full store is waited for.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import State
from secondpost.mail.envelope import Lane
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.store.ports import Claims, Lease, Settlement, StoreFull, StoreUnavailable
from secondpost.world.ports import DiskFailed

RETRY_SECONDS = 1.0
T = TypeVar("T")


async def insist(write: Callable[[], Awaitable[T]], what: str, alarms: StandingAlarms) -> T:
    """Repeat `write` while the store is unavailable or full, with an alarm each time."""
    while True:
        try:
            return await write()
        except (StoreUnavailable, StoreFull) as error:
            alarms.begin(AlarmKind.STORE_WAITS, "", f"{what}: {type(error).__name__} {error}")
        await asyncio.sleep(RETRY_SECONDS)


class Settler:
    """Passes each outcome to the store in the same turn of the loop.

    It is written before anything that its connection does next. So at most one mail per
    connection is `committing`.
    """

    def __init__(self, claims: Claims, alarms: StandingAlarms) -> None:
        self._claims = claims
        self._alarms = alarms
        self._under_way: dict[int, int] = {}  # number of outcomes, by fence
        self._again: set[asyncio.Task[None]] = set()
        # By fence; done once all outcomes of the lease are durable.
        self._waiting: dict[int, asyncio.Future[None]] = {}

    def add(self, lease: Lease, settlement: Settlement) -> None:
        self._under_way[lease.fence] = self._under_way.get(lease.fence, 0) + 1
        asked = asyncio.ensure_future(self._claims.settle(lease, (settlement,)))
        asked.add_done_callback(partial(self._answered, lease, settlement))

    async def finished(self, lease: Lease) -> None:
        """Wait until all outcomes of the lease are durable or the disk has failed; outcomes of
        other leases do not delay it.
        """
        await self._finished(lease.fence)

    async def all_finished(self) -> None:
        while len(self._under_way) > 0:
            await self._finished(next(iter(self._under_way)))

    async def _finished(self, fence: int) -> None:
        while fence in self._under_way:
            if fence not in self._waiting:
                self._waiting[fence] = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._waiting[fence])

    def _answered(self, lease: Lease, settlement: Settlement, asked: asyncio.Future[int]) -> None:
        if asked.exception() is None:
            self._settled(lease, settlement, asked.result())
            return
        task = asyncio.get_running_loop().create_task(self._ask_again(lease, settlement))
        self._again.add(task)
        task.add_done_callback(self._again.discard)

    async def _ask_again(self, lease: Lease, settlement: Settlement) -> None:
        write = partial(self._claims.settle, lease, (settlement,))
        try:
            written = await insist(write, "an outcome", self._alarms)
        except DiskFailed:
            self._ended(lease)  # it will never be durable, and the ending role does not wait for it
        else:
            self._settled(lease, settlement, written)

    def _settled(self, lease: Lease, settlement: Settlement, written: int) -> None:
        if written == 0 and not _was_set_aside(lease, settlement):
            self._alarms.begin(AlarmKind.FENCE_FELL, "", "an outcome came too late")
        self._ended(lease)

    def _ended(self, lease: Lease) -> None:
        self._under_way[lease.fence] -= 1
        if self._under_way[lease.fence] == 0:
            del self._under_way[lease.fence]
            waiting = self._waiting.pop(lease.fence, None)
            if waiting is not None:
                waiting.set_result(None)


def _was_set_aside(lease: Lease, settlement: Settlement) -> bool:
    """Whether the mark of an issue's mail explains that its outcome was not written.

    The mark is requested at MAIL (deliver/marks): when the issue was held or stopped since the claim, or the
    reader left, it has put the row aside, and what the server then says to RCPT finds no claim. Nothing
    was sent, so nothing can be a duplicate.
    """
    return lease.lane is Lane.ISSUES and settlement.state in (State.FAILED, State.EXPIRED, State.WAITING)
