"""Statements over a Unix socket: each process states something of itself, the deliver role listens.

The stating end connects again whenever the connection is lost. Each connection speaks for one role.
What is stated, and when, is in `alarms` and `tallies`.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import count
from typing import Generic, Protocol, TypeVar, cast

from secondpost.protocols.role_questions import Garbled, Lines
from secondpost.world.closing import close_soon
from secondpost.world.ports import Listening, Net, NetError

CONNECT_SECONDS = 5.0
CONNECTIONS_MAX = 64
SPEAK_SECONDS = 10.0  # until the first statement of a connection


class OfRole(Protocol):
    """A statement."""

    @property
    def role(self) -> str: ...


S = TypeVar("S", bound=OfRole)


class StatingEnd(asyncio.Protocol):
    """The connection of a process that states."""

    def __init__(self, net: Net, path: str) -> None:
        self._net = net
        self._path = path
        self._transport: asyncio.Transport | None = None
        self._choked = False  # the deliver role does not read
        self.due = asyncio.Event()  # there is a reason for another statement

    async def is_ready(self) -> bool:
        """Connect if necessary; whether a statement can be written now."""
        try:
            if self._transport is None:
                await self._net.connect_local(lambda: self, self._path, CONNECT_SECONDS)
        except NetError:
            return False
        return self._transport is not None and not self._choked

    def write(self, line: bytes) -> None:
        if self._transport is not None:
            self._transport.write(line)

    async def is_due_within(self, seconds: float) -> None:
        """Wait until it is due, or that long."""
        try:
            async with asyncio.timeout(seconds):
                await self.due.wait()
        except TimeoutError:
            return

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """React to a question for a statement."""
        self.due.set()

    def pause_writing(self) -> None:
        self._choked = True

    def resume_writing(self) -> None:
        self._choked = False

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._choked = False
        self.due.set()  # the next deliver role knows nothing of this process

    def close(self) -> None:
        if self._transport is not None:
            close_soon(self._transport)


class StatementListener(Generic[S]):
    """The listening end. `heard` gets each statement with the number of its connection, `left` the
    number of one that ended.
    """

    connections_max_of_role: int

    def __init__(self, heard: Callable[[int, S], None], left: Callable[[int], None]) -> None:
        self.heard = heard
        self.left = left
        self._numbers = count(1)
        self._open: dict[int, Hearing[S]] = {}

    async def listen(self, net: Net, path: str, hearing: Callable[[int], "Hearing[S]"]) -> Listening:
        return await net.listen_local(lambda: hearing(next(self._numbers)), path)

    def admit(self, one: "Hearing[S]") -> bool:
        """Whether there is room for a connection."""
        if len(self._open) >= CONNECTIONS_MAX:
            return False
        self._open[one.number] = one
        return True

    def admits_role(self, role: str) -> bool:
        """Whether a further connection may speak for the role."""
        return sum(one.role == role for one in self._open.values()) < self.connections_max_of_role

    def forget(self, number: int) -> None:
        if self._open.pop(number, None) is not None:
            self.left(number)

    def close(self) -> None:
        """End all connections: the processes then state themselves to a successor."""
        for one in tuple(self._open.values()):
            one.end()


class Hearing(asyncio.Protocol, ABC, Generic[S]):
    """One connection of the listening end. It speaks for one role."""

    def __init__(self, listener: StatementListener[S], number: int, octets_max: int) -> None:
        self._listener = listener
        self.number = number
        self.role: str | None = None
        self._lines = Lines(octets_max)
        self._transport: asyncio.Transport | None = None

    @abstractmethod
    def read(self, lines: list[bytes]) -> None:
        """React to whole lines, of which there is one at least. Raises Garbled."""

    def hear(self, said: S) -> None:
        """Pass a statement on. Raises Garbled."""
        if self.role is None and not self._listener.admits_role(said.role):
            raise Garbled("too many speak for this role")
        if self.role not in (None, said.role):
            raise Garbled("another role than before")
        self.role = said.role
        self._listener.heard(self.number, said)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._listener.admit(self):
            self.end()
            return
        asyncio.get_running_loop().call_later(SPEAK_SECONDS, self._end_if_silent)

    def data_received(self, data: bytes) -> None:
        try:
            lines = self._lines.receive_data(data)
            if len(lines) > 0:
                self.read(lines)
        except Garbled:
            self.end()

    def _end_if_silent(self) -> None:
        if self.role is None:
            self.end()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._listener.forget(self.number)

    def end(self) -> None:
        if self._transport is not None:
            self._transport.abort()
