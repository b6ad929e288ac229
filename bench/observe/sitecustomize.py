"""Measures how long each process with this folder in its PYTHONPATH holds a database's write lock.

Counted is the time from the end of BEGIN IMMEDIATE to the end of COMMIT or ROLLBACK, for every
database, but not while its schema is created, when no other process can wait. A checkpoint that
excludes writers counts completely, with the time in which it waits for them. Each new maximum of a
connection is a line in the file of its process, which is opened before the process raises its walls.
"""

import os
import time
from pathlib import Path
from typing import Final

import apsw

FOLDER: Final = "SECONDPOST_BENCH_HOLDS"


class Holds:
    """The lock times of one connection."""

    def __init__(self, file: int) -> None:
        self._file = file
        self._since: float | None = None
        self._longest = 0.0

    def ended(self, profile: dict[str, object]) -> None:
        """Called at the end of each statement."""
        words = str(profile["sql"]).split(" ", 2)
        match words[0].upper():
            case "BEGIN":
                self._since = time.monotonic()
            case "CREATE":
                self._since = None
            case "PRAGMA" if words[1].startswith("wal_checkpoint("):
                nanoseconds = profile["nanoseconds"]
                assert isinstance(nanoseconds, int)
                self._held(nanoseconds / 1e9)
            case "COMMIT" | "ROLLBACK" if self._since is not None:
                seconds, self._since = time.monotonic() - self._since, None
                self._held(seconds)

    def _held(self, seconds: float) -> None:
        if seconds <= self._longest:
            return
        self._longest = seconds
        os.write(self._file, f"{seconds * 1000:.3f}\n".encode())


def watch_all(folder: str) -> None:
    """Watch every connection that this process opens."""
    file = os.open(Path(folder) / str(os.getpid()), os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)

    def watch(connection: apsw.Connection) -> None:
        connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, Holds(file).ended)

    apsw.connection_hooks.append(watch)


if FOLDER in os.environ:
    watch_all(os.environ[FOLDER])
