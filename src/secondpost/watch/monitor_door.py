"""HTTP for monitoring systems: GET and HEAD of a few pages, one request per connection.

Callers may be slow, many and careless. A request must be whole within REQUEST_SECONDS_MAX and an answer
read within ANSWER_SECONDS_MAX; when all places are taken, the caller goes that was here longest.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import cast

import h11

from secondpost.world.background import Background
from secondpost.world.closing import close_soon

CONNECTIONS_MAX = 64
REQUEST_SECONDS_MAX = 5.0
ANSWER_SECONDS_MAX = 10.0
REQUEST_OCTETS_MAX = 8_192
REASONS = {200: b"OK", 503: b"Service Unavailable", 404: b"Not Found", 405: b"Method Not Allowed"}


@dataclass(frozen=True, slots=True)
class MonitorPage:
    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


NOT_FOUND = MonitorPage(b"There are /metrics, /health and /ready.\n", status=404)
NOT_ALLOWED = MonitorPage(b"Only GET and HEAD.\n", status=405, headers={"allow": "GET, HEAD"})

# Makes a page; it gets the value of the request's Accept header.
MakePage = Callable[[str], Awaitable[MonitorPage]]


class MonitorDoor:
    """`pages`: by path. `background` runs the making of a page."""

    def __init__(self, pages: Mapping[str, MakePage], background: Background) -> None:
        self.pages = pages
        self.background = background
        self._callers: dict[MonitorCaller, None] = {}  # the oldest first

    def welcome(self) -> asyncio.Protocol:
        return MonitorCaller(self)

    def enter(self, caller: "MonitorCaller") -> None:
        if len(self._callers) >= CONNECTIONS_MAX:
            next(iter(self._callers)).end()
        self._callers[caller] = None

    def leave(self, caller: "MonitorCaller") -> None:
        self._callers.pop(caller, None)


class MonitorCaller(asyncio.Protocol):
    """One connection."""

    def __init__(self, door: MonitorDoor) -> None:
        self._door = door
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=REQUEST_OCTETS_MAX)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._is_answering = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._door.enter(self)
        self._timer = asyncio.get_running_loop().call_later(REQUEST_SECONDS_MAX, self.end)

    def data_received(self, data: bytes) -> None:
        if self._is_answering:
            return  # whatever follows the request
        try:
            self._http.receive_data(data)
            event = self._http.next_event()
        except h11.RemoteProtocolError:
            self.end()
            return
        if isinstance(event, h11.Request):
            self._is_answering = True
            self._door.background(self._answer(event))

    async def _answer(self, request: h11.Request) -> None:
        path, _, _ = request.target.decode("ascii").partition("?")
        make = self._door.pages.get(path)
        if request.method not in (b"GET", b"HEAD"):
            page = NOT_ALLOWED
        elif make is None:
            page = NOT_FOUND
        else:
            page = await make(_header(request, b"accept"))
        self._send(page, with_body=request.method != b"HEAD")

    def _send(self, page: MonitorPage, *, with_body: bool) -> None:
        if self._transport is None or self._timer is None:
            return
        self._timer.cancel()
        headers = {
            "content-type": page.content_type,
            "content-length": str(len(page.body)),
            "cache-control": "no-store",
            "connection": "close",
            **page.headers,
        }
        head = h11.Response(
            status_code=page.status, reason=REASONS.get(page.status, b""), headers=list(headers.items())
        )
        body = (h11.Data(data=page.body),) if with_body else ()
        for event in (head, *body, h11.EndOfMessage()):
            self._transport.write(self._http.send(event) or b"")
        close_soon(self._transport, ANSWER_SECONDS_MAX)

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        self._door.leave(self)

    def end(self) -> None:
        self._door.leave(self)
        if self._transport is not None:
            self._transport.abort()


def _header(request: h11.Request, name: bytes) -> str:
    return ", ".join(value.decode("latin-1") for key, value in request.headers if key == name)
