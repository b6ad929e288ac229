"""Counts events of one network in a span of time, up to a limit. Pure: the caller passes the time."""

from dataclasses import dataclass, field

PREFIXES_MAX = 20_000  # remembered at once


@dataclass(slots=True)
class PrefixRate:
    """Counts in this process only; a limit over all processes belongs in the store."""

    times_max: int
    span_ms: int
    _begun_ms: int = 0
    _counts: dict[str, int] = field(default_factory=dict)

    def allows(self, prefix: str, now_ms: int) -> bool:
        """Count one event; returns whether it is within the limit."""
        # If the clock was set back, a new span begins.
        if not self._begun_ms <= now_ms < self._begun_ms + self.span_ms or len(self._counts) > PREFIXES_MAX:
            self._begun_ms = now_ms
            self._counts.clear()
        count = self._counts.get(prefix, 0) + 1
        self._counts[prefix] = count
        return count <= self.times_max
