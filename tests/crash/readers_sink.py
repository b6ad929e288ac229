"""The readers' mail servers, in a process of their own: accept everything and record the recipient.

python -m tests.crash.readers_sink PORT

A mail counts as accepted before its 250 is written, as RFC 5321 §4.2.5 requires. Two more commands
report: XCOUNT the number of mails, XTAKEN each of them, as JSON.
"""

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import cast

import uvloop

from tests.crash.postoffice import free_port

_MESSAGE_ID = re.compile(rb"^Message-ID:\s*(\S+)\r$", re.IGNORECASE | re.MULTILINE)
_END = b"\r\n.\r\n"
START_SECONDS_MAX = 20.0


@dataclass(frozen=True, slots=True)
class Taken:
    recipient: str
    message_id: str


class _Conversation(asyncio.Protocol):
    def __init__(self, taken: list[Taken]) -> None:
        self._taken = taken
        self._buffer = b""
        self._recipient = ""
        self._in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"220 readers.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while True:
            end = _END if self._in_data else b"\r\n"
            said, found, rest = self._buffer.partition(end)
            if len(found) == 0:
                return
            self._buffer = rest
            self._transport.write(self._take(said) if self._in_data else self._answer(said))

    def _take(self, content: bytes) -> bytes:
        self._in_data = False
        id = _MESSAGE_ID.search(content)
        self._taken.append(Taken(self._recipient, "" if id is None else id[1].decode("ascii")))
        return b"250 2.0.0 taken\r\n"

    def _answer(self, line: bytes) -> bytes:
        match line[:4].upper():
            case b"EHLO":
                return b"250-readers.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
            case b"RCPT":
                self._recipient = line.partition(b"<")[2].partition(b">")[0].decode("ascii")
                return b"250 2.1.5 ok\r\n"
            case b"DATA":
                self._in_data = True
                return b"354 go ahead\r\n"
            case b"QUIT":
                return b"221 2.0.0 bye\r\n"
            case b"XCOU":
                return b"250 %d\r\n" % len(self._taken)
            case b"XTAK":
                return json.dumps([[one.recipient, one.message_id] for one in self._taken]).encode() + b"\r\n"
            case _:
                return b"250 2.0.0 ok\r\n"


class ReadersSink:
    """Controls the running process."""

    def __init__(self, port: int, process: "subprocess.Popen[bytes]") -> None:
        self.port = port
        end = time.monotonic() + START_SECONDS_MAX
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", port), START_SECONDS_MAX)
                break
            except ConnectionRefusedError:
                assert process.poll() is None
                assert time.monotonic() < end
                time.sleep(0.05)
        self._file = self._socket.makefile("rb")
        self._file.readline()

    def count(self) -> int:
        return int(self._ask(b"XCOUNT").split()[1])

    def taken(self) -> list[Taken]:
        return [Taken(recipient, id) for recipient, id in json.loads(self._ask(b"XTAKEN"))]

    def _ask(self, word: bytes) -> bytes:
        self._socket.sendall(word + b"\r\n")
        return self._file.readline()

    def close(self) -> None:
        self._file.close()
        self._socket.close()


@contextmanager
def readers_sink() -> Iterator[ReadersSink]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.crash.readers_sink", str(port)])
    try:
        sink = ReadersSink(port, process)
        try:
            yield sink
        finally:
            sink.close()
    finally:
        process.kill()
        process.wait()


async def _serve(port: int) -> None:
    taken: list[Taken] = []
    server = await asyncio.get_running_loop().create_server(lambda: _Conversation(taken), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, suppress(KeyboardInterrupt):
        runner.run(_serve(int(sys.argv[1])))
