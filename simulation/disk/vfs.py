"""SQLite on a recorded disk: a VFS that notes what it passes through to the real one.

Shared memory (the -shm file of WAL) is not recorded: SQLite makes it anew after a crash, whatever is
in it. Locks and shared memory are those of the base, so connections of several processes work.
"""

import errno
from collections.abc import Callable
from pathlib import Path

import apsw

from simulation.disk.recording import Recording, kind_of

NEW_JOURNAL = apsw.SQLITE_OPEN_WAL | apsw.SQLITE_OPEN_MAIN_JOURNAL | apsw.SQLITE_OPEN_SUPER_JOURNAL


class RecordedVfs(apsw.VFS):
    """`alive` says whether the handles of this machine still reach anything."""

    def __init__(self, name: str, root: str, recording: Recording, alive: Callable[[], bool]) -> None:
        self._root = root
        self.recording = recording
        self.alive = alive
        super().__init__(name, base="")

    def _relative(self, path: str) -> str | None:
        """None for what is not below the root, such as SQLite's temporary files."""
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
            _told(lambda: self.recording.created(relative))
        syncs_folder = flags[0] & NEW_JOURNAL != 0 and flags[0] & apsw.SQLITE_OPEN_CREATE != 0
        return RecordedVfsFile(self, relative, name, flags, syncs_folder)

    def xDelete(self, filename: str, syncdir: bool) -> None:
        super().xDelete(filename, syncdir)
        relative = self._relative(filename)
        if relative is None:
            return
        self.recording.removed(relative)
        if syncdir:
            _told(lambda: self.recording.folder_synced("", kind_of(relative)))


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
        # The unix VFS syncs the folder with the first sync of a journal it may have created.
        self._syncs_folder = syncs_folder
        super().__init__("", name, flags)
        self._file = vfs.recording.inode(relative)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._living()
        octets = bytes(data)
        passed = super().xWrite
        _told(lambda: self._vfs.recording.writes(self._file, offset, octets, lambda d: passed(d, offset)))

    def xTruncate(self, newsize: int) -> None:
        self._living()
        super().xTruncate(newsize)
        self._vfs.recording.truncated(self._file, newsize)

    def xSync(self, flags: int) -> None:
        """Never reaches the real disk: what is durable here is what the recording says."""
        self._living()
        _told(lambda: self._vfs.recording.synced(self._file, self._kind))
        if self._syncs_folder:
            _told(lambda: self._vfs.recording.folder_synced("", self._kind))
            self._syncs_folder = False

    def xFileControl(self, op: int, ptr: int) -> bool:
        if op == apsw.SQLITE_FCNTL_PRAGMA and len(self._vfs.recording.insisted) > 0:
            pragma = apsw.VFSFcntlPragma(ptr)
            insisted = self._vfs.recording.insisted.get(pragma.name.lower())
            if insisted is not None and pragma.value is not None and pragma.value.upper() != insisted:
                return True  # understood, and not carried out
        understood: bool = super().xFileControl(op, ptr)
        return understood

    def _living(self) -> None:
        if not self._vfs.alive():
            raise apsw.exception_for(apsw.SQLITE_IOERR)


def _told(act: Callable[[], object]) -> None:
    """Say the errors of the operating system in SQLite's words."""
    try:
        act()
    except OSError as error:
        full = error.errno == errno.ENOSPC
        raise apsw.exception_for(apsw.SQLITE_FULL if full else apsw.SQLITE_IOERR_FSYNC) from error
