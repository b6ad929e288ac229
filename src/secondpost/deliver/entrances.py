"""Limits connections to one IP address and port, from all sites, lanes and probes together.

Many names may belong to one machine. Its entrance has a maximum of open connections and a smaller
one of connections that it has not accepted yet; more of them wait here and delay no other address.
One of each is kept for those that go first: mail to primaries, and sites that took mail lately. So
a stranger who points names at a primary's address cannot keep us from it.
"""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field

from secondpost.deliver.pace import STALLED_MAX
from secondpost.mail.address import Endpoint

OPENING_MAX = 4  # connections to one address that are connecting or wait for a greeting


@dataclass(eq=False, slots=True)
class _Entrance:
    opening: int = 0
    open: int = 0  # includes those that are opening
    first: deque[asyncio.Future[None]] = field(default_factory=deque)
    others: deque[asyncio.Future[None]] = field(default_factory=deque)

    @property
    def is_deserted(self) -> bool:
        return self.open == 0 and len(self.first) + len(self.others) == 0


class Passage:
    """One connection's share of an entrance. Call `let_in` when it is open and `leave` when it is
    gone; repeated calls have no effect.
    """

    __slots__ = ("_endpoint", "_entrances", "_is_gone", "_is_in")

    def __init__(self, entrances: "Entrances", endpoint: Endpoint) -> None:
        self._entrances = entrances
        self._endpoint = endpoint
        self._is_in = False
        self._is_gone = False

    def let_in(self) -> None:
        if not self._is_in:
            self._is_in = True
            self._entrances.counted(self._endpoint, opening=-1, open=0)

    def leave(self) -> None:
        if not self._is_gone:
            self.let_in()
            self._is_gone = True
            self._entrances.counted(self._endpoint, opening=0, open=-1)


class Entrances:
    """`connections_max`: the maximum of one site; replacements of stalled connections come on top,
    as in its pace.
    """

    def __init__(self, connections_max: int) -> None:
        self._open_max = connections_max + STALLED_MAX
        self._entrances: dict[Endpoint, _Entrance] = {}

    @property
    def connections(self) -> int:
        """Connections open or being opened."""
        return sum(entrance.open for entrance in self._entrances.values())

    async def enter(self, endpoint: Endpoint, goes_first: bool) -> Passage:
        """Wait for room, and take it. Cancel to stop waiting."""
        entrance = self._entrances.setdefault(endpoint, _Entrance())
        ahead = len(entrance.first) if goes_first else len(entrance.first) + len(entrance.others)
        if ahead == 0 and self._has_room(entrance, goes_first):
            self._take(entrance)
            return Passage(self, endpoint)
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        (entrance.first if goes_first else entrance.others).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                Passage(self, endpoint).leave()
            else:
                turn.cancel()
                self._forget(endpoint)
            raise
        return Passage(self, endpoint)

    def counted(self, endpoint: Endpoint, *, opening: int, open: int) -> None:
        """Apply a passage's change, and admit waiting connections that now have room."""
        entrance = self._entrances[endpoint]
        entrance.opening += opening
        entrance.open += open
        for turn in self._turns(entrance):
            self._take(entrance)
            turn.set_result(None)
        self._forget(endpoint)

    def _turns(self, entrance: _Entrance) -> Iterator[asyncio.Future[None]]:
        """The waiting connections that have room now, one by one."""
        for waiting, goes_first in ((entrance.first, True), (entrance.others, False)):
            while len(waiting) > 0 and (waiting[0].done() or self._has_room(entrance, goes_first)):
                turn = waiting.popleft()
                if not turn.done():
                    yield turn

    def _has_room(self, entrance: _Entrance, goes_first: bool) -> bool:
        kept = 0 if goes_first else 1
        return entrance.opening < OPENING_MAX - kept and entrance.open < self._open_max - kept

    def _take(self, entrance: _Entrance) -> None:
        entrance.opening += 1
        entrance.open += 1

    def _forget(self, endpoint: Endpoint) -> None:
        entrance = self._entrances.get(endpoint)
        if entrance is None:
            return
        for waiting in (entrance.first, entrance.others):
            while len(waiting) > 0 and waiting[0].done():
                waiting.popleft()
        if entrance.is_deserted:
            del self._entrances[endpoint]
