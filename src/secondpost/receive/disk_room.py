"""How much room the disk has: looked at ten times a second at most, however many messages come in.

What is coming in meanwhile is counted beside it (under_way.py), and what was stored since the last look is
small against the reserve.
"""

from collections.abc import Callable
from dataclasses import dataclass

from secondpost.world.ports import Clock

LOOK_MS = 100


@dataclass(slots=True)
class DiskRoom:
    """`look`: octets beyond the reserve, as of now."""

    look: Callable[[], int]
    clock: Clock
    _looked_ms: int | None = None
    _free: int = 0

    def free(self) -> int:
        now_ms = self.clock.now_ms()
        if self._looked_ms is None or not 0 <= now_ms - self._looked_ms < LOOK_MS:
            self._free = self.look()
            self._looked_ms = now_ms
        return self._free
