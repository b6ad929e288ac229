"""Keeps a body while it comes in: in memory while it is small, streamed to a file once it grows.

A large body's file is synced, then its folder, before its row is passed to the store. Otherwise a
power cut could lose the file of a row that is durable, and so an acknowledged message.
"""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial

from secondpost.mail.content import CONTENT_FOLDER, IN_TABLE_OCTETS_MAX, Content, InFile, InTable
from secondpost.world.ports import Disk, DiskFile, Work

UNSAVED_OCTETS_MAX = 256 * 1024  # above it, reading from the connection stops


class BodyKeeper:
    """The content of one message. `name`: its file's name, if it needs one.

    Errors of the disk (DiskFull, DiskFailed) are passed to `failed` at once and raised by `finish`.
    """

    def __init__(
        self,
        disk: Disk,
        work: Work,
        name: str,
        *,
        drained: Callable[[], None],
        failed: Callable[[BaseException], None],
    ) -> None:
        self._disk = disk
        self._work = work
        self._name = f"{CONTENT_FOLDER}/{name}"
        self._pieces: list[bytes] = []
        self._unsaved = 0
        self._size = 0
        self._drained = drained
        self._failed = failed
        self._file: DiskFile | None = None
        self._writing: asyncio.Task[None] | None = None
        self._error: BaseException | None = None
        self.is_forgotten = False

    @property
    def size(self) -> int:
        return self._size

    @property
    def saved(self) -> int:
        """Octets written to the file."""
        return self._size - self._unsaved

    @property
    def kept(self) -> int:
        """Octets of the content; 0 for a forgotten message."""
        return 0 if self.is_forgotten else self._size

    @property
    def is_full(self) -> bool:
        """Whether reading must stop until `drained` is called."""
        return self._unsaved > UNSAVED_OCTETS_MAX and not self.is_forgotten

    def add(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)
        self._unsaved += len(data)
        if self._size > IN_TABLE_OCTETS_MAX and self._writing is None and self._error is None:
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._unsaved > 0 and not self.is_forgotten:
                data = b"".join(self._pieces)
                self._pieces.clear()
                await self._work.run(partial(self._append, data))
                self._unsaved -= len(data)
                self._drained()
        except Exception as error:  # noqa: BLE001  kept, and raised by `finish`, which the message awaits
            self._error = error
            self._failed(error)
        finally:
            self._writing = None

    def _append(self, data: bytes) -> None:
        if self._file is None:
            self._file = self._disk.create(self._name)
        self._file.write(data)

    async def finish(self) -> Content:
        """The content, durable if it is in a file; from now on it belongs to the caller. Small
        content is returned without waiting. Raises DiskFull, DiskFailed.
        """
        while self._writing is not None:
            await asyncio.wait([self._writing])
        if self._error is not None:
            raise self._error
        file = self._file
        if file is None:
            return InTable(b"".join(self._pieces))
        await self._work.run(lambda: self._make_durable(file))
        self._file = None
        return InFile(self._name, self._size)

    def _make_durable(self, file: DiskFile) -> None:
        file.sync()
        file.close()
        self._disk.sync_folder(CONTENT_FOLDER)

    def forget(self) -> Coroutine[None, None, None] | None:
        """Give the message up. Returns a coroutine that removes the file, or None without one."""
        if self.is_forgotten or (self._file is None and self._writing is None):
            self.is_forgotten = True
            self._pieces.clear()
            return None
        self.is_forgotten = True
        self._pieces.clear()
        return self._remove()

    async def _remove(self) -> None:
        while self._writing is not None:
            await asyncio.wait([self._writing])
        await self._work.run(self._close_and_remove)

    def _close_and_remove(self) -> None:
        if self._file is not None:
            self._file.close()
        self._disk.remove(self._name)
