"""Wall time that never stops or goes back while a process lives.

If the machine's clock is set back by a day, mail must not wait for a day: for deliveries time goes
on. If the clock is ahead it is followed, so that arrival times by the wall clock never lie in the
future.
"""

import asyncio

from secondpost.world.ports import Clock


class SteadyClock:
    """A Clock for scheduling; it is never behind the clock that it wraps."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._anchor_ms: int | None = None
        self._anchor_at = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None  # kept: asking for it is a system call each time

    def now_ms(self) -> int:
        wall_ms = self._clock.now_ms()
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        at = self._loop.time()
        if self._anchor_ms is not None:
            steady_ms = self._anchor_ms + int((at - self._anchor_at) * 1000)
            if steady_ms > wall_ms:
                return steady_ms
        self._anchor_ms, self._anchor_at = wall_ms, at
        return wall_ms
