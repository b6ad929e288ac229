"""Real mail servers in the part of the sender: each takes mail for the backup domain and brings it to us, as
to the MX that answers.

Each queues what it is handed, tries at once, and again every few seconds.
"""

import os
import smtplib
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench import peers
from bench.postfix import Postfix
from bench.ready import free_port, wait_until_greeted
from tests.against.primaries import START_SECONDS_MAX, STOP_SECONDS_MAX, folder_of, started
from tests.against.sending import READER, SENDER

PER_CONNECTION_MAX: Final = 100  # OpenSMTPD takes no more


class Sender(ABC):
    port: int

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    def queued(self) -> int:
        """Messages that it still has."""

    @abstractmethod
    def trouble(self) -> str: ...

    def hand_over(self, messages: Sequence[bytes]) -> None:
        for start in range(0, len(messages), PER_CONNECTION_MAX):
            with smtplib.SMTP("127.0.0.1", self.port, "writer.sender.example", timeout=60) as connection:
                for message in messages[start : start + PER_CONNECTION_MAX]:
                    connection.sendmail(SENDER, [READER], message)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class EximSender(Sender):
    """A process and a connection for each message, which ends with dot, QUIT and FIN in one segment."""

    def __init__(self, place: Path, target: int, *, tls: bool) -> None:
        self.port = free_port()
        self._peer = peers.find("exim")
        self._folder = folder_of(place, "exim-sender")
        self._process: subprocess.Popen[bytes] | None = None
        owner = peers.number_of("Debian-exim")
        for name in ("spool", "log"):
            (self._folder / name).mkdir()
            os.chown(self._folder / name, owner, owner)
        (self._folder / "exim.conf").write_text(
            f"""\
primary_hostname = out.sender.example
daemon_smtp_ports = {self.port}
local_interfaces = 127.0.0.1
spool_directory = {self._folder}/spool
log_file_path = {self._folder}/log/%slog
pid_file_path = {self._folder}/exim.pid
keep_environment =
rfc1413_query_timeout = 0s
smtp_accept_queue_per_connection = 0
tls_advertise_hosts =
acl_smtp_rcpt = accept
begin routers
out:
  driver = manualroute
  route_list = * 127.0.0.1::{target} byname
  self = send
  transport = out
begin transports
out:
  driver = smtp
  {"hosts_require_tls" if tls else "hosts_avoid_tls"} = *
  tls_try_verify_hosts = *
begin retry
* * F,1h,2s
"""
        )

    def start(self) -> None:
        command = ["/usr/sbin/exim4", "-C", str(self._folder / "exim.conf"), "-bdf", "-q2s"]
        self._process = started(self._peer, command, self._folder, {})
        wait_until_greeted(self.port, self._process, START_SECONDS_MAX, self.trouble)

    def stop(self) -> None:
        if self._process is not None:
            peers.end(self._process, STOP_SECONDS_MAX)
            self._process = None

    def queued(self) -> int:
        return len(list((self._folder / "spool/input").rglob("*-H")))

    def trouble(self) -> str:
        logs = [self._folder / "output", *sorted((self._folder / "log").glob("*"))]
        return "\n".join(path.read_text() for path in logs if path.exists())[-4000:]


class OpenSmtpdSender(Sender):
    def __init__(self, place: Path, target: int, *, tls: bool) -> None:
        self.port = free_port()
        self._peer = peers.find("opensmtpd")
        self._folder = folder_of(place, "opensmtpd-sender")
        self._process: subprocess.Popen[bytes] | None = None
        self._var = self._folder / "var"
        for name in ("spool", "run", "lib/opensmtpd/empty", "mail", "tmp"):
            (self._var / name).mkdir(parents=True)
        scheme, demand = ("smtp+tls", "tls no-verify") if tls else ("smtp+notls", "")
        (self._folder / "smtpd.conf").write_text(
            f"""\
listen on 127.0.0.1 port {self.port} hostname out.sender.example
action out relay host "{scheme}://127.0.0.1:{target}" {demand}
match from any for any action out
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

    def queued(self) -> int:
        return len(list((self._var / "spool/smtpd/queue").glob("*/*")))

    def trouble(self) -> str:
        return (self._folder / "output").read_text()[-4000:]


class PostfixSender(Sender):
    def __init__(self, place: Path, target: int, *, tls: bool) -> None:
        self.port = free_port()
        settings = {
            "myhostname": "out.sender.example",
            "default_transport": "smtp",
            "relayhost": f"[127.0.0.1]:{target}",
            "smtp_tls_security_level": "encrypt" if tls else "none",
            "queue_run_delay": "2s",
            "minimal_backoff_time": "2s",
            "maximal_backoff_time": "2s",
        }
        self._postfix = Postfix(folder_of(place, "postfix-sender"), self.port, settings)
        self._postfix.write()

    def start(self) -> None:
        self._postfix.start()

    def stop(self) -> None:
        self._postfix.stop()

    def queued(self) -> int:
        spool = self._postfix.folder / "spool"
        queues = (spool / name for name in ("maildrop", "incoming", "active", "deferred"))
        return sum(path.is_file() for queue in queues for path in queue.rglob("*"))

    def trouble(self) -> str:
        return self._postfix.trouble()


MakeSender = Callable[..., Sender]
SENDERS: Final[dict[str, MakeSender]] = {
    "exim": EximSender,
    "opensmtpd": OpenSmtpdSender,
    "postfix": PostfixSender,
}
