"""Whether this server can take mail now, and why not.

Mail is taken while a process of the receive role answers, the store of mail can be written, and the disk
has room beyond the reserve.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from secondpost.mail.metrics import Metric
from secondpost.store.ports import StoreFull, StoreUnavailable
from secondpost.watch.totals import Totals

STORE_SECONDS_MAX = 2.0


class NotReady(StrEnum):
    """Why no mail is taken."""

    RECEIVE_ABSENT = "the receive role does not answer"
    NOT_LISTENING = "the receive role does not listen yet"
    NO_ROOM = "the disk is full up to the reserve"
    STORE_BUSY = "the store of mail cannot be written now"
    STORE_FULL = "the store of mail is full"


@dataclass(frozen=True, slots=True)
class Readiness:
    reasons: tuple[NotReady, ...]

    @property
    def is_ready(self) -> bool:
        return len(self.reasons) == 0


class ReadinessLook:
    """`ask`: have all processes state their gauges; returns the roles that did. `write`: write to the
    store of mail, changing nothing.
    """

    def __init__(
        self,
        ask: Callable[[], Awaitable[frozenset[str]]],
        write: Callable[[], Awaitable[object]],
        totals: Totals,
    ) -> None:
        self._ask = ask
        self._write = write
        self._totals = totals

    async def look(self) -> Readiness:
        roles = await self._ask()
        return Readiness((*self._of_receive(roles), *await self._of_store()))

    def _of_receive(self, roles: frozenset[str]) -> Sequence[NotReady]:
        if not any("receive" in role.split("+") for role in roles):
            return (NotReady.RECEIVE_ABSENT,)
        if sum(map(sum, self._totals.measured(Metric.LISTENING).values())) == 0:
            return (NotReady.NOT_LISTENING,)
        room = [octets for values in self._totals.measured(Metric.ROOM).values() for octets in values]
        return () if max(room, default=0) > 0 else (NotReady.NO_ROOM,)

    async def _of_store(self) -> Sequence[NotReady]:
        try:
            async with asyncio.timeout(STORE_SECONDS_MAX):
                await self._write()
        except StoreFull:
            return (NotReady.STORE_FULL,)
        except (StoreUnavailable, TimeoutError):
            return (NotReady.STORE_BUSY,)
        return ()
