"""Housekeeping: repair what dead workers left, and delete what is no longer kept."""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

from secondpost.mail.delivery import DeliveryId, State
from secondpost.mail.queue_id import QueueIds
from secondpost.store.ports import Swept
from secondpost.store.verbs.engine import BATCH_ROWS, Verbs
from secondpost.store.verbs.selecting import delivery_id
from secondpost.store.verbs.steps import Row, Steps, number, rows, run


@dataclass(frozen=True, slots=True)
class Doubted:
    """Deliveries that a dead worker may have made."""

    maybe_duplicates: list[DeliveryId]
    unknown: list[DeliveryId]


class KeepingVerbs(Verbs):
    @property
    def worker(self) -> int:
        """Our number. Raises RuntimeError for a command's store."""
        worker = self._engine.worker_number
        if worker is None:
            raise RuntimeError("a command is no worker")
        return worker

    @cached_property
    def ids(self) -> QueueIds:
        return QueueIds(self.worker)

    def checkpoint(self) -> Awaitable[int]:
        return self._engine.checkpoint()

    def close(self) -> None:
        self._engine.close()

    # ---- dead workers

    async def sweep(self) -> Swept:
        """Clean up after workers that died. A worker's row and lock are removed last, so that a
        sweep that was cut short is repeated.
        """
        workers, doubted, unknown, files = 0, [], [], 0
        for worker, lock in await self._other_workers():
            held = self._engine.hold(lock)
            if held is None:
                continue
            try:
                found = await self._doubt(worker)
                doubted += found.maybe_duplicates
                unknown += found.unknown
                files += await self._remove_nameless(worker)
                await self._end_worker(worker)
                self._engine.remove_lock(lock)
            finally:
                held.release()
            workers += 1
        await self._engine.remove_leaving()
        return Swept(workers, tuple(doubted), files, tuple(unknown))

    async def _remove_nameless(self, worker: int) -> int:
        """Delete files that the worker wrote and that have no row; returns their number."""
        written = await self._engine.files_of(worker)
        removed = 0
        for start in range(0, len(written), BATCH_ROWS):
            some = written[start : start + BATCH_ROWS]
            needed = await self._engine.change(partial(needed_files, some))
            nameless = [name for name in some if name not in needed]
            if len(nameless) > 0:
                await self._engine.remove_files(nameless)
            removed += len(nameless)
        return removed

    async def _other_workers(self) -> list[tuple[int, str]]:
        """Number and lock of every worker but ours."""
        found = await self._engine.read(rows("keeping.other_workers", self._engine.worker_number))
        return [(number(worker), str(lock)) for worker, lock in found]

    async def _doubt(self, worker: int) -> Doubted:
        """End the worker's claims, then its leases."""
        batch = partial(_doubt_some, worker, self._engine.clock.now_ms())
        doubted = Doubted([], [])
        while len(found := await self._engine.change(batch, BATCH_ROWS)) > 0:
            for row in found:
                if row[2] == State.COMMITTING:
                    doubted.unknown.append(delivery_id(row))
                elif row[3] == 0:
                    doubted.maybe_duplicates.append(delivery_id(row))
        return doubted

    def _end_worker(self, worker: int) -> Awaitable[int]:
        return self._engine.change(partial(run, "keeping.drop_worker", worker))

    # ---- old rows

    def prune(self, finished_before_ms: int) -> Awaitable[int]:
        def batch() -> Steps[int]:
            ended = yield from rows("keeping.ended_messages", finished_before_ms, BATCH_ROWS)
            some = _up_to(ended, BATCH_ROWS)
            yield from run("keeping.forget_deliveries", chosen=some)
            yield from run("keeping.forget_events", chosen=some)
            return (yield from run("keeping.forget_messages", chosen=some))

        return self._engine.change_some(batch, 3 * BATCH_ROWS)

    def forget_learned(self, known_before_ms: int, unknown_before_ms: int) -> Awaitable[int]:
        def batch() -> Steps[int]:
            known = yield from run("keeping.forget_learned", 1, known_before_ms, BATCH_ROWS)
            unknown = yield from run("keeping.forget_learned", 0, unknown_before_ms, BATCH_ROWS)
            return known + unknown

        return self._engine.change_some(batch, 2 * BATCH_ROWS)

    async def bound_learned(self, most: int) -> int:
        [(count,)] = await self._engine.read(rows("keeping.learned_count"))
        surplus = min(number(count) - most, BATCH_ROWS)
        if surplus <= 0:
            return 0
        return await self._engine.change_some(
            partial(run, "keeping.forget_oldest_learned", surplus), BATCH_ROWS
        )

    def forget_prefixes(self, proven_before_ms: int) -> Awaitable[int]:
        return self._engine.change_some(
            partial(run, "keeping.forget_prefixes", proven_before_ms, BATCH_ROWS), BATCH_ROWS
        )


def needed_files(files: Sequence[str]) -> Steps[set[str]]:
    """The files that still have a row. Run it in a group: what a plain read sees of a message's end
    may not be durable yet.
    """
    found = yield from rows("keeping.needed_files", chosen=[(file,) for file in files])
    return {str(file) for (file,) in found}


def _doubt_some(worker: int, now_ms: int) -> Steps[Sequence[Row]]:
    found = yield from rows("keeping.claimed_of", worker, BATCH_ROWS)
    if len(found) == 0:
        yield from run("keeping.drop_leases", worker)
    else:
        chosen = [row[:2] for row in found]
        yield from run("keeping.tell_doubt_again", now_ms, chosen=chosen)
        yield from run("keeping.doubt", now_ms, chosen=chosen)
    return found


def _up_to(ended: Sequence[Row], deliveries_max: int) -> list[Row]:
    """The first messages with at most so many deliveries together; at least one message."""
    chosen: list[Row] = []
    for id, deliveries in ended:
        if len(chosen) > 0 and number(deliveries) > deliveries_max:
            break
        chosen.append((id,))
        deliveries_max -= number(deliveries)
    return chosen
