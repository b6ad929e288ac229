"""Work in other threads, simulated without threads: each job runs between two random delays.

The first delay is the queue of a busy thread, the second the way back to the loop. A crash falls
between jobs, or between a job and its answer: then the job is done, but its caller gets no answer.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from simulation.clock import LeapingLoop, Timeline
from simulation.dice import SimDice

T = TypeVar("T")

QUICK_SECONDS = 0.0005
IN_ORDER_SECONDS = 1e-6


@dataclass(frozen=True, slots=True)
class JobDurations:
    """How long jobs take: most are quick, some wait for a slow disk."""

    slow_chance: float = 0.05
    slow_seconds: float = 0.05


class SimWork:
    """The Work port of one process."""

    def __init__(self, loop: LeapingLoop, dice: SimDice, pace: JobDurations = JobDurations()) -> None:
        self._loop = loop
        self._dice = dice
        self._pace = pace
        self.crashed = False

    def run(self, job: Callable[[], T]) -> Awaitable[T]:
        answer: asyncio.Future[T] = self._loop.create_future()

        def start() -> None:
            if self.crashed:
                return
            try:
                result = in_thread(self._loop.timeline, job)
            except Exception as fault:  # noqa: BLE001
                self._loop.call_later(self.delay_seconds(), _raise, answer, fault)
            else:
                self._loop.call_later(self.delay_seconds(), _give, answer, result)

        self._loop.call_later(self.delay_seconds(), start)
        return answer

    def line(self, name: str) -> "SimLine":
        return SimLine(self, self._loop)

    def crash(self) -> None:
        """Drop everything pending: jobs not begun never run, answers not yet given never come."""
        self.crashed = True

    def delay_seconds(self) -> float:
        slow = self._dice.chance(self._pace.slow_chance)
        return (self._pace.slow_seconds if slow else QUICK_SECONDS) * self._dice.fraction()


class SimLine:
    """The WorkLine port: one job at a time, in order."""

    def __init__(self, work: SimWork, loop: LeapingLoop) -> None:
        self._work = work
        self._loop = loop
        self._waiting: deque[tuple[Callable[[], None], Callable[[BaseException | None], None]]] = deque()
        self._busy = False
        self._told_seconds = 0.0  # answers come in the order of the jobs

    def submit(self, job: Callable[[], None], done: Callable[[BaseException | None], None]) -> None:
        self._waiting.append((job, done))
        if not self._busy:
            self._busy = True
            self._loop.call_later(self._work.delay_seconds(), self._next)

    def close(self) -> None:
        while len(self._waiting) > 0 and not self._work.crashed:
            self._one()

    def _next(self) -> None:
        if self._work.crashed:
            return
        if len(self._waiting) == 0:
            self._busy = False
            return
        self._one()
        self._loop.call_later(self._work.delay_seconds(), self._next)

    def _one(self) -> None:
        job, done = self._waiting.popleft()
        fault: BaseException | None = None
        try:
            in_thread(self._loop.timeline, job)
        except Exception as raised:  # noqa: BLE001
            fault = raised
        answer = self._loop.time() + self._work.delay_seconds()
        self._told_seconds = max(answer, self._told_seconds + IN_ORDER_SECONDS)
        self._loop.call_at(self._told_seconds, done, fault)


def in_thread(timeline: Timeline, job: Callable[[], T]) -> T:
    timeline.jobs_running += 1
    try:
        return job()
    finally:
        timeline.jobs_running -= 1


def _give(answer: "asyncio.Future[T]", result: T) -> None:
    if not answer.done():
        answer.set_result(result)


def _raise(answer: "asyncio.Future[T]", fault: Exception) -> None:
    if not answer.done():
        answer.set_exception(fault)
