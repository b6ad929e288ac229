"""Copies of a database: noticing one, and holding what it may not send.

An engine runs `judged` when a process of the service opens the database, in a transaction.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

from secondpost.mail.witness import CopyHold, WitnessFile, WitnessRow, why_a_copy
from secondpost.store.verbs.claims import put_turns_right
from secondpost.store.verbs.engine import BATCH_ROWS, Verbs
from secondpost.store.verbs.steps import Row, Steps, number, rows, run

EPOCH_AT_FIRST = 1


@dataclass(frozen=True, slots=True)
class Judged:
    """The epoch that the witness file must have now."""

    epoch: int


def judged(file: WitnessFile | None, identity: str, now_ms: int, *, is_new: bool) -> Steps[Judged]:
    """Hold the database if it is a copy, and start the epoch of a new one."""
    row = yield from _row()
    beside = 0 if file is None else file.epoch
    if is_new:  # the file, if there is one, belonged to another database of that name
        yield from run("witness.set_epoch", beside + 1)
        return Judged(beside + 1)
    why = why_a_copy(row, file, identity)
    if why is not None:
        epoch = max(row.epoch, beside) + 1
        yield from _held(epoch, now_ms, why)
        return Judged(epoch)
    if row.epoch == 0:
        yield from run("witness.set_epoch", EPOCH_AT_FIRST)
        return Judged(EPOCH_AT_FIRST)
    return Judged(row.epoch)


def _held(epoch: int, now_ms: int, why: str) -> Steps[None]:
    yield from run("witness.hold", epoch, now_ms, why)
    yield from rows("engine.leap")


def _row() -> Steps[WitnessRow]:
    for epoch, is_copy, held_ms, _why in (yield from rows("witness.row")):
        return WitnessRow(number(epoch), is_copy == 1, held_ms is not None)
    return WitnessRow(0, False, False)


def _hold() -> Steps[CopyHold | None]:
    for _epoch, _is_copy, held_ms, why in (yield from rows("witness.row")):
        return None if held_ms is None else CopyHold(number(held_ms), str(why))
    return None


def is_held_copy() -> Steps[bool]:
    return (yield from _hold()) is not None


class WitnessVerbs(Verbs):
    async def copy_hold(self) -> CopyHold | None:
        return await self._engine.read(_hold())

    async def advance_epoch(self) -> None:
        # First what an earlier call may have left out on a full disk: the file must never be more
        # than one epoch behind.
        await self._engine.write_witness((await self._engine.read(_row())).epoch)
        await self._engine.write_witness(await self._engine.change(_advance))

    def declare_copy(self, why: str) -> Awaitable[None]:
        def declare() -> Steps[None]:
            row = yield from _row()
            yield from _held(row.epoch, self._engine.clock.now_ms(), why)

        return self._engine.change(declare)

    def set_aside_copied(self) -> Awaitable[int]:
        return self._engine.change_some(_set_aside, 2 * BATCH_ROWS)


def _advance() -> Steps[int]:
    [(epoch,)] = yield from rows("witness.advance")
    return number(epoch)


def _set_aside() -> Steps[int]:
    for (upto,) in (yield from rows("witness.yet_to_set_aside")):
        found = yield from rows("witness.waiting_upto", upto, BATCH_ROWS)
        if len(found) == 0:
            yield from run("witness.all_set_aside")
        else:
            yield from run("witness.set_aside", chosen=deliveries_of(found))
            yield from put_turns_right(domains_of(found))
        return len(found)
    return 0


def deliveries_of(found: Sequence[Row]) -> list[Row]:
    """Message and number of each row."""
    return [row[:2] for row in found]


def domains_of(found: Sequence[Row]) -> list[int]:
    """The domains, which are the third column, once each."""
    return sorted({number(row[2]) for row in found})
