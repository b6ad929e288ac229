"""Registers a process as a worker when it opens a database, and removes it when it closes in good order."""

from collections.abc import Sequence

import apsw

from secondpost.store.ports import StoreUnavailable
from secondpost.store.sqlite.connection import patiently
from secondpost.store.sqlite.opened import WORKERS_FOLDER, Opened, Worker
from secondpost.store.sqlite.statements import QUERIES, Statements, run_on
from secondpost.store.verbs.keeping import needed_files
from secondpost.store.verbs.steps import Steps, number, rows, run
from secondpost.world.ports import Clock, Disk

LEAVE_SECONDS_MAX = 2.0


def lock_name(worker: int) -> str:
    return f"{WORKERS_FOLDER}/{worker}.lock"


def enter(db: apsw.Connection, disk: Disk, clock: Clock, role: str, numbers: range) -> Worker:
    """Register a worker, inside a transaction: its lock is held before another process can see the
    row.
    """
    return run_on(db, Statements(QUERIES), _enter(disk, clock, role, numbers))


def _enter(disk: Disk, clock: Clock, role: str, numbers: range) -> Steps[Worker]:
    taken = {row[0] for row in (yield from rows("keeping.worker_numbers"))}
    [(given,)] = yield from rows("engine.last_run")
    last = number(given)
    for n in range(last + 1, last + 1 + len(numbers)):
        worker = numbers[n % len(numbers)]
        if worker in taken:
            continue
        held = disk.hold(lock_name(worker))
        if held is None:
            continue
        yield from run("keeping.enter_worker", n, worker, role, clock.now_ms(), lock_name(worker))
        return Worker(worker, lock_name(worker), held)
    raise RuntimeError(f"{len(numbers)} workers are entered: one of them has to be swept first")


def leave(opened: Opened, worker: int, statements: Statements) -> bool:
    """Remove our worker, after the writer was closed; False if a lease or a file without a row is left, so
    that we must be swept like a dead one.
    """
    if opened.writer.is_distrusted:
        return False
    written = opened.files_of(worker)
    try:
        if not run_on(opened.db, statements, _has_nothing_under_way(worker, written)):
            return False
        # Retried: other processes may be leaving too.
        patiently(
            lambda: run_on(opened.db, statements, run("keeping.drop_worker", worker)), LEAVE_SECONDS_MAX
        )
    except (apsw.Error, StoreUnavailable):
        return False
    return True


def _has_nothing_under_way(worker: int, written: Sequence[str]) -> Steps[bool]:
    [(leases,)] = yield from rows("keeping.leases_of", worker)
    needed = yield from needed_files(written)
    return leases == 0 and len(needed) == len(written)
