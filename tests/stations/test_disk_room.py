"""The disk is not asked for every message."""

from secondpost.receive.disk_room import LOOK_MS, DiskRoom
from tests.store.place import SetClock


def test_the_disk_is_looked_at_once_in_a_while_and_after_a_clock_that_was_set_back() -> None:
    clock = SetClock()
    looks: list[int] = []

    def look() -> int:
        looks.append(clock.ms)
        return 1000 - len(looks)

    room = DiskRoom(look, clock)
    assert [room.free() for _ in range(100)] == [999] * 100
    clock.ms += LOOK_MS - 1
    assert room.free() == 999
    clock.ms += 1
    assert room.free() == 998
    clock.ms -= 3_600_000
    assert (room.free(), room.free()) == (997, 997)
    assert len(looks) == 3
