"""The store's folder on a real disk; reports at once when the disk cannot be trusted.

A failed write or sync is never retried: after a failure the kernel may have dropped the pages, and
the next sync would succeed without them.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from secondpost.world.ports import DiskFailed, DiskFull, FileUnreadable
from secondpost.world.real.beneath import folder_beneath
from secondpost.world.real.modes import OWN, give_mode, make_folder_with, modes_in

MACHINE_ID = "/etc/machine-id"
MACHINE_ID_CHARACTERS_MAX = 64
NO_MACHINE_ID = "machine"
HOLD_TRIES = 10  # a lock file may be replaced between opening and locking it

# No space, file descriptors or memory: temporary, and nothing already written is in doubt.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM})


def _disk_error(error: OSError, what: str) -> Exception:
    """Translate an OSError into the port's exception."""
    text = f"{what}: {os.strerror(error.errno or 0)}"
    return DiskFull(text) if error.errno in _FULL else DiskFailed(text)


class RealDisk:
    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)
        # Open handles of databases by path, never closed: closing any handle of a file drops all
        # POSIX locks that the process has on it, including SQLite's.
        self._kept_open: dict[str, int] = {}

    @property
    def vfs(self) -> str | None:
        return None

    def path(self, name: str) -> str:
        """The absolute path of a name ("": the folder itself). Raises ValueError for others."""
        if len(name) == 0:
            return self._root
        if "\0" in name or any(part in ("", ".", "..") for part in name.split("/")):
            raise ValueError(f"{name!r} is not a name inside the store")
        return f"{self._root}/{name}"

    def make_folder(self, name: str) -> None:
        path = self.path(name)
        missing = [path]
        while not os.path.isdir(parent := os.path.dirname(missing[-1])):
            missing.append(parent)
        try:
            for folder in reversed(missing):
                self._make_one(folder)
        except OSError as error:
            raise _disk_error(error, f"making the folder {path}") from error
        # Also for existing folders: a crash may have come between mkdir and this sync.
        for folder in reversed(missing):
            _sync_folder(os.path.dirname(folder))

    def _make_one(self, path: str) -> None:
        parent = os.path.dirname(path)
        mode = modes_in(parent).folder if parent.startswith(f"{self._root}/") else OWN.folder
        try:
            make_folder_with(mode, path)
        except FileExistsError:
            if not os.path.isdir(path):
                raise

    @contextmanager
    def _folder_of(self, name: str) -> Iterator[tuple[int, str]]:
        """The open folder of a name, and the last part of the name."""
        folder, _, last = name.rpartition("/")
        with folder_beneath(self._root, folder) as handle:
            yield handle, last

    def _open(self, name: str, flags: int) -> int:
        with self._folder_of(name) as (folder, last):
            return os.open(last, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)

    def create(self, name: str) -> "RealFile":
        """Also raises FileExistsError and FileNotFoundError, which are mistakes of the caller."""
        path = self.path(name)
        try:
            with self._folder_of(name) as (folder, last):
                handle = _create(last, os.O_WRONLY, folder, self._file_mode(name, folder))
        except (FileExistsError, FileNotFoundError):
            raise
        except OSError as error:
            raise _disk_error(error, f"creating {path}") from error
        return RealFile(handle, path)

    def open(self, name: str) -> "RealFile":
        path = self.path(name)
        try:
            return RealFile(self._open(name, os.O_WRONLY), path)
        except (FileNotFoundError, PermissionError):
            raise
        except OSError as error:
            raise _disk_error(error, f"opening {path}") from error

    def sync_database(self, name: str) -> None:
        path = self.path(name)
        try:
            handle = self._kept_open.get(path)
            if handle is None or not _is_at(handle, path):
                handle = self._kept_open[path] = self._open(name, os.O_RDONLY)
            os.fdatasync(handle)
        except OSError as error:
            raise _disk_error(error, f"syncing {path}") from error

    def sync_folder(self, name: str) -> None:
        _sync_folder(self.path(name))

    def read(self, name: str, offset: int, octets: int) -> bytes:
        path = self.path(name)
        try:
            handle = self._open(name, os.O_RDONLY)
            try:
                return os.pread(handle, octets, offset)
            finally:
                os.close(handle)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise FileUnreadable(f"reading {path}: {os.strerror(error.errno or 0)}") from error

    def size(self, name: str) -> int:
        path = self.path(name)
        try:
            return os.stat(path).st_size
        except (FileNotFoundError, PermissionError):
            return 0
        except OSError as error:
            raise _disk_error(error, f"looking at {path}") from error

    def names(self, folder: str) -> list[str]:
        """The sorted names in a folder; empty if it does not exist."""
        path = self.path(folder)
        try:
            return sorted(os.listdir(path))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise _disk_error(error, f"listing {path}") from error

    def remove(self, name: str) -> None:
        path = self.path(name)
        try:
            with self._folder_of(name) as (folder, last):
                os.unlink(last, dir_fd=folder)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _disk_error(error, f"removing {path}") from error

    def free_octets(self) -> int:
        """The space available to an ordinary user."""
        try:
            facts = os.statvfs(self._root)
        except OSError as error:
            raise _disk_error(error, f"looking for room in {self._root}") from error
        return facts.f_bavail * facts.f_frsize

    def identity(self, name: str) -> str:
        path = self.path(name)
        try:
            return f"{_machine_id()} {os.stat(path).st_ino}"
        except FileNotFoundError:
            raise
        except OSError as error:
            raise _disk_error(error, f"looking at {path}") from error

    def hold(self, name: str) -> "RealHeld | None":
        path = self.path(name)
        try:
            with self._folder_of(name) as (folder, last):
                return _hold(last, folder, self._file_mode(name, folder))
        except OSError as error:
            raise _disk_error(error, f"locking {path}") from error

    def _file_mode(self, name: str, folder: int) -> int:
        """Of a file in this folder. The store's own folder is no room."""
        return modes_in(folder).file if "/" in name else OWN.file


def _machine_id() -> str:
    """This system's number (machine-id(5)), which is made when a system is installed or cloned;
    "machine" where there is none, as in some containers.
    """
    try:
        with open(MACHINE_ID, encoding="ascii", errors="replace") as file:
            said = file.read(MACHINE_ID_CHARACTERS_MAX).strip()
    except FileNotFoundError:
        return NO_MACHINE_ID
    return said if len(said) > 0 else NO_MACHINE_ID


def _create(name: str, flags: int, folder: int, mode: int) -> int:
    """Raises FileExistsError and other OSErrors."""
    handle = os.open(name, flags | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode, dir_fd=folder)
    try:
        give_mode(handle, mode)
    except BaseException:
        os.close(handle)
        raise
    return handle


def _open_lock(name: str, folder: int, mode: int) -> int:
    with suppress(FileExistsError):
        return _create(name, os.O_RDWR, folder, mode)
    return os.open(name, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)


def _hold(name: str, folder: int, mode: int) -> "RealHeld | None":
    for _ in range(HOLD_TRIES):
        try:
            handle = _open_lock(name, folder, mode)
        except FileNotFoundError:
            continue  # it was removed meanwhile
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(handle, name, folder):
                return RealHeld(handle)
        except BlockingIOError:
            os.close(handle)
            return None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # the file was replaced meanwhile: a lock on it excludes no process
    return None


def _is_at(handle: int, path: str, folder: int | None = None) -> bool:
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path, dir_fd=folder, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _sync_folder(path: str) -> None:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise DiskFailed(f"syncing the folder {path}: {os.strerror(error.errno or 0)}") from error


class RealFile:
    """A file being written. After an error only `close` works."""

    def __init__(self, handle: int, path: str) -> None:
        self._handle: int | None = handle
        self._path = path
        self._failed: Exception | None = None

    def write(self, data: bytes) -> None:
        handle = self._usable()
        rest = memoryview(data)
        try:
            while len(rest) > 0:
                rest = rest[os.write(handle, rest) :]
        except OSError as error:
            self._failed = _disk_error(error, f"writing {self._path}")
            raise self._failed from error

    def sync(self) -> None:
        """Sync the content. May raise DiskFull: some file systems allocate space only now."""
        handle = self._usable()
        try:
            os.fdatasync(handle)  # includes the size, but not the time of the change
        except OSError as error:
            self._failed = _disk_error(error, f"syncing {self._path}")
            raise self._failed from error

    def close(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            os.close(handle)

    def _usable(self) -> int:
        if self._failed is not None:
            raise self._failed
        if self._handle is None:
            raise ValueError(f"{self._path} is closed")
        return self._handle


class RealHeld:
    def __init__(self, handle: int) -> None:
        self._handle: int | None = handle

    @property
    def descriptor(self) -> int:
        """For the program that takes the place of this one, and keeps the lock."""
        if self._handle is None:
            raise ValueError("the lock is released")
        return self._handle

    def release(self) -> None:
        if self._handle is not None:
            handle, self._handle = self._handle, None
            os.close(handle)
