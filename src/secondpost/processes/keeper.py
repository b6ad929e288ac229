"""Keeps one role up: starts its process again when it dies, and gives its place to a successor."""

import asyncio
from collections.abc import Awaitable, Callable

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.metrics import Metric
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.tally import Tally
from secondpost.maillog import MailLog
from secondpost.processes.accepted import Accepted
from secondpost.processes.exits import ProcessExit
from secondpost.processes.health import HEALTHY_SECONDS, RoleHealth
from secondpost.processes.instance import ONE_OF_A_KIND
from secondpost.processes.role_process import RoleProcess, ending_text

PAUSE_SECONDS_FIRST = 0.5
PAUSE_SECONDS_MAX = 60.0
# Processes of one role that go on with the conversations they had; beyond it the oldest is stopped.
LEAVING_MAX = 4

StartRole = Callable[[str, Accepted], Awaitable[RoleProcess]]


class RoleKeeper:
    """`start` starts a process of the role."""

    def __init__(
        self,
        role: str,
        accepted: Accepted,
        start: StartRole,
        log: MailLog,
        alarms: StandingAlarms,
        tally: Tally,
    ) -> None:
        self.role = role
        self._accepted = accepted
        self._start = start
        self._log = log
        self._alarms = alarms
        self._tally = tally
        self._health = RoleHealth(role, alarms)
        self.settled = asyncio.Event()  # once it serves, or its first process could not
        self._settling: asyncio.Task[None] | None = None
        self._current: RoleProcess | None = None
        self._changing = asyncio.Lock()  # while the role gets another process
        self._replaced = asyncio.Event()
        self._leaving: list[RoleProcess] = []  # oldest first
        self._is_over = False

    @property
    def current(self) -> RoleProcess | None:
        return self._current

    def adopt(self, process: RoleProcess, *, is_leaving: bool) -> None:
        """Go on with a process that the program before this one started, before `run`."""
        if is_leaving:
            self._see_out(process)
            return
        self._current = process
        self._health.started()
        self._settling = asyncio.ensure_future(self._settle(process))

    def unchanging(self) -> asyncio.Lock:
        """Held while the role must not get another process."""
        return self._changing

    async def run(self) -> None:
        """Keep the role up until it is cancelled, or the role is no longer wanted."""
        loop = asyncio.get_running_loop()
        pause = PAUSE_SECONDS_FIRST
        while not self._is_over:
            begun = loop.time()
            why = await self._one_life()
            if why is None or loop.time() - begun >= HEALTHY_SECONDS:
                pause = PAUSE_SECONDS_FIRST
            if why is None:
                continue
            self._died(f"{why}; it is started again in {pause:g} s")
            await self._wait(pause)
            pause = min(pause * 2, PAUSE_SECONDS_MAX)

    async def take(self, successor: RoleProcess, accepted: Accepted) -> None:
        """Give the role's place to a prepared successor; its process so far finishes what it has."""
        async with self._changing:
            old, self._current, self._accepted = self._current, successor, accepted
            self._replaced.set()
            if old is not None and self.role in ONE_OF_A_KIND:
                await old.serves()  # it may have begun just now, and has its lock only then
                old.rest()
            successor.begin()
            if await successor.serves():
                self._health.started()
            else:
                successor.kill()  # it is started again, as after any death
            if old is not None:
                self._let_leave(old)

    async def end(self) -> None:
        """End the role: it is no longer wanted."""
        async with self._changing:
            self._is_over = True
            self._replaced.set()
            self._health.stopped()
            self._alarms.end(AlarmKind.ROLE_DIED, self.role)
            if self._current is not None:
                self._current.rest()
                self._let_leave(self._current)

    async def _one_life(self) -> str | None:
        """Have a process until it ends; returns why it did, None if it was replaced."""
        try:
            process = await self._running()
        except OSError as error:
            self.settled.set()
            return f"it cannot be started: {error.strerror}"
        code = await self._see_through(process)
        if code == ProcessExit.DISK:
            self._is_over = True  # so is the whole service (crew)
            return None
        return None if code is None else ending_text(code)

    async def _running(self) -> RoleProcess:
        """The role's process, started if there is none. Raises OSError."""
        async with self._changing:
            self._replaced.clear()
            if self._current is None:
                self._current = await self._start(self.role, self._accepted)
                self._settling = asyncio.ensure_future(self._settle(self._current))
                await self._begin(self._current)
            return self._current

    async def _settle(self, process: RoleProcess) -> None:
        await process.serves()
        self.settled.set()

    async def _begin(self, process: RoleProcess) -> None:
        refusal = await process.why_not_prepared()
        if refusal is None:
            process.begin()
            self._health.started()
        elif process.is_refusing:
            self._alarms.begin(AlarmKind.CANNOT_START, self.role, refusal)
        else:
            process.kill()

    async def _see_through(self, process: RoleProcess) -> int | None:
        """Wait for the end of the process; its exit code, or None once it was replaced."""
        replaced = asyncio.ensure_future(self._replaced.wait())
        try:
            await asyncio.wait((process.ended, replaced), return_when=asyncio.FIRST_COMPLETED)
        finally:
            replaced.cancel()
        return None if self._replaced.is_set() else process.ended.result()

    async def _wait(self, seconds: float) -> None:
        """Pause before the next process, which a successor makes unnecessary."""
        replaced = asyncio.ensure_future(self._replaced.wait())
        try:
            await asyncio.wait((replaced,), timeout=seconds)
        finally:
            replaced.cancel()
        async with self._changing:
            if not self._replaced.is_set():
                self._current = None

    def _died(self, how: str) -> None:
        self._log.role_stopped(self.role, how)
        self._tally.count(Metric.RESTARTS, self.role)
        self._health.died(how)

    def _let_leave(self, process: RoleProcess) -> None:
        if process.ended.done():
            return
        process.leave()
        self._see_out(process)

    def _see_out(self, process: RoleProcess) -> None:
        self._leaving = [one for one in self._leaving if not one.ended.done()]
        self._leaving.append(process)
        process.ended.add_done_callback(self._left)
        if len(self._leaving) > LEAVING_MAX:
            self._leaving[0].stop()

    def _left(self, ended: asyncio.Task[int]) -> None:
        if not ended.cancelled() and ended.result() not in (ProcessExit.DONE, ProcessExit.DISK):
            self._died(f"{ending_text(ended.result())} while it finished what it had")
            self._health.started()  # its successor runs
