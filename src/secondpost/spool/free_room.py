"""What room the disk has for mail."""

from secondpost.world.ports import Disk

WRITE_AHEAD_LOGS = ("mail.db-wal", "newsletter.db-wal")


def free_octets(disk: Disk, reserve: int) -> int:
    """What the disk has beyond the reserve; may be negative. What lies in the write-ahead logs will be
    written a second time when it moves into the databases, so its room is spoken for.
    """
    spoken_for = sum(disk.size(log) for log in WRITE_AHEAD_LOGS)
    return disk.free_octets() - spoken_for - reserve
