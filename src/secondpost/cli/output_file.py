"""A file that a command writes for the person who typed it.

It is opened while still root, which may write where the store's owner may not.
"""

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import IO

from secondpost.cli.opening import write_faults_shown


@contextmanager
def output_file(path: str, *, is_chosen: bool = True) -> Iterator[Callable[[str], None]]:
    """Open the file, and yield what gives it its whole new content; until then the old one stays. If the
    command ends before, a file that was not there is removed.

    `is_chosen`: by the person. A file at another place is made for them alone, and is no symbolic link: in
    a home that sudo kept, a program without rights could have put one there for root to follow.
    """
    was_there = os.path.exists(path)
    file = _opened(path, None if is_chosen else _unfollowed)
    try:
        yield partial(_replace, file, path)
    except BaseException:
        if not was_there:
            with suppress(OSError):  # what root made, the store's owner may be unable to remove
                os.unlink(path)
        raise
    finally:
        file.close()


def _opened(path: str, opener: Callable[[str, int], int] | None) -> IO[str]:
    with write_faults_shown(path):
        return open(path, "a", encoding="utf-8", opener=opener)


def _replace(file: IO[str], path: str, content: str) -> None:
    with write_faults_shown(path):
        if stat.S_ISREG(os.fstat(file.fileno()).st_mode):  # a pipe has no old content
            file.truncate(0)
        file.write(content)
        file.flush()


def _unfollowed(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
