"""Folders below the store, opened step by step, so that no link is followed.

A role that was taken over writes in its rooms: a link that it makes there must not lead another
role, or root, to a file elsewhere.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

STEP = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def folder_beneath(root: str, folder: str) -> Iterator[int]:
    """A handle of a folder (`""`: of the root itself), for `dir_fd`.

    Raises OSError: NotADirectoryError if one of the parts is a link.
    """
    handle = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in folder.split("/") if len(folder) > 0 else ():
            below = os.open(part, STEP, dir_fd=handle)
            os.close(handle)
            handle = below
        yield handle
    finally:
        os.close(handle)
