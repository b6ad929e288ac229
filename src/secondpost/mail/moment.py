"""Times as text: for people the local time of a zone, which is named; for programs UTC."""

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


def weekday_text(milliseconds: int, zone: ZoneInfo, now_ms: int) -> str:
    """Such as "Friday 09:00 (Europe/Oslo)"; with the date if it is a week or more away."""
    moment, now = _local(milliseconds, zone), _local(now_ms, zone)
    if abs((moment.date() - now.date()).days) < 7:
        return f"{moment:%A %H:%M} ({zone.key})"
    return f"{moment:%A} {moment.day} {moment:%B %Y %H:%M} ({zone.key})"


def utc_text(milliseconds: int) -> str:
    """RFC 3339 in UTC, to the second."""
    return datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _local(milliseconds: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).astimezone(zone)
