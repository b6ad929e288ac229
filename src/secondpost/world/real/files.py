"""Detects changes of the owner's files beside the store."""

import os


def file_stamp(path: str) -> tuple[int, int, int] | None:
    """Changes whenever the file is written or replaced; None if it does not exist."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
