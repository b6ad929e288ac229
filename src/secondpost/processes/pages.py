"""The public pages on the sockets of this process: uvicorn as a task in our loop, with our signals."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from socket import socket

import uvicorn
from starlette.applications import Starlette

STOP_SECONDS_MAX = 10


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The role hears signals itself, and ends its parts in their order."""
        yield


class WebServer:
    """`doors` are sockets that listen already; they are ours to close."""

    def __init__(self, pages: Starlette, doors: Sequence[socket]) -> None:
        self._doors = list(doors)
        self._serving: asyncio.Task[None] | None = None
        self._server = _Server(
            uvicorn.Config(
                pages,
                log_config=None,
                access_log=False,  # tokens stand in addresses, and are never logged
                lifespan="off",
                server_header=False,
                proxy_headers=False,  # whom to trust is the pages' own business
                timeout_graceful_shutdown=STOP_SECONDS_MAX,
            )
        )

    async def start(self, failed: Callable[[BaseException], None]) -> None:
        self._serving = asyncio.get_running_loop().create_task(self._server.serve(sockets=self._doors))
        self._serving.add_done_callback(lambda task: _tell(task, failed))

    async def stop(self) -> None:
        self._server.should_exit = True
        if self._serving is not None:
            await asyncio.wait((self._serving,))
        for door in self._doors:
            door.close()


def _tell(task: asyncio.Task[None], failed: Callable[[BaseException], None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        failed(error)
