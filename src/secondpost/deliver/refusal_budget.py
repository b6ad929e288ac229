"""Limits how many recipients a primary is made to refuse per minute, so that it never takes its
backup for a dictionary attack. Pure.

Recipient probes and mail to unverified recipients share the budget. A network with refusals in the
last minute may have more only while more are left than it had. So a flood leaves half to others, a
second flood half of that, and a network without refusals may have one as long as one is left.
"""

from collections import deque
from dataclasses import dataclass, field

from secondpost.mail.duration import HOUR_MS, MINUTE_MS

REFUSALS_PER_MINUTE_MAX = 20
REFUSALS_PER_MINUTE_MIN = 1  # however often the primary has closed a connection
# Many servers close after 20 errors (Postfix: smtpd_hard_error_limit).
REFUSALS_PER_CONNECTION_MAX = 10
# With RCPT and DATA in one group, Postfix counts two errors per refusal, and slows down after ten.
REFUSALS_IN_GROUPS_MAX = REFUSALS_PER_CONNECTION_MAX // 2
RECOVERY_MS = HOUR_MS  # without a closed connection, before the budget is doubled again

QUEUE = "queue"  # the asker of mail that waits here, instead of a client's network


@dataclass(slots=True)
class RefusalBudget:
    """The budget of one site. `asker`: a client's network, or QUEUE."""

    per_minute: float = REFUSALS_PER_MINUTE_MAX
    # In the last minute: time and asker.
    _taken: deque[tuple[int, str]] = field(default_factory=deque)
    _slowed_ms: int = 0
    _closed_until_ms: int = 0

    def allows(self, asker: str, now_ms: int) -> int:
        """How many recipients the asker may name now, even if all are refused."""
        self._go_on(now_ms)
        return 0 if now_ms < self._closed_until_ms else self._allowed(asker, 0)

    def _allowed(self, asker: str, forgotten: int) -> int:
        """How many the asker may have once the oldest `forgotten` ones no longer count."""
        taken = [who for _, who in self._taken][forgotten:]
        return max(0, int(self.per_minute) - len(taken) - taken.count(asker))

    def take(self, asker: str, recipients: int, now_ms: int) -> None:
        """Count recipients as refused until their replies are known."""
        self._go_on(now_ms)
        self._taken.extend([(now_ms, asker)] * recipients)

    def give_back(self, asker: str, recipients: int) -> None:
        """Take back recipients that were not refused."""
        for _ in range(recipients):
            for one in reversed(self._taken):
                if one[1] == asker:
                    self._taken.remove(one)
                    break

    def parted(self, now_ms: int) -> None:
        """Halve the budget, and close it for a while: the primary closed a connection for its
        refusals.
        """
        self._go_on(now_ms)
        self.per_minute = max(REFUSALS_PER_MINUTE_MIN, self.per_minute / 2)
        self._slowed_ms = now_ms
        self._closed_until_ms = now_ms + int(MINUTE_MS / self.per_minute)

    def wait_ms(self, asker: str, now_ms: int) -> int:
        """Time until the asker may name a recipient; 0: now."""
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
        """Forget what is over a minute old, or in the future because the clock was set back."""
        while len(self._taken) > 0 and not 0 <= now_ms - self._taken[0][0] < MINUTE_MS:
            self._taken.popleft()
        if self._closed_until_ms - now_ms > MINUTE_MS:
            self._closed_until_ms = now_ms
        if not 0 <= now_ms - self._slowed_ms < RECOVERY_MS and self.per_minute < REFUSALS_PER_MINUTE_MAX:
            self.per_minute = min(self.per_minute * 2, REFUSALS_PER_MINUTE_MAX)
            self._slowed_ms = now_ms


class RefusalBudgets:
    """The budgets of all sites that were asked about recipients."""

    def __init__(self) -> None:
        self._of: dict[str, RefusalBudget] = {}

    def of(self, site: str) -> RefusalBudget:
        return self._of.setdefault(site, RefusalBudget())
