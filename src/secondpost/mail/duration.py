"""Spans of time as the owner writes them: "31 days", "15 minutes", "1 second"."""

import re

MILLISECONDS_PER = {
    "second": 1_000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 86_400_000,
    "week": 604_800_000,
}
_DURATION = re.compile(r"(\d{1,9}) ?(second|minute|hour|day|week)s?")


def parse_duration_ms(text: str) -> int:
    """Milliseconds. Raises ValueError with a sentence that names the right form."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(
            f'{text!r} is not a duration; write a whole number and a unit, such as "31 days" or "15 minutes"'
        )
    return int(match[1]) * MILLISECONDS_PER[match[2]]


def duration_text(milliseconds: int) -> str:
    """The largest unit that needs no fraction: 2678400000 is "31 days"."""
    for unit in ("week", "day", "hour", "minute", "second"):
        count, rest = divmod(milliseconds, MILLISECONDS_PER[unit])
        if count > 0 and rest == 0 and not (unit == "week" and count > 1):
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    return f"{milliseconds / 1000:g} seconds"
