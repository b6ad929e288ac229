"""A primary in its own thread, so that a test reads as a plain story."""

import socket
import socketserver
import threading
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.crash.postoffice import free_port


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail as received: envelope and content without dot-stuffing."""

    sender: str  # "" for the null path
    recipients: tuple[str, ...]
    content: bytes


class Primary:
    """Accepts mail for `mailboxes` (None: for all) while it is open, and keeps it."""

    def __init__(
        self, mailboxes: frozenset[str] | None = None, address: str = "127.0.0.1", port: int | None = None
    ) -> None:
        self.address = address
        self.port = free_port() if port is None else port
        self.mailboxes = mailboxes
        self.mails: list[Mail] = []
        self._server: socketserver.ThreadingTCPServer | None = None
        self._connections: set[socket.socket] = set()

    @property
    def taken(self) -> list[bytes]:
        return [mail.content for mail in self.mails]

    def open(self) -> None:
        primary = self

        class Conversation(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                primary._connections.add(self.connection)
                try:
                    primary.converse(self)
                except OSError:
                    return  # it was closed meanwhile
                finally:
                    primary._connections.discard(self.connection)

        socketserver.ThreadingTCPServer.allow_reuse_address = True
        self._server = socketserver.ThreadingTCPServer((self.address, self.port), Conversation)
        self._server.daemon_threads = True
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        ).start()

    def close(self) -> None:
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        for connection in list(self._connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def converse(self, handler: socketserver.StreamRequestHandler) -> None:
        sender, recipients = "", list[str]()
        handler.wfile.write(b"220 primary.example ESMTP\r\n")
        while len(line := handler.rfile.readline()) > 0:
            verb = line[:4].upper()
            if verb == b"EHLO":
                handler.wfile.write(b"250-primary.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
            elif verb == b"MAIL":
                sender, recipients = _path(line), []
                handler.wfile.write(b"250 2.1.0 ok\r\n")
            elif verb == b"RCPT":
                reply = self._recipient(_path(line))
                if reply.startswith(b"250"):
                    recipients.append(_path(line))
                handler.wfile.write(reply)
            elif verb == b"DATA" and len(recipients) == 0:
                handler.wfile.write(b"554 5.5.1 no valid recipients\r\n")
            elif verb == b"DATA":
                handler.wfile.write(b"354 go ahead\r\n")
                mail = Mail(sender, tuple(recipients), _content(handler))
                self._before_the_answer(mail)
                self.mails.append(mail)
                handler.wfile.write(b"250 2.0.0 taken\r\n")
            elif verb == b"QUIT":
                handler.wfile.write(b"221 2.0.0 bye\r\n")
                return
            else:
                handler.wfile.write(b"250 2.0.0 ok\r\n")

    def _before_the_answer(self, mail: Mail) -> None:
        """Called after the final dot, in the thread of the connection."""

    def _recipient(self, mailbox: str) -> bytes:
        if self.mailboxes is None or mailbox in self.mailboxes:
            return b"250 2.1.5 ok\r\n"
        return b"550 5.1.1 no such mailbox\r\n"


def _path(line: bytes) -> str:
    return line.decode().partition("<")[2].partition(">")[0]


def _content(handler: socketserver.StreamRequestHandler) -> bytes:
    lines: list[bytes] = []
    while (line := handler.rfile.readline()) != b".\r\n":
        if len(line) == 0:
            raise ConnectionError("the sender is gone in mid-message")
        lines.append(line[1:] if line.startswith(b".") else line)
    return b"".join(lines)


class Client:
    """A blocking SMTP client without any logic of its own."""

    def __init__(self, port: int, seconds: float = 20.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), seconds)
        self._file = self.socket.makefile("rb")
        assert self.reply().startswith("220 ")

    def reply(self) -> str:
        """The last line of the next reply; "" if the server closed."""
        try:
            while True:
                line = self._file.readline().decode("ascii").rstrip("\r\n")
                if line[3:4] != "-":
                    return line
        except ConnectionError:
            return ""

    def say(self, line: str) -> str:
        try:
            self.socket.sendall(line.encode() + b"\r\n")
        except ConnectionError:
            return ""
        return self.reply()

    def send(self, content: bytes, recipient: str, sender: str = "a@elsewhere.example") -> str:
        """Send a message; return the reply to the dot, or the earlier refusal."""
        for line in ("EHLO client.example", f"MAIL FROM:<{sender}>", f"RCPT TO:<{recipient}>", "DATA"):
            reply = self.say(line)
            if reply[:1] not in ("2", "3"):
                return reply
        stuffed = content.replace(b"\r\n.", b"\r\n..")
        self.socket.sendall(stuffed + b".\r\n")
        return self.reply()

    def close(self) -> None:
        self._file.close()
        self.socket.close()

    def reset(self) -> None:
        """Disconnect abruptly: RST instead of FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
        self.close()
