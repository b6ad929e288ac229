"""Real mail servers in the part of the primary: each keeps what it takes in a Maildir.

`stored` gives every message as it stood on the wire before the primary put its own lines on top.
"""

import os
import re
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench import peers
from bench.ours import DOMAIN
from bench.postfix import Postfix
from bench.ready import free_port, wait_until_greeted

START_SECONDS_MAX: Final = 30.0
STOP_SECONDS_MAX: Final = 20.0


class Primary(ABC):
    """The provider's server: it can be stopped and started again, and keeps its port."""

    port: int
    maildir: Path

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    def trouble(self) -> str: ...

    def stored(self) -> list[bytes]:
        """Our Received line and what follows it, with CRLF as on the wire; oldest first."""
        files = sorted(
            (self.maildir / "new").glob("*"), key=lambda path: (path.stat().st_mtime_ns, path.name)
        )
        return [without_own_lines(path.read_bytes()).replace(b"\n", b"\r\n") for path in files]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def without_own_lines(stored: bytes) -> bytes:
    """Take off what the primary put on top: everything up to its own Received field, that one included."""
    own = re.match(
        rb"(?:(?:Return-Path|Delivered-To|X-Original-To|Envelope-to|Delivery-date):.*\n)*"
        rb"Received: .*\n(?:[ \t].*\n)*",
        stored,
    )
    assert own is not None, stored[:500]
    return stored[own.end() :]


class PostfixPrimary(Primary):
    def __init__(self, postfix: Postfix, maildir: Path) -> None:
        self.postfix = postfix
        self.port = postfix.port
        self.maildir = maildir

    @staticmethod
    def prepared(place: Path, mailboxes: Sequence[str] = ()) -> "PostfixPrimary":
        """`mailboxes`: the only ones it has; none means that it takes every address."""
        folder, owner = folder_of(place, "postfix"), peers.number_of("postfix")
        settings = {
            "virtual_mailbox_domains": DOMAIN,
            "virtual_mailbox_base": str(folder),
            "virtual_mailbox_maps": _mailbox_map(mailboxes),
            "virtual_uid_maps": f"static:{owner}",
            "virtual_gid_maps": f"static:{owner}",
            "message_size_limit": "60000000",
            "virtual_mailbox_limit": "0",
            "local_header_rewrite_clients": "",  # we are nobody special to our primary
        }
        postfix = Postfix(folder, free_port(), settings)
        postfix.write()
        return PostfixPrimary(postfix, _maildir(folder, owner))

    def start(self) -> None:
        self.postfix.start()

    def stop(self) -> None:
        self.postfix.stop()

    def trouble(self) -> str:
        return self.postfix.trouble()


def _mailbox_map(mailboxes: Sequence[str]) -> str:
    if len(mailboxes) == 0:
        return "static:mail/"
    return f"inline:{{ {', '.join(f'{{{mailbox} = mail/}}' for mailbox in mailboxes)} }}"


class EximPrimary(Primary):
    def __init__(self, place: Path) -> None:
        self.port = free_port()
        self._peer = peers.find("exim")
        self._folder = folder_of(place, "exim")
        self._process: subprocess.Popen[bytes] | None = None
        owner = peers.number_of("Debian-exim")
        self.maildir = _maildir(self._folder, owner)
        for name in ("spool", "log"):
            (self._folder / name).mkdir()
            os.chown(self._folder / name, owner, owner)
        (self._folder / "exim.conf").write_text(self._settings())

    def _settings(self) -> str:
        return f"""\
primary_hostname = peer.example
daemon_smtp_ports = {self.port}
local_interfaces = 127.0.0.1
spool_directory = {self._folder}/spool
log_file_path = {self._folder}/log/%slog
pid_file_path = {self._folder}/exim.pid
keep_environment =
rfc1413_query_timeout = 0s
acl_smtp_rcpt = check_rcpt
begin acl
check_rcpt:
  accept domains = {DOMAIN}
  deny message = not for us
begin routers
keep:
  driver = accept
  transport = maildir
begin transports
maildir:
  driver = appendfile
  directory = {self.maildir}
  maildir_format
  user = Debian-exim
"""

    def start(self) -> None:
        command = ["/usr/sbin/exim4", "-C", str(self._folder / "exim.conf"), "-bdf", "-q1m"]
        self._process = started(self._peer, command, self._folder, {})
        wait_until_greeted(self.port, self._process, START_SECONDS_MAX, self.trouble)

    def stop(self) -> None:
        if self._process is not None:
            peers.end(self._process, STOP_SECONDS_MAX)
            self._process = None

    def trouble(self) -> str:
        logs = [self._folder / "output", *sorted((self._folder / "log").glob("*"))]
        return "\n".join(path.read_text() for path in logs if path.exists())[-4000:]


class OpenSmtpdPrimary(Primary):
    def __init__(self, place: Path) -> None:
        self.port = free_port()
        self._peer = peers.find("opensmtpd")
        self._folder = folder_of(place, "opensmtpd")
        self._process: subprocess.Popen[bytes] | None = None
        self.maildir = _maildir(self._folder, peers.number_of("nobody"))
        self._var = self._folder / "var"  # its spool, its socket and its empty folder have fixed places
        for name in ("spool", "run", "lib/opensmtpd/empty", "mail", "tmp"):
            (self._var / name).mkdir(parents=True)
        (self._folder / "smtpd.conf").write_text(
            f"""\
table readers {{ "@" = "nobody" }}
listen on 127.0.0.1 port {self.port} hostname peer.example
action keep maildir "{self.maildir}" virtual <readers>
match from any for domain "{DOMAIN}" action keep
"""
        )

    def start(self) -> None:
        command = ["/usr/sbin/smtpd", "-d", "-f", str(self._folder / "smtpd.conf")]
        self._process = started(self._peer, command, self._folder, {"/var": self._var})
        wait_until_greeted(self.port, self._process, START_SECONDS_MAX, self.trouble)

    def stop(self) -> None:
        if self._process is not None:
            peers.end(self._process, STOP_SECONDS_MAX)
            self._process = None

    def trouble(self) -> str:
        return (self._folder / "output").read_text()[-4000:]


OTHERS: Final[dict[str, Callable[[Path], Primary]]] = {"exim": EximPrimary, "opensmtpd": OpenSmtpdPrimary}


def folder_of(place: Path, name: str) -> Path:
    folder = place / name
    folder.mkdir()
    folder.chmod(0o755)
    return folder


def _maildir(folder: Path, owner: int) -> Path:
    maildir = folder / "mail"
    for each in (maildir, *(maildir / name for name in ("new", "cur", "tmp"))):
        each.mkdir()
        os.chown(each, owner, owner)
    return maildir


def started(
    peer: peers.Peer, command: list[str], folder: Path, binds: dict[str, Path]
) -> subprocess.Popen[bytes]:
    with open(folder / "output", "ab") as output:
        return subprocess.Popen(
            peers.in_its_room(command, folder, binds, peer),
            env=peer.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
