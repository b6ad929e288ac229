"""The ordered record of a disk's operations, and the faults set for it.

Large-content files and SQLite's files (through the VFS) are recorded here in one sequence.
"""

import errno
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from secondpost.world.ports import Dice
from simulation.disk.crash import Model, Platter
from simulation.disk.operations import (
    Created,
    FolderMade,
    FolderSynced,
    Image,
    Operation,
    Removed,
    Synced,
    SyncFailed,
    Truncated,
    Wrote,
    folder_of,
)


class SyncTarget(StrEnum):
    """Kinds of files whose sync a test can switch off, to prove that the loss is noticed."""

    WAL = "wal"
    DATABASE = "db"  # the database file, synced by a checkpoint
    CONTENT = "content"  # a file of large content
    FOLDER = "folder"  # a folder of large content


def kind_of(name: str) -> SyncTarget:
    if name.endswith(("-wal", "-journal")):
        return SyncTarget.WAL
    return SyncTarget.DATABASE if name.endswith(".db") else SyncTarget.CONTENT


@dataclass(slots=True)
class _Order:
    """A fault of the n-th call from now, `calls` being n. ENOSPC then lasts until `heal`."""

    calls: int
    error: int


class Recording:
    """Applies each operation to the platter, and keeps the log if `whole`."""

    def __init__(self, model: Model, *, whole: bool) -> None:
        self.log: list[Operation] = []
        self.count = 0
        self._whole = whole
        self._platter = Platter(model)
        self._inodes: dict[str, int] = {}
        self._next_inode = 1
        self._order: _Order | None = None
        self._dropped: frozenset[SyncTarget] = frozenset()
        self.insisted: dict[str, str] = {}

    # -- operations
    def _did(self, operation: Operation) -> None:
        self.count += 1
        self._platter.apply(operation)
        if self._whole:
            self.log.append(operation)

    def created(self, name: str) -> int:
        self._strike(errno.ENOSPC)
        inode = self._next_inode
        self._next_inode += 1
        self._inodes[name] = inode
        self._did(Created(inode, name))
        return inode

    def inode(self, name: str) -> int:
        return self._inodes[name]

    def writes(self, file: int, offset: int, data: bytes, through: Callable[[bytes], None]) -> None:
        """Write data through to the real file; on a full disk only half of it, as write(2) may."""
        try:
            self._strike(errno.ENOSPC)
        except OSError:
            half = data[: len(data) // 2]
            through(half)
            self._did(Wrote(file, offset, half))
            raise
        through(data)
        self._did(Wrote(file, offset, data))

    def truncated(self, file: int, size: int) -> None:
        self._did(Truncated(file, size))

    def synced(self, file: int, kind: SyncTarget) -> None:
        try:
            self._strike(errno.EIO)
        except OSError:
            self._did(SyncFailed(file))
            raise
        if kind not in self._dropped:
            self._did(Synced(file))

    def folder_synced(self, name: str, kind: SyncTarget = SyncTarget.FOLDER) -> None:
        self._strike(errno.EIO)
        if kind not in self._dropped:
            self._did(FolderSynced(name))

    def removed(self, name: str) -> None:
        del self._inodes[name]
        self._did(Removed(name))

    def folder_made(self, name: str) -> None:
        self._did(FolderMade(name))
        self._did(FolderSynced(folder_of(name)))

    # -- faults
    def fail_at(self, call: int, error: int) -> None:
        if error not in (errno.ENOSPC, errno.EIO):
            raise ValueError("only ENOSPC (of writes) and EIO (of syncs) are known here")
        self._order = _Order(call, error)

    def heal(self) -> None:
        self._order = None
        self._dropped = frozenset()

    def drop_sync(self, kind: SyncTarget) -> None:
        self._dropped |= {kind}

    def insist(self, pragma: str, value: str) -> None:
        """Keep a pragma of SQLite at this value; setting another is ignored but reports success."""
        self.insisted[pragma] = value

    @property
    def struck(self) -> bool:
        return self._order is not None and self._order.calls <= 0

    @property
    def full(self) -> bool:
        return self.struck and self._order is not None and self._order.error == errno.ENOSPC

    def _strike(self, error: int) -> None:
        order = self._order
        if order is None or order.error != error:
            return
        order.calls -= 1
        if order.calls == 0 or (order.calls < 0 and error == errno.ENOSPC):
            raise OSError(error, errno.errorcode[error])

    # -- after a crash
    def crash_image(self, dice: Dice) -> Image:
        return self._platter.image(self._platter.random_kept(dice))
