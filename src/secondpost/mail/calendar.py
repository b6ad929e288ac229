"""When issues go out: the times that `every` means on the wall clock of the newsletter's time zone
(R4).

Each time has a key made of its civil week, month or day, never of the zone, hour or weekday:
changing those causes no second issue for the same week. The key is stored with the issue, or with
why there was none, so no change of the clock repeats it.
"""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from secondpost.mail.slot import (
    Daily,
    EveryWeeks,
    MonthlyByDay,
    MonthlyByWeekday,
    Ordinal,
    Slot,
    TimeOfDay,
    Weekly,
    WhenReady,
)

T = TypeVar("T")

# Every-N-weeks is counted from this Monday, so that restarts and changed feeds do not shift it.
WEEK_ONE = date(2024, 1, 1)
LOOK_DAYS_MAX = 7 * 26 + 7  # longer than the longest gap of any `every`


@dataclass(frozen=True, slots=True)
class SlotTime:
    """A time at which an issue goes out, and its key."""

    key: str
    at_ms: int


@dataclass(frozen=True, slots=True)
class SlotTimes:
    """A newsletter's position in its calendar. Both are None where there are no fixed times."""

    due: SlotTime | None  # the latest time that has passed and has no outcome yet
    coming: SlotTime | None  # the next time without an outcome


# Yields a key, and is sent whether exactly this key has an outcome.
AskingForSlots = Generator[str, bool, T]


def slot_times(slot: Slot, zone: ZoneInfo, begun_ms: int, now_ms: int) -> AskingForSlots[SlotTimes]:
    """The due and the coming slot; both `issue next` and the publisher use this.

    `begun_ms`: when the newsletter adopted this calendar; earlier times are not its slots.
    """
    if isinstance(slot, WhenReady):
        return SlotTimes(None, None)
    coming = next_slot(slot, zone, now_ms)
    while coming is not None and (yield from _is_spent(coming.key)):
        coming = next_slot(slot, zone, coming.at_ms)
    due = latest_slot(slot, zone, now_ms)
    if due is not None and (due.at_ms <= begun_ms or (yield from _is_spent(due.key))):
        due = None
    return SlotTimes(due, coming)


def _is_spent(key: str) -> AskingForSlots[bool]:
    for alike in keys_alike(key):
        if (yield alike):
            return True
    return False


def next_slot(slot: Slot, zone: ZoneInfo, after_ms: int) -> SlotTime | None:
    """The first slot after `after_ms`; None where there are no fixed times."""
    day = _civil(after_ms, zone) - timedelta(days=2)
    for _ in range(LOOK_DAYS_MAX + 4):
        found = _on(slot, day, zone)
        if found is not None and found.at_ms > after_ms:
            return found
        day += timedelta(days=1)
    return None


def latest_slot(slot: Slot, zone: ZoneInfo, now_ms: int) -> SlotTime | None:
    """The last slot that is not after `now_ms`."""
    day = _civil(now_ms, zone) + timedelta(days=2)
    for _ in range(LOOK_DAYS_MAX + 4):
        found = _on(slot, day, zone)
        if found is not None and found.at_ms <= now_ms:
            return found
        day -= timedelta(days=1)
    return None


def keys_alike(key: str) -> tuple[str, ...]:
    """All keys under which this slot may be recorded: a week has one key or several, and `every`
    may have changed.
    """
    year, mark, place = key.partition("-W")
    if len(mark) == 0:
        return (key,)
    week, _, number = place.partition("-")
    whole = f"{year}-W{week}"
    return (key, whole) if len(number) > 0 else (whole, *(f"{whole}-{day}" for day in range(1, 8)))


def _civil(at_ms: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(at_ms / 1000, zone).date()


def _on(slot: Slot, day: date, zone: ZoneInfo) -> SlotTime | None:
    """The slot of a civil day, if any."""
    year, week, weekday = day.isocalendar()
    match slot:
        case Daily(at):
            return SlotTime(day.isoformat(), _moment_ms(day, at, zone))
        case Weekly(days, at) if weekday - 1 in days:
            place = "" if len(days) == 1 else f"-{days.index(weekday - 1) + 1}"
            return SlotTime(f"{year}-W{week:02}{place}", _moment_ms(day, at, zone))
        case EveryWeeks(weeks, on, at) if weekday - 1 == on and (day - WEEK_ONE).days // 7 % weeks == 0:
            return SlotTime(f"{year}-W{week:02}", _moment_ms(day, at, zone))
        case MonthlyByWeekday(ordinal, on, at) if weekday - 1 == on and _is_nth(day, ordinal):
            return SlotTime(f"{day:%Y-%m}", _moment_ms(day, at, zone))
        case MonthlyByDay(number, at) if day.day == min(number, _month_days(day)):
            return SlotTime(f"{day:%Y-%m}", _moment_ms(day, at, zone))
        case WhenReady():
            return None
    return None


def _is_nth(day: date, ordinal: Ordinal) -> bool:
    if ordinal is Ordinal.LAST:
        return day.day + 7 > _month_days(day)
    return (day.day - 1) // 7 + 1 == ordinal


def _month_days(day: date) -> int:
    return ((day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)).day


def _moment_ms(day: date, at: TimeOfDay, zone: ZoneInfo) -> int:
    """The wall-clock time in UTC: the first of a time that occurs twice, the end of the gap for one
    that is skipped.
    """
    local = datetime.combine(day, time(at.hour, at.minute))
    first = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if first.astimezone(zone).replace(tzinfo=None) != local:
        first = _end_of_gap(local.replace(tzinfo=zone, fold=1).astimezone(UTC), first, zone)
    return int(first.timestamp()) * 1000


def _end_of_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The second in which the clock leaps, between `before` and `after`."""
    early, late = int(before.timestamp()), int(after.timestamp())
    new_offset = after.astimezone(zone).utcoffset()
    while late - early > 1:
        middle = (early + late) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == new_offset:
            late = middle
        else:
            early = middle
    return datetime.fromtimestamp(late, UTC)
