"""The primary of the kill loop: accepts everything and writes it into the ledger before its 250."""

import asyncio
import re

from tests.crash.ledger import Ledger

_MESSAGE_ID = re.compile(rb"^Message-ID: (\S+)\r$", re.IGNORECASE | re.MULTILINE)
NO_ID = "no Message-ID"


class Sink:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._server: asyncio.Server | None = None
        self.port = 0
        self.messages = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._served, "127.0.0.1", 0, limit=1 << 20)
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _served(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._conversation(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the deliverer was killed on purpose
        finally:
            writer.close()

    async def _conversation(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink.example ESMTP\r\n")
        while True:
            line = (await reader.readuntil(b"\r\n")).upper()
            if line.startswith(b"EHLO"):
                writer.write(b"250-sink.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE\r\n")
            elif line.startswith(b"DATA"):
                writer.write(b"354 go ahead\r\n")
                self._take(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"250 2.0.0 taken\r\n")
            elif line.startswith(b"QUIT"):
                writer.write(b"221 2.0.0 bye\r\n")
                return
            else:
                writer.write(b"250 2.0.0 ok\r\n")

    def _take(self, data: bytes) -> None:
        content = data.removesuffix(b".\r\n").replace(b"\r\n..", b"\r\n.")
        if content.startswith(b".."):
            content = content[1:]
        id = _MESSAGE_ID.search(content)
        self.messages += 1
        self._ledger.receive(NO_ID if id is None else id[1].decode("ascii", "replace"), content)
