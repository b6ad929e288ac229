"""Since when a newsletter goes by its calendar: no earlier time is one of its slots.

A newsletter that is new, and one whose `every` or `timezone` was changed, begins at that moment. Else the
Friday before the newsletter was set up would count as missed, and a calendar changed on a Friday at ten to
"friday 09:00" would send at once.
"""

from dataclasses import replace

from secondpost.config.records import Newsletter
from secondpost.mail.slot import parse_slot
from secondpost.store.newsletter_ports import CalendarSince


def calendar_since(known: CalendarSince | None, newsletter: Newsletter, now_ms: int) -> CalendarSince:
    """`known`: what was written down last. One that began later than now began while the clock was wrong."""
    begins = CalendarSince(newsletter.name, newsletter.every, newsletter.timezone, now_ms)
    if known is None or is_other(known, newsletter):
        return begins
    return replace(begins, since_ms=min(known.since_ms, now_ms))


def is_other(known: CalendarSince, newsletter: Newsletter) -> bool:
    """Another way to write the same times is no other calendar."""
    if len(known.every) == 0:  # from before calendars were written down
        return False
    return known.timezone != newsletter.timezone or not _is_alike(known.every, newsletter.every)


def _is_alike(before: str, every: str) -> bool:
    try:
        return parse_slot(before) == parse_slot(every)
    except ValueError:  # a form that this version does not know
        return False
