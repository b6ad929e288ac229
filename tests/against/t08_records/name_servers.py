"""A real Knot that serves our zones, and a real Unbound that validates its signatures."""

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench import peers
from bench.ready import free_port

READY_SECONDS_MAX: Final = 20.0
END_SECONDS_MAX: Final = 10.0
KNOT: Final = """
server:
  rundir: "{folder}"
  listen: {address}@53
log:
  - target: stderr
    any: info
database:
  storage: "{folder}/database"
policy:
  - id: one-key
    single-type-signing: on
template:
  - id: default
    storage: "{folder}"
    semantic-checks: on
    zonefile-sync: -1
"""
UNBOUND: Final = """
server:
  interface: 127.0.0.1@{port}
  port: {port}
  access-control: 127.0.0.0/8 allow
  do-daemonize: no
  use-syslog: no
  chroot: ""
  username: ""
  pidfile: ""
  directory: "{folder}"
  module-config: "validator iterator"
  trust-anchor: "{anchor}"
  do-not-query-localhost: no
  qname-minimisation: no
  cache-max-negative-ttl: 0
  num-threads: 1
{unsigned}
remote-control:
  control-enable: no
"""
OF_A_ZONE: Final = """
stub-zone:
  name: "{zone}"
  stub-addr: {address}@53
"""


@dataclass(frozen=True, slots=True)
class Knot:
    folder: Path
    address: str  # of loopback; the port is 53, where authoritative servers are asked
    zones: Sequence[str]
    is_signed: bool  # the first zone; the others never are

    @classmethod
    def prepared(cls, folder: Path, zones: Mapping[str, str], *, is_signed: bool) -> "Knot":
        """`zones`: the text of each zone's file; "{address}" in it becomes the server's own."""
        third, fourth = divmod(free_port(), 256)  # an address of its own, as others have a port
        knot = cls(folder, f"127.53.{third}.{fourth}", tuple(zones), is_signed)
        text = KNOT.format(folder=folder, address=knot.address) + "zone:\n"
        for number, zone in enumerate(zones):
            signing = (
                "    dnssec-signing: on\n    dnssec-policy: one-key\n" if is_signed and number == 0 else ""
            )
            text += f"  - domain: {zone}\n    file: {zone}.zone\n{signing}"
            knot.write(zone, zones[zone])
        knot.configuration.write_text(text)
        (folder / "database").mkdir()
        return knot

    @property
    def configuration(self) -> Path:
        return self.folder / "knot.conf"

    def write(self, zone: str, text: str) -> None:
        (self.folder / f"{zone}.zone").write_text(text.replace("{address}", self.address))

    def publish(self, zone: str, text: str) -> None:
        """Check the new text of a zone with Knot's own parser, then serve it."""
        self.write(zone, text)
        self.control("zone-check", zone)
        self.control("--blocking", "zone-reload", zone)

    @contextmanager
    def running(self) -> Iterator["Knot"]:
        peer = peers.find("knot")
        command = [str(peer.file("usr/sbin/knotd")), "-c", str(self.configuration)]
        with _running(command, peer, self.folder / "knot.log", self._is_ready):
            yield self

    def _is_ready(self) -> bool:
        return all(
            self._asked("zone-status", zone, "+serial").returncode == 0 for zone in self.zones
        ) and all("serial" in self._asked("zone-status", zone, "+serial").stdout for zone in self.zones)

    def control(self, *words: str) -> str:
        done = self._asked(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def _asked(self, *words: str) -> subprocess.CompletedProcess[str]:
        return _run("usr/sbin/knotc", self.configuration, *words)

    def trust_anchor(self) -> str:
        """The DS record of the signed zone, by its SHA-256."""
        lines = _run("usr/sbin/keymgr", self.configuration, self.zones[0], "ds").stdout.splitlines()
        return next(line for line in lines if line.split()[4] == "2")


def _run(program: str, configuration: Path, *words: str) -> subprocess.CompletedProcess[str]:
    peer = peers.find("knot")
    command = [str(peer.file(program)), "-c", str(configuration), *words]
    return subprocess.run(command, env=peer.environment, capture_output=True, text=True, timeout=30)


@contextmanager
def validating(folder: Path, knot: Knot) -> Iterator[int]:
    """An Unbound in front of it, with an empty cache; yields its port."""
    peer, port = peers.find("unbound"), free_port()
    unsigned = "".join(
        f'  local-zone: "{zone}." nodefault\n  domain-insecure: "{zone}"\n' for zone in knot.zones[1:]
    )
    text = UNBOUND.format(port=port, folder=folder, anchor=knot.trust_anchor(), unsigned=unsigned)
    # Also for the root: what Knot does not serve it refuses at once, and no other server is sought.
    text += "".join(OF_A_ZONE.format(zone=zone, address=knot.address) for zone in (*knot.zones, "."))
    configuration = folder / "unbound.conf"
    configuration.write_text(text)
    command = [str(peer.file("usr/sbin/unbound")), "-c", str(configuration)]
    log = folder / "unbound.log"
    with _running(command, peer, log, lambda: "start of service" in log.read_text()):
        yield port


@contextmanager
def _running(
    command: Sequence[str], peer: peers.Peer, log: Path, is_ready: Callable[[], bool]
) -> Iterator[None]:
    with log.open("wb") as written:
        process = subprocess.Popen(command, env=peer.environment, stdout=written, stderr=written)
    try:
        ends = time.monotonic() + READY_SECONDS_MAX
        while not is_ready():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < ends, log.read_text()
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(END_SECONDS_MAX)
