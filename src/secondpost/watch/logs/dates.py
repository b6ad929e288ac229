"""Times of log lines. The traditional form of syslog has no year and no zone."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from secondpost.mail.duration import DAY_MS

_MONTHS: dict[bytes, int] = {
    name: number
    for number, name in enumerate(
        (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"), 1
    )
}
AHEAD_MS_MAX = DAY_MS  # a line may be this much younger than its file: clocks and zones differ
TURN_MS_MIN = 180 * DAY_MS  # a log that goes back this far has come to a new year


@dataclass(slots=True)
class LogCalendar:
    """Dates of one log, in the order of its lines. `written_ms`: when its file was last written.

    A date without a year is of the last year in which it was not after that. A log of more than a
    year shows itself when a date seems to lie long before the one above it: then all above it is a
    year older, which `turns` counts.
    """

    written_ms: int
    turns: int = 0
    guessed: bool = False
    _last_ms: int | None = None

    def of_syslog(self, month: bytes, day: int, hour: int, minute: int, second: int) -> int | None:
        """The time in this machine's zone; None if there is no such date."""
        number = _MONTHS.get(month)
        if number is None:
            return None
        latest = self.written_ms + AHEAD_MS_MAX
        newest = datetime.fromtimestamp(latest / 1000, UTC).year + 1  # in the zone it may be the next
        for year in range(newest, newest - 6, -1):  # 29 February may be five years back
            try:
                when = datetime(year, number, day, hour, minute, min(second, 59), tzinfo=UTC)
            except ValueError:
                continue
            when_ms = _in_local_zone(when)
            if when_ms <= latest:
                return self._noted(when_ms)
        return None

    def _noted(self, when_ms: int) -> int:
        self.guessed = True
        if self._last_ms is not None and when_ms < self._last_ms - TURN_MS_MIN:
            self.turns += 1
        self._last_ms = when_ms
        return when_ms


def iso_ms(text: str) -> int | None:
    """A date with its year, ISO 8601; without a zone in this machine's. None if there is no such date."""
    try:
        return int(datetime.fromisoformat(text).timestamp() * 1000)  # naive ones are local
    except (ValueError, OverflowError, OSError):
        return None


def year_earlier(when_ms: int) -> int:
    """The same date and time of the year before."""
    when = datetime.fromtimestamp(when_ms / 1000, UTC)
    try:
        before = when.replace(year=when.year - 1)
    except ValueError:  # 29 February
        before = when - timedelta(days=366)
    return int(before.timestamp() * 1000)


def _in_local_zone(when: datetime) -> int:
    """Milliseconds of a time whose numbers are those of this machine's zone, whatever zone it says."""
    return int(when.replace(tzinfo=None).timestamp() * 1000)
