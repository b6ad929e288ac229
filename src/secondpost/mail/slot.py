"""The grammar of an issue's schedule: "friday 09:00", "first monday", "when ready"."""

import re
from dataclasses import dataclass
from enum import IntEnum

WEEKS_MIN, WEEKS_MAX = 1, 26


class Weekday(IntEnum):
    """Numbered as in datetime.date.weekday."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6


class Ordinal(IntEnum):
    """Which of the weekdays of a month."""

    FIRST = 1
    SECOND = 2
    THIRD = 3
    FOURTH = 4
    LAST = -1


@dataclass(frozen=True, slots=True)
class TimeOfDay:
    """Local time in the newsletter's time zone."""

    hour: int
    minute: int

    def __str__(self) -> str:
        return f"{self.hour:02}:{self.minute:02}"


MORNING = TimeOfDay(9, 0)  # if no time is given


@dataclass(frozen=True, slots=True)
class Daily:
    at: TimeOfDay


@dataclass(frozen=True, slots=True)
class Weekly:
    days: tuple[Weekday, ...]  # in the order of the week, at least one
    at: TimeOfDay


@dataclass(frozen=True, slots=True)
class EveryWeeks:
    """On a weekday every n weeks."""

    weeks: int
    day: Weekday
    at: TimeOfDay


@dataclass(frozen=True, slots=True)
class MonthlyByWeekday:
    ordinal: Ordinal
    day: Weekday
    at: TimeOfDay


@dataclass(frozen=True, slots=True)
class MonthlyByDay:
    day: int  # 1 to 31; in a shorter month its last day
    at: TimeOfDay


@dataclass(frozen=True, slots=True)
class WhenReady:
    """As soon as there are enough articles."""


Slot = Daily | Weekly | EveryWeeks | MonthlyByWeekday | MonthlyByDay | WhenReady

_WEEKDAYS = "|".join(day.name.lower() for day in Weekday)
_ORDINALS = "|".join(ordinal.name.lower() for ordinal in Ordinal)
_TIME = re.compile(r"(?P<rest>.*?) ?\b(?P<hour>\d{1,2}):(?P<minute>\d\d)")
_DAYS = re.compile(rf"(?:{_WEEKDAYS})(?:, ?(?:{_WEEKDAYS}))*")
_WEEKS = re.compile(rf"every (\d{{1,2}}) weeks ({_WEEKDAYS})")
_ORDINAL = re.compile(rf"({_ORDINALS}) ({_WEEKDAYS})")
_DAY = re.compile(r"day (\d{1,2})")


def parse_slot(text: str) -> Slot:
    """Parse a schedule. Raises ValueError: a sentence, then "; " and the forms that are right."""
    plain = " ".join(text.lower().split())
    if plain == "when ready":
        return WhenReady()
    timed = _TIME.fullmatch(plain)
    if timed is None:
        slot = _slot(plain, MORNING)
    else:
        at = TimeOfDay(int(timed["hour"]), int(timed["minute"]))
        slot = _slot(timed["rest"], at) if at.hour < 24 and at.minute < 60 else None
    if slot is None:
        raise ValueError(
            f"{text!r} does not say when; write daily, monday,friday, first monday, day 1, "
            "every 2 weeks friday (each with a time such as 09:00) or when ready"
        )
    return slot


def _slot(days: str, at: TimeOfDay) -> Slot | None:
    if days == "daily":
        return Daily(at)
    if _DAYS.fullmatch(days) is not None:
        named = [_weekday(day.strip()) for day in days.split(",")]
        return Weekly(tuple(sorted(named)), at) if len(set(named)) == len(named) else None
    if (match := _WEEKS.fullmatch(days)) is not None:
        weeks = int(match[1])
        return EveryWeeks(weeks, _weekday(match[2]), at) if WEEKS_MIN <= weeks <= WEEKS_MAX else None
    if (match := _ORDINAL.fullmatch(days)) is not None:
        return MonthlyByWeekday(Ordinal[match[1].upper()], _weekday(match[2]), at)
    if (match := _DAY.fullmatch(days)) is not None:
        return MonthlyByDay(int(match[1]), at) if 1 <= int(match[1]) <= 31 else None
    return None


def _weekday(name: str) -> Weekday:
    return Weekday[name.upper()]
