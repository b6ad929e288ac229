"""The owner's files beside the store: whether one has changed, and replacing one without losing it."""

import os
import stat
from contextlib import suppress

from secondpost.world.real.modes import give_mode, make_folder_with, modes_in

NEW_FILE_MODE = 0o644


class FileRefused(Exception):
    """A file must not be replaced. The text names the reason and the fix."""


def file_stamp(path: str) -> tuple[int, int, int] | None:
    """Changes whenever the file is written or replaced; None if it does not exist."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def replace_file(path: str, data: bytes, keep_as: str | None = None, new_mode: int = NEW_FILE_MODE) -> None:
    """Write a file in one step, synced: after a crash there is the old one or the new one, whole.

    An old file keeps its mode and owner, and with `keep_as` lies there under that name. A link of
    one's own is followed; that of another user could lead to a file that is not meant. Raises
    FileRefused and OSError.
    """
    target = _target(path)
    try:
        earlier = os.stat(target)
    except FileNotFoundError:
        earlier = None
    if earlier is not None and not stat.S_ISREG(earlier.st_mode):
        raise FileRefused(f"{path} is not a regular file; move it away, or name another with --config")
    unfinished = f"{target}.{os.getpid()}"
    # O_EXCL follows no link that another user may have put there.
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, new_mode)
    try:
        with open(handle, "wb") as file:
            if earlier is not None:
                _take_over(handle, earlier)
            file.write(data)
            file.flush()
            os.fsync(handle)
        if earlier is not None and keep_as is not None:
            os.link(target, keep_as)
        os.rename(unfinished, target)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(unfinished)
    sync_folder(os.path.dirname(target))


def replace_in_room(path: str, data: bytes) -> None:
    """As `replace_file`, for a file of the store: no link is followed, and the new file has the mode of
    its room. Raises OSError.
    """
    folder = os.path.dirname(path)
    mode = modes_in(folder).file
    unfinished = f"{path}.new"
    with suppress(FileNotFoundError):
        os.unlink(unfinished)  # of a process that was killed
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with open(handle, "wb") as file:
        give_mode(handle, mode)
        file.write(data)
        file.flush()
        os.fsync(handle)
    os.rename(unfinished, path)
    sync_folder(folder)


def make_folder_below(path: str) -> None:
    """Make a folder in a room, with the room's mode; does nothing if it exists. Raises OSError."""
    with suppress(FileExistsError):
        make_folder_with(modes_in(os.path.dirname(path)).folder, path)


def _target(path: str) -> str:
    if not os.path.islink(path):
        return os.path.abspath(path)
    if os.lstat(path).st_uid != os.geteuid():
        raise FileRefused(f"{path} is a link of another user; remove it, or name another file with --config")
    return os.path.realpath(path)


def _take_over(handle: int, earlier: os.stat_result) -> None:
    """Give the new file the mode and owner of the earlier one."""
    if (earlier.st_uid, earlier.st_gid) != (os.geteuid(), os.getegid()):
        os.fchown(handle, earlier.st_uid, earlier.st_gid)
    os.fchmod(handle, stat.S_IMODE(earlier.st_mode))


def sync_folder(path: str) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
