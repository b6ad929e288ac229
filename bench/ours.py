"""Secondpost as run by the bench and by tests against real peers."""

import getpass
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench.ready import wait_until_greeted

START_SECONDS_MAX: Final = 30.0
STOP_SECONDS_MAX: Final = 30.0
DOMAIN: Final = "backup.example"


@dataclass(slots=True)
class Secondpost:
    """A backup MX for backup.example, whose primary is a port of 127.0.0.1."""

    folder: Path
    port: int
    primary_port: int
    more: str = ""  # further lines of the configuration, such as [deliver] probe = "1 second"
    surroundings: Mapping[str, str] = field(default_factory=dict)  # additional environment variables
    recipients: str = '"any"'  # the list of that name
    primary_address: str = "127.0.0.1"
    tree: Path | None = None  # the source tree to run, with its .venv; None: this one
    process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Path:
        return self.folder / "secondpost.toml"

    @property
    def output(self) -> Path:
        return self.folder / "output"

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, **self.surroundings}

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def write(self) -> None:
        self.config.write_text(
            f"""\
version  = 3
hostname = "mx2.example.net"
store    = "{self.folder / "store"}"
user     = "{getpass.getuser()}"
owner    = ["owner@elsewhere.example"]

[receive]
listen = ["127.0.0.1:{self.port}"]

[[backup]]
domain     = "{DOMAIN}"
primary    = ["{self.primary_address}:{self.primary_port}"]
recipients = [{self.recipients}]

{self.more}"""
        )

    def start(self) -> None:
        with open(self.output, "ab") as output:
            self.process = subprocess.Popen(
                self.command("serve"),
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
        try:
            wait_until_greeted(self.port, self.process, START_SECONDS_MAX, self.trouble)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def run(self, *arguments: str) -> str:
        """Run a command, such as `queue list --json`; return its output."""
        done = subprocess.run(
            self.command(*arguments),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if done.returncode not in (0, 1):
            raise AssertionError(f"{' '.join(arguments)} ended with {done.returncode}: {done.stderr}")
        return done.stdout

    def command(self, *arguments: str) -> Sequence[str]:
        python = sys.executable if self.tree is None else str(self.tree / ".venv/bin/python")
        return [python, "-m", "secondpost", *arguments, "--config", str(self.config)]

    def trouble(self) -> str:
        return self.output.read_text()[-4000:] if self.output.exists() else "(it said nothing)"

    def __enter__(self) -> Self:
        os.makedirs(self.folder, exist_ok=True)
        self.write()
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
