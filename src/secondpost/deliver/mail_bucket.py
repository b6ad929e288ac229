"""Evens out mail to a rate: at most what comes in within a second at once. Pure.

It begins with one mail, so that a restart makes no burst.
"""

from dataclasses import dataclass

from secondpost.mail.duration import SECOND_MS

BURST_SECONDS = 1.0


@dataclass(slots=True)
class MailBucket:
    per_second: float  # may change at any time
    since_ms: int  # when `mails` was last computed
    mails: float = 1.0  # that may go now; below 0: more went than were there

    def available(self, now_ms: int) -> int:
        """How many mails may go now."""
        passed_ms = max(now_ms - self.since_ms, 0)
        self.since_ms = now_ms
        most = max(1.0, self.per_second * BURST_SECONDS)
        self.mails = min(self.mails + self.per_second * passed_ms / SECOND_MS, most)
        return max(int(self.mails + 1e-6), 0)

    def take(self, mails: int) -> None:
        """Note mails that go; a negative number brings back mails that did not go."""
        self.mails -= mails

    def wait_seconds(self, now_ms: int) -> float:
        """Seconds until a mail may go; 0: now."""
        if self.available(now_ms) > 0:
            return 0.0
        return (1.0 - self.mails) / self.per_second
