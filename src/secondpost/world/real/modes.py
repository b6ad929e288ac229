"""The modes of what is made in a room of the store: taken from the room's folder.

The folder of a room that several users share has the setgid bit, so that its group goes on to
everything made in it. Explicit modes do not depend on the umask of the process.
"""

import os
import stat
from dataclasses import dataclass

SHARED = stat.S_ISGID | stat.S_IRGRP | stat.S_IXGRP  # bits of a folder that a group may open


@dataclass(frozen=True, slots=True)
class Modes:
    """Of files, folders and sockets. Connecting to a socket needs the right to write to it."""

    file: int
    folder: int
    socket: int


OWN = Modes(0o600, 0o700, 0o600)  # one user has the store to itself
OF_WRITERS = Modes(0o660, 0o2770, 0o660)  # all users of the group write
OF_ONE_WRITER = Modes(0o640, 0o2750, 0o660)  # one user writes, and its group reads


def modes_in(folder: str | int) -> Modes:
    """`folder`: a path, or a handle. Raises OSError."""
    mode = os.stat(folder).st_mode
    if mode & SHARED != SHARED:
        return OWN
    return OF_WRITERS if mode & stat.S_IWGRP != 0 else OF_ONE_WRITER


def give_mode(handle: int, mode: int) -> None:
    """Give what we just made its mode, of which the umask may have taken bits. Raises OSError."""
    if stat.S_IMODE(os.fstat(handle).st_mode) != mode:
        os.fchmod(handle, mode)


def make_folder_with(mode: int, path: str) -> None:
    """Make a folder that has this mode whatever the umask. Raises FileExistsError and other OSErrors.

    The setgid bit comes from the folder above: systemd forbids a role to set it (RestrictSUIDSGID=).
    """
    umask = os.umask(0)  # other threads make files with modes of their own, so it is nothing to them
    try:
        os.mkdir(path, mode & ~stat.S_ISGID)
    finally:
        os.umask(umask)
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        give_mode(handle, mode)
    finally:
        os.close(handle)
