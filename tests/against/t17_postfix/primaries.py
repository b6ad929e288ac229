"""The primaries of an example: one server for all addresses of the network namespace and a few ports, which
notes where mail came in.
"""

import socketserver
import threading
from dataclasses import dataclass, field
from types import TracebackType
from typing import Final, Self

PORTS: Final = (25, 2525)
MISSING: Final = "missing@"  # recipients that begin so do not exist


@dataclass(slots=True)
class Primaries:
    """`mail`: recipients with the address and port at which their mail came in."""

    mail: dict[str, str] = field(default_factory=dict)
    servers: list[socketserver.ThreadingTCPServer] = field(default_factory=list)

    def __enter__(self) -> Self:
        for port in PORTS:
            server = _Server(("0.0.0.0", port), self.mail)
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
            self.servers.append(server)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self.servers:
            server.shutdown()
            server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, address: tuple[str, int], mail: dict[str, str]) -> None:
        self.mail = mail
        super().__init__(address, _Conversation)


class _Conversation(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        address, port = self.request.getsockname()
        recipients = list[str]()
        self._say("220 primary.example ESMTP")
        while (line := self.rfile.readline().decode().strip()) != "":
            verb = line[:4].upper()
            if verb == "EHLO":
                self._say("250-primary.example", "250 SIZE 60000000")
            elif verb == "RCPT":
                recipient = line.partition("<")[2].partition(">")[0].lower()
                is_missing = recipient.startswith(MISSING)
                if not is_missing:
                    recipients.append(recipient)
                self._say("550 5.1.1 no such user" if is_missing else "250 2.1.5 ok")
            elif verb == "DATA":
                self._say("354 go on")
                while self.rfile.readline() not in (b".\r\n", b""):
                    pass
                self.server.mail.update(dict.fromkeys(recipients, f"{address}:{port}"))
                self._say("250 2.0.0 taken")
            elif verb == "QUIT":
                self._say("221 bye")
                return
            else:
                recipients = [] if verb in ("MAIL", "RSET") else recipients
                self._say("250 ok")

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
