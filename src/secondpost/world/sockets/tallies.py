"""What processes counted, over a Unix socket: each process states it, the deliver role listens and asks.

A process states what it counted when it is asked, every minute, and when it ends; with the deliver
role absent it keeps counting, and tries again until it is there. A statement lost in a connection that
breaks is not repeated: better a few too few than twice.
"""

import asyncio

from secondpost.mail.store_rooms import StoreRoom
from secondpost.mail.tally import Tally
from secondpost.protocols.tally_statements import (
    ASK,
    TALLY_OCTETS_MAX,
    StatedTally,
    read_tally,
    tally_line,
)
from secondpost.world.ports import Listening, Net
from secondpost.world.sockets.statements import Hearing, StatementListener, StatingEnd

TALLIES = f"{StoreRoom.RUN_DELIVER.folder}/tallies.socket"  # below the store
STATE_SECONDS = 60.0  # between two statements that were not asked for
RETRY_SECONDS = 0.5  # while the deliver role is absent
CONNECTIONS_MAX_OF_ROLE = 8


class TallyReporter:
    """The stating end."""

    def __init__(self, net: Net, path: str, role: str, tally: Tally) -> None:
        self._end = StatingEnd(net, path)
        self._role = role
        self._tally = tally

    async def run(self) -> None:
        """State what is counted, until cancelled."""
        while True:
            self._end.due.clear()
            if await self._state():
                await self._end.is_due_within(STATE_SECONDS)
            else:
                await asyncio.sleep(RETRY_SECONDS)

    async def _state(self) -> bool:
        """Whether a statement was sent."""
        if not await self._end.is_ready():
            return False
        self._end.write(tally_line(StatedTally(self._role, self._tally.taken(), self._tally.measured())))
        return True

    async def finish(self) -> None:
        """State what was counted last, and end the connection."""
        await self._state()
        self._end.close()


class TallyListener(StatementListener[StatedTally]):
    connections_max_of_role = CONNECTIONS_MAX_OF_ROLE

    async def open(self, net: Net, path: str) -> Listening:
        return await self.listen(net, path, lambda number: _TallyHearing(self, number, TALLY_OCTETS_MAX))

    async def ask(self, seconds: float) -> frozenset[str]:
        """Have all processes state what they counted, within `seconds`; returns the roles that did."""
        asked = [one.ask() for one in self._open.values() if isinstance(one, _TallyHearing)]
        if len(asked) == 0:
            return frozenset()
        answered, _ = await asyncio.wait(asked, timeout=seconds)
        return frozenset(role for one in answered if (role := one.result()) is not None)


class _TallyHearing(Hearing[StatedTally]):
    _asked: "asyncio.Future[str | None] | None" = None

    def ask(self) -> "asyncio.Future[str | None]":
        """Done at the next statement, with the role; with None when the connection ends."""
        if self._asked is None or self._asked.done():
            self._asked = asyncio.get_running_loop().create_future()
            if self._transport is not None:
                self._transport.write(ASK)
        return self._asked

    def read(self, lines: list[bytes]) -> None:
        for line in lines:
            said = read_tally(line)
            self.hear(said)
            self._answer(said.role)

    def _answer(self, role: str | None) -> None:
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(role)

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self._answer(None)
