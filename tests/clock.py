"""The clock of the tests: it changes only when a test sets it."""

from dataclasses import dataclass

START_MS = 1_800_000_000_000  # 2027-01-15T08:00:00Z


@dataclass(slots=True)
class SetClock:
    ms: int = START_MS
    look_ms: int = 0  # added at each call of now_ms

    def now_ms(self) -> int:
        self.ms += self.look_ms
        return self.ms
