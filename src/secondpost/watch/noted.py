"""What is written of the alarms that the processes state: which begin, change, end, are forgotten.

Pure. Every role's alarms have their own bounds, so that a compromised role can fill the table only
with its own.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from secondpost.mail.alarm import AlarmEnds, AlarmKind, Severity
from secondpost.mail.duration import DAY_MS, MINUTE_MS
from secondpost.mail.owner_notice import AlarmRecord, past_ms
from secondpost.mail.standing_alarms import EVENT_MS, Alarm
from secondpost.protocols.alarm_statements import FIRST_OF_KIND
from secondpost.watch.roll import RoleStates, grace_ms

SEEN_MS = 10 * MINUTE_MS  # how exactly it is written when an alarm was last stated
REFRESH_MS = MINUTE_MS  # between two writes of a detail that keeps changing
UNSEEN_MS = DAY_MS  # then an alarm of a role that no process plays any more is over
STANDING_MAX = 200  # of one role; beyond it only the first few of each kind
BEGIN_MAX = 50  # of one role at one look
UNSENT_MAX = 200  # ended, of one role, that the owner was never sent
SENT_MAX = 1_000  # ended, of one role, that the owner was sent
ENDED_KEPT_MS = 31 * DAY_MS


@dataclass(frozen=True, slots=True)
class Noted:
    """What to write."""

    begun: tuple[AlarmRecord, ...] = ()
    changed: tuple[AlarmRecord, ...] = ()
    gone: tuple[AlarmRecord, ...] = ()

    @property
    def is_nothing(self) -> bool:
        return len(self.begun) + len(self.changed) + len(self.gone) == 0


def noted(records: Sequence[AlarmRecord], states: Collection[RoleStates], now_ms: int) -> Noted:
    """What to write, given all records and what is stated now."""
    begun: list[AlarmRecord] = []
    changed: dict[int, AlarmRecord] = {}  # by place in `records`
    stated = {one.role: one for one in states}
    for one in states:
        new, renewed = _of_role(records, one, now_ms)
        begun += new
        changed |= renewed
    for place, record in enumerate(records):
        if record.ended_ms is None and place not in changed:
            ended = _ended(record, stated.get(record.role), now_ms)
            if ended is not None:
                changed[place] = ended
    return Noted(tuple(begun), tuple(changed.values()), _gone(records, changed, now_ms))


def _of_role(
    records: Sequence[AlarmRecord], states: RoleStates, now_ms: int
) -> tuple[list[AlarmRecord], dict[int, AlarmRecord]]:
    """What begins, and what changes of what is written already."""
    own = {  # a later record of the same alarm replaces an earlier one
        (record.kind, record.subject): place
        for place, record in enumerate(records)
        if record.role == states.role and (record.ended_ms is None or _may_resume(record))
    }
    many = Counter(records[place].kind for place in own.values() if records[place].ended_ms is None)
    begun: list[AlarmRecord] = []
    changed: dict[int, AlarmRecord] = {}
    for alarm in states.alarms:
        place = own.get((alarm.kind, alarm.subject))
        if place is not None:
            renewed = _renewed(records[place], alarm, now_ms)
            if renewed is not None:
                changed[place] = renewed
        elif len(begun) < BEGIN_MAX and _has_room(many, alarm):
            begun.append(_record(alarm, states.role, now_ms))
            many[alarm.kind] += 1
    return begun, changed


def _has_room(many: Counter[AlarmKind], alarm: Alarm) -> bool:
    """`many`: how many of each kind stand. Those of one kind leave room for the others."""
    return many.total() < STANDING_MAX or many[alarm.kind] < FIRST_OF_KIND


def _may_resume(record: AlarmRecord) -> bool:
    """Whether an alarm that has ended goes on when it is stated again: the owner was sent its
    beginning, and not yet its end. What is only news has no end.
    """
    channels = (record.mail, record.webhook)
    began = any(marks.began_ms is not None for marks in channels)
    return (
        began
        and all(marks.ended_ms is None for marks in channels)
        and record.kind.severity is not Severity.NEWS
    )


def _record(alarm: Alarm, role: str, now_ms: int) -> AlarmRecord:
    since_ms, last_ms = min(alarm.since_ms, now_ms), min(alarm.last_ms, now_ms)
    return AlarmRecord(
        alarm.kind, alarm.subject, role, now_ms, alarm.detail, since_ms, last_ms, now_ms, alarm.step
    )


def _renewed(record: AlarmRecord, alarm: Alarm, now_ms: int) -> AlarmRecord | None:
    """The record as it is to be written; None if that can wait."""
    last_ms = max(past_ms(record.last_ms, now_ms), min(alarm.last_ms, now_ms))
    since_ms = min(record.since_ms, alarm.since_ms)
    renewed = replace(
        record,
        detail=alarm.detail,
        since_ms=since_ms,
        last_ms=last_ms,
        seen_ms=now_ms,
        step=alarm.step,
        ended_ms=None,
        how="",
    )
    unwritten_ms = now_ms - record.seen_ms
    is_new = (renewed.detail, renewed.last_ms) != (record.detail, record.last_ms)
    is_grave = record.ended_ms is not None or renewed.step != record.step
    due = is_grave or unwritten_ms >= SEEN_MS or (is_new and unwritten_ms >= REFRESH_MS)
    return renewed if due or unwritten_ms < 0 else None


def _ended(record: AlarmRecord, states: RoleStates | None, now_ms: int) -> AlarmRecord | None:
    """The end of a standing alarm that is not stated; None while it still stands."""
    subject = (record.kind, record.subject)
    if states is not None:
        if any((alarm.kind, alarm.subject) == subject for alarm in states.alarms):
            return None
        if subject in states.hows or (states.is_whole and subject in states.before):
            return replace(record, ended_ms=now_ms, how=states.hows.get(subject, ""))
    if record.kind.ends is AlarmEnds.BY_ITSELF:
        is_over = now_ms >= past_ms(record.last_ms, now_ms) + EVENT_MS
    elif states is not None and not states.is_whole:
        is_over = False
    elif states is not None:
        is_over = now_ms >= past_ms(states.since_ms, now_ms) + grace_ms(record.kind)
    else:
        is_over = now_ms >= past_ms(record.seen_ms, now_ms) + UNSEEN_MS
    return replace(record, ended_ms=now_ms) if is_over else None


def _gone(records: Sequence[AlarmRecord], changed: Collection[int], now_ms: int) -> tuple[AlarmRecord, ...]:
    """Ended alarms that are too old, or too many of one role; the oldest first."""
    ended: dict[str, list[AlarmRecord]] = {}
    for place, record in enumerate(records):
        if record.ended_ms is not None and place not in changed:
            ended.setdefault(record.role, []).append(record)
    return tuple(record for of_role in ended.values() for record in _surplus(of_role, now_ms))


def _surplus(ended: list[AlarmRecord], now_ms: int) -> Iterator[AlarmRecord]:
    """Those that the owner was never sent go first: the others say what must not be sent again."""
    sent = [record for record in ended if _was_sent(record)]
    unsent = [record for record in ended if not _was_sent(record)]
    for records, most in ((unsent, UNSENT_MAX), (sent, SENT_MAX)):
        for left, record in zip(range(len(records), 0, -1), records, strict=True):
            if left > most or record.noted_ms < now_ms - ENDED_KEPT_MS:
                yield record


def _was_sent(record: AlarmRecord) -> bool:
    return record.mail.began_ms is not None or record.webhook.began_ms is not None
