"""Dates without a year: which year they are of follows from the file's time and the order of its lines."""

from datetime import datetime

import pytest

from secondpost.watch.logs.dates import LogCalendar, iso_ms, year_earlier
from tests.watch.logs.golden import scanned

ATTACK = " mx exim[7]: H=(x) [203.0.113.7] F=<> rejected RCPT <$(id)@x.example>: no"


def ms(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """Of a local time."""
    return int(datetime(year, month, day, hour, minute, second).astimezone().timestamp() * 1000)


def first_and_last(*dates: str, written_ms: int) -> tuple[int | None, int | None]:
    lines = [date + ATTACK.replace("$(id)", f"$(id{number})") for number, date in enumerate(dates)]
    scan = scanned("\n".join(lines).encode(), written_ms)
    (tally,) = scan.tally
    assert tally.all.count == len(dates)
    assert scan.summary.first_ms is not None
    assert tally.all.first_ms is not None
    assert scan.summary.first_ms - tally.all.first_ms <= 1_000, "that of the first line"
    return tally.all.first_ms, tally.all.last_ms


def test_a_date_is_of_the_year_in_which_the_file_was_written() -> None:
    dates = ("Nov  9 20:05:14", "Nov 29 20:05:14")
    expected = (ms(2025, 11, 9, 20, 5, 14), ms(2025, 11, 29, 20, 5, 14))
    assert first_and_last(*dates, written_ms=ms(2025, 11, 30)) == expected


def test_or_of_the_year_before_it_where_it_would_be_later_than_the_file() -> None:
    dates = ("Dec 31 23:59:59", "Jan  1 00:00:00")
    expected = (ms(2025, 12, 31, 23, 59, 59), ms(2026, 1, 1))
    assert first_and_last(*dates, written_ms=ms(2026, 1, 1, 0, 5)) == expected


def test_a_log_of_years_shows_by_its_order_that_its_beginning_is_older() -> None:
    dates = ("Mar  1 00:00:00", "Oct  1 00:00:00", "Mar  1 00:00:00", "Oct  1 00:00:00", "Feb  1 00:00:00")
    expected = (ms(2024, 3, 1), ms(2026, 2, 1))
    assert first_and_last(*dates, written_ms=ms(2026, 2, 2)) == expected


def test_lines_a_little_out_of_order_are_no_new_year() -> None:
    dates = ("Dec 31 23:59:59", "Jan  1 00:00:00", "Dec 31 23:59:58", "Jan  1 00:00:01")
    expected = (ms(2025, 12, 31, 23, 59, 58), ms(2026, 1, 1, 0, 0, 1))
    assert first_and_last(*dates, written_ms=ms(2026, 1, 5)) == expected


def test_the_29th_of_february() -> None:
    calendar = LogCalendar(ms(2027, 6, 1))
    assert calendar.of_syslog(b"Feb", 29, 12, 0, 0) == ms(2024, 2, 29, 12)
    assert year_earlier(ms(2024, 2, 29, 12)) == ms(2023, 2, 28, 12)


@pytest.mark.parametrize(("month", "day"), [(b"Foo", 1), (b"Feb", 30), (b"Nov", 0)])
def test_what_is_no_date(month: bytes, day: int) -> None:
    assert LogCalendar(ms(2026, 6, 1)).of_syslog(month, day, 0, 0, 0) is None


def test_dates_with_their_year() -> None:
    assert iso_ms("2026-11-29T20:05:14.123456+01:00") == 1_795_979_114_123
    assert iso_ms("2026-11-29T19:05:14Z") == 1_795_979_114_000
    assert iso_ms("2026-11-29 20:05:14") == ms(2026, 11, 29, 20, 5, 14)
    assert iso_ms("2026-02-30 20:05:14") is None


def test_only_what_is_younger_is_counted() -> None:
    lines = "\n".join(f"Nov {day} 12:00:00{ATTACK}" for day in range(10, 20))
    scan = scanned(lines.encode(), ms(2026, 11, 20), since_ms=ms(2026, 11, 17))
    assert scan.tally.attempts == 3
    assert scan.summary.lines == 10
    assert (scan.summary.first_ms, scan.summary.last_ms) == (ms(2026, 11, 10, 12), ms(2026, 11, 19, 12))
    assert scan.summary.years_guessed
