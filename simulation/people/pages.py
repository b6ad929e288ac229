"""The web role in simulation: forms are posted to the product's pages without a socket."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.types import Message, Scope

from simulation.scenario import OUR_NAME


@dataclass(frozen=True, slots=True)
class Posted:
    """A form on its way to us."""

    path: str
    fields: tuple[tuple[str, str], ...]
    caller: str  # IP address


class Pages:
    """The web role; it has nothing to open or to drain."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    async def start(self) -> None: ...

    def rest(self) -> None: ...

    async def hand_over(self) -> None: ...

    async def drain(self) -> None: ...

    async def post(self, posted: Posted) -> int:
        """Post a form; return the HTTP status."""
        statuses: list[int] = []
        body = urlencode(posted.fields).encode()
        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "https",
            "path": posted.path,
            "raw_path": posted.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"content-type", b"application/x-www-form-urlencoded")],
            "client": (posted.caller, 50_000),
            "server": (OUR_NAME, 443),
        }

        async def receive() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        await self._app(scope, receive, send)
        return statuses[0]
