"""How many connections a site may have, from what it answered. Pure.

It begins with one (after an outage that is the trial mail), adds one with every delivery, and halves
when the site says that it is too much.
"""

from dataclasses import dataclass

STALL_SECONDS = 15.0  # a message that takes longer does not hold up the others
STALLED_MAX = 3  # connections that may be opened in place of stalled ones
LOST_MAX = 3  # connections lost in mid-message, one after the other, before the site counts as down


@dataclass(slots=True)
class Pace:
    connections_max: int
    allowed: int = 1
    lost: int = 0

    def delivered(self) -> None:
        self.lost = 0
        if self.allowed < self.connections_max:
            self.allowed += 1

    def pushed_back(self) -> None:
        """A 4xx that speaks of the site's load, or a connection refused while others stand."""
        self.allowed = max(1, self.allowed // 2)

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
