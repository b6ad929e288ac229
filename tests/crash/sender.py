"""A client of the kill loop: raw SMTP, and it resends what got no 250, as an honest client does."""

import asyncio

from simulation.dice import SimDice
from tests.crash.ledger import Ledger

REPLY_SECONDS_MAX = 20.0
PAUSE_SECONDS = 0.05
LARGE_OCTETS = 200_000  # a file of its own
LARGE_CHANCE = 0.05


class NoReply(Exception):
    """The connection broke, or the reply was not the expected one."""


class Sender:
    """Sends messages until stopped, several on one connection."""

    def __init__(self, name: str, port: int, ledger: Ledger, dice: SimDice, recipient: str) -> None:
        self._name = name
        self._port = port
        self._ledger = ledger
        self._dice = dice
        self._recipient = recipient
        self._count = 0
        self._waiting: tuple[str, bytes] | None = None  # offered, but not known to be safe
        self.stopping = False

    async def run(self) -> None:
        """Run until stopped and no message waits."""
        while not self.stopping or self._waiting is not None:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except OSError:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            try:
                async with asyncio.timeout(REPLY_SECONDS_MAX):
                    await self._session(reader, writer)
            except (NoReply, ConnectionError, asyncio.IncompleteReadError, TimeoutError):
                await asyncio.sleep(PAUSE_SECONDS)
            finally:
                writer.close()

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await expect(reader, b"220")
        await say(reader, writer, f"EHLO {self._name}.example", b"250")
        for _ in range(self._dice.whole(1, 20)):
            if self.stopping and self._waiting is None:
                break
            await self._message(reader, writer)
        await say(reader, writer, "QUIT", b"221")

    async def _message(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._waiting is None:
            self._waiting = self._next()
        message_id, content = self._waiting
        await say(reader, writer, f"MAIL FROM:<{self._name}@a.example>", b"250")
        await say(reader, writer, f"RCPT TO:<{self._recipient}>", b"250")
        await say(reader, writer, "DATA", b"354")
        writer.write(content)
        await writer.drain()
        if self._dice.chance(0.3):
            await asyncio.sleep(0.002)  # room for a kill in the middle
        self._ledger.offer(message_id, content)
        await say(reader, writer, ".", b"250")
        self._ledger.acknowledge(message_id)
        self._waiting = None

    def _next(self) -> tuple[str, bytes]:
        self._count += 1
        message_id = f"<{self._count}.{self._name}@a.example>"
        octets = LARGE_OCTETS if self._dice.chance(LARGE_CHANCE) else self._dice.whole(10, 8_000)
        lines = self._dice.token(octets // 2).hex()
        body = "\r\n".join(lines[start : start + 76] for start in range(0, len(lines), 76))
        return message_id, f"Message-ID: {message_id}\r\nSubject: kill\r\n\r\n{body}\r\n".encode("ascii")


async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: str, code: bytes) -> None:
    writer.write(line.encode("ascii") + b"\r\n")
    await expect(reader, code)


async def expect(reader: asyncio.StreamReader, code: bytes) -> None:
    while True:
        line = await reader.readuntil(b"\r\n")
        if not line.startswith(code):
            raise NoReply(line.decode("ascii", "replace"))
        if line[3:4] != b"-":
            return
