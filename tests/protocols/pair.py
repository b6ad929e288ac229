"""Our client and server cores on one wire, which splits the data arbitrarily."""

from collections.abc import Iterable

from secondpost.mail.address import Mailbox, ReversePath
from secondpost.protocols.smtp.client import (
    BodyWanted,
    Broken,
    Bye,
    Done,
    RecipientResult,
    SessionReady,
    SmtpClient,
    TlsWanted,
)
from tests.protocols.drivers import ServerDriver


class ConnectionPair:
    """`cuts`: how many waiting octets are carried at a time; repeated from the beginning."""

    def __init__(self, cuts: Iterable[int], *, pipelining: bool, tls: bool) -> None:
        self._cuts = list(cuts)
        self._turn = 0
        self._pipelining = pipelining
        self._handshakes = 0
        self.server = ServerDriver({"size_max": "1000000", "tls": "yes" if tls else "no"})
        self.client = SmtpClient("mx2.example.net", wants_tls=tls, requires_tls=tls)
        self.bye = False
        self._pieces: list[bytes] = []
        self._results: tuple[RecipientResult, ...] | None = None
        self.server.act("greet")
        self._run()

    def send(
        self, sender: ReversePath, recipients: list[Mailbox], pieces: list[bytes]
    ) -> tuple[RecipientResult, ...] | None:
        """The results, or None if the session broke."""
        self._pieces = pieces
        self._results = None
        self.client.send_message(sender, recipients, sum(map(len, pieces)), False)
        self._run()
        return self._results

    def quit(self) -> None:
        self.client.quit()
        self._run()

    def _run(self) -> None:
        """Carry data until neither side sends anything."""
        while True:
            self._hear()
            to_server, to_client = self.client.data_to_send(), self._from_server()
            if len(to_server) + len(to_client) == 0:
                return
            for piece in self._cut(to_server):
                self.server.receive(piece)
            for piece in self._cut(to_client):
                self._hear(piece)

    def _from_server(self) -> bytes:
        said = self.server.sent()
        return said if self._pipelining else said.replace(b"250-PIPELINING\r\n", b"")

    def _cut(self, data: bytes) -> Iterable[bytes]:
        while len(data) > 0:
            octets = self._cuts[self._turn % len(self._cuts)]
            self._turn += 1
            yield data[:octets]
            data = data[octets:]

    def _hear(self, data: bytes = b"") -> None:
        for event in self.client.feed(data):
            match event:
                case BodyWanted():
                    for piece in self._pieces:
                        self.client.send_body(piece)
                    self.client.end_body()
                case Done(results):
                    self._results = results
                case TlsWanted():
                    assert self.client.data_to_send() == b""
                    self.server.act("tls started")
                    self.client.tls_started()
                case Bye():
                    self.bye = True
                case SessionReady() | Broken():
                    pass
