"""The public pages on this process's sockets: uvicorn as a task in our loop, with our signal
handling.

uvicorn closes idle connections, but waits without limit for a request's header and body, and for
the client to read. Each of its connections is therefore a guest with bounds (web/guests).
"""

import asyncio
import resource
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from socket import socket
from typing import cast

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle
from uvicorn.protocols.utils import get_remote_addr

from secondpost.mail.address import without_zone
from secondpost.maillog import MailLog
from secondpost.web.guests import GUESTS_MAX, Guest, GuestLimits, Guests, WaitsFor
from secondpost.world.real.net import serve_door
from secondpost.world.real.tls_entrance import CertificateChoice, TlsEntrance

STOP_SECONDS_MAX = 10
# Longer than a proxy's idle connection is kept (web/guests).
HAND_OVER_SECONDS_MAX = 200.0
LOOK_SECONDS = 0.05  # between two looks whether all clients have left
LAST_ANSWER = (b"connection", b"close")
HEAD_OCTETS_MAX = 32 * 1024
BACKLOG_CONNECTIONS = 256  # accepted per turn of the loop, beyond the bound on guests
TICKS_PER_SECOND = 10  # uvicorn's
CROWD_SECONDS = 60  # between log lines about connections turned away


@dataclass(frozen=True, slots=True)
class PageDoor:
    """A listening socket, and the pages behind it; with `certificates` it speaks TLS."""

    listener: socket
    pages: ASGIApp
    certificates: CertificateChoice | None = None


def page_limits() -> GuestLimits:
    """Bounds below the process's limit on descriptors, which files and, in one process, other roles
    need too.
    """
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return GuestLimits()
    return GuestLimits(in_all=min(GUESTS_MAX, descriptors // 2))


class _Config(uvicorn.Config):
    """uvicorn's configuration, with the guests that its connections need."""

    def __init__(self, pages: ASGIApp, guests: Guests) -> None:
        super().__init__(
            pages,
            http=PageConnection,
            ws="none",
            h11_max_incomplete_event_size=HEAD_OCTETS_MAX,
            backlog=BACKLOG_CONNECTIONS,
            log_config=None,
            log_level="error",  # lower levels log what any client can cause
            access_log=False,  # URLs contain tokens, which must not be logged
            lifespan="off",
            server_header=False,
            proxy_headers=False,  # web/callers decides whom to trust
            timeout_graceful_shutdown=STOP_SECONDS_MAX,
        )
        self.guests = guests


class PageConnection(H11Protocol):
    """A connection that reports after each event what it waits for, and closes at once if it got no
    place.
    """

    config: _Config
    _guest: Guest | None = None
    _seen: RequestResponseCycle | None = None  # the last request reported

    def enter(self, connection: asyncio.Transport) -> bool:
        """Become a guest, which a connection with TLS is before its handshake; False: there is no place."""
        peer = get_remote_addr(connection)
        address = "" if peer is None else without_zone(peer[0])
        self._guest = self.config.guests.enter(address, connection.abort, self.loop.time())
        return self._guest is not None

    def leave(self) -> None:
        if self._guest is not None:
            self.config.guests.gone(self._guest)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        connection = cast(asyncio.Transport, transport)
        if self._guest is None and not self.enter(connection):
            connection.abort()
        elif self._guest is not None:
            super().connection_made(connection)
            self.timeout_keep_alive = self._guest.idle_seconds

    def connection_lost(self, exc: Exception | None) -> None:
        if self._guest is not None:
            self.leave()
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._guest is not None and self._guest.waits_for is WaitsFor.IDLE:
            self._move(self._guest, WaitsFor.HEAD)
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()  # starts the next request, if it is there
        self._look()

    def _look(self) -> None:
        guest, cycle = self._guest, self.cycle
        if guest is None or self.transport.is_closing():
            return
        if cycle is self._seen and guest.waits_for is WaitsFor.HEAD:
            return  # the header is not complete
        if self.conn.their_state is h11.SEND_BODY:
            waits_for = WaitsFor.BODY  # even if the answer did not wait for it
        elif not cycle.response_complete:
            waits_for = WaitsFor.ANSWER
        else:
            waits_for = WaitsFor.IDLE
        if waits_for is not guest.waits_for or cycle is not self._seen:
            self._move(guest, waits_for)
        self._seen = cycle

    def _move(self, guest: Guest, waits_for: WaitsFor) -> None:
        self.config.guests.move(guest, waits_for, self.loop.time())


class _Server(uvicorn.Server):
    def __init__(self, doors: Sequence[PageDoor], guests: Guests, log: MailLog) -> None:
        self._configs = [_Config(door.pages, guests) for door in doors]
        super().__init__(self._configs[0])
        self._doors = doors
        self._guests = guests
        self._log = log
        self._crowd_after_tick = 0
        self._listening: list[asyncio.AbstractServer] = []

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Open each door with what is behind it; uvicorn itself has one application for all."""
        for door, config in zip(self._doors, self._configs, strict=True):
            arriving = partial(self._arriving, door.certificates, config)
            self._listening.append(await serve_door(door.listener, arriving, config.backlog))
        self.servers = []  # those that uvicorn opened
        self.started = True

    def _arriving(self, certificates: CertificateChoice | None, config: _Config) -> asyncio.Protocol:
        page = PageConnection(config, self.server_state, {})
        if certificates is None:
            return page
        return TlsEntrance(certificates, page, page.enter, page.leave)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the role, which stops its parts in order."""
        yield

    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_PER_SECOND == 0:
            self._guests.end_overdue(asyncio.get_running_loop().time())
            self._log_crowd(counter)
        return await super().on_tick(counter)

    def take_no_more(self) -> None:
        """Accept no connection any more, and close each after its next answer."""
        self.close_doors()
        self.config.encoded_headers.append(LAST_ANSWER)  # at the next tick
        self.server_state.default_headers.append(LAST_ANSWER)

    def close_doors(self) -> None:
        for server in self._listening:
            server.close()

    def _log_crowd(self, counter: int) -> None:
        """Log one line per period, however many clients there were."""
        if 0 <= self._crowd_after_tick - counter <= CROWD_SECONDS * TICKS_PER_SECOND:
            return
        crowd = self._guests.crowd()
        if crowd.closed + crowd.turned_away > 0:
            self._log.pages_crowded(len(self._guests), crowd.closed, crowd.turned_away)
            self._crowd_after_tick = counter + CROWD_SECONDS * TICKS_PER_SECOND


class WebServer:
    """Serves the pages on `doors`, whose sockets it closes at the end. A Role."""

    def __init__(
        self,
        doors: Sequence[PageDoor],
        guests: Guests,
        log: MailLog,
        failed: Callable[[BaseException], None],
    ) -> None:
        self._doors = list(doors)
        self._guests = guests
        self._failed = failed
        self._serving: asyncio.Task[None] | None = None
        self._server = _Server(self._doors, guests, log)

    async def start(self) -> None:
        self._serving = asyncio.get_running_loop().create_task(self._server.serve())
        self._serving.add_done_callback(lambda task: _tell(task, self._failed))
        while not self._server.started and not self._serving.done():
            await asyncio.sleep(0)

    def rest(self) -> None:
        """Its successor listens on the same sockets, so nothing need rest."""

    async def hand_over(self) -> None:
        """Leave new clients to a successor, and answer those that are here: each answer is the last
        on its connection.
        """
        self._server.take_no_more()
        loop = asyncio.get_running_loop()
        until = loop.time() + HAND_OVER_SECONDS_MAX
        # The first look is not at once: a connection just accepted is a guest in a later turn.
        await asyncio.sleep(LOOK_SECONDS)
        while len(self._guests) > 0 and loop.time() < until:
            await asyncio.sleep(LOOK_SECONDS)

    async def drain(self) -> None:
        self._server.close_doors()
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.wait((self._serving,))
        for door in self._doors:
            door.listener.close()


def _tell(task: asyncio.Task[None], failed: Callable[[BaseException], None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        failed(error)
