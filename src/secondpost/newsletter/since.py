"""When a newsletter adopted its calendar: earlier times are not its slots.

A new newsletter, and one whose `every` or `timezone` changed, begins now. Otherwise the Friday
before it was set up would count as missed, and a calendar changed to "friday 09:00" on a Friday at
ten would send at once.
"""

from dataclasses import replace

from secondpost.config.records import Newsletter
from secondpost.mail.slot import parse_slot
from secondpost.store.newsletter_ports import CalendarSince


def calendar_since(known: CalendarSince | None, newsletter: Newsletter, now_ms: int) -> CalendarSince:
    """The calendar of the newsletter and its beginning; `known` is what was recorded last.

    A recorded beginning in the future comes from a wrong clock, and becomes now.
    """
    begins = CalendarSince(newsletter.name, newsletter.every, newsletter.timezone, now_ms)
    if known is None or is_other(known, newsletter):
        return begins
    return replace(begins, since_ms=min(known.since_ms, now_ms))


def is_other(known: CalendarSince, newsletter: Newsletter) -> bool:
    """Whether the newsletter's times differ, not merely how they are written."""
    if len(known.every) == 0:  # recorded before calendars were stored
        return False
    return known.timezone != newsletter.timezone or not _is_alike(known.every, newsletter.every)


def _is_alike(before: str, every: str) -> bool:
    try:
        return parse_slot(before) == parse_slot(every)
    except ValueError:  # a form unknown to this version
        return False
