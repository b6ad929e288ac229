"""Writes the log in a thread of its own, so that mail never waits for it: to systemd's journal as entries
with fields where standard error leads there, otherwise as lines.

If the log is not read (a full pipe, a stuck journal) lines are lost, not mail: beyond a bound the
oldest lines are dropped and counted.
"""

import asyncio
import os
import select
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic

from secondpost.protocols.journal import journal_entry
from secondpost.world.ports import Clock, WorkLine
from secondpost.world.real.journal import Journal

STDERR = 2
LINES_MAX = 100_000
FLUSH_SECONDS = 0.05


class LogWriter:
    """A sink for maillog: `say` is cheap and never blocks. Lines begin with time and role."""

    def __init__(
        self,
        clock: Clock,
        line: WorkLine,
        role: str,
        descriptor: int = STDERR,
        journal: Journal | None = None,
    ) -> None:
        self._clock = clock
        self._line = line
        self._role = role
        self._descriptor = descriptor
        self._journal = journal
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
        """Lines logged meanwhile wait for the next flush, or the thread would wake for each one."""
        self._writing = False
        if len(self._lines) > 0 and not self._flush_is_due:
            self._flush_soon()

    def end(self) -> None:
        """Write all lines. Blocks; called last in a process."""
        self.write_out()
        if self._journal is not None:
            self._journal.close()

    def write_out(self) -> None:
        """Write all lines. Blocks."""
        # On an error nothing reads the log, and there is no other place to report it.
        with self._at_it, suppress(OSError):
            for data in self._pieces():
                left = data
                while len(left) > 0:
                    left = left[os.write(self._descriptor, left) :]

    def write_out_within(self, seconds: float) -> None:
        """Write what is possible within `seconds`, for a process that must end even if nothing
        reads.
        """
        until = monotonic() + seconds
        if not self._at_it.acquire(timeout=seconds):
            return  # the log thread itself is blocked
        with suppress(OSError):
            for data in self._pieces(until):
                left = data
                while len(left) > 0 and _is_writable(self._descriptor, until):
                    # A write of this size never blocks.
                    left = left[os.write(self._descriptor, left[: select.PIPE_BUF]) :]
        self._at_it.release()

    def _pieces(self, until: float | None = None) -> Iterator[bytes]:
        """What is to be written on the descriptor: all lines at once, or those that the journal does not
        take, each in its turn.
        """
        lines = self._taken()
        if self._journal is None:
            yield "".join(lines).encode("utf-8", "backslashreplace")
            return
        for line in lines:
            _, role, text = line.rstrip("\n").split(" ", 2)
            is_free = until is None or _is_writable(self._journal.descriptor, until)
            if not is_free or not self._journal.send(journal_entry(role, text)):
                yield line.encode("utf-8", "backslashreplace")

    def _taken(self) -> list[str]:
        dropped, self._dropped = self._dropped, 0
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if dropped > 0:
            lines.append(f"{self._time()} {self._role} log-dropped lines={dropped}\n")
        return lines


def _is_writable(descriptor: int, until: float) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    return len(poll.poll(max(0.0, until - monotonic()) * 1000)) > 0
