"""A disk that records every change: real files below a temporary folder.

`crash` is a power cut: all handles are dead, all locks are released, and the folder holds one of
the images that the cut may leave. `process` and `kill` are for machines that run several processes.
"""

import errno
import itertools
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import apsw

from secondpost.world.ports import Dice, DiskFailed, DiskFull
from secondpost.world.real.disk import RealDisk, RealFile
from simulation.disk.crash import Model, write_image
from simulation.disk.operations import Operation
from simulation.disk.recording import Recording, SyncTarget, kind_of
from simulation.disk.vfs import RecordedVfs

T = TypeVar("T")
ROOM_OCTETS = 100_000_000_000
MACHINE = "machine"

_vfs_numbers = itertools.count(1)  # SQLite identifies a VFS by a name that must be unique in the process


class RecordedDisk:
    """One process's view of the disk. Whatever the folder holds at first counts as durable.

    `whole_log=False` keeps no log, only the state a crash needs: for long simulated days.
    """

    def __init__(self, root: Path, model: Model = Model.POSIX, *, whole_log: bool = True) -> None:
        self._setup(root, Recording(model, whole=whole_log), {}, model, whole_log)
        root.mkdir(parents=True, exist_ok=True)
        self._adopt("")
        self.first = self._recording.count  # the position in the log at which the recording starts

    def _setup(
        self,
        root: Path,
        recording: Recording,
        locks: "dict[str, RecordedDisk]",
        model: Model,
        whole_log: bool,
    ) -> None:
        self._root = root
        self._real = RealDisk(str(root))
        self._recording = recording
        self._locks = locks  # shared by all processes of the machine: lock name to holder
        self._model = model
        self._whole_log = whole_log
        self._alive = True
        self.machine = MACHINE  # its name; a copy of the disk in another machine has another one
        self._processes: list[RecordedDisk] = [self]
        self.room_octets = ROOM_OCTETS
        self._vfs_name = f"recorded-{next(_vfs_numbers)}"
        self._vfs = RecordedVfs(self._vfs_name, self._real.path(""), recording, lambda: self._alive)

    def _adopt(self, folder: str) -> None:
        for name in self._real.names(folder):
            below = f"{folder}/{name}" if len(folder) > 0 else name
            path = self._root / below
            if path.is_dir():
                self._recording.folder_made(below)
                self._adopt(below)
            else:
                inode = self._recording.created(below)
                self._recording.writes(inode, 0, path.read_bytes(), lambda data: None)
                self._recording.synced(inode, SyncTarget.DATABASE)
        self._recording.folder_synced(folder)

    # -- the Disk port
    @property
    def vfs(self) -> str | None:
        return self._vfs_name

    def path(self, name: str) -> str:
        return self._real.path(name)

    def make_folder(self, name: str) -> None:
        self._living()
        parts = name.split("/") if len(name) > 0 else []
        for count in range(1, len(parts) + 1):
            folder = "/".join(parts[:count])
            if not (self._root / folder).is_dir():
                self._real.make_folder(folder)
                self._recording.folder_made(folder)

    def create(self, name: str) -> "RecordedFile":
        self._living()
        if (self._root / name).exists():
            raise FileExistsError(name)
        inode = _as_disk_error(lambda: self._recording.created(name))
        return RecordedFile(self, self._real.create(name), inode)

    def open(self, name: str) -> "RecordedOpenFile":
        self._living()
        return RecordedOpenFile(self, self._recording.inode(name), kind_of(name))

    def sync_database(self, name: str) -> None:
        self.open(name).sync()

    def sync_folder(self, name: str) -> None:
        self._living()
        _as_disk_error(lambda: self._recording.folder_synced(name))

    def read(self, name: str, offset: int, octets: int) -> bytes:
        return self._real.read(name, offset, octets)

    def size(self, name: str) -> int:
        return self._real.size(name)

    def names(self, folder: str) -> list[str]:
        return self._real.names(folder)

    def remove(self, name: str) -> None:
        self._living()
        if (self._root / name).exists():
            self._real.remove(name)
            self._recording.removed(name)

    def free_octets(self) -> int:
        return 0 if self._recording.full else self.room_octets

    def identity(self, name: str) -> str:
        return self.machine

    def hold(self, name: str) -> "RecordedHeld | None":
        self._living()
        if name in self._locks:
            return None
        if not (self._root / name).exists():
            self._real.create(name).close()
            self._recording.created(name)
        self._locks[name] = self
        return RecordedHeld(self._locks, name, self)

    def _living(self) -> None:
        if not self._alive:
            raise DiskFailed("the power is gone")

    # -- what was recorded
    @property
    def log(self) -> Sequence[Operation]:
        return self._recording.log

    @property
    def position(self) -> int:
        """The number of operations so far."""
        return self._recording.count

    # -- faults
    def fail_at(self, call: int, error: int) -> None:
        """Make the n-th call from now on fail, counted from 1.

        ENOSPC counts creations and writes, and all later ones fail too until `heal`. EIO counts
        syncs and fails only that one: as on Linux, later syncs "succeed".
        """
        self._recording.fail_at(call, error)

    @property
    def struck(self) -> bool:
        """Whether the fault set by `fail_at` has happened."""
        return self._recording.struck

    def drop_sync(self, kind: SyncTarget) -> None:
        """From now on ignore syncs of this kind, but report success."""
        self._recording.drop_sync(kind)

    def insist(self, pragma: str, value: str) -> None:
        """Let SQLite set this pragma to this value only; other settings seem to succeed."""
        self._recording.insist(pragma, value)

    def heal(self) -> None:
        """End the faults: there is room again, and syncs work."""
        self._recording.heal()

    def process(self) -> "RecordedDisk":
        """The same disk seen by another process: it has its own locks and connections."""
        other = RecordedDisk.__new__(RecordedDisk)
        other._setup(self._root, self._recording, self._locks, self._model, self._whole_log)
        other._processes = self._processes
        other.machine = self.machine
        other.first = self.first
        self._processes.append(other)
        return other

    def kill(self) -> None:
        """kill -9 of this process: its transactions and locks are gone, its writes stay."""
        if not self._alive:
            return
        for connection in apsw.connections():
            if connection.open_vfs == self._vfs_name:
                connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
                connection.close(force=True)
        self._alive = False
        for name in [name for name, holder in self._locks.items() if holder is self]:
            del self._locks[name]
        self._processes.remove(self)

    def crash(self, dice: Dice) -> "RecordedDisk":
        """Cut the power for all processes now; return the disk as it is after the restart."""
        image = self._recording.crash_image(dice)
        for process in list(self._processes):
            process.kill()
        shutil.rmtree(self._root)
        write_image(image, self._root)
        again = RecordedDisk(self._root, self._model, whole_log=self._whole_log)
        again.machine = self.machine
        return again


class RecordedFile:
    def __init__(self, disk: RecordedDisk, real: RealFile, inode: int) -> None:
        self._disk = disk
        self._real = real
        self._inode = inode
        self._octets = 0

    def write(self, data: bytes) -> None:
        self._disk._living()
        _as_disk_error(
            lambda: self._disk._recording.writes(self._inode, self._octets, bytes(data), self._real.write)
        )
        self._octets += len(data)

    def sync(self) -> None:
        self._disk._living()
        _as_disk_error(lambda: self._disk._recording.synced(self._inode, SyncTarget.CONTENT))

    def close(self) -> None:
        self._real.close()


@dataclass(frozen=True, slots=True)
class RecordedOpenFile:
    _disk: RecordedDisk
    _inode: int
    _kind: SyncTarget

    def sync(self) -> None:
        self._disk._living()
        _as_disk_error(lambda: self._disk._recording.synced(self._inode, self._kind))

    def close(self) -> None:
        """Nothing to close: no handle is held."""


@dataclass(slots=True)
class RecordedHeld:
    _locks: dict[str, RecordedDisk]
    _name: str
    _holder: RecordedDisk

    def release(self) -> None:
        if self._locks.get(self._name) is self._holder:
            del self._locks[self._name]


def _as_disk_error(act: Callable[[], T]) -> T:
    try:
        return act()
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise DiskFull("there is no room") from error
        raise DiskFailed("the disk failed") from error
