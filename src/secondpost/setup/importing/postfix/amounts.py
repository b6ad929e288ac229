"""Times and numbers as Postfix writes them: 5d, 300s, 10240000 (postconf(5)). Pure."""

import re

from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

MILLISECONDS_PER = {"s": SECOND_MS, "m": MINUTE_MS, "h": HOUR_MS, "d": DAY_MS, "w": 7 * DAY_MS}

_TIME = re.compile(r"(\d{1,9})\s*([smhdw]?)", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,15}")


def time_ms(text: str, unit: str) -> int | None:
    """`unit`: of a number alone. None: it is not a time."""
    match = _TIME.fullmatch(text.strip())
    return None if match is None else int(match[1]) * MILLISECONDS_PER[match[2].lower() or unit]


def number(text: str) -> int | None:
    return int(text) if text.isascii() and _NUMBER.fullmatch(text) is not None else None


def size_written(octets: int) -> str:
    """A size as our file has it, without loss: 10240000 is "10240 KB"."""
    for unit, each in (("MB", 10**6), ("KB", 10**3)):
        if octets % each == 0:
            return f"{octets // each} {unit}"
    return f"{octets} B"
