"""Opens a connection to the first host of a plan that accepts us.

Hosts are tried in order of preference, and all addresses of each. A host whose STARTTLS fails is
tried once more in the clear, unless TLS is demanded (RFC 7435: opportunistic). However an attempt
ends, even by cancellation, no connection is left open.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from secondpost.deliver.connection import Connection, Holder, LookAt
from secondpost.deliver.entrances import Entrances, Passage
from secondpost.deliver.logins import LoginAttempt, Logins
from secondpost.deliver.places import TimeLimits
from secondpost.deliver.unopened import Unopened
from secondpost.mail.address import Endpoint
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Hop, Plan, TlsDemand
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import Extensions
from secondpost.world.background import Background
from secondpost.world.ports import Net, NetError

CONNECT_SECONDS = 30.0
OPENING_SECONDS_MAX = 600.0  # for all hosts of the site, one after the other
BROKEN_OFF = Reply.of(451, "4.4.2", "Lost: the peer did not answer in time")


class _Doorstep:
    """Waits for the outcome of opening one connection."""

    def __init__(self) -> None:
        self.outcome: asyncio.Future[Unopened | None] = asyncio.get_running_loop().create_future()

    def connection_ready(self, connection: Connection) -> None:
        if not self.outcome.done():
            self.outcome.set_result(None)

    def connection_broken(self, connection: Connection, cause: Cause, reply: Reply) -> None:
        if not self.outcome.done():
            self.outcome.set_result(Unopened(cause, connection.host, reply))


class _Entered(Connection):
    """A connection that frees its passage when it ends."""

    passage: Passage

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.passage.leave()


@dataclass(frozen=True, slots=True)
class Opener:
    """`goes_first`: ahead of others that wait at the same address."""

    net: Net
    hello: str
    background: Background
    entrances: Entrances
    logins: Logins
    # Called with the site and its extensions once it accepts.
    let_in: Callable[[str, Extensions], None]
    connect_seconds: float = CONNECT_SECONDS
    goes_first: bool = False
    look_at: LookAt | None = None

    def for_use(self, connect_seconds: float, *, goes_first: bool) -> "Opener":
        return replace(self, connect_seconds=connect_seconds, goes_first=goes_first)

    async def open_within(self, limits: TimeLimits, plan: Plan, holder: Holder) -> Connection | Unopened:
        """Open within the time limit. `limits`: the site's, which it ends early when others need
        its place.
        """
        try:
            async with limits.within(OPENING_SECONDS_MAX):
                return await self.open(plan, holder)
        except TimeoutError:
            return Unopened(Cause.CONNECT, plan.hops[0].name, BROKEN_OFF)

    async def open(self, plan: Plan, holder: Holder) -> Connection | Unopened:
        tried = Unopened(Cause.CONNECT, "", Reply.of(451, "4.4.1", "no host of the site was tried"))
        for hop in plan.hops:
            for endpoint in hop.endpoints():
                opened = await self.open_one(hop, endpoint, holder)
                if isinstance(opened, Connection):
                    self.let_in(plan.site, opened.extensions)
                    return opened
                tried = opened
        return tried

    async def open_one(self, hop: Hop, endpoint: Endpoint, holder: Holder) -> Connection | Unopened:
        opened = await self._try(hop, endpoint, holder)
        in_clear = isinstance(opened, Unopened) and opened.cause is Cause.TLS
        if in_clear and hop.tls is TlsDemand.OPPORTUNISTIC and hop.login is None:
            return await self._try(replace(hop, tls=TlsDemand.NONE), endpoint, holder)
        return opened

    async def _try(self, hop: Hop, endpoint: Endpoint, holder: Holder) -> Connection | Unopened:
        try:
            async with asyncio.timeout(self.connect_seconds):
                passage = await self.entrances.enter(endpoint, self.goes_first)
        except TimeoutError:
            why = f"enough connections to {endpoint} are open, or wait to be"
            return Unopened(Cause.CONNECT, hop.at(endpoint.host), Reply.of(451, "4.4.1", why))
        opened = None
        try:
            login = await self.logins.attempt(hop)
            opened = login if isinstance(login, Unopened) else await self._pass(hop, endpoint, login, passage)
        finally:
            if not isinstance(opened, Connection):
                passage.leave()
        if isinstance(opened, Connection):
            passage.let_in()
            opened.holder = holder
        return opened

    async def _pass(
        self, hop: Hop, endpoint: Endpoint, login: LoginAttempt | None, passage: Passage
    ) -> Connection | Unopened:
        doorstep = _Doorstep()
        connection = _Entered(doorstep, self.net, self.hello, hop, self.background, login, self.look_at)
        connection.passage = passage
        try:
            await self.net.connect(lambda: connection, endpoint, self.connect_seconds)
            broken = await doorstep.outcome
        except NetError as error:
            return Unopened(Cause.CONNECT, hop.at(endpoint.host), Reply.of(451, "4.4.1", str(error)))
        except asyncio.CancelledError:
            connection.abort()
            self._note_login(login, connection, Unopened(Cause.LOST, connection.host, BROKEN_OFF))
            raise
        self._note_login(login, connection, broken)
        return connection if broken is None else broken

    def _note_login(
        self, login: LoginAttempt | None, connection: Connection, broken: Unopened | None
    ) -> None:
        if login is None or not connection.login_begun:
            return
        if broken is None:
            self.logins.succeeded(connection.hop)
        else:
            self.logins.failed(connection.hop, login, broken)
