"""Outcomes on their way to the disk."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import cast

import pytest

from secondpost.deliver.settling import Settler
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.envelope import Lane
from secondpost.mail.queue_id import QueueId
from secondpost.store.ports import Claims, Lease, Settlement
from tests.alarms import that_stand, unlogged_alarms

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


@pytest.mark.parametrize(
    ("lane", "state", "alarms_rung"),
    [
        (Lane.ISSUES, State.FAILED, 0),
        (Lane.ISSUES, State.WAITING, 0),
        (Lane.ISSUES, State.DELIVERED, 1),
        (Lane.RELAY, State.FAILED, 1),
    ],
)
async def test_a_refusal_of_a_mail_whose_issue_was_held_meanwhile_is_no_possible_duplicate(
    lane: Lane, state: State, alarms_rung: int
) -> None:
    store, alarms = Slow(), unlogged_alarms()
    settler = Settler(cast(Claims, store), alarms)
    settler.add(Lease(lane, "mx1", 0, 1), Settlement(DELIVERED.id, state, at_ms=1))
    store.asked.pop(0)[1].set_result(0)
    await settler.all_finished()
    assert len(that_stand(alarms, AlarmKind.FENCE_FELL)) == alarms_rung


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


pytestmark = pytest.mark.anyio
