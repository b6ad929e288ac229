"""Clients of a service that is reloaded: nothing may be refused to them, and nothing break.

Each keeps a list of faults: an honest client would come again, these want to know.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field

from tests.crash.ledger import Ledger
from tests.crash.sender import NoReply, expect, say

REPLY_SECONDS_MAX = 30.0
PAUSE_SECONDS = 0.02  # the load is steady, not as high as possible


@dataclass
class Steady:
    """What all clients share."""

    port: int  # of SMTP
    ledger: Ledger
    recipient: str
    may_end: bool = False  # a kept connection, with 421 in answer to a command or before one
    stopping: bool = False
    faults: list[str] = field(default_factory=list)
    messages: int = 0
    ended: int = 0  # kept connections that were ended so
    pages: int = 0

    async def run(self, kept: int, new: int, pages_port: int) -> None:
        """Until it is stopping: connections kept over all reloads, and new ones all the time."""
        await asyncio.gather(
            *(self._guarded(f"kept {n}", self._kept(f"kept{n}")) for n in range(kept)),
            *(self._guarded(f"new {n}", self._new(f"new{n}")) for n in range(new)),
            self._guarded("pages, kept", self._pages(pages_port, keep=True)),
            self._guarded("pages, new", self._pages(pages_port, keep=False)),
        )

    async def _guarded(self, who: str, work: Awaitable[None]) -> None:
        try:
            await work
        except (NoReply, OSError, asyncio.IncompleteReadError, TimeoutError) as error:
            self.faults.append(f"{who}: {type(error).__name__} {error}")

    async def _kept(self, name: str) -> None:
        """One connection from the first message to the last."""
        reader, writer = await self._greeted(name)
        number = 0
        while not self.stopping:
            number += 1
            try:
                await self._message(reader, writer, f"<{number}.{name}@a.example>")
            except NoReply as ended:
                if not (self.may_end and str(ended).startswith("421 ")):
                    raise
                self.ended += 1
                writer.close()
                reader, writer = await self._greeted(name)
        await say(reader, writer, "QUIT", b"221")
        writer.close()

    async def _new(self, name: str) -> None:
        """A connection for each message."""
        number = 0
        while not self.stopping:
            number += 1
            reader, writer = await self._greeted(name)
            await self._message(reader, writer, f"<{number}.{name}@a.example>")
            await say(reader, writer, "QUIT", b"221")
            writer.close()

    async def _greeted(self, name: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        async with asyncio.timeout(REPLY_SECONDS_MAX):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            await expect(reader, b"220")
            await say(reader, writer, f"EHLO {name}.example", b"250")
        return reader, writer

    async def _message(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message_id: str
    ) -> None:
        content = f"Message-ID: {message_id}\r\nSubject: steady\r\n\r\n{'x' * 500}\r\n".encode()
        async with asyncio.timeout(REPLY_SECONDS_MAX):
            await say(reader, writer, "MAIL FROM:<a@a.example>", b"250")
            await say(reader, writer, f"RCPT TO:<{self.recipient}>", b"250")
            await say(reader, writer, "DATA", b"354")
            writer.write(content)
            self.ledger.offer(message_id, content)
            await say(reader, writer, ".", b"250")
        self.ledger.acknowledge(message_id)
        self.messages += 1
        await asyncio.sleep(PAUSE_SECONDS)

    async def _pages(self, port: int, keep: bool) -> None:
        """Ask for a page again and again; a kept connection is left only when an answer says so."""
        while not self.stopping:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            goes_on = True
            while goes_on and not self.stopping:
                async with asyncio.timeout(REPLY_SECONDS_MAX):
                    goes_on = await self._page(reader, writer) and keep
            writer.close()

    async def _page(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Get a page; returns whether the connection goes on."""
        writer.write(b"GET /weekly/ HTTP/1.1\r\nHost: a.example\r\n\r\n")
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if not head.startswith(b"http/1.1 200 "):
            raise NoReply(head.partition(b"\r\n")[0].decode())
        [length] = [line.split()[1] for line in head.splitlines() if line.startswith(b"content-length:")]
        await reader.readexactly(int(length))
        self.pages += 1
        await asyncio.sleep(PAUSE_SECONDS)
        return b"\r\nconnection: close\r\n" not in head
