"""Says to the service manager that the service lives, as long as its roles answer.

A supervisor that answers for itself alone would hide a role that hangs. So each role that serves is
called over its tether, and its loop has to answer before the next sign of life. One that is being
started again is not waited for: the keeper sees to it.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Protocol

from secondpost.processes.crew import Crew
from secondpost.world.real.service_manager import ALIVE, ServiceManager

CALLS_PER_PERIOD = 4  # a sign of life that comes late by two calls is still in time


def roles_text(crew: Crew) -> str:
    """Which roles serve, and which could not begin."""
    serving = [process.role for process in crew.serving()]
    missing = [role for role in crew.roles_of(crew.accepted.config) if role not in serving]
    text = f"Serving: {', '.join(serving)}" if len(serving) > 0 else "Serving nothing"
    return text if len(missing) == 0 else f"{text}; not started: {', '.join(missing)}"


class Called(Protocol):
    """The process of a role. It is silent from a call to its answer."""

    @property
    def is_silent(self) -> bool: ...

    def call(self) -> None: ...


class Watchdog:
    """`serving`: the processes that serve now."""

    def __init__(self, manager: ServiceManager, serving: Callable[[], Iterable[Called]]) -> None:
        self._manager = manager
        self._serving = serving

    async def run(self) -> None:
        """Call the roles until cancelled; returns at once if the manager does not watch."""
        period = self._manager.watchdog_seconds
        if period is None:
            return
        while True:
            self.look()
            await asyncio.sleep(period / CALLS_PER_PERIOD)

    def look(self) -> None:
        """Give a sign of life unless a role has not answered since the last call, and call again."""
        serving = tuple(self._serving())
        if not any(process.is_silent for process in serving):
            self._manager.say(ALIVE)
        for process in serving:
            process.call()
