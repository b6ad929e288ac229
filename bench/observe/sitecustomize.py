"""In every process that has this folder in its PYTHONPATH: how long was the write lock held?

From the end of BEGIN IMMEDIATE to the end of its COMMIT or ROLLBACK, of every database; not while one is
made, when there is nothing yet that anybody could wait for. A checkpoint that keeps writers out counts whole,
with the time in which it waits for them.
Each hold that is longer than all before it is a line in a file of the process.
"""

import os
import time
from pathlib import Path
from typing import Final

import apsw

FOLDER: Final = "SECONDPOST_BENCH_HOLDS"


class Holds:
    """Of one connection."""

    def __init__(self, folder: str, database: str) -> None:
        self._path = Path(folder) / f"{os.getpid()}-{Path(database).name}-{id(self)}"
        self._since: float | None = None
        self._longest = 0.0

    def ended(self, told: dict[str, object]) -> None:
        """A statement has."""
        words = str(told["sql"]).split(" ", 2)
        match words[0].upper():
            case "BEGIN":
                self._since = time.monotonic()
            case "CREATE":
                self._since = None
            case "PRAGMA" if words[1].startswith("wal_checkpoint("):
                nanoseconds = told["nanoseconds"]
                assert isinstance(nanoseconds, int)
                self._held(nanoseconds / 1e9)
            case "COMMIT" | "ROLLBACK" if self._since is not None:
                seconds, self._since = time.monotonic() - self._since, None
                self._held(seconds)

    def _held(self, seconds: float) -> None:
        if seconds <= self._longest:
            return
        self._longest = seconds
        with open(self._path, "a") as file:
            file.write(f"{seconds * 1000:.3f}\n")


def watch(connection: apsw.Connection) -> None:
    holds = Holds(os.environ[FOLDER], connection.filename)
    connection.trace_v2(apsw.SQLITE_TRACE_PROFILE, holds.ended)


if FOLDER in os.environ:
    apsw.connection_hooks.append(watch)
