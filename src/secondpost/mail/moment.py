"""Times as shown to people: local time of a zone, which is named."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo


def zoned_text(milliseconds: int, zone: ZoneInfo) -> str:
    """Such as "2029-01-05 09:00:00 (Europe/Oslo)"."""
    return f"{clock_text(milliseconds, zone)} ({zone.key})"


def clock_text(milliseconds: int, zone: ZoneInfo) -> str:
    """Such as "2029-01-05 09:00:00": for places that name the zone once."""
    return _local(milliseconds, zone).strftime("%Y-%m-%d %H:%M:%S")


def day_text(milliseconds: int, zone: ZoneInfo) -> str:
    """The local date in the zone, ISO 8601."""
    return _local(milliseconds, zone).date().isoformat()


def _local(milliseconds: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).astimezone(zone)
