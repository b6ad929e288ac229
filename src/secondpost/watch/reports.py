"""When a mail at a fixed time is due: the digest, and that all is well, so that silence means
something. Pure.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from secondpost.config.records import Alarms
from secondpost.mail.calendar import latest_slot
from secondpost.mail.duration import DAY_MS
from secondpost.mail.owner_notice import ReportKind, past_ms
from secondpost.mail.slot import parse_slot

DAYS_MAX = 14  # for which counts are kept (roles/housekeeping)


@dataclass(frozen=True, slots=True)
class ReportsBegin:
    """There never was a report, or only one by a clock that was ahead: the present is recorded, and
    slots after it are due.
    """


@dataclass(frozen=True, slots=True)
class ReportDue:
    slot_ms: int
    days: int  # of which it tells


def report_due(
    kind: ReportKind, alarms: Alarms, last_ms: int | None, now_ms: int
) -> ReportsBegin | ReportDue | None:
    """`last_ms`: the slot of the last report."""
    schedule = alarms.digest if kind is ReportKind.DIGEST else alarms.all_is_well
    if schedule is None:
        return None
    if last_ms is None or past_ms(last_ms, now_ms) != last_ms:
        return ReportsBegin()
    latest = latest_slot(parse_slot(schedule), ZoneInfo(alarms.timezone), now_ms)
    if latest is None or latest.at_ms <= last_ms:
        return None
    days = round((latest.at_ms - last_ms) / DAY_MS)
    return ReportDue(latest.at_ms, max(1, min(days, DAYS_MAX)))
