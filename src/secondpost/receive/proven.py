"""Networks that delivered mail to known recipients in the last seven days: they may have more
places.

They are kept in memory, and in the store for the next start; each is written once an hour at most.
"""

from collections.abc import Sequence

from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.store.ports import ProvenPrefix

PROVEN_MS = 7 * DAY_MS
PROVEN_MAX = 20_000  # remembered at once, about 3 MB


class ProvenNetworks:
    """Times of proof, to the hour; the longest ago comes first."""

    def __init__(self) -> None:
        self._at_ms: dict[str, int] = {}

    def recall(self, proven: Sequence[ProvenPrefix]) -> None:
        """Take over what was stored before, in order of time."""
        for one in proven:
            self._put(one.prefix, one.at_ms)

    def prove(self, prefix: str, now_ms: int) -> ProvenPrefix | None:
        """Record that mail was accepted from `prefix`. Returns what has to be stored, if anything."""
        at_ms = self._at_ms.get(prefix)
        # If the clock was set back, a time in the future proves nothing.
        if at_ms is not None and at_ms <= now_ms < at_ms + HOUR_MS:
            return None
        self._put(prefix, now_ms)
        return ProvenPrefix(prefix, now_ms)

    def has(self, prefix: str, now_ms: int) -> bool:
        at_ms = self._at_ms.get(prefix)
        return at_ms is not None and abs(now_ms - at_ms) < PROVEN_MS + HOUR_MS

    def _put(self, prefix: str, at_ms: int) -> None:
        self._at_ms.pop(prefix, None)
        self._at_ms[prefix] = at_ms
        if len(self._at_ms) > PROVEN_MAX:
            del self._at_ms[next(iter(self._at_ms))]
