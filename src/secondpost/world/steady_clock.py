"""Wall time that never stands still or goes back while a process lives.

A machine whose clock is set back by a day must not hold its mail for a day: for who delivers, time goes on
as it went. A clock that is ahead is followed, so that what arrives by the wall's time is never yet to come.
"""

import asyncio

from secondpost.world.ports import Clock


class SteadyClock:
    """A Clock for what is scheduled; it is never behind the one it is made of."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._anchor_ms: int | None = None
        self._anchor_at = 0.0

    def now_ms(self) -> int:
        wall_ms = self._clock.now_ms()
        at = asyncio.get_running_loop().time()
        if self._anchor_ms is not None:
            steady_ms = self._anchor_ms + int((at - self._anchor_at) * 1000)
            if steady_ms > wall_ms:
                return steady_ms
        self._anchor_ms, self._anchor_at = wall_ms, at
        return wall_ms
