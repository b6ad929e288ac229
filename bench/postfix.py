"""A private Postfix: Debian's defaults, its own folder, a port on loopback or another address.

It sends only to the given next hop. Besides Debian's main.cf and master.cf it has only what a
backup MX needs (relay_domains, a static transport) and what a private copy needs (paths, logging to
a file, no chroot, no TLS certificate).
"""

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench import peers
from bench.ready import wait_until_greeted

START_SECONDS_MAX: Final = 30.0
STOP_SECONDS_MAX: Final = 20.0

# Services of Debian's master.cf that deliver to programs not installed here.
LEFT_OUT: Final = frozenset({"maildrop", "uucp", "ifmail", "bsmtp", "scalemail-backend", "mailman"})


@dataclass(slots=True)
class Postfix:
    """`settings` are lines of main.cf by name; `folder` must be readable by others (mode 0755)."""

    folder: Path
    port: int
    settings: Mapping[str, str]
    services: tuple[str, ...] = ()  # further lines of master.cf
    surroundings: Mapping[str, str] = field(default_factory=dict)  # additional environment variables
    peer: peers.Peer = field(default_factory=lambda: peers.find("postfix"))
    address: str = "127.0.0.1"
    process: subprocess.Popen[bytes] | None = None

    @property
    def etc(self) -> Path:
        return self.folder / "etc"

    @property
    def log(self) -> Path:
        return self.folder / "maillog"

    @property
    def environment(self) -> dict[str, str]:
        return {**self.peer.environment, **self.surroundings, "MAIL_CONFIG": str(self.etc)}

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def write(self) -> None:
        share = self.peer.file("usr/share/postfix")
        owner = peers.number_of("postfix")
        for name in ("etc", "spool", "data"):
            (self.folder / name).mkdir(exist_ok=True)
        os.chown(self.folder / "data", owner, owner)
        settings = {
            "queue_directory": str(self.folder / "spool"),
            "data_directory": str(self.folder / "data"),
            "command_directory": str(self.peer.file("usr/sbin")),
            "daemon_directory": str(self.peer.file("usr/lib/postfix/sbin")),
            "shlib_directory": str(self.peer.file("usr/lib/postfix")),
            "meta_directory": str(self.etc),
            "maillog_file": str(self.log),
            "maillog_file_prefixes": "/",
            "import_environment": " ".join(
                ("MAIL_CONFIG MAIL_LOGTAG LANG=C LD_LIBRARY_PATH PATH", *self.surroundings)
            ),
            "inet_interfaces": "loopback-only",
            "inet_protocols": "ipv4",
            "mynetworks": "127.0.0.0/8",
            "myhostname": "peer.example",
            "mydestination": "",
            "alias_maps": "",
            "alias_database": "",
            "default_transport": "error:this machine sends nowhere else",
            "recipient_delimiter": "+",
            "mailbox_size_limit": "0",
            **self.settings,
        }
        main = (share / "main.cf.debian").read_text()
        (self.etc / "main.cf").write_text(main + "".join(f"{k} = {v}\n" for k, v in settings.items()))
        (self.etc / "master.cf").write_text(self._master_cf((share / "master.cf.dist").read_text()))
        for name in ("postfix-files", "dynamicmaps.cf"):
            for place in (share / name, self.peer.file(f"etc/postfix/{name}")):
                if place.exists():
                    (self.etc / name).write_text(place.read_text())

    def _master_cf(self, text: str) -> str:
        kept, skipping = [], False
        for line in text.splitlines():
            if re.match(r"[#\s]|$", line) is None:
                name, kind, private, unprivileged, _chroot, *rest = line.split()
                skipping = name in LEFT_OUT
                if (name, kind) == ("smtp", "inet"):
                    name = f"{self.address}:{self.port}"
                line = " ".join([name, kind, private, unprivileged, "n", *rest])
            if not skipping:
                kept.append(line)
        return "\n".join((*kept, *self.services)) + "\n"

    def start(self) -> None:
        command = [str(self.peer.file("usr/sbin/postfix")), "-c", str(self.etc), "start-fg"]
        with open(self.folder / "output", "ab") as output:
            self.process = subprocess.Popen(
                peers.in_its_room(command, self.folder, {}),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_until_greeted(self.port, self.process, START_SECONDS_MAX, self.trouble, self.address)

    def stop(self) -> None:
        """Stop like `postfix stop`: the master ends with all its children."""
        if self.process is not None:
            peers.end(self.process, STOP_SECONDS_MAX)
            self.process = None

    def run(self, *command: str) -> str:
        """Run one of its commands, such as `postqueue -j`."""
        done = subprocess.run(
            peers.in_its_room([str(self.peer.file(f"usr/sbin/{command[0]}")), *command[1:]], self.folder, {}),
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
        return done.stdout

    def queued(self) -> int:
        """The number of messages that it still has."""
        queues = (self.folder / "spool" / name for name in ("maildrop", "incoming", "active", "deferred"))
        return sum(path.is_file() for queue in queues for path in queue.rglob("*"))

    def trouble(self) -> str:
        """Its output and log, to explain a failure."""
        texts = [path.read_text() for path in (self.folder / "output", self.log) if path.exists()]
        return "\n".join(texts)[-4000:]

    def __enter__(self) -> Self:
        self.write()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
