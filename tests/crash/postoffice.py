"""The real `secondpost serve` in its own process group, to be started, killed and read."""

import getpass
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from enum import StrEnum
from pathlib import Path

from tests.processes.proc import children_of, command_line

START_SECONDS_MAX = 20.0
STOP_SECONDS_MAX = 20.0
COMMAND_SECONDS_MAX = 60.0  # a check waits for servers that do not answer
SETTLE_SECONDS = 0.5

CONFIG = """\
version  = 3
hostname = "mx2.example.net"
store    = "{store}"
owner    = ["me@elsewhere.example"]
reserve  = "1 MB"
user     = "{user}"

[web]
url = "none"

[receive]
listen = ["127.0.0.1:{port}"]

[metrics]
listen = ["127.0.0.1:{metrics}"]

[deliver]
probe = "1 second"

[[backup]]
domain     = "example.org"
primary    = ["127.0.0.1:{primary}"]
recipients = ["any"]
"""
RECIPIENT = "reader@example.org"


class Victim(StrEnum):
    RECEIVE = "receive"
    DELIVER = "deliver"
    SUPERVISOR = "supervisor"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class PostOffice:
    """`folder` gets the configuration, the store and the log of all runs."""

    roles_max = len(Victim) - 1  # the supervisor is no role

    def __init__(self, folder: Path, primary_port: int, wrapper: tuple[str, ...] = ()) -> None:
        self.port = free_port()
        self.monitor = f"http://127.0.0.1:{(metrics := free_port())}"
        self.store = folder / "store"
        self.log = folder / "log"
        self.config = folder / "secondpost.toml"
        self.config.write_text(
            CONFIG.format(
                store=self.store,
                port=self.port,
                metrics=metrics,
                primary=primary_port,
                user=getpass.getuser(),
            )
        )
        self._wrapper = wrapper
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *words: str, answers: bool = True) -> None:
        """Start the service and wait until the port answers.

        `words` follow `serve`. Without `answers` it returns at once. Raises AssertionError with the
        log if the port does not answer.
        """
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *self._wrapper,
                    sys.executable,
                    "-m",
                    "secondpost",
                    "serve",
                    "--config",
                    str(self.config),
                    *words,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + START_SECONDS_MAX
        while answers and time.monotonic() < end:
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as probe:
                    if probe.recv(4) == b"220 ":
                        return
            except OSError:
                pass
            time.sleep(0.05)
        if answers:
            raise AssertionError(f"the service did not start:\n{self.log.read_text()}")

    def wait_for_roles(self) -> None:
        """Wait until each role is registered in the store and has finished starting."""
        end = time.monotonic() + START_SECONDS_MAX
        while self.log.read_text().count("role-started") < self.roles_max:
            assert time.monotonic() < end, self.log.read_text()
            time.sleep(0.05)
        time.sleep(SETTLE_SECONDS)

    @property
    def supervisor(self) -> int:
        """Its process id; under a wrapper such as strace it is the wrapper's child."""
        assert self._process is not None
        if len(self._wrapper) == 0:
            return self._process.pid
        return _descendants(self._process.pid)[0]

    def roles(self) -> dict[Victim, int]:
        """The running processes of the roles, identified by their command line."""
        processes = self.processes()
        victims = (Victim.RECEIVE, Victim.DELIVER)
        return {victim: processes[victim] for victim in victims if victim in processes}

    def processes(self) -> dict[str, int]:
        """All running roles by name."""
        return roles_below(self.supervisor)

    def makers(self) -> list[int]:
        """The processes that make readers' mails for the deliverer."""
        return [
            pid for pid in _descendants(self.supervisor) if "secondpost.processes.signer" in command_line(pid)
        ]

    def kill(self, victim: Victim) -> bool:
        """kill -9; False if it was not running. The caller has to restart a supervisor."""
        if victim is Victim.SUPERVISOR:
            assert self._process is not None
            os.kill(self.supervisor, signal.SIGKILL)
            self._process.wait()
            return True
        pid = self.roles().get(victim)
        if pid is None:
            return False
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return False
        return True

    def kill_all(self) -> None:
        """kill -9 of all processes at once, as in a power cut."""
        # All are stopped first: on a busy machine one would notice the end of another, and end in order.
        pids = _running_with(str(self.config))
        for each in (signal.SIGSTOP, signal.SIGKILL):
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, each)
        if self._process is not None:
            self._process.wait()

    def command(self, *words: str) -> str:
        """The output of an owner's command."""
        return self.run(*words).stdout

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run an owner's command."""
        return subprocess.run(
            [sys.executable, "-m", "secondpost", "--config", str(self.config), *words],
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        assert self._process is not None
        os.kill(self.supervisor, signal.SIGTERM)
        return self._process.wait(STOP_SECONDS_MAX)

    def wait(self, seconds: float) -> int:
        """Wait until it ends by itself; return the exit code. Raises TimeoutExpired."""
        assert self._process is not None
        return self._process.wait(seconds)

    def running(self) -> list[int]:
        """All processes of the service, including orphans."""
        return _running_with(str(self.config))

    def end(self) -> None:
        """Kill all remaining processes."""
        self.kill_all()


def roles_below(supervisor: int) -> dict[str, int]:
    """The running processes of a supervisor's roles, by name."""
    found: dict[str, int] = {}
    for pid in _descendants(supervisor):
        before, role, _ = (*command_line(pid)[-3:], "", "", "")[:3]
        if before == "--role":
            found[role] = pid
    return found


def _running_with(word: str) -> list[int]:
    """The processes of all runs of one office, including roles whose supervisor died."""
    numbers = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [pid for pid in numbers if word in command_line(pid)]


def _descendants(pid: int) -> list[int]:
    children = children_of(pid)
    return children + [below for child in children for below in _descendants(child)]


def changed(office: PostOffice, *replaced: tuple[str, str], more: str = "") -> str:
    """Change the office's file; returns what it said before."""
    before = text = office.config.read_text()
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new)
    office.config.write_text(text + more)
    return before
