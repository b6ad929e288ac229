"""Hints to the deliver role that there is new mail: one at once, later ones at intervals."""

import asyncio
from collections.abc import Callable

REST_SECONDS = 0.02  # between two hints


class Hinter:
    """Limits the rate of hints; `hint` sends one."""

    def __init__(self, hint: Callable[[], None]) -> None:
        self._say = hint
        self._loop: asyncio.AbstractEventLoop | None = (
            None  # cached, since getting it is a system call each time
        )
        self._rests_until = 0.0  # the loop's time
        self._is_due = False

    def arrived(self) -> None:
        """Note new mail; all mail that comes before the next hint shares it."""
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
