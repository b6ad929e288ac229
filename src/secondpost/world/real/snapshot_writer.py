"""Writes a snapshot: a tar file, as a stream and in bounded memory, with its manifest at the end."""

import errno
import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Callable
from contextlib import suppress
from typing import BinaryIO

import msgspec

from secondpost.mail.snapshot import MANIFEST, Manifest, SnapshotFile
from secondpost.world.real.files import sync_folder
from secondpost.world.real.tar_stream import TarStream

PIECE_OCTETS = 1024 * 1024
SNAPSHOT_MODE = 0o600
UNFINISHED = ".unfinished"


class _ReadOnce(io.RawIOBase):
    """A file that is read once: its checksum, and the octets read."""

    def __init__(self, file: BinaryIO, progress: Callable[[int], None]) -> None:
        super().__init__()
        self._file = file
        self._progress = progress
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(PIECE_OCTETS if size < 0 else size)
        self._digest.update(piece)
        self._progress(len(piece))
        return piece

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class SnapshotWriter:
    """`progress` gets the octets of each piece that is written."""

    def __init__(self, to: BinaryIO, made_ms: int, progress: Callable[[int], None]) -> None:
        self._tar = TarStream.open(mode="w|", fileobj=to, format=tarfile.PAX_FORMAT)
        self._seconds = made_ms // 1000
        self._progress = progress
        self.files: list[SnapshotFile] = []

    def add_file(self, name: str, path: str, *, is_secret: bool = False) -> None:
        """Add a file that does not change any more; a link or a pipe in its place is refused. Raises
        OSError.
        """
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(handle, "rb") as file:
            facts = os.fstat(handle)
            if not stat.S_ISREG(facts.st_mode):
                raise OSError(errno.EINVAL, "not a regular file", path)
            self._add(name, file, facts.st_size, is_secret, "")

    def add(self, name: str, data: bytes, *, is_secret: bool = False, path: str = "") -> None:
        self._add(name, io.BytesIO(data), len(data), is_secret, path)

    def _add(self, name: str, file: BinaryIO, size: int, is_secret: bool, path: str) -> None:
        read = _ReadOnce(file, self._progress)
        self._tar.addfile(self._head(name, size), read)
        self._tar.members.clear()
        self.files.append(SnapshotFile(name, size, read.sha256, is_secret, path))

    def _head(self, name: str, size: int) -> tarfile.TarInfo:
        head = tarfile.TarInfo(name)
        head.size, head.mode, head.mtime = size, SNAPSHOT_MODE, self._seconds
        return head

    def finish(self, manifest: Manifest) -> None:
        data = msgspec.json.format(msgspec.json.encode(manifest))
        self._tar.addfile(self._head(MANIFEST, len(data)), io.BytesIO(data))
        self._tar.close()


class NewSnapshotFile:
    """A file that appears under its name when it is whole. Raises OSError, also FileExistsError."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        if os.path.exists(self.path):
            raise FileExistsError(17, "File exists")
        self._unfinished = f"{self.path}{UNFINISHED}"
        with suppress(FileNotFoundError):
            os.unlink(self._unfinished)  # of a command that was killed
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self.file: BinaryIO = os.fdopen(os.open(self._unfinished, flags, SNAPSHOT_MODE), "wb")

    def finish(self) -> None:
        self.file.flush()
        os.fsync(self.file.fileno())
        self.file.close()
        os.rename(self._unfinished, self.path)
        sync_folder(os.path.dirname(self.path))

    def remove(self) -> None:
        with suppress(OSError):
            self.file.close()  # flushes, perhaps once more in vain
        with suppress(FileNotFoundError):
            os.unlink(self._unfinished)
