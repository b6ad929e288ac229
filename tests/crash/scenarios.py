"""Scenarios for power cuts: short sequences of store operations, each on a small database."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from secondpost.mail.delivery import Claimed, State
from secondpost.mail.queue_id import QueueIds
from secondpost.store.ports import Lease
from secondpost.store.sqlite import SqliteStore
from secondpost.store.sqlite.log_bounds import LogBounds
from tests.crash.stage import Stage, open_store
from tests.crash.story import Step, Story
from tests.store.place import engine_of

SMALL_OCTETS = 3_000
LARGE_OCTETS = 300_000  # more than IN_TABLE_OCTETS_MAX: a file of its own


async def accept_small(stage: Stage) -> None:
    for count in range(1, 9):
        await stage.accept(SMALL_OCTETS * count // 4, recipients=1 + count % 3)


async def accept_large(stage: Stage) -> None:
    await stage.accept(LARGE_OCTETS)
    await stage.accept(SMALL_OCTETS)
    await asyncio.gather(stage.accept(LARGE_OCTETS), stage.accept(LARGE_OCTETS, recipients=2))


async def claim(stage: Stage) -> None:
    for _ in range(4):
        await stage.accept(SMALL_OCTETS, recipients=2)
    lease = await stage.lease()
    for _ in range(3):
        await stage.claim(lease, 2)


async def outcome(stage: Stage) -> None:
    for count in range(6):
        await stage.accept(SMALL_OCTETS if count > 0 else LARGE_OCTETS, recipients=1 + count % 2)
    lease = await stage.lease()
    for state in (State.DELIVERED, State.WAITING, State.KEPT, State.DELIVERED):
        await stage.settle(lease, await stage.claim(lease, 2), state)


async def groups(stage: Stage) -> None:
    """Acceptances and outcomes that share a transaction and a sync."""
    await asyncio.gather(*(stage.accept(SMALL_OCTETS // 2) for _ in range(8)))
    lease = await stage.lease()
    first, second = await stage.claim(lease, 3), await stage.claim(lease, 3)
    await asyncio.gather(
        stage.settle(lease, first, State.DELIVERED),
        *(stage.accept(SMALL_OCTETS // 2) for _ in range(4)),
        stage.settle(lease, second, State.WAITING),
    )


async def death(stage: Stage) -> None:
    """A worker dies with claimed rows and a partial body; the cut may come during the sweep."""
    for count in range(4):
        await stage.accept(SMALL_OCTETS if count > 0 else LARGE_OCTETS)
    await stage.claim(await stage.lease(), 3)
    await stage.abandon(LARGE_OCTETS)
    await stage.die_and_come_back()
    await stage.accept(SMALL_OCTETS)
    lease = await stage.lease()
    await stage.settle(lease, await stage.claim(lease, 2), State.DELIVERED)


async def neighbour(stage: Stage) -> None:
    """A worker has committed but not synced when another one sees it and removes unneeded files."""
    its_disk = stage.disk.process()
    other = open_store(its_disk, stage.failures.append, stage.clock)
    story = await stage.accept(LARGE_OCTETS)
    lease = await stage.lease()
    outcome = await _delivered_not_synced(stage, lease, await stage.claim(lease, 1), story)
    await other.sweep()
    assert story.file is not None
    assert stage.mail_disk.size(story.file) == 0
    await stage.accept(SMALL_OCTETS)
    outcome.done = stage.disk.position
    its_disk.kill()


async def heir(stage: Stage) -> None:
    """A dead receiver's message is committed as delivered, but not synced, when another worker
    sweeps the receiver's files that have no row.
    """
    receiver, deliverer, sweeper = stage.disk, stage.disk.process(), stage.disk.process()
    story = await stage.accept(LARGE_OCTETS)
    stage.disk, stage.store = deliverer, open_store(deliverer, stage.failures.append, stage.clock)
    stage.ids = QueueIds(stage.store.worker)
    other = open_store(sweeper, stage.failures.append, stage.clock)
    lease = await stage.lease()
    claimed = await stage.claim(lease, 1)
    receiver.kill()
    remove_nameless = other._remove_nameless
    outcomes: list[Step] = []

    async def then_remove_nameless(worker: int) -> int:
        outcomes.append(await _delivered_not_synced(stage, lease, claimed, story))
        return await remove_nameless(worker)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(other, "_remove_nameless", then_remove_nameless)
        await other.sweep()
    await stage.accept(SMALL_OCTETS)
    [outcome] = outcomes
    outcome.done = stage.disk.position
    sweeper.kill()


async def _delivered_not_synced(stage: Stage, lease: Lease, claimed: Sequence[Claimed], story: Story) -> Step:
    """Settle as delivered, committed but not synced: the outcome is not promised yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine_of(stage.store).writer, "_log", NotYetSynced())
        patch.setattr(engine_of(stage.store).writer, "after_group", lambda: None)
        await stage.settle(lease, claimed, State.DELIVERED)
    outcome = story.deliveries[1][-1]
    outcome.done = None
    return outcome


class NotYetSynced:
    def sync(self) -> None: ...

    def close(self) -> None: ...


# A log of any length is copied at a checkpoint.
CHECKPOINTING = LogBounds(passive_octets=1)
# A log of any length is restarted, or truncated if nothing is written between two checkpoints.
LONG_LOG = LogBounds(passive_octets=1, restart_octets=1, room_octets_max=1)
LONG_LOG_QUIET = LogBounds(passive_octets=1, restart_octets=1, room_octets_max=1, quiet_seconds=0.0)
# The log is copied after each batch of many.
PAUSING = LogBounds(pause_octets=1, pause_units=1)


@contextmanager
def log_bounded(store: SqliteStore, bounds: LogBounds) -> Iterator[None]:
    """Give the store these bounds while the context is open."""
    checkpoints = engine_of(store)._checkpoints
    before, checkpoints._bounds = checkpoints._bounds, bounds
    try:
        yield
    finally:
        checkpoints._bounds = before


async def checkpoint(stage: Stage) -> None:
    """The log is copied into the database and restarted, between promises."""
    with log_bounded(stage.store, CHECKPOINTING):
        await _promises_between_checkpoints(stage)


async def restart(stage: Stage) -> None:
    with log_bounded(stage.store, LONG_LOG):
        await _promises_between_checkpoints(stage)


async def truncate(stage: Stage) -> None:
    with log_bounded(stage.store, LONG_LOG):
        await _promises_between_checkpoints(stage, then_quiet=True)


async def _promises_between_checkpoints(stage: Stage, *, then_quiet: bool = False) -> None:
    for _ in range(2):
        await stage.accept(SMALL_OCTETS)
    for state in (State.DELIVERED, State.WAITING):
        await stage.store.checkpoint()
        if then_quiet:
            with log_bounded(stage.store, LONG_LOG_QUIET):
                await stage.store.checkpoint()
        await stage.accept(SMALL_OCTETS)
        lease = await stage.lease()
        await stage.settle(lease, await stage.claim(lease, 1), state)
        await stage.store.give_back(lease)


SCENARIOS: dict[str, Callable[[Stage], Awaitable[None]]] = {
    "accept small": accept_small,
    "accept large": accept_large,
    "claim": claim,
    "outcome": outcome,
    "groups": groups,
    "death": death,
    "neighbour": neighbour,
    "heir": heir,
    "checkpoint": checkpoint,
    "restart": restart,
    "truncate": truncate,
}
