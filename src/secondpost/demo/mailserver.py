"""A mail server with mailboxes that accepts everything and can be switched off."""

import asyncio
from dataclasses import dataclass, field

LINE_OCTETS_MAX = 1 << 20


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message in the mailbox, as received, without dot-stuffing."""

    peer: str
    sender: str
    recipients: tuple[str, ...]
    data: bytes
    at: float  # the loop's time


@dataclass(slots=True)
class MailServer:
    name: str
    host: str
    port: int
    mailbox: list[Arrived] = field(default_factory=list)
    server: asyncio.Server | None = None
    sessions: set[asyncio.Task[None]] = field(default_factory=set)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def switch_on(self) -> None:
        self.server = await asyncio.start_server(self._session, self.host, self.port, limit=LINE_OCTETS_MAX)

    async def switch_off(self) -> None:
        """Stop at once, as in a power cut: the listener and all sessions end."""
        if self.server is not None:
            self.server.close()
            self.server = None
        for task in list(self.sessions):
            task.cancel()
        await asyncio.gather(*self.sessions, return_exceptions=True)

    def copies_of(self, key: bytes) -> list[Arrived]:
        """All copies of the message with this Message-ID."""
        return [arrived for arrived in self.mailbox if b"Message-ID: " + key + b"\r\n" in arrived.data]

    async def _session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.sessions.add(task)
        try:
            await self._converse(reader, writer)
        except (OSError, EOFError, ValueError, asyncio.CancelledError):
            pass  # the client is gone, or this server is
        finally:
            self.sessions.discard(task)
            writer.transport.abort()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("peername")[0]
        sender, recipients = "", list[str]()
        await _say(writer, f"220 {self.name} ESMTP at your service")
        while True:
            line = (await reader.readuntil(b"\r\n"))[:-2].decode("utf-8", "replace")
            word = line.partition(" ")[0].upper()
            if word == "EHLO":
                await _say(writer, f"250-{self.name}", "250-PIPELINING", "250-8BITMIME", "250 SIZE 50000000")
            elif word == "MAIL":
                sender, recipients = _path(line), []
                await _say(writer, "250 2.1.0 go on")
            elif word == "RCPT":
                recipients.append(_path(line))
                await _say(writer, "250 2.1.5 lives here")
            elif word == "DATA" and len(recipients) > 0:
                await _say(writer, "354 go on, end with a dot")
                data = await _message(reader)
                now = asyncio.get_running_loop().time()
                self.mailbox.append(Arrived(peer, sender, tuple(recipients), data, now))
                self.changed.set()
                sender, recipients = "", []
                await _say(writer, "250 2.0.0 in the mailbox")
            elif word in ("HELO", "RSET", "NOOP"):
                recipients = []
                await _say(writer, "250 2.0.0 fine")
            elif word == "QUIT":
                await _say(writer, "221 2.0.0 goodbye")
                return
            else:
                await _say(writer, "503 5.5.1 not now")


async def _say(writer: asyncio.StreamWriter, *lines: str) -> None:
    writer.write("".join(f"{line}\r\n" for line in lines).encode())
    await writer.drain()


def _path(line: str) -> str:
    return line.partition("<")[2].partition(">")[0]


async def _message(reader: asyncio.StreamReader) -> bytes:
    """Read up to the final dot and remove dot-stuffing (RFC 5321 §4.5.2)."""
    lines = []
    while (line := await reader.readuntil(b"\r\n")) != b".\r\n":
        lines.append(line[1:] if line.startswith(b".") else line)
    return b"".join(lines)
