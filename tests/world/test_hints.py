"""The first hint is sent at once, the next after a pause, whatever arrives meanwhile."""

import asyncio

from secondpost.world.sockets.hints import Hinter
from simulation.clock import Timeline, run


def test_the_first_hint_is_given_at_once_and_each_other_after_a_rest() -> None:
    timeline = Timeline()
    hints: list[float] = []

    async def day() -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        hinter = Hinter(lambda: hints.append(round(loop.time() - begun, 3)))
        for _ in range(41):  # two mails per millisecond
            hinter.arrived()
            hinter.arrived()
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.959)
        hinter.arrived()
        await asyncio.sleep(0.001)

    run(day(), timeline, timeline.loop("receive"))
    assert hints == [0, 0.02, 0.04, 0.06, 1]
