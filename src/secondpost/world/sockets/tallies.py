"""What processes counted, over a Unix socket: each process states it, the deliver role listens and asks.

A process states what it counted when it is asked, every minute, and when it ends; with the deliver
role absent it keeps counting, and tries again until it is there. A statement lost in a connection that
breaks is not repeated: better a few too few than twice.
"""

import asyncio
from collections.abc import Callable
from itertools import count
from typing import cast

from secondpost.mail.store_rooms import StoreRoom
from secondpost.mail.tally import Tally
from secondpost.protocols.role_questions import Garbled, Lines
from secondpost.protocols.tally_statements import (
    ASK,
    TALLY_OCTETS_MAX,
    StatedTally,
    read_tally,
    tally_line,
)
from secondpost.world.closing import close_soon
from secondpost.world.ports import Listening, Net, NetError

TALLIES = f"{StoreRoom.RUN_DELIVER.folder}/tallies.socket"  # below the store
STATE_SECONDS = 60.0  # between two statements that were not asked for
RETRY_SECONDS = 0.5  # while the deliver role is absent
CONNECT_SECONDS = 5.0
CONNECTIONS_MAX = 64
CONNECTIONS_MAX_OF_ROLE = 8
SPEAK_SECONDS = 10.0  # until the first statement of a connection


class TallyReporter(asyncio.Protocol):
    """The stating end."""

    def __init__(self, net: Net, path: str, role: str, tally: Tally) -> None:
        self._net = net
        self._path = path
        self._role = role
        self._tally = tally
        self._due = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._choked = False  # the deliver role does not read

    async def run(self) -> None:
        """State what is counted, until cancelled."""
        while True:
            self._due.clear()
            if not await self._state():
                await asyncio.sleep(RETRY_SECONDS)
                continue
            try:
                async with asyncio.timeout(STATE_SECONDS):
                    await self._due.wait()
            except TimeoutError:
                continue

    async def _state(self) -> bool:
        """Whether a statement was sent."""
        try:
            if self._transport is None:
                await self._net.connect_local(lambda: self, self._path, CONNECT_SECONDS)
        except NetError:
            return False
        if self._transport is None or self._choked:
            return False
        said = StatedTally(self._role, self._tally.taken(), self._tally.measured())
        self._transport.write(tally_line(said))
        return True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._due.set()

    def pause_writing(self) -> None:
        self._choked = True

    def resume_writing(self) -> None:
        self._choked = False

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._choked = False
        self._due.set()  # connect again

    async def finish(self) -> None:
        """State what was counted last, and end the connection."""
        await self._state()
        if self._transport is not None:
            close_soon(self._transport)


class TallyListener:
    """The listening end. `heard` gets each statement with the number of its connection, `left` the
    number of one that ended.
    """

    def __init__(self, heard: Callable[[int, StatedTally], None], left: Callable[[int], None]) -> None:
        self.heard = heard
        self.left = left
        self._numbers = count(1)
        self._open: dict[int, _TallyHearing] = {}

    async def open(self, net: Net, path: str) -> Listening:
        return await net.listen_local(lambda: _TallyHearing(self, next(self._numbers)), path)

    async def ask(self, seconds: float) -> frozenset[str]:
        """Have all processes state what they counted, within `seconds`; returns the roles that did."""
        asked = [one.ask() for one in self._open.values()]
        if len(asked) == 0:
            return frozenset()
        answered, _ = await asyncio.wait(asked, timeout=seconds)
        return frozenset(role for one in answered if (role := one.result()) is not None)

    def admit(self, one: "_TallyHearing") -> bool:
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
        """End all connections: the processes then state their counts to a successor."""
        for one in tuple(self._open.values()):
            one.end()


class _TallyHearing(asyncio.Protocol):
    """One connection. It speaks for one role."""

    def __init__(self, listener: TallyListener, number: int) -> None:
        self._listener = listener
        self.number = number
        self.role: str | None = None
        self._lines = Lines(TALLY_OCTETS_MAX)
        self._transport: asyncio.Transport | None = None
        self._asked: asyncio.Future[str | None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        if not self._listener.admit(self):
            self.end()
            return
        asyncio.get_running_loop().call_later(SPEAK_SECONDS, self._end_if_silent)

    def ask(self) -> "asyncio.Future[str | None]":
        """Done at the next statement, with the role; with None when the connection ends."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.get_running_loop().create_future()
            if self._transport is not None:
                self._transport.write(ASK)
        return self._asked

    def data_received(self, data: bytes) -> None:
        try:
            for line in self._lines.receive_data(data):
                self._hear(read_tally(line))
        except Garbled:
            self.end()

    def _hear(self, said: StatedTally) -> None:
        if self.role is None and not self._listener.admits_role(said.role):
            raise Garbled("too many speak for this role")
        if self.role not in (None, said.role):
            raise Garbled("another role than before")
        self.role = said.role
        self._listener.heard(self.number, said)
        self._answer(said.role)

    def _answer(self, role: str | None) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(role)

    def _end_if_silent(self) -> None:
        if self.role is None:
            self.end()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._answer(None)
        self._listener.forget(self.number)

    def end(self) -> None:
        if self._transport is not None:
            self._transport.abort()
