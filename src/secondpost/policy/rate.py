"""So many of a thing for one network in a span of time. Pure: the caller brings the time."""

from dataclasses import dataclass, field

PREFIXES_MAX = 20_000  # that are remembered at once


@dataclass(slots=True)
class PrefixRate:
    """Kept by each process for itself; a bound that must hold over all of them belongs in the store."""

    times_max: int
    span_ms: int
    _begun_ms: int = 0
    _counts: dict[str, int] = field(default_factory=dict)

    def allows(self, prefix: str, now_ms: int) -> bool:
        """Whether it is within the bound, with this one counted."""
        # The clock may be set back: then a new span begins too.
        if not self._begun_ms <= now_ms < self._begun_ms + self.span_ms or len(self._counts) > PREFIXES_MAX:
            self._begun_ms = now_ms
            self._counts.clear()
        count = self._counts.get(prefix, 0) + 1
        self._counts[prefix] = count
        return count <= self.times_max
