"""How many connections a site may have, from what it answered. Pure.

It begins with one (after an outage that is the trial mail), adds one with every delivery, and halves
when the site says that it is too much. Once it has said so, more is asked for seldom.
"""

from dataclasses import dataclass

STALL_SECONDS = 15.0  # a message that takes longer does not hold up the others
STALLED_MAX = 3  # connections that may be opened in place of stalled ones
LOST_MAX = 3  # connections lost in mid-message, one after the other, before the site counts as down


DELIVERIES_BEFORE_MORE = 20  # once the site has said no; four times as many each time it does again
DELIVERIES_BEFORE_MORE_MAX = 2000


@dataclass(slots=True)
class Pace:
    connections_max: int
    allowed: int = 1
    lost: int = 0
    more_after: int = 1  # deliveries before one more connection is asked for
    deliveries: int = 0  # since that was last done

    def delivered(self) -> None:
        self.lost = 0
        self.deliveries += 1
        if self.deliveries >= self.more_after and self.allowed < self.connections_max:
            self.allowed += 1
            self.deliveries = 0

    def pushed_back(self) -> None:
        """A 4xx that speaks of the site's load."""
        self.allowed = max(1, self.allowed // 2)
        self._grow_slowly()

    def refused_one_more(self, standing: int) -> None:
        """A connection was refused while others stand: so many it takes."""
        self.allowed = max(1, min(self.allowed, standing))
        self._grow_slowly()

    def _grow_slowly(self) -> None:
        self.more_after = min(max(DELIVERIES_BEFORE_MORE, 4 * self.more_after), DELIVERIES_BEFORE_MORE_MAX)
        self.deliveries = 0

    def limit(self, stalled: int) -> int:
        """How many connections may be open, when so many of them do not get on."""
        wanted = self.allowed + min(stalled, STALLED_MAX)
        # When not one gets on, one more may: the peer has likely forgotten what we hold open.
        return min(wanted, max(self.connections_max, stalled + 1))

    def lost_one(self) -> bool:
        """Whether it was one too many."""
        self.lost += 1
        self.pushed_back()
        return self.lost >= LOST_MAX
