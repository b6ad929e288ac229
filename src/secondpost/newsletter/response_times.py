"""How long a feed's server, and the feed itself, ask us to wait before the next request.

Pure. Whatever is written, the result is bounded: a wrong number must not stop a newsletter.
"""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS

RETRY_AFTER_MS_MAX = DAY_MS
REFRESH_MS_MAX = DAY_MS
_SECONDS = re.compile(r"\d{1,12}")
_MAX_AGE = re.compile(r'(?:^|[\s,])max-age\s*=\s*"?(\d{1,12})', re.IGNORECASE)
# Of the RSS syndication module; a period is divided by its frequency.
_PERIODS_MS = {
    "hourly": HOUR_MS,
    "daily": DAY_MS,
    "weekly": 7 * DAY_MS,
    "monthly": 30 * DAY_MS,
    "yearly": 365 * DAY_MS,
}


def retry_after(value: str, date: str) -> int | None:
    """The wait that a Retry-After asks for (RFC 9110 §10.2.3), in milliseconds; None if it is none.

    `date`: the response's Date, by which a time is understood, so that our clock does not matter.
    """
    written = value.strip()
    if _SECONDS.fullmatch(written) is not None:
        return min(int(written) * SECOND_MS, RETRY_AFTER_MS_MAX)
    until, now = _moment(written), _moment(date)
    if until is None or now is None:
        return None
    return min(max(until - now, 0), RETRY_AFTER_MS_MAX)


def max_age(cache_control: str) -> int:
    """How long a response stays fresh (RFC 9111 §5.2.2.1), in milliseconds; 0 if it is not stated."""
    found = _MAX_AGE.search(cache_control)
    return 0 if found is None else min(int(found[1]) * SECOND_MS, REFRESH_MS_MAX)


def refresh_of(ttl: str, period: str, frequency: str) -> int:
    """How often a feed wants to be fetched at most, in milliseconds; 0 if it does not say.

    `ttl`: of RSS 2.0, in minutes; `period` and `frequency`: of the RSS syndication module.
    """
    minutes = int(ttl) * MINUTE_MS if _SECONDS.fullmatch(ttl.strip()) is not None else 0
    times = int(frequency) if _SECONDS.fullmatch(frequency.strip()) is not None else 1
    every = _PERIODS_MS.get(period.strip().lower(), 0) // max(times, 1)
    return min(max(minutes, every), REFRESH_MS_MAX)


def _moment(written: str) -> int | None:
    try:
        moment = parsedate_to_datetime(written)
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return round(aware.timestamp() * SECOND_MS)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
