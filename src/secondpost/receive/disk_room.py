"""The free room of the disk: looked up ten times a second at most while there is plenty."""

from collections.abc import Callable
from dataclasses import dataclass

from secondpost.world.ports import Clock

LOOK_MS = 100
PLENTY_OCTETS = 256_000_000  # beyond the reserve; more than arrives between two looks


@dataclass(slots=True)
class DiskRoom:
    """`look`: returns the octets free beyond the reserve."""

    look: Callable[[], int]
    clock: Clock
    _looked_ms: int = 0
    _free: int = 0

    def free(self) -> int:
        now_ms = self.clock.now_ms()
        if self._free < PLENTY_OCTETS or not 0 <= now_ms - self._looked_ms < LOOK_MS:
            self._free = self.look()
            self._looked_ms = now_ms
        return self._free
