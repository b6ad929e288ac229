"""Outcomes on their way to the disk."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import cast

import pytest

from secondpost.deliver.settling import Settler
from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.store.ports import Claims, Lease, Settlement
from tests.alarms import unlogged_alarms

BUSY, QUIET = Lease(Lane.RELAY, "busy", 0, 1), Lease(Lane.RELAY, "quiet", 0, 2)
DELIVERED = Settlement(DeliveryId(QueueId(1), 1), State.DELIVERED, at_ms=1)


class Slow:
    """A store that answers when the test allows it."""

    def __init__(self) -> None:
        self.asked: list[tuple[Lease, asyncio.Future[int]]] = []

    def settle(self, lease: Lease, settlements: Sequence[Settlement]) -> Awaitable[int]:
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self.asked.append((lease, answer))
        return answer

    def answer_the_first(self) -> None:
        self.asked.pop(0)[1].set_result(1)


async def test_a_site_that_is_done_does_not_wait_for_the_outcomes_of_one_that_never_is() -> None:
    store = Slow()
    settler = Settler(cast(Claims, store), unlogged_alarms())
    settler.add(QUIET, DELIVERED)
    settler.add(BUSY, DELIVERED)
    quiet = asyncio.ensure_future(settler.finished(QUIET))
    everything = asyncio.ensure_future(settler.all_finished())
    for _ in range(3):
        settler.add(BUSY, DELIVERED)  # one is always under way
        store.answer_the_first()
        for _ in range(5):
            await asyncio.sleep(0)
    assert quiet.done()
    assert not everything.done()
    while len(store.asked) > 0:
        store.answer_the_first()
    async with asyncio.timeout(5):
        await everything


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


pytestmark = pytest.mark.anyio
