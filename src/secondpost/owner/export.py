"""Write held mail to files that any mail program reads: one mbox, or one .eml per message.

Works piecewise at any size. A message's octets are unchanged, except for what mbox needs: LF line
ends, and `>` before lines that look like the start of a message (mboxrd, so that it can be undone).
"""

import os
import re
from collections.abc import AsyncIterable, AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO

from secondpost.mail.queue_id import QueueId, queue_id_text

PIECE_OCTETS = 256 * 1024
_LINE_HELD_OCTETS_MAX = 64 * 1024  # of an unfinished line; longer ones are written unfinished
_LOOKS_LIKE_START = re.compile(rb"^(>*From )", re.MULTILINE)


@dataclass(slots=True)
class MboxQuoting:
    """Quotes one message for mbox, fed in pieces."""

    rest: bytes = b""  # an unfinished line
    inside_line: bool = False  # the start of the unfinished line is already written

    def feed(self, piece: bytes) -> bytes:
        data = self.rest + piece
        end = data.rfind(b"\n") + 1
        if end == 0 and len(data) <= _LINE_HELD_OCTETS_MAX:
            self.rest = data
            return b""
        if len(data) - end > _LINE_HELD_OCTETS_MAX:
            end = len(data) - 1  # the last octet may be the CR of a CRLF
        whole, self.rest = data[:end], data[end:]
        quoted = self._quoted(whole)
        self.inside_line = not whole.endswith(b"\n")
        return quoted

    def finish(self) -> bytes:
        """The rest of the message, ended by a newline and an empty line."""
        last = self._quoted(self.rest)
        open_line = self.inside_line if len(last) == 0 else not last.endswith(b"\n")
        return last + (b"\n\n" if open_line else b"\n")

    def _quoted(self, data: bytes) -> bytes:
        text = data.replace(b"\r\n", b"\n")
        if not self.inside_line:
            return _LOOKS_LIKE_START.sub(rb">\1", text)
        first, newline, others = text.partition(b"\n")
        return first + newline + _LOOKS_LIKE_START.sub(rb">\1", others)


def mbox_start(sender: str, arrived_ms: int) -> bytes:
    """The line that begins a message: sender, and time of arrival as asctime in UTC."""
    name = "".join(c if c.isascii() and c.isprintable() and c != " " else "_" for c in sender)
    moment = datetime.fromtimestamp(arrived_ms // 1000, UTC).strftime("%a %b %e %H:%M:%S %Y")
    return f"From {name or 'MAILER-DAEMON'} {moment}\n".encode("ascii")


async def mbox_pieces(sender: str, arrived_ms: int, content: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    yield mbox_start(sender, arrived_ms)
    quoting = MboxQuoting()
    async for piece in content:
        yield quoting.feed(piece)
    yield quoting.finish()


@dataclass(slots=True)
class MboxFile:
    """One mbox with all messages: a new file, or standard output, which stays open."""

    out: IO[bytes]
    closes: bool = True
    messages: int = 0
    octets: int = 0

    async def add(
        self, queue_id: QueueId, sender: str, arrived_ms: int, content: AsyncIterable[bytes]
    ) -> None:
        async for piece in mbox_pieces(sender, arrived_ms, content):
            self.octets += self.out.write(piece)
        self.messages += 1

    def close(self) -> None:
        self.out.flush()
        if self.closes:
            self.out.close()


@dataclass(slots=True)
class EmlFolder:
    """A folder with one ID.eml per message, octets unchanged; `folder` is its descriptor."""

    folder: int
    messages: int = 0
    octets: int = 0

    async def add(
        self, queue_id: QueueId, sender: str, arrived_ms: int, content: AsyncIterable[bytes]
    ) -> None:
        name = f"{queue_id_text(queue_id)}.eml"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        descriptor = os.open(name, flags, 0o600, dir_fd=self.folder)
        with open(descriptor, "wb") as out:
            async for piece in content:
                self.octets += out.write(piece)
        self.messages += 1

    def close(self) -> None:
        os.close(self.folder)


Export = MboxFile | EmlFolder
