"""The clock of the tests: it stands still until a test moves it."""

from dataclasses import dataclass

START_MS = 1_800_000_000_000  # 2027-01-15T08:00:00Z


@dataclass(slots=True)
class SetClock:
    ms: int = START_MS
    look_ms: int = 0  # that each look takes

    def now_ms(self) -> int:
        self.ms += self.look_ms
        return self.ms
