"""The schedule of issues as the owner writes it."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.slot import (
    MORNING,
    Daily,
    EveryWeeks,
    MonthlyByDay,
    MonthlyByWeekday,
    Ordinal,
    Slot,
    TimeOfDay,
    Weekday,
    Weekly,
    WhenReady,
    parse_slot,
)

NINE = TimeOfDay(9, 0)


@pytest.mark.parametrize(
    ("text", "slot"),
    [
        ("daily", Daily(MORNING)),
        ("daily 06:30", Daily(TimeOfDay(6, 30))),
        ("friday 09:00", Weekly((Weekday.FRIDAY,), NINE)),
        ("Friday  9:00", Weekly((Weekday.FRIDAY,), NINE)),
        ("friday,monday", Weekly((Weekday.MONDAY, Weekday.FRIDAY), MORNING)),
        ("monday, friday 23:59", Weekly((Weekday.MONDAY, Weekday.FRIDAY), TimeOfDay(23, 59))),
        ("first monday 00:00", MonthlyByWeekday(Ordinal.FIRST, Weekday.MONDAY, TimeOfDay(0, 0))),
        ("last sunday", MonthlyByWeekday(Ordinal.LAST, Weekday.SUNDAY, MORNING)),
        ("day 1", MonthlyByDay(1, MORNING)),
        ("day 31 18:00", MonthlyByDay(31, TimeOfDay(18, 0))),
        ("every 2 weeks friday 09:00", EveryWeeks(2, Weekday.FRIDAY, NINE)),
        (" when ready ", WhenReady()),
    ],
)
def test_what_is_meant(text: str, slot: Slot) -> None:
    assert parse_slot(text) == slot


@pytest.mark.parametrize(
    "text",
    [
        "",
        "09:00",
        "never",
        "daily 24:00",
        "daily 12:60",
        "daily 9",
        "daily 9:0",
        "friday friday",
        "friday,friday",
        "friday,",
        "fridays",
        "fifth monday",
        "first",
        "day 0",
        "day 32",
        "every 0 weeks friday",
        "every 27 weeks friday",
        "every 2 weeks",
        "every friday",
        "when ready 09:00",
        "friday 09:00 10:00",
        "friday09:00x",
    ],
)
def test_what_says_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="does not say when; write daily"):
        parse_slot(text)


@given(st.text(max_size=60))
def test_any_text_is_a_slot_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        parse_slot(text)
