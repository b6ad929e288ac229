"""How a process of the service ends, as its supervisor and the shell read it."""

from enum import IntEnum


class ProcessExit(IntEnum):
    DONE = 0
    FAILED = 1  # a mistake of ours: worth starting again
    USAGE = 2
    UNREACHABLE = 4  # the store, a port or a certificate cannot be used
    DISK = 5  # a write or sync failed: what the disk holds is unknown, so all roles stop
