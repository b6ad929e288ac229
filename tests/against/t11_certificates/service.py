"""The whole service with a certificate from a real Pebble, and clients that check what it shows."""

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography import x509

from bench.ours import Secondpost
from bench.ready import free_port
from secondpost.mail.own_certificate import SERVER_PEM
from tests.against.t08_records.name_servers import Knot, validating
from tests.against.t11_certificates.pebble import Pebble, pebble

NET: Final = "example.net"
HOST, PAGES, POLICY = "mx2.example.net", "news.example.net", "mta-sts.backup.example"
TTL_SECONDS: Final = 2
ZONE: Final = """\
$TTL 2
example.net. SOA ns1.example.net. hostmaster.example.net. {serial} 3600 600 86400 0
example.net. NS ns1.example.net.
ns1.example.net. A {{address}}
mx2.example.net. A 127.0.0.1
news.example.net. A 127.0.0.1
"""
OF_BACKUP: Final = """\
$TTL 2
backup.example. SOA ns1.example.net. hostmaster.example.net. 1 3600 600 86400 0
backup.example. NS ns1.example.net.
mta-sts.backup.example. A 127.0.0.1
"""
MORE: Final = """
[web]
url = "https://news.example.net"
listen = ["https://127.0.0.1:{https}", "http://127.0.0.1:{http}"]

[tls]
acme = "me@example.net"

[acme]
directory = "{directory}"
root = "{root}"
{acme}

[dns]
servers = ["127.0.0.1:{dns}"]

[[newsletter]]
name = "weekly"
from = "The Blog <newsletter@example.net>"
feeds = ["https://www.example.net/feed.xml"]
"""
WAIT_SECONDS_MAX: Final = 120.0
# Nonces are refused now and then, and every name is checked anew.
HARD: Final = {"PEBBLE_WFE_NONCEREJECT": "20", "PEBBLE_AUTHZREUSE": "0", "PEBBLE_VA_SLEEPTIME": "1"}


@dataclass
class Place:
    folder: Path
    knot: Knot
    authority: Pebble
    secondpost: Secondpost
    dns_port: int  # of a validating resolver, with its cache
    serial: int = 1

    def show(self) -> dict[str, object]:
        document: dict[str, object] = json.loads(self.secondpost.run("tls", "show", "--json"))
        return document

    def wait(self, what: str, is_so: Callable[[dict[str, object]], bool]) -> dict[str, object]:
        ends = time.monotonic() + WAIT_SECONDS_MAX
        while not is_so(document := self.show()):
            assert time.monotonic() < ends, f"{what}: {document}\n{self.secondpost.trouble()}"
            time.sleep(0.5)
        return document

    def certificate(self) -> x509.Certificate:
        """The one that is in the store now."""
        return x509.load_pem_x509_certificate((self.secondpost.folder / "store" / SERVER_PEM).read_bytes())

    def publish(self, *records: object) -> None:
        """Serve these TLSA records and no others."""
        self.serial += 1
        lines = "".join(f"{record}\n" for record in records)
        self.knot.publish(NET, ZONE.format(serial=self.serial) + lines)


@contextmanager
def served(folder: Path, acme: str = "") -> Iterator[Place]:
    """`tls`: further lines of that table."""
    zones = {NET: ZONE.format(serial=1), "backup.example": OF_BACKUP}
    with ExitStack() as ends:
        knot = ends.enter_context(Knot.prepared(folder, zones, is_signed=True).running())
        dns_port = ends.enter_context(validating(folder, knot))
        authority = ends.enter_context(pebble(folder / "pebble", f"{knot.address}:53", HARD))
        more = MORE.format(
            https=authority.tls_port,
            http=authority.http_port,
            directory=authority.directory,
            root=authority.root,
            dns=dns_port,
            acme=acme,
        )
        ours = Secondpost(folder / "ours", free_port(), free_port(), more)
        yield Place(folder, knot, authority, ends.enter_context(ours), dns_port)


class Callers:
    """Clients that connect anew all the time, several at once, until the end; each fault is kept."""

    def __init__(self, calls: dict[str, Callable[[], str]]) -> None:
        """`calls`: by what they speak; each returns what it saw, such as the serial of a certificate."""
        self._over = threading.Event()
        self.faults: list[str] = []
        self.seen: dict[str, list[str]] = {name: [] for name in calls}
        self._threads = [
            threading.Thread(target=self._call, args=(name, call)) for name, call in calls.items()
        ]

    def _call(self, name: str, call: Callable[[], str]) -> None:
        while not self._over.is_set():
            try:
                self.seen[name].append(call())
            except (OSError, AssertionError) as error:
                self.faults.append(f"{name}: {type(error).__name__}: {error}")

    def __enter__(self) -> "Callers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()


def shown_by_smtp(port: int, context: ssl.SSLContext) -> bytes:
    """The certificate in DER that STARTTLS shows."""
    with socket.create_connection(("127.0.0.1", port), 20) as plain:
        for line, answer in ((b"", b"220 "), (b"EHLO client.example", b"250 "), (b"STARTTLS", b"220 ")):
            plain.sendall(line + b"\r\n" if len(line) > 0 else b"")
            said = b""
            while not any(each.startswith(answer) for each in said.splitlines()):
                more = plain.recv(4096)
                assert len(more) > 0, said
                said += more
        with context.wrap_socket(plain, server_hostname=HOST) as client:
            return _shown(client)


def shown_by_https(port: int, context: ssl.SSLContext) -> bytes:
    request = f"GET / HTTP/1.1\r\nHost: {PAGES}\r\nConnection: close\r\n\r\n".encode()
    with (
        socket.create_connection(("127.0.0.1", port), 20) as plain,
        context.wrap_socket(plain, server_hostname=PAGES) as client,
    ):
        client.sendall(request)
        assert client.recv(12).startswith(b"HTTP/1.1")
        return _shown(client)


def _shown(client: ssl.SSLSocket) -> bytes:
    found = client.getpeercert(binary_form=True)
    assert found is not None
    return found
