"""Standing alarms over a Unix socket: each process states its own, the deliver role listens.

A process states its whole set soon after a change, and every minute; with the deliver role absent it
tries again until it is there.
"""

import asyncio

from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.store_rooms import StoreRoom
from secondpost.protocols.alarm_statements import (
    STATEMENT_OCTETS_MAX,
    Stated,
    read_statement,
    stated,
    statement_line,
)
from secondpost.world.ports import Listening, Net
from secondpost.world.sockets.statements import Hearing, StatementListener, StatingEnd

ALARMS = f"{StoreRoom.RUN_DELIVER.folder}/alarms.socket"  # below the store
STATE_SECONDS = 60.0  # between two statements without a change
REST_SECONDS = 0.5  # after a statement; changes meanwhile share the next one
RETRY_SECONDS = 3.0  # while the deliver role is absent
CONNECTIONS_MAX_OF_ROLE = 4


class AlarmReporter:
    """The stating end."""

    def __init__(self, net: Net, path: str, role: str, alarms: StandingAlarms) -> None:
        self._end = StatingEnd(net, path)
        self._role = role
        self._alarms = alarms
        alarms.notify(self._end.due.set)

    async def run(self) -> None:
        """State what stands, until cancelled."""
        while True:
            self._end.due.clear()
            if not await self._state():
                await asyncio.sleep(RETRY_SECONDS)
                continue
            await asyncio.sleep(REST_SECONDS)
            await self._end.is_due_within(STATE_SECONDS)

    async def _state(self) -> bool:
        """Whether a statement was sent."""
        if not await self._end.is_ready():
            return False
        self._end.write(statement_line(stated(self._role, self._alarms.standing(), self._alarms.ended())))
        return True

    async def finish(self) -> None:
        """State once more, such as why the process ends, and end the connection."""
        await self._state()
        self._end.close()


class AlarmListener(StatementListener[Stated]):
    connections_max_of_role = CONNECTIONS_MAX_OF_ROLE

    async def open(self, net: Net, path: str) -> Listening:
        return await self.listen(net, path, lambda number: _AlarmHearing(self, number, STATEMENT_OCTETS_MAX))


class _AlarmHearing(Hearing[Stated]):
    """It is read again only some time after a statement."""

    def read(self, lines: list[bytes]) -> None:
        said = read_statement(lines[-1])  # earlier ones no longer hold
        if self._transport is not None:
            self._transport.pause_reading()
            asyncio.get_running_loop().call_later(REST_SECONDS, self._listen_again)
        self.hear(said)

    def _listen_again(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()
