"""The DNS of the small internet: Knot has every zone, Unbound asks it on behalf of those who rent machines.

The root zone has the names of everyone without a zone of his own. The newcomer's records are added
to the owner's zone.
"""

import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from bench import peers

STOP_SECONDS_MAX: Final = 10.0
KNOT: Final = """\
server:
    listen: {address}@53
    rundir: {folder}
    user: root:root
    pidfile: {folder}/knot.pid
database:
    storage: {folder}
log:
  - target: {folder}/knot.log
    any: info
template:
  - id: default
    storage: {folder}
    zonefile-load: whole
    zonefile-sync: -1
    journal-content: none
zone:
"""
ZONE: Final = """\
  - domain: {domain}.
    file: {domain}.zone
"""
UNBOUND: Final = """\
server:
  interface: {resolver}
  access-control: 0.0.0.0/0 allow
  do-daemonize: no
  use-syslog: no
  chroot: ""
  username: ""
  pidfile: ""
  directory: "{folder}"
  module-config: "iterator"
  cache-max-negative-ttl: 1
  cache-max-ttl: 1
  num-threads: 1
  include: "{folder}/lies.conf"
stub-zone:
  name: "."
  stub-addr: {address}
remote-control:
  control-enable: no
"""
SOA: Final = """\
@ 60 IN SOA ns.dns.example. hostmaster.dns.example. {serial} 3600 600 86400 1
@ 60 IN NS ns.dns.example.
"""


class NameServer:
    """A process whose output goes to a file in its folder."""

    def __init__(self, folder: Path, peer: str, command: Sequence[str]) -> None:
        self._output = folder / f"{peer}.output"
        self._peer = peers.find(peer)
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program, *words = self._command
        with open(self._output, "ab") as output:
            self._process = subprocess.Popen(
                [str(self._peer.file(program)), *words],
                env=self._peer.environment,
                stdout=output,
                stderr=output,
            )

    def read_again(self) -> None:
        """Its configuration and zones."""
        if self._process is not None:
            self._process.send_signal(signal.SIGHUP)

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(STOP_SECONDS_MAX)


class Resolver(NameServer):
    """An Unbound that asks `upstream` for everything, and may lie about some names."""

    def __init__(self, folder: Path, address: str, upstream: str) -> None:
        super().__init__(folder, "unbound", ["usr/sbin/unbound", "-c", f"{folder}/unbound.conf"])
        self._lies = folder / "lies.conf"
        self._lies.touch()
        (folder / "unbound.conf").write_text(
            UNBOUND.format(address=upstream, resolver=address, folder=folder)
        )

    def lie(self, lies: Mapping[str, str]) -> None:
        """From now on these hosts have these addresses, and all others their own."""
        lines = [f'local-data: "{host}. 1 A {address}"\n' for host, address in lies.items()]
        self._lies.write_text("".join(lines))
        self.read_again()


class Names:
    """Both name servers. `zones`: lines of zone files, by the zone's name without its final dot."""

    def __init__(self, folder: Path, address: str, resolver: str, zones: Mapping[str, str]) -> None:
        self._folder = folder
        self._address = address
        self._zones = {**zones, "": f"ns.dns.example. A {address}\n{zones['']}"}
        self._serial = 1
        self._knot = NameServer(folder, "knot", ["usr/sbin/knotd", "-c", f"{folder}/knot.conf"])
        self._unbound = Resolver(folder, resolver, address)

    def start(self) -> None:
        folder = self._folder
        for name, lines in self._zones.items():
            self._write(name, lines)
        served = "".join(ZONE.format(domain=name) for name in self._zones)
        (folder / "knot.conf").write_text(KNOT.format(address=self._address, folder=folder) + served)
        self._knot.start()
        self._unbound.start()

    def publish(self, domain: str, snippet: str) -> None:
        """Add the newcomer's lines to the domain's zone."""
        self._serial += 1
        self._write(domain, self._zones[domain] + snippet)
        knot = peers.find("knot")
        subprocess.run(
            [str(knot.file("usr/sbin/knotc")), "-c", f"{self._folder}/knot.conf", "-b", "zone-reload"],
            env=knot.environment,
            check=True,
            capture_output=True,
        )

    def stop(self) -> None:
        self._unbound.stop()
        self._knot.stop()

    def _write(self, name: str, lines: str) -> None:
        text = f"$ORIGIN {name}.\n$TTL 60\n{SOA.format(serial=self._serial)}{lines}"
        (self._folder / f"{name}.zone").write_text(text)
