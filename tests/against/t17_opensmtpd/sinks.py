"""Next hops of the servers under test: each takes mail on an address of its own, and remembers it."""

import socketserver
import ssl
import threading
from dataclasses import dataclass, field

# The next hops by name: those of the domains' DNS and of the configurations.
SINKS = {
    "primary": "5.45.110.10",
    "second": "5.45.110.11",
    "smart": "5.45.110.12",
}
PORTS = (25, 587)
UNKNOWN = "nobody"  # recipients whose local part begins so are refused: they do not exist


@dataclass(frozen=True, slots=True)
class Taken:
    """`sender`: the address of the server that brought it; `row`: its subject."""

    server: str
    sink: str
    row: str


@dataclass(slots=True)
class Sinks:
    context: ssl.SSLContext
    taken: list[Taken] = field(default_factory=list)
    servers: list[socketserver.ThreadingTCPServer] = field(default_factory=list)

    def start(self) -> None:
        for name, address in SINKS.items():
            for port in PORTS:
                server = _Server((address, port), _Session)
                server.sinks, server.sink = self, name
                self.servers.append(server)
                threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True).start()

    def stop(self) -> None:
        for server in self.servers:
            server.shutdown()
            server.server_close()

    def where(self, server: str, row: str) -> list[str]:
        return [one.sink for one in self.taken if (one.server, one.row) == (server, row)]


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    sinks: Sinks
    sink: str


class _Session(socketserver.StreamRequestHandler):
    """A session of a primary: STARTTLS and AUTH with any password are offered."""

    server: _Server
    timeout = 60

    def handle(self) -> None:
        self._say("220 sink.example ESMTP")
        while len(line := self.rfile.readline(4096)) > 0:
            command = line.decode("ascii", "replace").strip().upper()
            if command.startswith("EHLO"):
                self._say("250-sink.example", "250-STARTTLS", "250-AUTH PLAIN LOGIN", "250 8BITMIME")
            elif command == "STARTTLS":
                self._say("220 go ahead")
                self.connection = self.server.sinks.context.wrap_socket(self.connection, server_side=True)
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
            elif command.startswith("AUTH PLAIN"):
                self._say("235 welcome")
            elif command.startswith("RCPT") and UNKNOWN.upper() in command:
                self._say("550 5.1.1 no such address")
            elif command == "DATA":
                self._say("354 go ahead")
                self._take()
                self._say("250 ok")
            elif command == "QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 ok")

    def _take(self) -> None:
        row = ""
        while (line := self.rfile.readline(4096)) not in (b".\r\n", b""):
            if line.lower().startswith(b"subject: "):
                row = line[9:].decode().strip()
        self.server.sinks.taken.append(Taken(self.client_address[0], self.server.sink, row))

    def _say(self, *lines: str) -> None:
        self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())
