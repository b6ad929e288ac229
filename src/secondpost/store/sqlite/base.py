"""What every part of the store shares: the writer, a connection for reads, the disk, the clock."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import apsw
import msgspec

from secondpost.store.ports import StoreUnavailable
from secondpost.store.sqlite.connection import told
from secondpost.store.sqlite.group import Writer
from secondpost.store.sqlite.queries import Value, read_queries
from secondpost.world.ports import Clock, Disk, DiskFailed, DiskFull, Held, Work

R = TypeVar("R")

CONTENT_FOLDER = "content"
BATCH_ROWS = 200  # what one job changes at most, when it could be many: some milliseconds of the lock

_QUERIES = read_queries("claims")


@dataclass(frozen=True, slots=True)
class Worker:
    """Ourselves in the table of workers; `held` is the lock that tells others that we live."""

    number: int
    lock: str
    held: Held


@dataclass(frozen=True, slots=True)
class Opened:
    """An open database and what goes with it."""

    db: apsw.Connection  # the writer's; used in the loop only in_line
    reader: apsw.Connection
    writer: Writer
    disk: Disk
    work: Work
    clock: Clock
    failed: Callable[[BaseException], None]
    path_name: str
    worker: Worker | None  # None for a command
    in_line: bool


def as_json(things: Sequence[object]) -> str:
    return msgspec.json.encode(things).decode()


class Base:
    """Reads are direct, in the loop; writes join a group."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._writer = opened.writer
        self._writer.after_group = self._after_group
        self._files_leave = False  # set on the line, read in the loop
        self._remover: asyncio.Task[None] | None = None
        # Recipients of which something was learned: as counted last (None: not yet), and written since.
        self._learned: int | None = None
        self._learned_since = 0

    def _read(self, query: str, bindings: tuple[Value, ...] = ()) -> list[tuple[Value, ...]]:
        """All rows. Raises StoreUnavailable and DiskFailed."""
        return self._reading(lambda: self._opened.reader.execute(query, bindings).fetchall())

    def _reading(self, read: Callable[[], R]) -> R:
        try:
            return read()
        except apsw.ConnectionClosedError:
            raise StoreUnavailable("the store is closed") from None
        except apsw.Error as error:
            fault = told(error, self._opened.reader)
            if isinstance(fault, DiskFailed):
                self._opened.failed(fault)
            raise fault from (None if fault is error else error)

    # ---- files of messages that have ended

    def _note_leaving_files(self, db: apsw.Connection) -> None:
        """On the line, before the commit; after it the loop looks at what was really committed."""
        if len(_leaving_files(db)) > 0:
            self._files_leave = True

    def _after_group(self) -> None:
        if self._files_leave and (self._remover is None or self._remover.done()):
            self._files_leave = False
            self._remover = asyncio.get_running_loop().create_task(self._remove_leaving())

    async def _remove_leaving(self) -> None:
        """The file goes first, for good, then its row: a crash between leaves a row that leads to it."""
        try:
            while len(self._read(_QUERIES["leaving_files"])) > 0:
                # Read once more in a group: what a plain read sees may not be durable yet.
                names = await self._writer.change(_leaving_files)
                await self._remove_files(names)
                await self._forget_leaving(names)
        except DiskFailed as failed:
            self._opened.failed(failed)
        except (StoreUnavailable, DiskFull):
            return  # the rows stand: the next settlement or sweep looks again

    async def _remove_files(self, names: Sequence[str]) -> None:
        disk = self._opened.disk

        def remove() -> None:
            for name in names:
                disk.remove(name)
            disk.sync_folder(CONTENT_FOLDER)

        await self._opened.work.run(remove)

    async def _forget_leaving(self, names: Sequence[str]) -> None:
        def forget(db: apsw.Connection) -> None:
            db.execute(_QUERIES["file_has_left"], (as_json(names),))

        await self._writer.change(forget)


def _leaving_files(db: apsw.Connection) -> list[str]:
    return [str(name) for (name,) in db.execute(_QUERIES["leaving_files"]).fetchall()]
