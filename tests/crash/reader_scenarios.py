"""Scenarios to cut short: an issue is frozen, released, claimed, committed, settled, held or stopped."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from secondpost.mail.delivery import Claimed, State
from secondpost.mail.duration import HOUR_MS
from secondpost.store.ports import Lease
from simulation.dice import SimDice
from tests.crash.publishing import Publishing
from tests.crash.scenarios import PAUSING, log_bounded


async def freeze(publishing: Publishing) -> None:
    await publishing.begin_freeze()
    await publishing.freeze_batch()
    await publishing.leave(publishing.readers[0])
    await publishing.leave(publishing.readers[7])
    await publishing.sign_up("new@d0.example")
    await publishing.freeze_rest()


async def freezing_dies(publishing: Publishing) -> None:
    await publishing.begin_freeze()
    for _ in range(3):
        await publishing.freeze_batch()
    await publishing.die_and_come_back()
    await publishing.freeze()
    await publishing.send()


async def claim(publishing: Publishing) -> None:
    await publishing.freeze()
    await publishing.send()
    lease = await publishing.lease()
    await publishing.claim(lease, 2)
    await publishing.leave(publishing.readers[8])
    await publishing.claim(lease, 3)
    await publishing.store.give_back(lease)
    await publishing.claim(await publishing.lease(), 4)


async def committing(publishing: Publishing) -> None:
    await publishing.freeze()
    await publishing.send()
    lease = await publishing.lease()
    claimed = await publishing.claim(lease, 6)
    for one in claimed[:2]:
        await publishing.commit(lease, [one])
        publishing.accept([one])
    await asyncio.gather(publishing.commit(lease, claimed[2:3]), publishing.commit(lease, claimed[3:5]))
    publishing.accept(claimed[2:4])


async def outcome(publishing: Publishing) -> None:
    await publishing.freeze()
    await publishing.send()
    lease = await publishing.lease()
    for state, accepts in (
        (State.DELIVERED, True),
        (State.WAITING, False),
        (State.FAILED, False),
        (State.UNKNOWN, True),
        (State.DELIVERED, True),
    ):
        claimed = await publishing.claim(lease, 2)
        await publishing.commit(lease, claimed)
        if accepts:
            publishing.accept(claimed)
        await publishing.settle(lease, claimed, state)


async def finishing(publishing: Publishing) -> None:
    await publishing.freeze()
    await publishing.send()
    lease = await publishing.lease()
    claimed = await publishing.claim(lease, 9)
    await publishing.commit(lease, claimed)
    publishing.accept(claimed[1:])
    await asyncio.gather(
        publishing.settle(lease, claimed[:1], State.FAILED),
        publishing.settle(lease, claimed[1:2], State.UNKNOWN),
        publishing.settle(lease, claimed[2:], State.DELIVERED),
    )
    await publishing.finish()


async def deliver_dies(publishing: Publishing) -> None:
    """A worker dies with claimed and committing rows; the cut may come during the sweep."""
    await publishing.freeze()
    await publishing.send()
    lease = await publishing.lease()
    claimed = await publishing.claim(lease, 6)
    await publishing.commit(lease, claimed[:4])
    publishing.accept(claimed[:3])
    await publishing.settle(lease, claimed[:1], State.DELIVERED)
    await publishing.die_and_come_back()
    lease = await publishing.lease()
    rest = await publishing.claim(lease, 9)
    await publishing.commit(lease, rest)
    publishing.accept(rest)
    await publishing.settle(lease, rest, State.DELIVERED)


async def stop(publishing: Publishing) -> None:
    await publishing.freeze()
    await publishing.send()
    lease = await publishing.lease()
    claimed = await publishing.claim(lease, 2)
    await publishing.commit(lease, claimed)
    publishing.accept(claimed)
    await publishing.settle(lease, claimed, State.DELIVERED)
    await publishing.stop()


async def undo(publishing: Publishing) -> None:
    await publishing.freeze()
    await publishing.stop()


async def hold(publishing: Publishing) -> None:
    """Held with claimed and committing rows, then resumed: those who have the issue do not get it again."""
    lease = await _held_half_sent(publishing)
    await publishing.resume()
    await _send_rest(publishing, lease)
    await publishing.finish()


async def held_dies(publishing: Publishing) -> None:
    """The processes die while the issue is held; their successors resume it."""
    await _held_half_sent(publishing)
    await publishing.die_and_come_back()
    await publishing.resume()
    await _send_rest(publishing, await publishing.lease())
    await publishing.finish()


async def held_stop(publishing: Publishing) -> None:
    await _held_half_sent(publishing)
    await publishing.stop()


async def _held_half_sent(publishing: Publishing) -> Lease:
    """Hold an issue that two readers have and whose dots to two more are sent."""
    await publishing.freeze()
    await publishing.send()
    lease = await publishing.lease()
    claimed = await publishing.claim(lease, 6)
    await publishing.commit(lease, claimed[:4])
    publishing.accept(claimed[:3])
    await publishing.settle(lease, claimed[:2], State.DELIVERED)
    await publishing.hold(lease, claimed[4:])
    # What was under way ends by its outcome.
    await publishing.settle(lease, claimed[2:3], State.DELIVERED)
    await publishing.settle(lease, claimed[3:4], State.UNKNOWN)
    return lease


async def _send_rest(publishing: Publishing, lease: Lease) -> None:
    rest = await publishing.claim(lease, 9)
    await publishing.commit(lease, rest)
    publishing.accept(rest)
    await publishing.settle(lease, rest, State.DELIVERED)


async def at_random(seed: str, publishing: Publishing) -> None:
    """Steps in any order: claims, dots, outcomes, holds, pauses of the provider, deaths."""
    dice = SimDice(seed)
    await publishing.freeze()
    await publishing.send()
    lease = await publishing.lease()
    claimed, marked = list[Claimed](), list[Claimed]()

    async def settle(count: int) -> None:
        for one in marked[:count]:
            if dice.chance(0.6):
                publishing.accept([one])
                state = dice.one_of((State.DELIVERED, State.DELIVERED, State.UNKNOWN))
            else:
                state = dice.one_of((State.WAITING, State.FAILED, State.UNKNOWN))
            await publishing.settle(lease, [one], state)
        del marked[:count]

    for step in dice.shuffled(
        ["claim"] * 4 + ["dot"] * 5 + ["outcome"] * 5 + ["hold", "hold", "pause", "pause", "die"]
    ):
        match step:
            case "claim":
                claimed += await publishing.claim(lease, dice.whole(1, 3))
            case "dot" if len(claimed) > 0:
                count = dice.whole(1, len(claimed))
                await publishing.commit(lease, claimed[:count])
                marked += claimed[:count]
                del claimed[:count]
            case "outcome":
                await settle(dice.whole(1, 2))
            case "hold":
                publishing.clock.ms += HOUR_MS  # what was deferred is due
                await publishing.hold(lease, claimed)
                claimed.clear()
                await settle(len(marked))
                await publishing.resume()
            case "pause":
                await (publishing.pause() if not publishing.paused[-1].what else publishing.unpause())
            case "die":
                publishing.accept([one for one in marked if dice.chance(0.5)])
                await publishing.die_and_come_back()
                lease = await publishing.lease()
                claimed.clear()
                marked.clear()
            case _:
                pass


async def pauses(publishing: Publishing) -> None:
    """Between two batches the log is copied and then restarted."""
    with log_bounded(publishing.store, PAUSING):
        await publishing.freeze()
        await publishing.send()
        await publishing.stop()


READER_SCENARIOS: dict[str, Callable[[Publishing], Awaitable[None]]] = {
    "freeze": freeze,
    "freezing dies": freezing_dies,
    "claim": claim,
    "committing": committing,
    "outcome": outcome,
    "finishing": finishing,
    "deliver dies": deliver_dies,
    "stop": stop,
    "undo": undo,
    "hold": hold,
    "held dies": held_dies,
    "held stop": held_stop,
    "pauses": pauses,
    **{f"at random, {seed}": partial(at_random, seed) for seed in ("one", "two")},
}
