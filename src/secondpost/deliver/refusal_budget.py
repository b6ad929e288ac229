"""How many recipients one primary may be made to refuse in any minute, so that it never takes its backup
for a dictionary attack. Pure.

Probes of recipients and mail for unverified recipients draw on the same budget. It is shared by halves: a
network that had refusals in the last minute may have more only while more are left than it had. So one flood
leaves half to the others, a second one half of that, and a network without any may have one as long as one is
left.
"""

from collections import deque
from dataclasses import dataclass, field

from secondpost.mail.duration import HOUR_MS, MINUTE_MS

REFUSALS_PER_MINUTE_MAX = 20
REFUSALS_PER_MINUTE_MIN = 1  # however often the primary has parted
REFUSALS_PER_CONNECTION_MAX = 10  # many servers part after 20 errors (Postfix: smtpd_hard_error_limit)
# With RCPT and DATA in one group a refusal is two errors to Postfix, which slows down after ten of them.
REFUSALS_IN_GROUPS_MAX = REFUSALS_PER_CONNECTION_MAX // 2
RECOVERY_MS = HOUR_MS  # without a parting, before the budget is doubled again

QUEUE = "queue"  # who draws, when it is the mail that waits here and not a caller's network


@dataclass(slots=True)
class RefusalBudget:
    """One site's. `asker`: a caller's network, or QUEUE."""

    per_minute: float = REFUSALS_PER_MINUTE_MAX
    _taken: deque[tuple[int, str]] = field(default_factory=deque)  # in the last minute: when, and for whom
    _slowed_ms: int = 0
    _closed_until_ms: int = 0

    def allows(self, asker: str, now_ms: int) -> int:
        """How many recipients may be named for the asker now, though every one of them be refused."""
        self._go_on(now_ms)
        return 0 if now_ms < self._closed_until_ms else self._allowed(asker, 0)

    def _allowed(self, asker: str, forgotten: int) -> int:
        """When the first so many of those that were taken are a minute ago."""
        taken = [who for _, who in self._taken][forgotten:]
        return max(0, int(self.per_minute) - len(taken) - taken.count(asker))

    def take(self, asker: str, recipients: int, now_ms: int) -> None:
        """They are named: until their answers are known they count as refused."""
        self._go_on(now_ms)
        self._taken.extend([(now_ms, asker)] * recipients)

    def give_back(self, asker: str, recipients: int) -> None:
        """So many of them were not refused."""
        for _ in range(recipients):
            for one in reversed(self._taken):
                if one[1] == asker:
                    self._taken.remove(one)
                    break

    def parted(self, now_ms: int) -> None:
        """The primary ended a connection for its refusals: half as many from now on, and none for a while."""
        self._go_on(now_ms)
        self.per_minute = max(REFUSALS_PER_MINUTE_MIN, self.per_minute / 2)
        self._slowed_ms = now_ms
        self._closed_until_ms = now_ms + int(MINUTE_MS / self.per_minute)

    def wait_ms(self, asker: str, now_ms: int) -> int:
        """Until the asker may have a recipient named; 0: now."""
        if self.allows(asker, now_ms) > 0:
            return 0
        opens_ms = self._closed_until_ms
        if self._allowed(asker, 0) == 0:
            for forgotten, (taken_ms, _) in enumerate(self._taken, start=1):
                if self._allowed(asker, forgotten) > 0:
                    opens_ms = max(opens_ms, taken_ms + MINUTE_MS)
                    break
        return max(opens_ms - now_ms, 1)

    def _go_on(self, now_ms: int) -> None:
        """Forget what is a minute ago, or lies ahead because the clock was set back."""
        while len(self._taken) > 0 and not 0 <= now_ms - self._taken[0][0] < MINUTE_MS:
            self._taken.popleft()
        if self._closed_until_ms - now_ms > MINUTE_MS:
            self._closed_until_ms = now_ms
        if not 0 <= now_ms - self._slowed_ms < RECOVERY_MS and self.per_minute < REFUSALS_PER_MINUTE_MAX:
            self.per_minute = min(self.per_minute * 2, REFUSALS_PER_MINUTE_MAX)
            self._slowed_ms = now_ms


class RefusalBudgets:
    """Of every site that was asked about recipients."""

    def __init__(self) -> None:
        self._of: dict[str, RefusalBudget] = {}

    def of(self, site: str) -> RefusalBudget:
        return self._of.setdefault(site, RefusalBudget())
