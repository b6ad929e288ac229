"""Free space is not queried for every message as long as there is plenty."""

from secondpost.receive.disk_room import LOOK_MS, PLENTY_OCTETS, DiskRoom
from tests.clock import SetClock


class Disk:
    def __init__(self, free: int) -> None:
        self.free = free
        self.looks = 0

    def look(self) -> int:
        self.looks += 1
        return self.free


def test_a_disk_with_plenty_of_room_is_looked_at_once_in_a_while() -> None:
    clock, disk = SetClock(), Disk(PLENTY_OCTETS)
    room = DiskRoom(disk.look, clock)
    for _ in range(100):
        assert room.free() == PLENTY_OCTETS
    clock.ms += LOOK_MS - 1
    room.free()
    assert disk.looks == 1
    clock.ms += 1
    room.free()
    clock.ms -= 3_600_000  # set back
    room.free()
    assert disk.looks == 3


def test_a_disk_that_fills_up_is_looked_at_each_time() -> None:
    disk = Disk(PLENTY_OCTETS - 1)
    room = DiskRoom(disk.look, SetClock())
    for octets in (5_000_000, 4_000_000, -1):
        disk.free = octets
        assert room.free() == octets
