"""Virtual time: when no callback is ready, the clock jumps to the next timer.

One `Timeline` is the time of all simulated processes. Each process has an event loop of its own, so
that kill -9 is real: a killed loop never runs again, and no `finally` inside it runs. The loops
have no sockets, threads or executor: real I/O raises RealWorld.
"""

import asyncio
import heapq
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn, Protocol, SupportsIndex, TypeVar

from simulation.dice import SimDice

T = TypeVar("T")

EPOCH_MS = 1_893_456_000_000  # 2030-01-01T00:00:00Z, a Tuesday
RESOLUTION_SECONDS = 1e-9


class Stuck(Exception):
    """No timer or callback is left that could complete what the test waits for."""


class RealWorld(BaseException):
    """The simulation used real I/O. A BaseException, so that no `except Exception` swallows it."""


class _Handle(Protocol):
    """The private part of asyncio.Handle that the loop uses."""

    _cancelled: bool

    def _run(self) -> None: ...


class _TimerHandle(_Handle, Protocol):
    _when: float

    def __lt__(self, other: object) -> bool: ...


class LeapingLoop(asyncio.BaseEventLoop):
    """The event loop of one simulated process."""

    _ready: deque[_Handle]
    _scheduled: list[_TimerHandle]

    def __init__(self, timeline: "Timeline", name: str) -> None:
        super().__init__()
        self.name = name
        self.timeline = timeline
        self.dead = False
        self.faults: list[str] = []
        self.memory: set[asyncio.Task[object]] = set()  # tasks of a killed process
        self.set_exception_handler(self._note_fault)

    def __del__(self, _warn: object = None) -> None:
        """Suppress asyncio's "unclosed event loop" warning: this loop holds no resources."""

    def time(self) -> float:
        return self.timeline.now

    def turn(self) -> None:
        """Run all callbacks that are due, once: asyncio's `_run_once` without the wait."""
        ready, scheduled, due = self._ready, self._scheduled, self.timeline.now + RESOLUTION_SECONDS
        while len(scheduled) > 0 and scheduled[0]._when <= due:
            ready.append(heapq.heappop(scheduled))
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def bury(self) -> None:
        """Close a killed process's pending coroutines, so that none runs when memory is freed."""
        for task in asyncio.all_tasks(self):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            coroutine = task.get_coro()
            if isinstance(coroutine, Coroutine):
                try:
                    coroutine.close()
                except (Exception, asyncio.CancelledError) as fault:  # noqa: BLE001
                    self.faults.append(f"buried: {fault!r}")
        self._ready.clear()
        self._scheduled.clear()
        self.close()

    def _note_fault(self, loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        self.faults.append(f"{self.name}: {context.get('message')}: {context.get('exception')!r}")

    def _write_to_self(self) -> None: ...

    def run_in_executor(self, executor: object, func: object, *args: object) -> NoReturn:
        raise RealWorld(f"{self.name}: run_in_executor({func!r}); use Work")


class Timeline:
    """The clock of all loops. The scheduling dice decide which ready loop runs first."""

    def __init__(self, dice: SimDice | None = None) -> None:
        self.now = 0.0
        self.loops: list[LeapingLoop] = []
        self.jobs_running = 0  # jobs of SimWork: in production they run in threads, which may sleep
        self._graves: list[LeapingLoop] = []
        self._dice = dice

    def loop(self, name: str) -> LeapingLoop:
        loop = LeapingLoop(self, name)
        self.loops.append(loop)
        return loop

    def kill(self, loop: LeapingLoop) -> None:
        """Stop running this loop. Its tasks are kept until `end`, or `finally` blocks would run."""
        loop.dead = True
        loop.memory = asyncio.all_tasks(loop)
        self.loops.remove(loop)
        self._graves.append(loop)

    def run_until(self, done: Callable[[], bool], at_most_seconds: float) -> bool:
        """Run until `done()`; False if the time was over first. Raises Stuck."""
        end = self.now + at_most_seconds
        try:
            while not done():
                turning = self._soonest(end)
                if len(turning) == 0:
                    self.now = end
                    return False
                if len(turning) > 1 and self._dice is not None:
                    turning = self._dice.shuffled(turning)
                for loop in turning:
                    if not loop.dead:
                        asyncio._set_running_loop(loop)
                        loop.turn()
        finally:
            asyncio._set_running_loop(None)
        return True

    def _soonest(self, end: float) -> list[LeapingLoop]:
        """Advance to the next event, unless it is after `end`; return the loops that have it."""
        # The hottest lines of a day: called for every turn, over all loops.
        soonest = float("inf")
        turning: list[LeapingLoop] = []
        for loop in self.loops:
            if len(loop._ready) > 0:
                when = self.now
            else:
                scheduled = loop._scheduled
                while len(scheduled) > 0 and scheduled[0]._cancelled:
                    heapq.heappop(scheduled)
                if len(scheduled) == 0:
                    continue
                when = scheduled[0]._when
            if when < soonest:
                soonest = when
                turning = [loop]
            elif when == soonest:
                turning.append(loop)
        if soonest > end:
            if len(turning) == 0:
                raise Stuck("nothing is left that could ever happen")
            return []
        self.now = max(self.now, soonest)
        return turning

    def end(self) -> list[str]:
        """Close every loop, killed or running; return the errors that no code handled."""
        faults = []
        for loop in self._graves + self.loops:
            asyncio._set_running_loop(loop)
            try:
                faults.extend(loop.faults)
                loop.bury()
            finally:
                asyncio._set_running_loop(None)
        self.loops.clear()
        self._graves.clear()
        return faults


@dataclass(slots=True)
class SimClock:
    """The wall clock of one machine: EPOCH_MS plus the timeline, plus the step set by a fault."""

    timeline: Timeline
    step_ms: int = 0

    def now_ms(self) -> int:
        return EPOCH_MS + int(self.timeline.now * 1000) + self.step_ms


@contextmanager
def fence(timeline: Timeline) -> Iterator[None]:
    """Make real sockets, threads and sleeps raise RealWorld while the context is open.

    Jobs of SimWork may sleep: it takes no time, since their answers are delayed anyway.
    """

    def forbidden(what: str) -> Callable[..., NoReturn]:
        def touched(*_: object, **__: object) -> NoReturn:
            raise RealWorld(f"{what} under simulation")

        return touched

    def sleep(seconds: SupportsIndex | float) -> None:
        if timeline.jobs_running == 0:
            raise RealWorld(f"time.sleep({seconds}) in a loop")

    saved = socket.socket.__init__, time.sleep, threading.Thread.start
    socket.socket.__init__ = forbidden("a real socket")  # type: ignore[method-assign]
    time.sleep = sleep
    threading.Thread.start = forbidden("a real thread")  # type: ignore[method-assign]
    try:
        yield
    finally:
        socket.socket.__init__, time.sleep, threading.Thread.start = saved  # type: ignore[method-assign]


def run(coroutine: Coroutine[object, object, T], timeline: Timeline, loop: LeapingLoop) -> T:
    """Run one coroutine to its end in simulated time, together with everything else that is due."""
    task = loop.create_task(coroutine)
    if not timeline.run_until(task.done, 10 * 86_400):
        raise Stuck(f"{task!r} took more than ten days")
    return task.result()
