"""A command whose output has no reader any more."""

import os
import subprocess
import sys


def into_a_closed_pipe(*words: str) -> subprocess.CompletedProcess[str]:
    """Run `secondpost` with a standard output that was closed at the other end, as `| head` leaves it."""
    read, write = os.pipe()
    os.close(read)
    try:
        return subprocess.run(
            (sys.executable, "-P", "-m", "secondpost", *words),
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        os.close(write)
