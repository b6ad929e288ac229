"""Counts a provider's replies that refuse us for what we are, to stop before they get worse. Pure."""

from collections import deque
from dataclasses import dataclass, field

from secondpost.mail.duration import MINUTE_MS

WINDOW_MINUTES = 15
ATTEMPTS_MIN = 20
FAULTS_SHARE_MAX = 0.1  # of the attempts


@dataclass(slots=True)
class _Minute:
    minute: int
    attempts: int = 0
    faults: int = 0


@dataclass(slots=True)
class Breaker:
    """The attempts of the last quarter of an hour, by minute."""

    minutes: deque[_Minute] = field(default_factory=deque)

    def note(self, now_ms: int, *, sender_fault: bool) -> bool:
        """Count an attempt; returns whether mail to the provider is to stop."""
        minute = now_ms // MINUTE_MS
        while len(self.minutes) > 0 and self.minutes[0].minute <= minute - WINDOW_MINUTES:
            self.minutes.popleft()
        if len(self.minutes) == 0 or self.minutes[-1].minute != minute:
            self.minutes.append(_Minute(minute))
        last = self.minutes[-1]
        last.attempts += 1
        last.faults += sender_fault
        if not sender_fault:
            return False
        attempts = sum(each.attempts for each in self.minutes)
        faults = sum(each.faults for each in self.minutes)
        return attempts >= ATTEMPTS_MIN and faults > FAULTS_SHARE_MAX * attempts

    def reset(self) -> None:
        self.minutes.clear()
