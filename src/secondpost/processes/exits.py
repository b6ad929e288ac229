"""Exit codes of the service's processes, for the supervisor and the shell."""

import sys
from enum import IntEnum

from secondpost.processes.doors import refusal_text
from secondpost.world.ports import DiskFailed, NetError


class ProcessExit(IntEnum):
    DONE = 0
    FAILED = 1  # a bug of ours: worth a restart
    USAGE = 2
    CONFIGURATION = 3
    UNREACHABLE = 4  # the store, a port or a certificate cannot be used
    DISK = 5  # a write or sync failed, so the disk's state is unknown: all roles stop


def not_started(error: Exception) -> ProcessExit:
    """Print why a process does not start."""
    sys.stderr.write(f"secondpost: {refusal_text(error) if isinstance(error, NetError) else error}\n")
    return ProcessExit.DISK if isinstance(error, DiskFailed) else ProcessExit.UNREACHABLE
