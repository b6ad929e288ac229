"""Local times of a zone, over years and all changes of clocks."""

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpost.config.records import Newsletter
from secondpost.mail.calendar import (
    AskingForSlots,
    SlotTime,
    SlotTimes,
    keys_alike,
    latest_slot,
    next_slot,
    slot_times,
)
from secondpost.mail.slot import Daily, EveryWeeks, MonthlyByDay, Slot, parse_slot
from secondpost.newsletter.since import calendar_since
from secondpost.store.newsletter_ports import CalendarSince

ZONES = ("UTC", "Europe/Oslo", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu",
         "Pacific/Kiritimati", "America/St_Johns", "Africa/Casablanca")  # fmt: skip
EVERY = ("daily 02:30", "friday 09:00", "monday,friday 00:00", "first monday 23:59", "last sunday 02:30",
         "day 31 09:00", "day 1", "every 2 weeks friday 01:30", "every 26 weeks monday")  # fmt: skip

moments = st.integers(
    int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() * 1000),
    int(datetime(2040, 1, 1, tzinfo=UTC).timestamp() * 1000),
)
slots = st.sampled_from(EVERY).map(parse_slot)
zones = st.sampled_from(ZONES).map(ZoneInfo)


def times_of(asking: AskingForSlots[SlotTimes], spent: Collection[str]) -> SlotTimes:
    """The slot times; `spent` are the keys with an outcome, instead of the store."""
    try:
        key = next(asking)
        while True:
            key = asking.send(key in spent)
    except StopIteration as end:
        times: SlotTimes = end.value
        return times


def utc_ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


def told(found: SlotTime | None, zone: str) -> str:
    assert found is not None
    return f"{found.key} {datetime.fromtimestamp(found.at_ms / 1000, ZoneInfo(zone)):%a %Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("every", "zone", "after", "expected"),
    [
        ("friday 09:00", "Europe/Oslo", "2029-01-01T00:00", "2029-W01 Fri 2029-01-05 09:00"),
        ("friday 09:00", "Europe/Oslo", "2029-01-05T08:00", "2029-W02 Fri 2029-01-12 09:00"),
        ("friday 09:00", "Europe/Oslo", "2029-01-05T07:59:59.999", "2029-W01 Fri 2029-01-05 09:00"),
        ("monday,friday", "UTC", "2029-01-01T10:00", "2029-W01-2 Fri 2029-01-05 09:00"),
        ("daily 00:00", "Pacific/Kiritimati", "2029-01-01T09:59", "2029-01-02 Tue 2029-01-02 00:00"),
        ("first monday 09:00", "UTC", "2029-01-02T00:00", "2029-02 Mon 2029-02-05 09:00"),
        ("last friday 09:00", "UTC", "2028-02-01T00:00", "2028-02 Fri 2028-02-25 09:00"),
        ("fourth friday 09:00", "UTC", "2029-06-01T00:00", "2029-06 Fri 2029-06-22 09:00"),
        ("day 31", "UTC", "2028-02-01T00:00", "2028-02 Tue 2028-02-29 09:00"),
        ("day 31", "UTC", "2029-02-01T00:00", "2029-02 Wed 2029-02-28 09:00"),
        ("day 30", "UTC", "2029-03-31T00:00", "2029-04 Mon 2029-04-30 09:00"),
        ("every 2 weeks monday", "UTC", "2023-12-31T00:00", "2024-W01 Mon 2024-01-01 09:00"),
        ("every 2 weeks monday", "UTC", "2024-01-01T10:00", "2024-W03 Mon 2024-01-15 09:00"),
        # The year changes in the middle of a week, and some years have 53 weeks.
        ("friday 09:00", "UTC", "2026-12-31T00:00", "2026-W53 Fri 2027-01-01 09:00"),
        # The clock skips 02:30: the first existing moment counts, not an hour later.
        ("daily 02:30", "Europe/Oslo", "2029-03-24T22:00", "2029-03-25 Sun 2029-03-25 03:00"),
        ("daily 02:15", "Australia/Lord_Howe", "2029-10-06T12:00", "2029-10-07 Sun 2029-10-07 02:30"),
    ],
)
def test_the_next_time(every: str, zone: str, after: str, expected: str) -> None:
    assert told(next_slot(parse_slot(every), ZoneInfo(zone), utc_ms(after)), zone) == expected


def test_a_time_that_comes_twice_is_meant_the_first_time_and_once() -> None:
    zone = ZoneInfo("Europe/Oslo")
    first = next_slot(parse_slot("daily 02:30"), zone, utc_ms("2029-10-27T22:00"))
    assert first == SlotTime("2029-10-28", utc_ms("2029-10-28T00:30"))
    second = next_slot(parse_slot("daily 02:30"), zone, first.at_ms)
    assert second is not None
    assert second.key == "2029-10-29"


def test_when_ready_has_no_times() -> None:
    assert next_slot(parse_slot("when ready"), ZoneInfo("UTC"), 0) is None
    assert latest_slot(parse_slot("when ready"), ZoneInfo("UTC"), 0) is None


@pytest.mark.parametrize("changed", ["friday 10:00", "saturday 09:00", "monday 23:00"])
@pytest.mark.parametrize("zone", ["Europe/Oslo", "America/New_York", "Pacific/Kiritimati"])
def test_a_change_of_day_hour_or_zone_brings_no_second_slot_in_a_week(changed: str, zone: str) -> None:
    now = utc_ms("2029-01-07T09:30")  # Sunday noon in all of them
    before = latest_slot(parse_slot("friday 09:00"), ZoneInfo("Europe/Oslo"), now)
    after = latest_slot(parse_slot(changed), ZoneInfo(zone), now)
    assert before is not None
    assert after is not None
    assert before.key == after.key == "2029-W01"


def test_a_slot_is_known_by_the_keys_that_its_week_had_before() -> None:
    assert keys_alike("2029-W01-2") == ("2029-W01-2", "2029-W01")
    assert keys_alike("2029-W01") == ("2029-W01", *(f"2029-W01-{day}" for day in range(1, 8)))
    assert keys_alike("2029-01-05") == ("2029-01-05",)
    assert keys_alike("2029-01") == ("2029-01",)


@pytest.mark.parametrize(
    ("spent", "due", "coming"),
    [
        ((), "2029-W01", "2029-W02"),
        (("2029-W01",), None, "2029-W02"),
        (("2029-W01-3",), None, "2029-W02"),  # from a calendar of several days
        (("2029-W02", "2029-W03-1"), "2029-W01", "2029-W04"),
        (("2029-01", "2029-01-05"), "2029-W01", "2029-W02"),  # a month and a day are no week
    ],
)
def test_a_time_that_is_spent_is_passed_over(spent: tuple[str, ...], due: str | None, coming: str) -> None:
    slot, zone = parse_slot("friday 09:00"), ZoneInfo("Europe/Oslo")
    times = times_of(slot_times(slot, zone, 0, utc_ms("2029-01-05T08:30")), spent)
    assert (times.due and times.due.key, times.coming and times.coming.key) == (due, coming)


def test_a_time_before_the_calendar_began_is_none() -> None:
    slot, zone, now_ms = parse_slot("friday 09:00"), ZoneInfo("Europe/Oslo"), utc_ms("2029-01-05T08:30")
    friday_ms = utc_ms("2029-01-05T08:00")
    for begun_ms, is_due in ((friday_ms - 1, True), (friday_ms, False), (friday_ms + 1, False)):
        times = times_of(slot_times(slot, zone, begun_ms, now_ms), ())
        assert (times.due is not None) == is_due
        assert times.coming is not None


NOW_MS = 1_000


@pytest.mark.parametrize(
    ("known", "since_ms"),
    [
        (None, NOW_MS),
        (CalendarSince("weekly", "friday 09:00", "UTC", 7), 7),
        (CalendarSince("weekly", "FRIDAY  9:00", "UTC", 7), 7),
        (CalendarSince("weekly", "friday", "UTC", 7), 7),
        (CalendarSince("weekly", "friday 10:00", "UTC", 7), NOW_MS),
        (CalendarSince("weekly", "friday 09:00", "Europe/Oslo", 7), NOW_MS),
        (CalendarSince("weekly", "when the moon is full", "UTC", 7), NOW_MS),  # of a later version
        (CalendarSince("weekly", "friday 09:00", "UTC", 9_999), NOW_MS),  # the clock was wrong
        (CalendarSince("weekly", "", "", 0), 0),
    ],
)
def test_since_when_a_newsletter_goes_by_its_calendar(known: CalendarSince | None, since_ms: int) -> None:
    newsletter = Newsletter("weekly", "newsletter@example.net", ("https://u",), every="friday 09:00")
    kept = CalendarSince("weekly", "friday 09:00", "UTC", since_ms)
    assert calendar_since(known, newsletter, NOW_MS) == kept


@settings(max_examples=300)
@given(slots, zones, moments)
def test_next_and_latest_agree_wherever_one_stands(slot: Slot, zone: ZoneInfo, now: int) -> None:
    coming = next_slot(slot, zone, now)
    assert coming is not None
    assert coming.at_ms > now
    assert latest_slot(slot, zone, coming.at_ms) == coming
    before = latest_slot(slot, zone, coming.at_ms - 1)
    assert before is not None
    assert before.at_ms <= now
    assert before.key != coming.key
    assert next_slot(slot, zone, before.at_ms) == coming


@settings(max_examples=40)
@given(slots, zones, moments)
def test_over_years_no_key_comes_twice_and_no_gap_is_too_long(slot: Slot, zone: ZoneInfo, now: int) -> None:
    keys = []
    at = now
    for _ in range(60):
        found = next_slot(slot, zone, at)
        assert found is not None
        keys.append(found.key)
        assert timedelta(0) < timedelta(milliseconds=found.at_ms - at) <= _longest(slot)
        at = found.at_ms
    assert len(set(keys)) == len(keys)
    assert keys == sorted(keys)


def _longest(slot: Slot) -> timedelta:
    match slot:
        case Daily():
            return timedelta(days=1, hours=2)
        case EveryWeeks(weeks):
            return timedelta(weeks=weeks, hours=2)
        case MonthlyByDay():
            return timedelta(days=31, hours=2)
        case _:
            return timedelta(days=35, hours=2)
