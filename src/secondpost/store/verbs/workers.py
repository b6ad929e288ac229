"""Registers a process as a worker when it opens a database, and removes it when it closes in good order.

An engine runs these as it opens and closes, in a transaction.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from secondpost.store.verbs.keeping import needed_files
from secondpost.store.verbs.steps import Steps, number, rows, run
from secondpost.world.ports import Held

WORKERS_FOLDER = "workers"


@dataclass(frozen=True, slots=True)
class Worker:
    """Our entry among the workers; `held` is the lock that shows others that we live."""

    number: int
    lock: str
    held: Held


def enter(hold: Callable[[str], Held | None], role: str, numbers: range, now_ms: int) -> Steps[Worker]:
    """Register with the next free number, holding its lock before another process can see the row.

    Raises RuntimeError if no number is free.
    """
    taken = {row[0] for row in (yield from rows("keeping.worker_numbers"))}
    [(given,)] = yield from rows("engine.last_run")
    last = number(given)
    for n in range(last + 1, last + 1 + len(numbers)):
        worker = numbers[n % len(numbers)]
        lock = f"{WORKERS_FOLDER}/{worker}.lock"
        held = None if worker in taken else hold(lock)
        if held is not None:
            yield from run("keeping.enter_worker", n, worker, role, now_ms, lock)
            return Worker(worker, lock, held)
    raise RuntimeError(f"{len(numbers)} workers are entered: one of them has to be swept first")


def leave(worker: int, written: Sequence[str]) -> Steps[bool]:
    """Remove our row; False if we still have a lease, or one of the `written` files has no row, and
    we must be swept like a dead worker.
    """
    [(leases,)] = yield from rows("keeping.leases_of", worker)
    needed = yield from needed_files(written)
    if leases != 0 or len(needed) != len(written):
        return False
    yield from run("keeping.drop_worker", worker)
    return True
