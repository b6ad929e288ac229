"""What is counted day by day of each backup domain. A day is one of UTC."""

from enum import StrEnum

from secondpost.mail.duration import DAY_MS


class DailyCount(StrEnum):
    """Each counts deliveries: one message to one recipient."""

    HELD = "held"  # came while the primary was known to be down, or met it down at the first attempt
    KEPT = "kept"  # became a dead letter
    REFUSED_FOR_NOW = "refused for now"  # 4xx to a sender, who comes again
    REFUSED = "refused"  # 5xx to a sender
    PASSED_ON = "passed on"


def day_of(at_ms: int) -> int:
    """Days since the beginning of 1970."""
    return at_ms // DAY_MS
