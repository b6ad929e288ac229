"""A web server on loopback that sends fixed responses, octet by octet, and records requests."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

from tests.world.loop_thread import loop_thread


def answer(status: str, body: bytes = b"", **headers: str) -> bytes:
    """A response. Header names are keyword arguments: content_type is Content-Type."""
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    if "content-length" not in said and "transfer-encoding" not in said:
        said["content-length"] = str(len(body))
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in said.items()), "", ""]
    return "\r\n".join(lines).encode() + body


@dataclass
class WebServer:
    """`pages`: path to response, as made by `answer`; None: silence."""

    pages: Mapping[str, bytes | None]
    asked: list[str] = field(default_factory=list)  # request heads, decoded
    connections: int = 0
    port: int = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            self.asked.append(head)
            page = self.pages.get(head.split(" ")[1], answer("404 Not Found"))
            if page is None:
                await reader.read()
                return
            writer.write(page)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @asynccontextmanager
    async def running(self, tls: ssl.SSLContext | None = None) -> AsyncIterator["WebServer"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            await server.wait_closed()

    @contextmanager
    def in_a_thread(self) -> Iterator["WebServer"]:
        """For tests that are no coroutines."""
        running = self.running()
        with loop_thread() as loop:
            loop.run(running.__aenter__())
            yield self
            loop.run(running.__aexit__(None, None, None))

    def header(self, name: str, request: int = -1) -> str | None:
        for line in self.asked[request].split("\r\n")[1:]:
            key, _, value = line.partition(": ")
            if key.lower() == name:
                return value
        return None
