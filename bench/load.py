"""Debian's load tools: smtp-source sends, smtp-sink receives and counts."""

import os
import re
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from bench import peers
from bench.ready import NotReady, wait_until_greeted

SECONDS_MAX: Final = 600.0


class LoadFailed(Exception):
    """The load tool was refused or got stuck; the text is its output."""


@dataclass(frozen=True, slots=True)
class Load:
    """The number and size of messages, and the number of sessions."""

    messages: int
    size: int
    sessions: int
    keep_open: bool  # many messages per connection, or one
    message: Path | None = None  # a file with the message, instead of one of that size

    @property
    def options(self) -> list[str]:
        keep = ["-d"] if self.keep_open else []
        what = ["-l", str(self.size)] if self.message is None else ["-F", str(self.message)]
        return ["-s", str(self.sessions), *keep, "-m", str(self.messages), *what]


@dataclass(frozen=True, slots=True)
class LoadTools:
    """`folder` gets the small main.cf that Postfix's tools require."""

    peer: peers.Peer
    folder: Path

    @staticmethod
    def prepared(folder: Path) -> "LoadTools":
        (folder / "main.cf").write_text("compatibility_level = 3.6\ninet_protocols = ipv4\n")
        return LoadTools(peers.find("postfix"), folder)

    @property
    def environment(self) -> dict[str, str]:
        return {**self.peer.environment, "MAIL_CONFIG": str(self.folder)}

    def send(self, load: Load, port: int, sender: str, recipient: str) -> float:
        """Send everything; return the seconds from the first connect to the last reply."""
        begun = time.monotonic()
        done = subprocess.run(
            [
                str(self.peer.file("usr/sbin/smtp-source")),
                *load.options,
                *("-f", sender, "-t", recipient),
                f"127.0.0.1:{port}",
            ],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=SECONDS_MAX,
            check=False,
        )
        seconds = time.monotonic() - begun
        if done.returncode != 0:
            raise LoadFailed(f"smtp-source ended with {done.returncode}: {done.stderr.strip()[-1000:]}")
        return seconds


class Sink:
    """A next hop that accepts and counts all mail."""

    def __init__(self, tools: LoadTools, port: int) -> None:
        """Listen at this port on 127.0.0.1 and all other addresses of this machine."""
        self.port = port
        self._counted = 0
        self._changed = threading.Condition()
        self._process = subprocess.Popen(
            [str(tools.peer.file("usr/sbin/smtp-sink")), "-u", "nobody", "-c", f"0.0.0.0:{port}", "1000"],
            env=tools.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert self._process.stdout is not None
        self._thread = threading.Thread(
            target=self._count, args=(self._process.stdout.fileno(),), daemon=True
        )
        self._thread.start()

    def _count(self, output: int) -> None:
        """Read smtp-sink's counters, printed after each message: `sess=1 quit=0 mesg=17\\r`."""
        rest = b""
        while len(piece := os.read(output, 65536)) > 0:
            rest = (rest + piece)[-200:]
            counts = re.findall(rb"mesg=(\d+)\r", rest)
            if len(counts) > 0:
                with self._changed:
                    self._counted = int(counts[-1])
                    self._changed.notify_all()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def counted(self) -> int:
        with self._changed:
            return self._counted

    def wait_for(self, messages: int, seconds_max: float = SECONDS_MAX) -> None:
        """Wait until this many messages have arrived since the start."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._counted >= messages, seconds_max):
                raise LoadFailed(f"{self._counted} of {messages} messages arrived in {seconds_max:.0f} s")

    def __enter__(self) -> Self:
        try:
            wait_until_greeted(self.port, self._process, 10.0, lambda: "smtp-sink")
        except NotReady:
            self.close()
            raise
        return self

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)
        self._thread.join(10)
        if self._process.stdout is not None:
            self._process.stdout.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
