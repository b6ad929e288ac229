"""The files of another mail server: on this machine, in a copy of its /etc, or from standard input."""

import os
import posixpath
import stat
import sys

from secondpost.setup.importing.old_files import OLD_FILE_OCTETS_MAX, NotRead

STANDARD_INPUT = "-"  # in place of a path
LINKS_MAX = 40  # path_resolution(7)


class OldServerFiles:
    """OldFiles below `root`, the folder that stands for the old machine's /; links in a copy are followed
    there, not on this machine.
    """

    def __init__(self, root: str = "/") -> None:
        self._root = os.path.abspath(root)
        self._standard_input: str | None = None

    def text(self, path: str) -> str | NotRead:
        if path == STANDARD_INPUT:
            return self._typed()
        try:
            with open(self._here(path), "rb", opener=_open_no_pipe) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return NotRead("is not a regular file")
                data = file.read(OLD_FILE_OCTETS_MAX + 1)
        except (OSError, ValueError) as error:
            return NotRead(_why(error))
        return _decoded(data)

    def names(self, folder: str) -> tuple[str, ...] | NotRead:
        try:
            return tuple(sorted(os.listdir(self._here(folder))))
        except (OSError, ValueError) as error:
            return NotRead(_why(error))

    def _typed(self) -> str | NotRead:
        if self._standard_input is None:
            text = _decoded(sys.stdin.buffer.read(OLD_FILE_OCTETS_MAX + 1))
            if isinstance(text, NotRead):
                return text
            self._standard_input = text
        return self._standard_input

    def _here(self, path: str) -> str:
        """Where a path of the old server is on this machine. Raises OSError."""
        left = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        found: list[str] = []
        links = 0
        while len(left) > 0:
            part = left.pop()
            if part == "..":
                found = found[:-1]
                continue
            here = os.path.join(self._root, *found, part)
            if not os.path.islink(here):
                found.append(part)
                continue
            links += 1
            if links > LINKS_MAX:
                raise OSError(0, "too many links in its path")
            target = os.readlink(here)
            found = [] if posixpath.isabs(target) else found
            left += [part for part in reversed(target.split("/")) if part not in ("", ".")]
        return os.path.join(self._root, *found)


def _open_no_pipe(path: str, flags: int) -> int:
    # Opening a pipe without a writer would wait for one.
    return os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC)


def _decoded(data: bytes) -> str | NotRead:
    if len(data) > OLD_FILE_OCTETS_MAX:
        return NotRead(f"is longer than {OLD_FILE_OCTETS_MAX // 1_000_000} MB")
    if b"\0" in data:
        return NotRead("is not a text")
    return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff").replace("\r\n", "\n")


def _why(error: OSError | ValueError) -> str:
    what = error.strerror if isinstance(error, OSError) else None
    return f"cannot be read: {what or 'its name cannot be one of a file'}"
