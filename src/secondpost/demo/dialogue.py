"""A minimal SMTP client for the demo's sending servers: connect, send one letter, quit."""

import asyncio

from secondpost.demo.letters import Letter

GREETING_SECONDS = 2.0  # real servers wait five minutes, too long for a demo
COMMAND_SECONDS = 30.0  # after the greeting a busy machine gets time, so that no letter is sent twice
SILENCE = "silence"  # the result behind a closed border


class NotNow(Exception):
    """A temporary failure: another host, or a later try, may accept it."""


class Never(Exception):
    """A permanent refusal."""


async def hand_over(letter: Letter, helo: str, source: str, way: tuple[str, int]) -> str:
    """Deliver a letter; return the reply to the final dot. Raises NotNow or Never."""
    try:
        connecting = asyncio.open_connection(way[0], way[1], local_addr=(source, 0))
        reader, writer = await asyncio.wait_for(connecting, GREETING_SECONDS)
    except TimeoutError:
        raise NotNow(SILENCE) from None
    except OSError as error:
        raise NotNow(f"no connection ({error.strerror})") from None
    try:
        return await _Conversation(reader, writer).whole(letter, helo)
    except TimeoutError:
        raise NotNow(SILENCE) from None
    except (OSError, EOFError):
        raise NotNow("no connection") from None
    finally:
        writer.transport.abort()


class _Conversation:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def whole(self, letter: Letter, helo: str) -> str:
        await self._expect(b"", GREETING_SECONDS)
        await self._expect(f"EHLO {helo}\r\n".encode())
        await self._expect(f"MAIL FROM:<{letter.sender}> BODY=8BITMIME\r\n".encode())
        await self._expect(f"RCPT TO:<{letter.recipient}>\r\n".encode())
        await self._expect(b"DATA\r\n")
        reply = await self._expect(_stuffed(letter.data) + b".\r\n")
        await self._expect(b"QUIT\r\n")
        return reply

    async def _expect(self, command: bytes, seconds: float = COMMAND_SECONDS) -> str:
        """Send a command and return the last line of its 2xx or 3xx reply."""
        self.writer.write(command)
        line = b"...-"
        while line[3:4] == b"-":
            line = await asyncio.wait_for(self.reader.readuntil(b"\n"), seconds)
        text = line.decode("ascii", "replace").rstrip()
        if text[:1] not in ("2", "3"):
            raise (Never if text[:1] == "5" else NotNow)(text)
        return text


def _stuffed(data: bytes) -> bytes:
    stuffed = data.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if data.startswith(b".") else stuffed
