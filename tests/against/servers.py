"""Real mail servers as processes; primaries.py and senders.py use them."""

import os
import socket
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench import peers
from bench.ready import free_port, wait_until_greeted
from tests.against.system_log import SystemLog

START_SECONDS_MAX: Final = 30.0
STOP_SECONDS_MAX: Final = 20.0


class Server(ABC):
    """A server that can be stopped and restarted, always on the same port."""

    port: int

    @abstractmethod
    def start(self) -> None: ...

    @abstractmethod
    def stop(self) -> None: ...

    @abstractmethod
    def trouble(self) -> str:
        """The end of its log."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class Daemon(Server):
    """A process that stays in the foreground; its output goes to a file in its folder."""

    def __init__(self, peer: str, folder: Path) -> None:
        self.port = free_port()
        self.folder = folder
        self._peer = peers.find(peer)
        self._process: subprocess.Popen[bytes] | None = None

    def _run(self, command: list[str], binds: dict[str, Path]) -> None:
        with open(self.folder / "output", "ab") as output:
            self._process = subprocess.Popen(
                peers.in_its_room(command, self.folder, binds, self._peer),
                env=self._peer.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        wait_until_greeted(self.port, self._process, START_SECONDS_MAX, self.trouble)

    def stop(self) -> None:
        if self._process is not None:
            peers.end(self._process, STOP_SECONDS_MAX)
            self._process = None

    def trouble(self) -> str:
        logs = [self.folder / "output", *sorted((self.folder / "log").glob("*"))]
        return "\n".join(path.read_text() for path in logs if path.exists())[-4000:]


class Exim(Daemon):
    def __init__(self, folder: Path, queue_runs: str) -> None:
        """`queue_runs`: the interval, as in `-q1m`."""
        super().__init__("exim", folder)
        self._queue_runs = queue_runs
        owner = peers.number_of("Debian-exim")
        for name in ("spool", "log"):
            (folder / name).mkdir()
            os.chown(folder / name, owner, owner)

    def write(self, name: str, settings: str) -> None:
        """`settings`: the part of the configuration after paths and ports."""
        (self.folder / "exim.conf").write_text(
            f"""\
primary_hostname = {name}
daemon_smtp_ports = {self.port}
local_interfaces = 127.0.0.1
spool_directory = {self.folder}/spool
log_file_path = {self.folder}/log/%slog
pid_file_path = {self.folder}/exim.pid
keep_environment =
rfc1413_query_timeout = 0s
{settings}"""
        )

    def start(self) -> None:
        self._run(
            ["/usr/sbin/exim4", "-C", str(self.folder / "exim.conf"), "-bdf", f"-q{self._queue_runs}"], {}
        )


class OpenSmtpd(Daemon):
    def __init__(self, folder: Path) -> None:
        super().__init__("opensmtpd", folder)
        self.var = folder / "var"  # spool, socket and empty folder have fixed paths
        for name in ("spool", "run", "lib/opensmtpd/empty", "mail", "tmp"):
            (self.var / name).mkdir(parents=True)

    def write(self, name: str, settings: str) -> None:
        """`settings`: the part of the configuration after the listen line."""
        (self.folder / "smtpd.conf").write_text(
            f"listen on 127.0.0.1 port {self.port} hostname {name}\n{settings}"
        )

    def start(self) -> None:
        self._run(["/usr/sbin/smtpd", "-d", "-f", str(self.folder / "smtpd.conf")], {"/var": self.var})


SENDMAIL_MC: Final = """\
divert(0)dnl
define(`_USE_ETC_MAIL_')dnl
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `{name}')dnl
define(`QUEUE_DIR', `{folder}/queue')dnl
define(`STATUS_FILE', `{folder}/statistics')dnl
define(`confPID_FILE', `{folder}/pid')dnl
define(`ALIAS_FILE', `')dnl
define(`confCW_FILE', `-o {folder}/no-names')dnl
define(`confLOG_LEVEL', `9')dnl
define(`confTO_IDENT', `0s')dnl
define(`confTRUSTED_USER', `root')dnl
define(`confRUN_AS_USER', `root')dnl
define(`confDEF_USER_ID', `65534:65534')dnl
define(`confDONT_BLAME_SENDMAIL', `GroupWritableDirPathSafe')dnl
FEATURE(`no_default_msa')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`accept_unresolvable_domains')dnl
DAEMON_OPTIONS(`Name=MTA, Addr=127.0.0.1, Port={port}')dnl
define(`LOCAL_MAILER_PATH', `/bin/true')dnl
define(`LOCAL_MAILER_ARGS', `true')dnl
LOCAL_DOMAIN(`{domain}')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
"""


class Sendmail(Daemon):
    """Debian's, with its default level of logging. It throws local mail away."""

    def __init__(self, folder: Path, name: str, domain: str) -> None:
        super().__init__("sendmail", folder)
        self.system_log = SystemLog(folder)
        (folder / "queue").mkdir(mode=0o700)
        (folder / "hosts").write_text(f"127.0.0.1 {name} {socket.gethostname()} localhost\n")
        values = {"name": name, "folder": folder, "port": self.port, "domain": domain}
        (folder / "sendmail.mc").write_text(SENDMAIL_MC.format(**values))

    def start(self) -> None:
        macros, folder = "/usr/share/sendmail/cf", self.folder
        if not Path("/usr/share/sendmail/cf/m4").exists():
            macros = str(self._peer.file("usr/share/sendmail/cf"))
        make = f"m4 -D_CF_DIR_={macros}/ {macros}/m4/cf.m4 {folder}/sendmail.mc > {folder}/sendmail.cf"
        run = f"exec /usr/libexec/sendmail/sendmail -bD -q1m -C {folder}/sendmail.cf"
        command = self.system_log.within(["sh", "-c", f"{make} && {run}"])
        self._run(command, {"/etc/hosts": folder / "hosts"})

    def stop(self) -> None:
        super().stop()
        self.system_log.close()


def folder_of(place: Path, name: str) -> Path:
    folder = place / name
    folder.mkdir()
    folder.chmod(0o755)
    return folder
