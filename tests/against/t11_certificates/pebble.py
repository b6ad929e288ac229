"""A real Pebble: the authority that Let's Encrypt made for tests."""

import json
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench import peers
from bench.ready import free_port
from tests.against.t09_newcomer.certificates import Authority

READY_SECONDS_MAX: Final = 20.0
END_SECONDS_MAX: Final = 10.0
KEY_ID, KEY = "kid-1", "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a Pebble is found, and the ports at which it looks at those who order."""

    host: str = "localhost"
    address: str = "127.0.0.1"
    port: int = field(default_factory=free_port)
    http_port: int = field(default_factory=free_port)
    tls_port: int = field(default_factory=free_port)


@dataclass(frozen=True, slots=True)
class Pebble:
    folder: Path
    place: Place
    management_port: int
    root: Path  # of its own web server

    @property
    def directory(self) -> str:
        return f"https://{self.place.host}:{self.place.port}/dir"

    @property
    def http_port(self) -> int:
        return self.place.http_port

    @property
    def tls_port(self) -> int:
        return self.place.tls_port

    def issuing_root(self) -> str:
        """The root of the certificates that it issues, in PEM."""
        context = ssl.create_default_context(cafile=str(self.root))
        url = f"https://localhost:{self.management_port}/roots/0"
        with urllib.request.urlopen(url, context=context, timeout=10) as answer:
            text: str = answer.read().decode("ascii")
            return text

    def log(self) -> str:
        return (self.folder / "pebble.log").read_text()


@contextmanager
def pebble(
    folder: Path,
    dns_server: str,
    settings: Mapping[str, str],
    *,
    needs_account: bool = False,
    place: Place | None = None,
) -> Iterator[Pebble]:
    """In strict mode. `settings`: its environment variables. `needs_account`: only those may order who
    have the key KEY_ID. `place`: on loopback, at free ports, if not given.
    """
    folder.mkdir()
    authority = Authority(folder)
    place = Place() if place is None else place
    certificate, key = authority.issue(place.host, "localhost")
    it = Pebble(folder, place, free_port(), authority.file)
    configuration = {
        "listenAddress": f"{place.address}:{place.port}",
        "managementListenAddress": f"127.0.0.1:{it.management_port}",
        "certificate": str(certificate),
        "privateKey": str(key),
        "httpPort": place.http_port,
        "tlsPort": place.tls_port,
        "ocspResponderURL": "",
        "externalAccountBindingRequired": needs_account,
        "externalAccountMACKeys": {KEY_ID: KEY} if needs_account else {},
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": configuration}))
    peer = peers.find("pebble")
    command = [str(peer.file("usr/bin/pebble")), "-strict", "-config", str(folder / "pebble.json")]
    with (folder / "pebble.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-dnsserver", dns_server],
            env=peer.environment | dict(settings),
            stdout=log,
            stderr=log,
        )
    try:
        ends = time.monotonic() + READY_SECONDS_MAX
        while not _answers(place):
            assert process.poll() is None, it.log()
            assert time.monotonic() < ends, it.log()
            time.sleep(0.05)
        yield it
    finally:
        process.terminate()
        process.wait(END_SECONDS_MAX)


def _answers(place: Place) -> bool:
    try:
        socket.create_connection((place.address, place.port), 1).close()
    except OSError:
        return False
    return True
