"""Limits how many sites are delivered to at once: places for sites that make progress, and a limit
for silent ones.

A site that has not moved for STILL_SECONDS holds no place any more; it waits aside for as long as
RFC 5321 §4.5.3.2 requires for a slow server. So however many servers are silent, each delays others
by a second at most, and `aside_max` connections are held for all of them; after that only sites
that took mail lately may begin, up to twice as many. Beyond `aside_max`, those silent for longest
are broken off as if by time-out: first idle ones, then connections being opened, and messages under
way only after MESSAGE_SECONDS.

Some places are kept for sites that took mail lately, so that thousands of other sites do not delay
them.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

STILL_SECONDS = 1.0
MESSAGE_SECONDS = 30.0
UP_LATELY_SECONDS = 6 * 3600.0
UP_LATELY_SITES_MAX = 10_000
NOTED_AGAIN_SECONDS = 60.0


class Placed(Protocol):
    """Something that may hold a place."""

    @property
    def moved(self) -> float:
        """Loop time of its last progress."""
        ...

    @property
    def is_known(self) -> bool:
        """Whether it took mail lately."""
        ...

    @property
    def connections(self) -> int:
        """Number of connections open or being opened."""
        ...

    @property
    def patience_seconds(self) -> float:
        """How long it may stand still before it can be broken off; 0: it is idle, so that does no
        harm.
        """
        ...

    def break_off(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Room:
    """How many more sites may have a place."""

    known: int
    strangers: int


@dataclass(frozen=True, slots=True)
class Places:
    """`strangers_max` of `at_once` are for sites that did not take mail lately. `aside_max`:
    connections of silent sites.
    """

    at_once: int
    strangers_max: int
    aside_max: int

    def room(self, placed: Iterable[Placed], now: float) -> Room:
        """How many more sites may begin. Breaks off silent sites beyond `aside_max`."""
        moving = strangers = aside = 0
        still: list[Placed] = []
        for one in placed:
            if now - one.moved < STILL_SECONDS:
                moving += 1
                strangers += not one.is_known
            elif one.connections > 0:
                still.append(one)
                aside += one.connections
        if aside >= self.aside_max:
            aside = self._break_off(still, aside, now)
        # Messages under way are not broken off for strangers before their time.
        strangers_max = self.strangers_max if aside < self.aside_max else 0
        known = min(self.at_once - moving, 2 * self.aside_max - aside)
        return Room(max(known, 0), max(min(strangers_max - strangers, known), 0))

    def _break_off(self, still: Sequence[Placed], aside: int, now: float) -> int:
        """Break off until there is room for a full set of strangers, as far as patience allows.
        Returns the number of connections left aside.
        """
        for one in sorted(still, key=lambda one: (one.patience_seconds, one.is_known, one.moved)):
            if aside <= self.aside_max - min(self.strangers_max, self.aside_max // 2):
                break
            if now - one.moved >= one.patience_seconds:
                aside -= one.connections
                one.break_off()
        return aside


class UpLately:
    """The sites that took mail in the last hours, as far as this process knows."""

    def __init__(self) -> None:
        self._seen: dict[str, float] = {}  # loop time, earliest first

    def note(self, site: str, now: float) -> None:
        """Note that the site took mail at loop time `now`."""
        seen = self._seen.get(site)
        if seen is not None and now - seen < NOTED_AGAIN_SECONDS:
            return
        self._seen.pop(site, None)
        self._seen[site] = now
        if len(self._seen) > UP_LATELY_SITES_MAX:
            del self._seen[next(iter(self._seen))]

    def __contains__(self, site: str) -> bool:
        seen = self._seen.get(site)
        return seen is not None and asyncio.get_running_loop().time() - seen < UP_LATELY_SECONDS


class TimeLimits:
    """Time limits of waits; all can be ended at once."""

    def __init__(self) -> None:
        self._limits: dict[asyncio.Timeout, None] = {}  # as a dict, since a set has no order

    @asynccontextmanager
    async def within(self, seconds: float | None) -> AsyncIterator[None]:
        """Limit the block to `seconds`; None: no limit. Raises TimeoutError at the limit or after
        `end`.
        """
        async with asyncio.timeout(seconds) as limit:
            self._limits[limit] = None
            try:
                yield
            finally:
                del self._limits[limit]

    def end(self) -> None:
        now = asyncio.get_running_loop().time()
        for limit in self._limits:
            if not limit.expired():
                limit.reschedule(now)
