"""The connections of one site: as many as its pace allows, each with one message at a time."""

import asyncio
from collections.abc import Callable

from secondpost.deliver.connection import Connection, Sending
from secondpost.deliver.context import DeliveryContext
from secondpost.deliver.lease import LeasedMail
from secondpost.deliver.marks import CommitMarks
from secondpost.deliver.pace import STALL_SECONDS, Pace
from secondpost.deliver.places import MESSAGE_SECONDS, STILL_SECONDS, TimeLimits
from secondpost.deliver.refusal_budget import REFUSALS_IN_GROUPS_MAX
from secondpost.deliver.unopened import Unopened
from secondpost.store.ports import Lease

CONNECT_SECONDS = 30.0
LINGER_SECONDS = 5.0
SHARED_LINGER_SECONDS = 1.0  # other sites of the provider may wait for the connection
COUNT_STALLED_SECONDS = 1.0  # between two counts of stalled connections


class ConnectionPool:
    """`opened` is called with each new connection, or why there is none; `go_on`: it is time to
    `assign`.
    """

    def __init__(
        self,
        context: DeliveryContext,
        lease: Lease,
        mail: LeasedMail,
        sending: Sending,
        opened: Callable[[Connection | Unopened], None],
        go_on: Callable[[], None],
        *,
        goes_first: bool,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._background = context.background
        self._connections_max = context.config.deliver.connections_per_site
        self._marks: CommitMarks | None = None if context.readers is None else context.readers.marks
        self._lease = lease
        self._mail = mail
        self._sending = sending
        self._opened = opened
        self._go_on = go_on
        self._opener = context.opener.for_use(CONNECT_SECONDS, goes_first=goes_first)
        self._openings = TimeLimits()
        self._connections: dict[Connection, None] = {}  # as a dict, since a set has no order
        self._idle: list[Connection] = []
        self._opening = 0
        self._stalled = 0
        self._counted_stalled = 0.0  # loop time
        self._stall_timer: asyncio.TimerHandle | None = None
        traffic = context.traffic_in(lease.lane)
        self._share = None if traffic is None else traffic.share(lease.site)
        if self._share is not None:
            self._share.begin(lease.site, lambda: self.open_or_opening)
        self.pace = Pace(self._connections_max) if self._share is None else self._share.pace
        self.moved = self._loop.time()

    @property
    def open(self) -> int:
        return len(self._connections)

    @property
    def open_or_opening(self) -> int:
        return len(self._connections) + self._opening

    @property
    def under_way(self) -> int:
        """Number of connections that are being opened or carry a message."""
        return self._opening + self.sending

    @property
    def sending(self) -> int:
        return len(self._connections) - len(self._idle)

    @property
    def only_opens(self) -> bool:
        """Whether connections are being opened and none is open."""
        return len(self._connections) == 0 and self._opening > 0

    @property
    def patience_seconds(self) -> float:
        """How long it may stand still before it can be broken off; 0: it is idle."""
        if any(connection.job is not None for connection in self._connections):
            return MESSAGE_SECONDS
        return STILL_SECONDS if self._opening > 0 else 0.0

    @property
    def stands_still(self) -> bool:
        """Whether it only waits for answers, without progress for a while."""
        waits = len(self._idle) == 0 and self.open_or_opening > 0
        return waits and self._loop.time() - self.moved >= STILL_SECONDS

    def moves(self) -> None:
        self.moved = self._loop.time()

    @property
    def open_of_provider(self) -> int:
        """Connections that are open, with those of other sites that share their number."""
        return self.open if self._share is None else self._share.open

    @property
    def linger_seconds(self) -> float:
        """How long an idle connection and its lease wait for more mail."""
        return LINGER_SECONDS if self._share is None else SHARED_LINGER_SECONDS

    def begin_anew(self) -> None:
        if self._share is None:
            self.pace = Pace(self._connections_max)

    # ------------------------------------------------------------ messages to connections

    def assign(self) -> None:
        """Send prepared mail over idle connections, and open more for the rest."""
        while len(self._idle) > 0 and self._send_next(self._idle[-1]):
            self._idle.pop()
        self._mail.prepare(self.pace.allowed)
        at_hand = self._mail.at_hand
        if at_hand == 0:
            return
        for _ in range(min(at_hand, self._limit() - len(self._connections)) - self._opening):
            self._opening += 1
            self._background(self._open())
        if self._stall_timer is None:
            self._stall_timer = self._loop.call_later(STALL_SECONDS, self._look_for_stalled)

    def _send_next(self, connection: Connection) -> bool:
        """Whether there was something to send."""
        prepared = self._mail.next()
        if prepared is None:
            return False
        mark = None if self._marks is None else self._marks.mark(self._lease, prepared.job.first)
        connection.send(prepared, self._sending, mark)
        return True

    def _limit(self) -> int:
        """The maximum of connections now. Stalled ones are replaced, so that one message does not
        hold up others.
        """
        now = self._loop.time()
        if now - self._counted_stalled >= COUNT_STALLED_SECONDS:
            self._counted_stalled = now
            since = now - STALL_SECONDS
            self._stalled = sum(c.job is not None and c.job_since <= since for c in self._connections)
        if self._share is not None:
            return self._share.limit(self._lease.site, self._stalled)
        return self.pace.limit(self._stalled)

    def _look_for_stalled(self) -> None:
        self._stall_timer = None
        self._counted_stalled = 0.0
        self._go_on()

    # ------------------------------------------------------------ connections that come and go

    async def _open(self) -> None:
        plan = self._mail.plan
        assert plan is not None
        opened = await self._opener.open_within(self._openings, plan, self._sending)
        self._opening -= 1
        self._opened(opened)

    def let_in(self, connection: Connection) -> None:
        self.moves()
        self._connections[connection] = None
        self._idle.append(connection)

    def rest(self, connection: Connection, *, go: bool) -> None:
        """Keep a connection as idle, or close it. `go`: close it in any case."""
        allowed = 1 if self._share is not None else self.pace.allowed
        too_many = len(self._connections) > allowed and len(self._connections) > self._limit()
        used_up = self._share is not None and connection.answered >= self._share.mails_per_connection
        if go or used_up or too_many or connection.refused >= REFUSALS_IN_GROUPS_MAX:
            self.leave(connection)
        else:
            self._idle.append(connection)

    def leave(self, connection: Connection) -> None:
        self.forget(connection)
        connection.quit()

    def leave_idle(self) -> None:
        for connection in list(self._idle):
            self.leave(connection)

    def forget(self, connection: Connection) -> None:
        """Remove a connection that is gone."""
        self._connections.pop(connection, None)
        if connection in self._idle:
            self._idle.remove(connection)

    def break_off(self) -> list[Connection]:
        """Break off everything as if by time-out. Returns connections that carried a message."""
        self.stop_opening()
        carrying = [one for one in self._connections if one.job is not None]
        for connection in carrying:
            connection.abort()
        return carrying

    def stop_opening(self) -> None:
        self._openings.end()

    def close(self) -> None:
        if self._stall_timer is not None:
            self._stall_timer.cancel()
