"""An SQLite VFS that records the operations that it passes through to the real one.

Shared memory (the -shm file of WAL) is not recorded: SQLite rebuilds it after a crash. Locks and
shared memory are those of the base VFS, so connections of several processes work.
"""

import errno
from collections.abc import Callable
from pathlib import Path

import apsw

from simulation.disk.operations import folder_of
from simulation.disk.recording import Recording, kind_of

NEW_JOURNAL = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL


class RecordedVfs(apsw.VFS):
    """`alive` is False once the process was killed or the power cut: then all writes fail."""

    def __init__(self, name: str, root: str, recording: Recording, alive: Callable[[], bool]) -> None:
        self._root = root
        self.recording = recording
        self.alive = alive
        super().__init__(name, base="")

    def _relative(self, path: str) -> str | None:
        """The path relative to the root; None for others, such as SQLite's temporary files."""
        if not path.startswith(self._root + "/"):
            return None
        return path[len(self._root) + 1 :]

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        relative = None if path is None else self._relative(path)
        if relative is None or path is None:
            return apsw.VFSFile("", name, flags)
        is_new = not Path(path).exists()
        if is_new and flags[0] & apsw.SQLITE_OPEN_CREATE != 0:
            _as_sqlite_error(lambda: self.recording.created(relative))
        syncs_folder = flags[0] & NEW_JOURNAL != 0 and flags[0] & apsw.SQLITE_OPEN_CREATE != 0
        return RecordedVfsFile(self, relative, name, flags, syncs_folder)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        relative = self._relative(filename)
        if relative is None:
            return
        self.recording.removed(relative)
        if syncdir:
            _as_sqlite_error(lambda: self.recording.folder_synced(folder_of(relative), kind_of(relative)))


class RecordedVfsFile(apsw.VFSFile):
    def __init__(
        self,
        vfs: RecordedVfs,
        relative: str,
        name: str | apsw.URIFilename | None,
        flags: list[int],
        syncs_folder: bool,
    ) -> None:
        self._vfs = vfs
        self._kind = kind_of(relative)
        self._folder = folder_of(relative)
        # The unix VFS syncs the folder with the first sync of a journal it may have created.
        self._syncs_folder = syncs_folder
        super().__init__("", name, flags)
        self._file = vfs.recording.inode(relative)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._living()
        octets = bytes(data)
        passed = super().xWrite
        _as_sqlite_error(
            lambda: self._vfs.recording.writes(self._file, offset, octets, lambda d: passed(d, offset))
        )

    def xTruncate(self, newsize: int) -> None:
        self._living()
        super().xTruncate(newsize)
        self._vfs.recording.truncated(self._file, newsize)

    def xSync(self, flags: int) -> None:
        """Does not sync the real disk: the recording decides what is durable."""
        self._living()
        _as_sqlite_error(lambda: self._vfs.recording.synced(self._file, self._kind))
        if self._syncs_folder:
            _as_sqlite_error(lambda: self._vfs.recording.folder_synced(self._folder, self._kind))
            self._syncs_folder = False

    def xFileControl(self, op: int, ptr: int) -> bool:
        if op == apsw.SQLITE_FCNTL_PRAGMA and len(self._vfs.recording.insisted) > 0:
            pragma = apsw.VFSFcntlPragma(ptr)
            insisted = self._vfs.recording.insisted.get(pragma.name.lower())
            if insisted is not None and pragma.value is not None and pragma.value.upper() != insisted:
                return True  # report success without setting it
        understood: bool = super().xFileControl(op, ptr)
        return understood

    def _living(self) -> None:
        if not self._vfs.alive():
            raise apsw.exception_for(apsw.SQLITE_IOERR)


def _as_sqlite_error(act: Callable[[], object]) -> None:
    """Turn an OSError of the recording into SQLite's error."""
    try:
        act()
    except OSError as error:
        full = error.errno == errno.ENOSPC
        raise apsw.exception_for(apsw.SQLITE_FULL if full else apsw.SQLITE_IOERR_FSYNC) from error
