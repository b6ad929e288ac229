"""Debian's rspamd and OpenDMARC as milters of the primary, and an Unbound with the records of the test."""

import shutil
import socket
import subprocess
import time
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench import peers
from bench.ready import free_port
from tests.against.servers import START_SECONDS_MAX, STOP_SECONDS_MAX, Server, folder_of

NAMES: Final = "127.94.16.53"  # on port 53: OpenDMARC reads resolv.conf, which names no ports
# Of rspamd's modules, those that ask the internet or Redis.
LEFT_OUT: Final = (
    "rbl",
    "surbl",
    "phishing",
    "fuzzy_check",
    "greylist",
    "ratelimit",
    "history_redis",
    "neural",
    "mx_check",
    "asn",
    "replies",
    "reputation",
    "url_redirector",
    "maillist",
    "hfilter",
    "once_received",
    "mid",
    "emails",
    "whitelist",
    "bimi",
    "rspamd_update",
    "antivirus",
    "p0f",
    "dcc",
)


class Process(Server):
    """A process whose output goes to a file in its folder."""

    address = "127.0.0.1"

    def __init__(self, peer: str, folder: Path, port: int) -> None:
        self.port = port
        self.folder = folder
        self.peer = peers.find(peer)
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> Sequence[str]: ...

    def binds(self) -> dict[str, Path]:
        return {}

    def start(self) -> None:
        with open(self.folder / "output", "ab") as output:
            self._process = subprocess.Popen(
                peers.in_its_room(self.command(), self.folder, self.binds(), self.peer),
                env=self.peer.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        until = time.monotonic() + START_SECONDS_MAX
        while not self._answers():
            assert self._process.poll() is None, self.trouble()
            assert time.monotonic() < until, self.trouble()
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            socket.create_connection((self.address, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        if self._process is not None:
            peers.end(self._process, STOP_SECONDS_MAX)
            self._process = None

    def trouble(self) -> str:
        return (self.folder / "output").read_text(errors="replace")[-4000:]


class RecordedNames(Process):
    """An Unbound that has these records, and asks no one else."""

    address = NAMES

    def __init__(self, place: Path, zones: Sequence[str], records: Sequence[str]) -> None:
        super().__init__("unbound", folder_of(place, "unbound"), 53)
        data = [f'  local-zone: "{zone}" static' for zone in ("example", *zones)]
        data += [f"  local-data: '{record}'" for record in records]
        (self.folder / "unbound.conf").write_text(
            f"server:\n  interface: {NAMES}@53\n  access-control: 127.0.0.0/8 allow\n"
            f'  do-daemonize: no\n  use-syslog: no\n  chroot: ""\n  username: ""\n  pidfile: ""\n'
            f'  directory: "{self.folder}"\n  module-config: "iterator"\n  num-threads: 1\n'
            + "\n".join(data)
            + "\nremote-control:\n  control-enable: no\n"
        )

    def command(self) -> Sequence[str]:
        return "/usr/sbin/unbound", "-d", "-c", str(self.folder / "unbound.conf")


class Rspamd(Process):
    """Debian's configuration. It refuses what DMARC asks to refuse, unless a seal of `trusted` says that
    it passed.
    """

    def __init__(self, place: Path, trusted: str) -> None:
        super().__init__("rspamd", folder_of(place, "rspamd"), free_port())
        shutil.copytree(self.peer.file("etc/rspamd"), self.folder / "etc")
        for name in ("db", "log", "run"):
            (self.folder / name).mkdir()
        local = {
            # Without regular expressions, and with two suffixes, it starts in a second instead of twenty.
            "options.inc": f'dns {{ nameserver = ["{NAMES}:53"]; }}\nlocal_addrs = ["192.0.2.0/24"];\n'
            f'filters = "dkim";\nurl_tld = "{self.folder}/suffixes";\n',
            "worker-proxy.inc": f'bind_socket = "127.0.0.1:{self.port}";\n'
            'upstream "local" { default = yes; self_scan = yes; }\n',
            "worker-normal.inc": "enabled = false;\n",
            "worker-controller.inc": "enabled = false;\n",
            "logging.inc": 'type = "console";\nlevel = "info";\n',
            "milter_headers.conf": 'use = ["x-spamd-result", "authentication-results"];\n'
            "skip_local = false;\n",
            "actions.conf": "reject = 15;\n",
            "policies_group.conf": 'symbols { "DMARC_POLICY_REJECT" { weight = 20.0; } }\n',
            # Loopback is the internet here.
            **{f"{module}.conf": "check_local = true;\n" for module in ("spf", "dkim", "dmarc")},
            "arc.conf": f'whitelisted_signers_map = ["{trusted}"];\n',
            **{f"{module}.conf": "enabled = false;\n" for module in LEFT_OUT},
        }
        (self.folder / "suffixes").write_text("example\nnet\n")
        for name, text in local.items():
            (self.folder / "etc/local.d" / name).write_text(text)

    def command(self) -> Sequence[str]:
        etc = self.folder / "etc"
        places = {"CONFDIR": etc, "LOCAL_CONFDIR": etc, "DBDIR": self.folder / "db"}
        places |= {"LOGDIR": self.folder / "log", "RUNDIR": self.folder / "run"}
        variables = [f"--var={name}={there}" for name, there in places.items()]
        as_root = ("-i", "-u", "root", "-g", "root")
        return "/usr/bin/rspamd", "-f", *as_root, "-c", str(etc / "rspamd.conf"), *variables


class OpenDmarc(Process):
    """It refuses what DMARC asks to refuse, and believes the Authentication-Results of `trusted`.

    SPF it does not check itself: its library takes every client on loopback for its own machine.
    """

    def __init__(self, place: Path, trusted: str) -> None:
        super().__init__("opendmarc", folder_of(place, "opendmarc"), free_port())
        (self.folder / "ignore").write_text("192.0.2.1\n")  # by default it ignores loopback
        (self.folder / "resolv.conf").write_text(f"nameserver {NAMES}\n")
        (self.folder / "opendmarc.conf").write_text(
            f"Socket inet:{self.port}@127.0.0.1\nAuthservID primary.example\n"
            f"TrustedAuthservIDs {trusted}\nIgnoreHosts {self.folder}/ignore\n"
            "RejectFailures true\n"
        )

    def binds(self) -> dict[str, Path]:
        return {"/etc/resolv.conf": self.folder / "resolv.conf"}

    def command(self) -> Sequence[str]:
        return "/usr/sbin/opendmarc", "-f", "-c", str(self.folder / "opendmarc.conf")
