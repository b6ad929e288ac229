"""The timers of a connection under the event loop of the service."""

import asyncio
from collections.abc import Callable, Coroutine

import pytest
import uvloop

from secondpost.deliver.connection import Connection
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Hop, TlsDemand
from secondpost.mail.reply import Reply
from secondpost.world.real.net import RealNet


class Broken:
    """Records how its connection ended."""

    def __init__(self) -> None:
        self.causes: list[Cause] = []

    def connection_ready(self, connection: Connection) -> None:
        raise AssertionError("nobody answers here")

    def connection_broken(self, connection: Connection, cause: Cause, reply: Reply) -> None:
        self.causes.append(cause)


def unwanted(work: Coroutine[None, None, None]) -> None:
    work.close()


@pytest.mark.parametrize("make_loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_deadline_can_be_moved_to_at_once(make_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    broken = Broken()

    async def story() -> None:
        connection = Connection(
            broken, RealNet(), "mx2.example", Hop("mx1", ("192.0.2.1",), 25, TlsDemand.NONE), unwanted
        )
        for seconds in (300.0, 0.0, 0.0001, 0.0):
            connection._within(seconds)
        async with asyncio.timeout(5):
            while len(broken.causes) == 0:
                await asyncio.sleep(0.001)

    with asyncio.Runner(loop_factory=make_loop) as runner:
        runner.run(story())
    assert broken.causes == [Cause.LOST]
