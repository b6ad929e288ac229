"""The steady clock goes on, whatever happens to the machine's clock."""

import asyncio

from secondpost.world.steady_clock import SteadyClock
from tests.clock import SetClock

NOON_MS = 1_800_000_000_000


def test_a_clock_set_back_does_not_stop_time_and_one_set_ahead_is_followed() -> None:
    async def story() -> None:
        wall = SetClock(NOON_MS)
        steady = SteadyClock(wall)
        assert steady.now_ms() == NOON_MS
        wall.ms -= 86_400_000
        await asyncio.sleep(0.02)
        assert NOON_MS + 15 <= steady.now_ms() < NOON_MS + 10_000
        wall.ms = NOON_MS + 3_600_000
        assert steady.now_ms() == NOON_MS + 3_600_000
        wall.ms = NOON_MS
        await asyncio.sleep(0.02)
        assert NOON_MS + 3_600_015 <= steady.now_ms() < NOON_MS + 3_610_000

    asyncio.run(story())
