"""The clock of this machine."""

import time

NANOSECONDS_PER_MILLISECOND = 1_000_000


class RealClock:
    def now_ms(self) -> int:
        return time.time_ns() // NANOSECONDS_PER_MILLISECOND
