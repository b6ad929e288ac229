"""The owner's files beside the store: has one changed since we read it?"""

import os


def file_stamp(path: str) -> tuple[int, int, int] | None:
    """Differs whenever the file was written or replaced; None when it is not there."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
