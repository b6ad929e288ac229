"""Old logs on this machine: files, pipes, and standard input."""

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from secondpost.watch.logs.archive import LogOctets

NANOSECONDS_PER_MILLISECOND = 1_000_000
STANDARD = "-"  # standard input, in place of a file


@dataclass(frozen=True, slots=True)
class OpenLog:
    """`written_ms`: when it was last written; of a pipe, now. `octets`: its length, 0 of a pipe.
    `identity`: the same of the same file under two names; None of a pipe.
    """

    read: LogOctets
    written_ms: int
    octets: int
    identity: tuple[int, int] | None


@contextmanager
def opened_log(path: str, now_ms: int) -> Iterator[OpenLog]:
    """Raises OSError."""
    with io.FileIO(0 if path == STANDARD else Path(path), closefd=path != STANDARD) as file:
        status = os.fstat(file.fileno())
        if stat.S_ISREG(status.st_mode):
            written_ms = status.st_mtime_ns // NANOSECONDS_PER_MILLISECOND
            yield OpenLog(_reading(file), written_ms, status.st_size, (status.st_dev, status.st_ino))
        else:
            yield OpenLog(_reading(file), now_ms, 0, None)


def _reading(file: io.FileIO) -> LogOctets:
    def read(octets_max: int) -> bytes:
        piece = file.read(octets_max)
        return b"" if piece is None else piece

    return read
