"""Networks with a border: each outgoing connection passes a forwarder, which can be closed.

A closed border drops everything silently, as real ones do: no refusal, no reset.
"""

import asyncio
from contextlib import suppress

CHUNK_OCTETS = 64 * 1024


class NetworkPath:
    """The route from one network to one machine."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.cut = False
        self.server: asyncio.Server | None = None
        self.passing: set[asyncio.Task[None]] = set()
        self.swallowed = 0  # connections that were dropped silently

    async def open(self, border: str) -> tuple[str, int]:
        """Start the forwarder; return the address at which the network's machines connect."""
        if self.server is None:
            self.server = await asyncio.start_server(self._forward, border, 0)
        name = self.server.sockets[0].getsockname()
        return name[0], name[1]

    def close_border(self) -> None:
        """Drop everything from now on, on existing connections too."""
        self.cut = True

    async def end(self) -> None:
        if self.server is not None:
            self.server.close()
        for task in list(self.passing):
            task.cancel()
        await asyncio.gather(*self.passing, return_exceptions=True)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.passing.add(task)
        try:
            if self.cut:
                self.swallowed += 1
                await self._swallow(reader)
                return
            await self._pass(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # refused at the other end, or the demo ends: this connection is over
        finally:
            self.passing.discard(task)
            writer.transport.abort()

    async def _swallow(self, reader: asyncio.StreamReader) -> None:
        while len(await reader.read(CHUNK_OCTETS)) > 0:
            pass

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # From the caller's own address, so that the other end does not see the forwarder's.
        caller = writer.get_extra_info("peername")[0]
        there = await asyncio.open_connection(self.host, self.port, local_addr=(caller, 0))
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(reader, there[1]))
                both.create_task(self._pump(there[0], writer))
        except* OSError:
            pass
        finally:
            there[1].transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while len(data := await reader.read(CHUNK_OCTETS)) > 0:
            if not self.cut:
                writer.write(data)
                await writer.drain()
        with suppress(OSError):
            writer.write_eof()


class Network:
    def __init__(self, name: str, border: str) -> None:
        self.name = name
        self.border = border
        self.paths: dict[tuple[str, int], NetworkPath] = {}

    def path_to(self, host: str, port: int) -> NetworkPath:
        return self.paths.setdefault((host, port), NetworkPath(host, port))

    async def end(self) -> None:
        for path in self.paths.values():
            await path.end()
