"""How many connections a site may have, judged by its answers. Pure.

It starts with one (after an outage, the trial mail), adds one per delivery, and halves when the
site says that it is too much. After that it grows slowly.
"""

from dataclasses import dataclass

STALL_SECONDS = 15.0  # a message that takes longer does not hold up the others
STALLED_MAX = 3  # extra connections in place of stalled ones
LOST_MAX = 3  # connections lost in mid-message in a row, before the site counts as down


DELIVERIES_BEFORE_MORE = 20  # after the site objected; four times as many each further time
DELIVERIES_BEFORE_MORE_MAX = 2000


@dataclass(slots=True)
class Pace:
    connections_max: int
    allowed: int = 1
    lost: int = 0
    more_after: int = 1  # deliveries before one more connection is allowed
    deliveries: int = 0  # since `allowed` last grew

    def delivered(self) -> None:
        self.lost = 0
        self.deliveries += 1
        if self.deliveries >= self.more_after and self.allowed < self.connections_max:
            self.allowed += 1
            self.deliveries = 0

    def pushed_back(self) -> None:
        """Slow down after a 4xx about the site's load."""
        self.allowed = max(1, self.allowed // 2)
        self._grow_slowly()

    def refused_one_more(self, standing: int) -> None:
        """Limit to `standing` connections: a further one was refused."""
        self.allowed = max(1, min(self.allowed, standing))
        self._grow_slowly()

    def _grow_slowly(self) -> None:
        self.more_after = min(max(DELIVERIES_BEFORE_MORE, 4 * self.more_after), DELIVERIES_BEFORE_MORE_MAX)
        self.deliveries = 0

    def limit(self, stalled: int) -> int:
        """How many connections may be open if `stalled` of them make no progress."""
        wanted = self.allowed + min(stalled, STALLED_MAX)
        # If all are stalled, allow one more: the peer has likely forgotten the open ones.
        return min(wanted, max(self.connections_max, stalled + 1))

    def lost_one(self) -> bool:
        """Count a connection lost in mid-message; returns whether the site counts as down."""
        self.lost += 1
        self.pushed_back()
        return self.lost >= LOST_MAX
