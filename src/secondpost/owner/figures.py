"""Times and counts as documents and sentences show them."""

from datetime import UTC, datetime


def utc_time(milliseconds: int) -> str:
    """RFC 3339, UTC, with milliseconds."""
    return moment(milliseconds).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def moment(milliseconds: int) -> datetime:
    seconds, rest = divmod(milliseconds, 1000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1000)


def counted(number: int, one: str, many: str) -> str:
    return f"{number:,} {one if number == 1 else many}"
