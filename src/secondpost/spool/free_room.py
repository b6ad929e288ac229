"""Disk space available for mail."""

from secondpost.mail.store_rooms import StoreRoom
from secondpost.world.ports import Disk

WRITE_AHEAD_LOGS = (
    f"{StoreRoom.MAIL.folder}/mail.db-wal",
    f"{StoreRoom.NEWSLETTER.folder}/newsletter.db-wal",
)


def free_octets(disk: Disk, reserve: int) -> int:
    """Free octets beyond the reserve; may be negative.

    The contents of the write-ahead logs are counted as used, since a checkpoint writes them a
    second time.
    """
    spoken_for = sum(disk.size(log) for log in WRITE_AHEAD_LOGS)
    return disk.free_octets() - spoken_for - reserve
