"""Alarms as the owner's lists and documents show them."""

from collections.abc import Sequence

from secondpost.compose.alarm_mail import remedy
from secondpost.mail.duration import DAY_MS
from secondpost.mail.owner_notice import AlarmRecord
from secondpost.owner.documents import AlarmDocument, AlarmsDocument
from secondpost.owner.figures import utc_time
from secondpost.watch.notices import SEVEREST_FIRST

LATELY_MS = 7 * DAY_MS


def standing_alarms(records: Sequence[AlarmRecord]) -> list[AlarmRecord]:
    """Those that stand, the severest first."""
    standing = [record for record in records if record.ended_ms is None]
    return sorted(standing, key=lambda record: (SEVEREST_FIRST.index(record.severity), record.since_ms))


def lately_ended(records: Sequence[AlarmRecord], now_ms: int, limit: int) -> list[AlarmRecord]:
    """Those that ended in the last days, the latest first."""
    ended = [(record.ended_ms, record) for record in records if record.ended_ms is not None]
    latest_first = sorted(ended, key=lambda one: one[0], reverse=True)
    return [record for ended_ms, record in latest_first if ended_ms > now_ms - LATELY_MS][:limit]


def alarms_document(standing: Sequence[AlarmRecord], ended: Sequence[AlarmRecord]) -> AlarmsDocument:
    return AlarmsDocument([alarm_document(one) for one in standing], [alarm_document(one) for one in ended])


def alarm_document(record: AlarmRecord) -> AlarmDocument:
    return AlarmDocument(
        kind=record.kind.word,
        subject=record.subject,
        role=record.role,
        severity=record.severity.value,
        detail=record.detail,
        since=utc_time(record.since_ms),
        ended=None if record.ended_ms is None else utc_time(record.ended_ms),
        how=record.how,
        what_to_do=remedy(record.kind),
        mailed=record.mail.began_ms is not None,
    )
