"""The DNS of the small internet: Knot has every zone, Unbound asks it on behalf of those who rent machines.

The root zone has the names of everyone without a zone of his own. The newcomer's records are added
to the owner's zone.
"""

import subprocess
from collections.abc import Mapping
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


class Names:
    """Both name servers. `zones`: lines of zone files, by the zone's name without its final dot."""

    def __init__(self, folder: Path, address: str, resolver: str, zones: Mapping[str, str]) -> None:
        self._folder = folder
        self._address = address
        self._resolver = resolver
        self._zones = {**zones, "": f"ns.dns.example. A {address}\n{zones['']}"}
        self._serial = 1
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        folder = self._folder
        for name, lines in self._zones.items():
            self._write(name, lines)
        served = "".join(ZONE.format(domain=name) for name in self._zones)
        (folder / "knot.conf").write_text(KNOT.format(address=self._address, folder=folder) + served)
        (folder / "unbound.conf").write_text(
            UNBOUND.format(address=self._address, resolver=self._resolver, folder=folder)
        )
        knot, unbound = peers.find("knot"), peers.find("unbound")
        self._run("knot", [str(knot.file("usr/sbin/knotd")), "-c", f"{folder}/knot.conf"], knot.environment)
        command = [str(unbound.file("usr/sbin/unbound")), "-c", f"{folder}/unbound.conf"]
        self._run("unbound", command, unbound.environment)

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
        for process in self._processes:
            process.terminate()
            process.wait(STOP_SECONDS_MAX)

    def _write(self, name: str, lines: str) -> None:
        text = f"$ORIGIN {name}.\n$TTL 60\n{SOA.format(serial=self._serial)}{lines}"
        (self._folder / f"{name}.zone").write_text(text)

    def _run(self, name: str, command: list[str], environment: Mapping[str, str]) -> None:
        with open(self._folder / f"{name}.output", "ab") as output:
            self._processes.append(subprocess.Popen(command, env=environment, stdout=output, stderr=output))
