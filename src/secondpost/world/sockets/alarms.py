"""Standing alarms over a Unix socket: each process states its own, the deliver role listens.

A process states its whole set soon after a change, and every minute; with the deliver role absent it
tries again until it is there.
"""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import cast

from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.store_rooms import StoreRoom
from secondpost.protocols.alarm_statements import (
    STATEMENT_OCTETS_MAX,
    Stated,
    read_statement,
    stated,
    statement_line,
)
from secondpost.protocols.role_questions import Garbled, Lines
from secondpost.world.closing import close_soon
from secondpost.world.ports import Listening, Net, NetError

ALARMS = f"{StoreRoom.RUN_DELIVER.folder}/alarms.socket"  # below the store
STATE_SECONDS = 60.0  # between two statements without a change
REST_SECONDS = 0.5  # after a statement; changes meanwhile share the next one
RETRY_SECONDS = 3.0  # while the deliver role is absent
CONNECT_SECONDS = 5.0
CONNECTIONS_MAX = 64
CONNECTIONS_MAX_OF_ROLE = 4
SPEAK_SECONDS = 10.0  # until the first statement of a connection


class AlarmReporter(asyncio.Protocol):
    """The stating end."""

    def __init__(self, net: Net, path: str, role: str, alarms: StandingAlarms) -> None:
        self._net = net
        self._path = path
        self._role = role
        self._alarms = alarms
        self._due = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._choked = False  # the deliver role does not read
        alarms.notify(self._due.set)

    async def run(self) -> None:
        """State what stands, until cancelled."""
        while True:
            self._due.clear()
            rest = REST_SECONDS if await self._state() else RETRY_SECONDS
            await asyncio.sleep(rest)
            if rest == REST_SECONDS:
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(STATE_SECONDS):
                await self._due.wait()
        except TimeoutError:
            return

    async def _state(self) -> bool:
        """Whether a statement was sent."""
        try:
            if self._transport is None:
                await self._net.connect_local(lambda: self, self._path, CONNECT_SECONDS)
        except NetError:
            return False
        if self._transport is None or self._choked:
            return False
        self._transport.write(
            statement_line(stated(self._role, self._alarms.standing(), self._alarms.ended()))
        )
        return True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def pause_writing(self) -> None:
        self._choked = True

    def resume_writing(self) -> None:
        self._choked = False

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._choked = False
        self._due.set()  # the next deliver role knows nothing of this process

    async def finish(self) -> None:
        """State once more, such as why the process ends, and end the connection."""
        await self._state()
        if self._transport is not None:
            close_soon(self._transport)


class AlarmListener:
    """The listening end. `heard` gets each statement with the number of its connection, `left` the
    number of one that ended.
    """

    def __init__(self, heard: Callable[[int, Stated], None], left: Callable[[int], None]) -> None:
        self.heard = heard
        self.left = left
        self._numbers = count(1)
        self._open: dict[int, _Hearing] = {}

    async def open(self, net: Net, path: str) -> Listening:
        return await net.listen_local(lambda: _Hearing(self, next(self._numbers)), path)

    def admit(self, one: "_Hearing") -> bool:
        """Whether there is room for a connection."""
        if len(self._open) >= CONNECTIONS_MAX:
            return False
        self._open[one.number] = one
        return True

    def admits_role(self, role: str) -> bool:
        """Whether a further connection may speak for the role."""
        return sum(one.role == role for one in self._open.values()) < CONNECTIONS_MAX_OF_ROLE

    def forget(self, number: int) -> None:
        if self._open.pop(number, None) is not None:
            self.left(number)

    def close(self) -> None:
        """End all connections: the processes then state their alarms to a successor."""
        for one in tuple(self._open.values()):
            one.end()


class _Hearing(asyncio.Protocol):
    """One connection. It speaks for one role, and is read again only some time after a statement."""

    def __init__(self, listener: AlarmListener, number: int) -> None:
        self._listener = listener
        self.number = number
        self.role: str | None = None
        self._lines = Lines(STATEMENT_OCTETS_MAX)
        self._transport: asyncio.Transport | None = None

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
                self._hear(read_statement(lines[-1]))  # earlier ones no longer hold
        except Garbled:
            self.end()

    def _hear(self, said: Stated) -> None:
        if self.role is None and not self._listener.admits_role(said.role):
            raise Garbled("too many speak for this role")
        if self.role not in (None, said.role):
            raise Garbled("another role than before")
        self.role = said.role
        if self._transport is not None:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(REST_SECONDS, self._listen_again)
        self._listener.heard(self.number, said)

    def _listen_again(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _end_if_silent(self) -> None:
        if self.role is None:
            self.end()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._listener.forget(self.number)

    def end(self) -> None:
        if self._transport is not None:
            self._transport.abort()
