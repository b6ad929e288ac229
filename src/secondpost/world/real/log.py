"""Writes the log without ever keeping the mail waiting: lines go through a thread of their own.

A reader of our log that stands still (a full pipe, a journal that is stuck) costs us lines, not mail:
beyond a bound the oldest ones are dropped and counted.
"""

import asyncio
import os
import select
import threading
from collections import deque
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic

from secondpost.world.ports import Clock, WorkLine

LINES_MAX = 100_000
FLUSH_SECONDS = 0.05


class LogWriter:
    """A sink for maillog: `say` is cheap and never blocks. Lines begin with the time and the role."""

    def __init__(self, clock: Clock, line: WorkLine, role: str, descriptor: int = 2) -> None:
        self._clock = clock
        self._line = line
        self._role = role
        self._descriptor = descriptor
        self._lines: deque[str] = deque()
        self._dropped = 0
        self._flush_is_due = False
        self._writing = False
        self._at_it = threading.Lock()
        self._second = -1
        self._second_text = ""

    def say(self, text: str) -> None:
        if len(self._lines) >= LINES_MAX:
            self._lines.popleft()
            self._dropped += 1
        self._lines.append(f"{self._time()} {self._role} {text}\n")
        if not self._flush_is_due:
            self._flush_soon()

    def _flush_soon(self) -> None:
        self._flush_is_due = True
        asyncio.get_running_loop().call_later(FLUSH_SECONDS, self._flush)

    def _time(self) -> str:
        now_ms = self._clock.now_ms()
        second, milliseconds = divmod(now_ms, 1000)
        if second != self._second:
            self._second = second
            self._second_text = f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"
        return f"{self._second_text}.{milliseconds:03d}Z"

    def _flush(self) -> None:
        self._flush_is_due = False
        if not self._writing and len(self._lines) > 0:
            self._writing = True
            self._line.submit(self.write_out, self._written)

    def _written(self, error: BaseException | None) -> None:
        """What was said meanwhile waits its time again: else the thread would be woken for each line."""
        self._writing = False
        if len(self._lines) > 0 and not self._flush_is_due:
            self._flush_soon()

    def write_out(self) -> None:
        """All that was said. Blocks; the last thing a process does."""
        # An error: the log has no reader any more, and there is nowhere to say so.
        with self._at_it, suppress(OSError):
            data = self._taken()
            while len(data) > 0:
                data = data[os.write(self._descriptor, data) :]

    def write_out_within(self, seconds: float) -> None:
        """As much of it as is taken meanwhile, for a process that must end whether its log is read or not."""
        until = monotonic() + seconds
        if not self._at_it.acquire(timeout=seconds):
            return  # the log's own thread stands still at it
        with suppress(OSError):
            data = self._taken()
            while len(data) > 0 and self._is_writable(max(0.0, until - monotonic())):
                data = data[os.write(self._descriptor, data[: select.PIPE_BUF]) :]  # so much never blocks
        self._at_it.release()

    def _is_writable(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._descriptor, select.POLLOUT)
        return len(poll.poll(seconds * 1000)) > 0

    def _taken(self) -> bytes:
        dropped, self._dropped = self._dropped, 0
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if dropped > 0:
            lines.append(f"{self._time()} {self._role} log-dropped lines={dropped}\n")
        return "".join(lines).encode("utf-8", "backslashreplace")
