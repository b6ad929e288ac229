"""A database that is open: its connections, the thread that writes, and what goes with them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import apsw

from secondpost.mail.content import CONTENT_FOLDER
from secondpost.store.ports import StoreUnavailable
from secondpost.store.sqlite.connection import port_error
from secondpost.store.sqlite.log_bounds import LogBounds
from secondpost.store.verbs.workers import Worker
from secondpost.world.ports import Clock, Disk, DiskFailed, OpenFile, Work, WorkLine

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Opened:
    db: apsw.Connection  # for writing; used in the loop only if `in_line`
    reader: apsw.Connection
    log: OpenFile
    line: WorkLine
    disk: Disk
    work: Work
    clock: Clock
    failed: Callable[[BaseException], None]
    path_name: str
    worker: Worker | None  # None for a command
    in_line: bool  # no other process opens the database
    busy_seconds: float
    log_bounds: LogBounds

    def look(self, read: Callable[[apsw.Connection], R]) -> R:
        """Read on the loop's own connection, in the caller's thread. Raises StoreUnavailable, DiskFailed."""
        try:
            return read(self.reader)
        except apsw.ConnectionClosedError:
            raise StoreUnavailable("the store is closed") from None
        except apsw.Error as error:
            fault = port_error(error, self.reader)
            if isinstance(fault, DiskFailed):
                self.failed(fault)
            raise fault from (None if fault is error else error)

    def files_of(self, worker: int) -> list[str]:
        """A worker's content files; their names begin with its number."""
        names = self.disk.names(CONTENT_FOLDER)
        return [f"{CONTENT_FOLDER}/{name}" for name in names if name.startswith(f"{worker}-")]
