"""Group commit: jobs waiting for durability share one transaction and one sync.

Jobs queue in the loop; one group at a time runs in the store's thread, and takes what has queued by
the time it has the lock. Jobs of one kind are written together by few statements. If anything in a
group fails, it is rolled back and each job runs again in its own transaction, so that only jobs
that cannot succeed fail; a job must therefore change nothing but the database.

The log is synced after the lock is released, so that other processes do not wait for a slow disk.
Until then they may see changes that can still be lost: anything done because of a change seen must
wait for the sync of a group of its own, which covers all earlier log content.

A group costs as much as several of its jobs, so jobs that come one after another share one: behind a
group of two or more the next one gathers for a moment. A job alone never waits.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar, cast

import apsw
from msgspec import Struct

from secondpost.store.ports import StoreUnavailable
from secondpost.store.sqlite.connection import patiently, port_error
from secondpost.store.verbs.engine import Verb, applied_together
from secondpost.world.ports import DiskFailed, DiskFull, OpenFile, WorkLine

P = TypeVar("P")
R = TypeVar("R")

# A unit is about 20 microseconds of work: a group holds the lock for about 10 ms, without its sync.
# Units are counted, not timed, so that a simulated day repeats.
GROUP_UNITS_MAX = 500
# The least time from the beginning of a group of two or more to that of the next one.
GATHER_SECONDS = 0.004
GIVE_WAY_SECONDS = 0.001  # twice another process's polling interval, so that it gets the lock
# Whether another process waits for the lock cannot be seen: leave a gap after so many groups.
GROUPS_BETWEEN_GAPS = 16


Apply = Callable[[Verb[object, object], Sequence[object]], Sequence[object]]


@dataclass(slots=True, eq=False)
class _Job:
    verb: Verb[object, object]
    payload: object
    units: int
    answer: asyncio.Future[object]


class _Finished(Struct, frozen=True):
    answer: asyncio.Future[object]
    result: object
    error: Exception | None


def _in_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _nothing() -> None:
    return None


def unheard(seconds: float) -> None:
    return None


class Writer:
    """The only way to write. `apply` runs a verb for several payloads, in the store's thread; `failed` is
    called in the loop, once, when the disk can no longer be trusted.
    """

    def __init__(
        self,
        db: apsw.Connection,
        log: OpenFile,
        line: WorkLine,
        apply: Apply,
        failed: Callable[[BaseException], None],
        *,
        busy_seconds: float,
        alone: bool,
    ) -> None:
        self._db = db
        self._log = log
        self._line = line
        self._apply_verb = apply
        self._failed = failed
        self._busy_seconds = busy_seconds
        self._alone = alone  # no other process can open the database
        self._loop: asyncio.AbstractEventLoop | None = None  # cached: asking is a system call
        self._queue: deque[_Job] = deque()
        self._finished: list[_Finished] = []
        self._under_way = False
        self._refusal: Exception | None = None
        self._failure_reported = False
        self._groups_since_gap = 0
        self._follows = False  # the group starts right after the previous one
        self._not_before = 0.0  # loop time at which the next group may start
        self._jobs_together = 0  # in the last group
        self.after_group: Callable[[], None] = _nothing  # called in the loop
        self._seconds = 0.0  # that the last group took until it was durable
        self.took: Callable[[float], None] = unheard  # called in the loop with `_seconds`

    @property
    def is_distrusted(self) -> bool:
        """Whether the disk failed, so that nothing may be written."""
        return isinstance(self._refusal, DiskFailed)

    def write(self, verb: Verb[P, R], payload: P, units: int) -> asyncio.Future[R]:
        """Queue a payload; done when it is durable. Raises StoreUnavailable, StoreFull, DiskFailed."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        answer: asyncio.Future[R] = self._loop.create_future()
        if self._refusal is not None:
            answer.set_exception(self._refusal)
            return answer
        job = _Job(cast("Verb[object, object]", verb), payload, units, cast("asyncio.Future[object]", answer))
        self._queue.append(job)
        if not self._under_way:
            self._under_way = True
            self._gather(self._loop)
        return answer

    def close(self) -> None:
        """Write what is queued, then accept nothing more. Blocks."""
        if self._refusal is None:
            self._refusal = StoreUnavailable("the store is closed")
        self._line.close()
        while len(self._queue) > 0:
            self._run_group()
        self._log.close()
        if _in_a_loop():
            self._group_done(None)

    # ---- in the loop

    def _gather(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start a group soon; it includes at least the jobs submitted in this turn of the loop."""
        seconds = self._not_before - loop.time() if self._jobs_together > 1 else 0.0
        if seconds > 0:
            self._follows = False
            loop.call_later(seconds, self._start, loop)
        else:
            loop.call_soon(self._start, loop)

    def _start(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._refusal is None:
            self._not_before = loop.time() + GATHER_SECONDS
            self._line.submit(self._run_group, self._group_done)
        else:
            self._group_done(None)

    def _group_done(self, error: BaseException | None) -> None:
        if error is not None and not isinstance(error, Exception):
            raise error
        if error is not None:
            self.distrust(error)
        elif isinstance(self._refusal, DiskFailed):
            self._refuse_queue(self._refusal)  # jobs queued before the fault was known
        finished, self._finished = self._finished, []
        for one in finished:
            if one.answer.done():
                continue
            if one.error is None:
                one.answer.set_result(one.result)
            else:
                one.answer.set_exception(one.error)
        self.after_group()
        if self._seconds > 0:
            seconds, self._seconds = self._seconds, 0.0
            self.took(seconds)
        if isinstance(self._refusal, DiskFailed):
            self._report_failure(self._refusal)
        self._follows = len(self._queue) > 0 and self._refusal is None
        if self._follows and self._loop is not None:
            self._gather(self._loop)
        else:
            self._under_way = False

    # ---- in the store's thread

    def _run_group(self) -> None:
        if isinstance(self._refusal, DiskFailed):
            self._refuse_queue(self._refusal)
            return
        waited = len(self._queue)
        if not self._alone:
            self._give_way()
        begun = time.monotonic()
        try:
            patiently(lambda: self._db.execute("BEGIN IMMEDIATE"), self._busy_seconds)
        except Exception as error:  # noqa: BLE001  every waiter needs an answer, also after a bug
            self._cannot_begin(error, waited)
            return
        jobs = self._take()
        self._jobs_together = len(jobs)
        try:
            finished = self._apply(jobs)
            self._db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  every waiter needs an answer, also after a bug
            self._roll_back()
            finished = self._after_fault(jobs, port_error(error, self._db))
        self._finished += self._synced(finished)
        self._seconds = time.monotonic() - begun

    def _take(self) -> list[_Job]:
        jobs, units = [], 0
        while len(self._queue) > 0 and units < GROUP_UNITS_MAX:
            job = self._queue.popleft()
            jobs.append(job)
            units += job.units
        return jobs

    def _apply(self, jobs: Sequence[_Job]) -> list[_Finished]:
        finished = []
        for run in applied_together(jobs):
            results = self._apply_verb(run[0].verb, [job.payload for job in run])
            for job, result in zip(run, results, strict=True):
                finished.append(_Finished(job.answer, result, None))
        return finished

    def _synced(self, committed: Sequence[_Finished]) -> Sequence[_Finished]:
        """Report success to a waiter only after the log is synced."""
        if all(one.error is not None for one in committed):
            return committed
        if not self.is_distrusted:
            try:
                self._log.sync()
                return committed
            except (DiskFailed, DiskFull) as error:  # committed: too late for "full"
                self.distrust(error)
        return [
            one if one.error is not None else _Finished(one.answer, None, self._refusal) for one in committed
        ]

    def _after_fault(self, jobs: Sequence[_Job], error: Exception) -> list[_Finished]:
        if isinstance(error, DiskFailed):
            self.distrust(error)
        if isinstance(error, DiskFailed) or len(jobs) == 1:
            return _refused(jobs, error)
        return [finished for job in jobs for finished in self._run_alone(job)]

    def _run_alone(self, job: _Job) -> list[_Finished]:
        if isinstance(self._refusal, DiskFailed):
            return _refused([job], self._refusal)
        try:
            patiently(lambda: self._db.execute("BEGIN IMMEDIATE"), self._busy_seconds)
            finished = self._apply([job])
            self._db.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  its waiter needs an answer, also after a bug
            self._roll_back()
            return self._after_fault([job], port_error(error, self._db))
        return finished

    def _cannot_begin(self, error: Exception, waited: int) -> None:
        """Fail the jobs that were queued when waiting for the lock began; later ones keep waiting."""
        fault = port_error(error, self._db)
        jobs = [self._queue.popleft() for _ in range(waited)]
        if isinstance(fault, DiskFailed):
            self.distrust(fault)
        self._finished += _refused(jobs, fault)

    def fail(self, error: DiskFailed) -> None:
        """Report, in the loop, that the disk failed elsewhere."""
        self.distrust(error)
        self._report_failure(error)

    def _report_failure(self, error: DiskFailed) -> None:
        if not self._failure_reported:
            self._failure_reported = True
            self._failed(error)

    def distrust(self, error: Exception) -> None:
        """Stop writing: a failed sync must never be followed by one that seems to succeed."""
        self._refusal = (
            error if isinstance(error, DiskFailed) else DiskFailed(f"the writer failed: {error!r}")
        )
        self._refuse_queue(self._refusal)

    def _refuse_queue(self, refusal: DiskFailed) -> None:
        while len(self._queue) > 0:
            self._finished += _refused([self._queue.popleft()], refusal)

    def _roll_back(self) -> None:
        """SQLite may have rolled back already, as it does when the disk is full."""
        if self._db.in_transaction:
            try:
                self._db.execute("ROLLBACK")
            except apsw.Error as error:
                self.distrust(error)

    def _give_way(self) -> None:
        """Leave other processes a gap to take the lock, where syncing is too fast to leave one."""
        if not self._follows:
            return
        self._groups_since_gap += 1
        if self._groups_since_gap >= GROUPS_BETWEEN_GAPS:
            self._groups_since_gap = 0
            time.sleep(GIVE_WAY_SECONDS)


def _refused(jobs: Sequence[_Job], error: Exception) -> list[_Finished]:
    return [_Finished(job.answer, None, error) for job in jobs]
