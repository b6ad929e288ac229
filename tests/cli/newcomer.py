"""A newcomer in an empty folder, who sets a server up; a name server on loopback is the DNS."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import click.testing

from secondpost.cli.command import CommandWaits
from secondpost.cli.main import secondpost
from secondpost.config.reading import read_config
from secondpost.config.records import Config
from tests.cli.no_user import no_user

READ_OCTETS = 4096
SECONDS_MAX = 20.0
COLOURS = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]|\r")

# The domain with its provider. To its mail server's address the kernel of any machine refuses to
# connect, so that port 25 seems closed.
LINES = (
    "example.net. 60 IN MX 10 mx1.provider.example.",
    "mx1.provider.example. 60 IN A 255.255.255.255",
    "mx2.example.net. 60 IN A 5.9.8.7",
    "7.8.9.5.in-addr.arpa. 60 IN PTR mx2.example.net.",
)
ANSWERS = (
    *("--hostname", "mx2.example.net"),
    *("--backup", "example.net"),
    *("--owner", "me@elsewhere.example"),
    *("--listen", "127.0.0.1:2525"),
    *("--address", "5.9.8.7"),
    *("--acme", "none"),
)


@dataclass(frozen=True)
class Newcomer:
    folder: Path
    dns_port: int

    @property
    def path(self) -> Path:
        return self.folder / "secondpost.toml"

    @property
    def config(self) -> Config:
        return read_config(str(self.path))

    def words(self, *words: str) -> list[str]:
        usual = ["--config", str(self.path), "--store", str(self.folder / "store")]
        return ["init", *usual, "--dns-server", f"127.0.0.1:{self.dns_port}", *words]

    def run(self, *words: str, code: int = 0) -> click.testing.Result:
        """Run `init` without a terminal."""
        waits = CommandWaits(records=0.05)
        with no_user():
            result = click.testing.CliRunner().invoke(secondpost, self.words(*words), obj=waits)
        assert result.exit_code == code, (words, result.output, result.exception)
        return result

    def at_terminal(self, *words: str) -> "Terminal":
        return Terminal(
            [sys.executable, "-m", "tests.cli.no_user", *self.words("--acme", "none", *words)], self.folder
        )


def _take_terminal() -> None:
    """Make the terminal that of the session, so that Ctrl-C becomes a signal."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


ENDED_OR_WAITING = "SZ"
PROJECT = Path(__file__).resolve().parents[2]


class Terminal:
    """A program on a terminal of its own; `heard` is all that it showed, without colours."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._ours, theirs = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "PYTHONPATH": str(PROJECT)}
        self._program = subprocess.Popen(
            command,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=environment,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(theirs)
        self.heard = ""
        self.raw = ""  # with colours and movements
        self._seen = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._program.poll() is None:
            self._program.kill()
            self._program.wait()
        os.close(self._ours)

    def until(self, text: str) -> str:
        """Read until `text` comes; returns what came since the last one."""
        while text not in self.heard[self._seen :]:
            if not self._read():
                raise AssertionError(f"{text!r} never came: {self.heard}")
        start = self._seen
        self._seen = self.heard.index(text, start) + len(text)
        return self.heard[start : self._seen]

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, text: str) -> None:
        os.write(self._ours, f"{text}\n".encode())

    def press(self, key: bytes) -> None:
        """Press a key once the program waits for one. A Ctrl-C between readline's prompt and its wait
        would be noticed with the next key only.
        """
        stat = Path(f"/proc/{self._program.pid}/stat")
        while stat.read_text().rpartition(")")[2].split()[0] not in ENDED_OR_WAITING:
            os.sched_yield()
        os.write(self._ours, key)

    def end(self) -> int:
        """Read to the end; returns the exit code."""
        while self._read():
            pass
        return self._program.wait(SECONDS_MAX)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], SECONDS_MAX)
        if len(ready) == 0:
            raise AssertionError(f"nothing more came: {self.heard}")
        try:
            data = os.read(self._ours, READ_OCTETS)
        except OSError:  # EIO: the program has ended
            return False
        self.raw += data.decode(errors="replace")
        self.heard += COLOURS.sub(b"", data).decode(errors="replace")
        return len(data) > 0
