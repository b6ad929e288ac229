"""How many recipients one primary may be made to refuse in a minute, so that it never takes its backup for a
dictionary attack. Pure.

Probes of recipients and mail for unverified recipients draw on the same budget. It is shared by halves: a
network that had refusals lately may have more only while more are left than it had. So one flood leaves half
to the others, a second one half of that, and a network without any may have one as long as one is left.
"""

from dataclasses import dataclass, field

MINUTE_MS = 60_000
REFUSALS_PER_MINUTE_MAX = 20
REFUSALS_PER_MINUTE_MIN = 1  # however often the primary has parted
REFUSALS_PER_CONNECTION_MAX = 10  # many servers part after 20 errors (Postfix: smtpd_hard_error_limit)
RECOVERY_MS = 60 * MINUTE_MS  # without a parting, before the budget is doubled again
ASKERS_MAX = 10_000  # that are remembered in a minute

QUEUE = "queue"  # who draws, when it is the mail that waits here and not a caller's network


@dataclass(slots=True)
class RefusalBudget:
    """One site's. `asker`: a caller's network, or QUEUE."""

    per_minute: float = REFUSALS_PER_MINUTE_MAX
    _left: float = REFUSALS_PER_MINUTE_MAX
    _filled_ms: int = 0
    _slowed_ms: int = 0
    _counts_since_ms: int = 0
    _counts: dict[str, int] = field(default_factory=dict)  # refusals of each asker in this minute

    def allows(self, asker: str, now_ms: int) -> int:
        """How many recipients may be named for the asker now, though every one of them be refused."""
        self._go_on(now_ms)
        return max(0, int(self._left) - self._counts.get(asker, 0))

    def take(self, asker: str, recipients: int, now_ms: int) -> None:
        """They are named: until their answers are known they count as refused."""
        self._go_on(now_ms)
        self._left -= recipients
        if len(self._counts) < ASKERS_MAX or asker in self._counts:
            self._counts[asker] = self._counts.get(asker, 0) + recipients

    def give_back(self, asker: str, recipients: int) -> None:
        """So many of them were not refused."""
        self._left = min(self._left + recipients, self.per_minute)
        if asker in self._counts:
            self._counts[asker] = max(0, self._counts[asker] - recipients)

    def parted(self, now_ms: int) -> None:
        """The primary ended a connection for its refusals: half as many from now on, and none at first."""
        self._go_on(now_ms)
        self.per_minute = max(REFUSALS_PER_MINUTE_MIN, self.per_minute / 2)
        self._left = min(self._left, 0.0)
        self._slowed_ms = now_ms

    def wait_ms(self, asker: str, now_ms: int) -> int:
        """Until the asker may have a recipient named; 0: now."""
        if self.allows(asker, now_ms) > 0:
            return 0
        wanted = 1 + self._counts.get(asker, 0)
        counted_anew_ms = self._counts_since_ms + MINUTE_MS - now_ms
        if wanted > self.per_minute:
            return max(counted_anew_ms, 1)
        filled_ms = int((wanted - self._left) * MINUTE_MS / self.per_minute) + 1
        return max(min(filled_ms, counted_anew_ms) if wanted > 1 else filled_ms, 1)

    def _go_on(self, now_ms: int) -> None:
        """Fill up for the time that has passed; a clock that was set back begins anew from there."""
        passed_ms = min(max(now_ms - self._filled_ms, 0), MINUTE_MS)
        self._filled_ms = now_ms
        self._left = min(self._left + self.per_minute * passed_ms / MINUTE_MS, self.per_minute)
        if not 0 <= now_ms - self._counts_since_ms < MINUTE_MS:
            self._counts_since_ms = now_ms
            self._counts.clear()
        if not 0 <= now_ms - self._slowed_ms < RECOVERY_MS and self.per_minute < REFUSALS_PER_MINUTE_MAX:
            self.per_minute = min(self.per_minute * 2, REFUSALS_PER_MINUTE_MAX)
            self._slowed_ms = now_ms


class RefusalBudgets:
    """Of every site that was asked about recipients."""

    def __init__(self) -> None:
        self._of: dict[str, RefusalBudget] = {}

    def of(self, site: str) -> RefusalBudget:
        return self._of.setdefault(site, RefusalBudget())
