"""What is counted per day and backup domain. Days are UTC."""

from enum import StrEnum

from secondpost.mail.duration import DAY_MS


class DailyCount(StrEnum):
    """Each counts deliveries: one message to one recipient."""

    HELD = "held"  # arrived while the primary was down, or failed at the first attempt for that reason
    KEPT = "kept"  # became a dead letter
    REFUSED_FOR_NOW = "refused for now"  # 4xx to a sender, who will retry
    REFUSED = "refused"  # 5xx to a sender
    PASSED_ON = "passed on"


def day_of(at_ms: int) -> int:
    """Days since 1970-01-01."""
    return at_ms // DAY_MS
