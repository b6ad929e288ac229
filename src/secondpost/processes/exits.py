"""Exit codes of the service's processes, for the supervisor and the shell."""

from enum import IntEnum


class ProcessExit(IntEnum):
    DONE = 0
    FAILED = 1  # a bug of ours: worth a restart
    USAGE = 2
    UNREACHABLE = 4  # the store, a port or a certificate cannot be used
    DISK = 5  # a write or sync failed, so the disk's state is unknown: all roles stop
