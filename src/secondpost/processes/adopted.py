"""Child processes that this process started before it became the program that it is now.

exec(2) keeps the process and its children, but nothing of asyncio, which waits for them.
"""

import asyncio
import os
import signal
from contextlib import suppress
from typing import Protocol

CODE_UNKNOWN = 255  # of a child whose end was seen before the change


class ChildProcess(Protocol):
    """As asyncio.subprocess.Process has it."""

    @property
    def pid(self) -> int: ...

    async def wait(self) -> int: ...

    def send_signal(self, signal: int, /) -> None: ...


class AdoptedProcess:
    """Make one in a running loop."""

    def __init__(self, number: int) -> None:
        self.pid = number
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        try:
            self._handle = os.pidfd_open(number)
        except ProcessLookupError:
            self._ended.set_result(CODE_UNKNOWN)
        else:
            asyncio.get_running_loop().add_reader(self._handle, self._reap)

    async def wait(self) -> int:
        """The exit code, negative for a signal."""
        return await asyncio.shield(self._ended)

    def send_signal(self, signal: int, /) -> None:
        """Raises ProcessLookupError if it has ended."""
        if self._ended.done():
            raise ProcessLookupError
        os.kill(self.pid, signal)

    def _reap(self) -> None:
        """The handle can be read once the process has ended (pidfd_open(2))."""
        asyncio.get_running_loop().remove_reader(self._handle)
        os.close(self._handle)
        try:
            _, status = os.waitpid(self.pid, 0)
        except ChildProcessError:  # it was waited for just before the change
            self._ended.set_result(CODE_UNKNOWN)
        else:
            self._ended.set_result(os.waitstatus_to_exitcode(status))


class AdoptedMaker:
    """A signing process that the program before this one started. `number`: of the process."""

    def __init__(self, number: int) -> None:
        self._process = AdoptedProcess(number)
        self.number = number
        self.ended: asyncio.Future[str] = asyncio.ensure_future(self._end())

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGKILL)

    async def _end(self) -> str:
        return f"it ended with exit code {await self._process.wait()}"
