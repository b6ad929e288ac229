"""Tells the deliver role that there is mail, at once and then seldom: each hint wakes it to look for work."""

import asyncio
from collections.abc import Callable

REST_SECONDS = 0.02  # between two hints


class Hinter:
    """`hint` says it."""

    def __init__(self, hint: Callable[[], None]) -> None:
        self._say = hint
        self._loop: asyncio.AbstractEventLoop | None = None  # kept: asking for it is a system call each time
        self._rests_until = 0.0  # the loop's time
        self._is_due = False

    def arrived(self) -> None:
        """One hint stands for all that arrives until it is given."""
        if self._is_due:
            return
        self._is_due = True
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        self._loop.call_later(max(0.0, self._rests_until - self._loop.time()), self._hint, self._loop)

    def _hint(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_due = False
        self._rests_until = loop.time() + REST_SECONDS
        self._say()
