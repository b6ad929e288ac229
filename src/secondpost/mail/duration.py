"""Durations in milliseconds, and as the owner writes them ("31 days", "1 second")."""

import re

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

MILLISECONDS_PER = {
    "second": SECOND_MS,
    "minute": MINUTE_MS,
    "hour": HOUR_MS,
    "day": DAY_MS,
    "week": 7 * DAY_MS,
}
_DURATION = re.compile(r"(\d{1,9}) ?(second|minute|hour|day|week)s?")


def parse_duration_ms(text: str) -> int:
    """Parse a duration into milliseconds. Raises ValueError with a text that names the form."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(
            f'{text!r} is not a duration; write a whole number and a unit, such as "31 days" or "15 minutes"'
        )
    return int(match[1]) * MILLISECONDS_PER[match[2]]


def duration_text(milliseconds: int) -> str:
    """Write a duration in the largest unit without a fraction: 2678400000 is "31 days"."""
    for unit in ("week", "day", "hour", "minute", "second"):
        count, rest = divmod(milliseconds, MILLISECONDS_PER[unit])
        if count > 0 and rest == 0 and not (unit == "week" and count > 1):
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return f"{milliseconds / 1000:g} seconds"


def age_text(milliseconds: int) -> str:
    """A duration in its two largest units: "3 d 4 h", "12 min 5 s", "40 s"."""
    seconds = max(0, milliseconds // 1000)
    parts: list[str] = []
    for unit, span in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, span)
        if count > 0 or (unit == "s" and len(parts) == 0):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])
