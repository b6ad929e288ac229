"""What the owner is sent about alarms, and when: once when one begins, once when it ends, and from
time to time while it stands.

Pure. One channel (mail or webhook) is looked at by itself. What is due is sent in one notice with all
else that is new; alarms that strangers can cause have notices of their own, so that these never
delay or hide another.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from secondpost.mail.alarm import AlarmKind, Severity
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.mail.owner_notice import (
    AlarmRecord,
    Batch,
    News,
    Notice,
    NoticeChannel,
    SentNotice,
    past_ms,
)

GATHER_MS = 30 * MINUTE_MS  # what is not urgent waits for more
# How long an alarm must stand before its beginning is sent.
BEGINS_AFTER_MS: Mapping[Severity, int] = MappingProxyType(
    {Severity.ACT: 0, Severity.LOOK: GATHER_MS, Severity.NEWS: GATHER_MS, Severity.PASSES: 30 * MINUTE_MS}
)
# How long it must have ended before that is sent; one that comes again meanwhile goes on.
ENDS_AFTER_MS: Mapping[Severity, int] = MappingProxyType(
    {Severity.ACT: MINUTE_MS, Severity.LOOK: GATHER_MS, Severity.PASSES: GATHER_MS}
)
# How long after the last news of an alarm it is sent that it got worse.
WORSE_AFTER_MS: Mapping[Severity, int] = MappingProxyType(
    {Severity.ACT: MINUTE_MS, Severity.LOOK: GATHER_MS, Severity.PASSES: GATHER_MS}
)
JOINS_AFTER_MS = MINUTE_MS  # since its end, to be sent along with other news
REMINDED_MS: Mapping[Severity, int] = MappingProxyType(
    {Severity.ACT: DAY_MS, Severity.LOOK: 7 * DAY_MS, Severity.PASSES: DAY_MS}
)
SEVEREST_FIRST = (Severity.ACT, Severity.LOOK, Severity.PASSES, Severity.NEWS)

FIRST_OF_ROLE = 3  # alarms of one role before those of others are all named

FLAPS_MAX = 3  # beginnings of one alarm sent within a day; further ones, and their ends, take longer
FLAPPING_MS = HOUR_MS
URGENT_MAX = 6  # notices within URGENT_MS that the alarms of one role cause; further ones gather
URGENT_MS = HOUR_MS
STRANGERS_MAX = 4  # notices within a day that alarms of one kind cause, if strangers can cause it
STRANGERS_AGAIN_MS = DAY_MS  # between two beginnings of one alarm that strangers can cause
WAITING_MAX: Mapping[Batch, int] = MappingProxyType({Batch.OWN: 3, Batch.STRANGERS: 1})  # unsent notices

KindAndSubject = tuple[AlarmKind, str]


@dataclass(frozen=True, slots=True)
class NoticeDue:
    """A notice to be sent now, by one channel; the severest comes first."""

    batch: Batch
    notices: tuple[Notice, ...]
    roles: frozenset[str]  # whose alarms caused it


@dataclass(frozen=True, slots=True)
class _Timed:
    """A piece of news, when it is due, and whether it may be sent earlier along with others."""

    notice: Notice
    due_ms: int
    may_join: bool


def notices_due(
    channel: NoticeChannel, records: Sequence[AlarmRecord], sent: Sequence[SentNotice], now_ms: int
) -> tuple[NoticeDue, ...]:
    """At most one notice of each batch; `sent`: those of the last days, by all channels."""
    own_channel = [one for one in sent if one.channel is channel]
    began = _beginnings(channel, records, now_ms)
    found = []
    for batch in Batch:
        earlier = [one for one in own_channel if one.batch is batch]
        if sum(one.is_waiting for one in earlier) >= WAITING_MAX[batch]:
            continue  # what comes meanwhile shares the notice after these
        of_batch = [record for record in records if batch_of(record) is batch]
        timing = _Timing(channel, now_ms, began, earlier, of_batch)
        timed = [one for record in of_batch for one in timing.news_of(record)]
        causes = [one for one in timed if one.due_ms <= now_ms]
        if len(causes) > 0:
            chosen = [one.notice for one in timed if one.due_ms <= now_ms or one.may_join]
            roles = frozenset(one.notice.alarm.role for one in causes)
            found.append(NoticeDue(batch, _in_order(chosen), roles))
    return tuple(found)


def batch_of(record: AlarmRecord) -> Batch:
    return Batch.STRANGERS if record.kind.by_strangers else Batch.OWN


def _in_order(notices: Sequence[Notice]) -> tuple[Notice, ...]:
    """The severest first; but no role's alarms push those of another behind FIRST_OF_ROLE of its own."""
    places: dict[str, int] = {}
    ranked: list[tuple[bool, Notice]] = []
    for notice in sorted(notices, key=_rank):
        place = places[notice.alarm.role] = places.get(notice.alarm.role, 0) + 1
        ranked.append((place > FIRST_OF_ROLE, notice))
    return tuple(notice for _, notice in sorted(ranked, key=lambda one: (one[0], _rank(one[1]))))


def _rank(notice: Notice) -> tuple[bool, int, int]:
    alarm = notice.alarm
    return notice.news is News.ENDED, SEVEREST_FIRST.index(alarm.severity), alarm.since_ms


def _beginnings(
    channel: NoticeChannel, records: Sequence[AlarmRecord], now_ms: int
) -> Mapping[KindAndSubject, Sequence[int]]:
    """When the beginnings of each alarm were sent, whichever role stated it."""
    found: dict[KindAndSubject, list[int]] = {}
    for record in records:
        began_ms = record.marks(channel).began_ms
        if began_ms is not None:
            found.setdefault((record.kind, record.subject), []).append(past_ms(began_ms, now_ms))
    return found


@dataclass(frozen=True, slots=True)
class _Timing:
    """How long news of one batch waits."""

    channel: NoticeChannel
    now_ms: int
    began: Mapping[KindAndSubject, Sequence[int]]
    earlier: Sequence[SentNotice]
    records: Sequence[AlarmRecord]

    def news_of(self, record: AlarmRecord) -> Iterator[_Timed]:
        """At most one piece of news."""
        for timed in self._news_of(record):
            later_ms = self._strangers_wait_ms(record, timed.due_ms) if record.kind.by_strangers else 0
            yield replace(timed, due_ms=max(timed.due_ms, later_ms))

    def _strangers_wait_ms(self, record: AlarmRecord, due_ms: int) -> int:
        """When a kind that has caused as many notices as it may in a day causes another."""
        lately = sorted(self._sent_of_kind(record.kind))[-STRANGERS_MAX:]
        if len(lately) < STRANGERS_MAX or lately[0] <= self.now_ms - DAY_MS:
            return 0
        return due_ms + HOUR_MS if record.severity is Severity.ACT else lately[0] + DAY_MS

    def _sent_of_kind(self, kind: AlarmKind) -> set[int]:
        return {
            self._past_ms(at_ms)
            for record in self.records
            if record.kind is kind
            for at_ms in record.marks(self.channel).times
        }

    def _news_of(self, record: AlarmRecord) -> Iterator[_Timed]:
        marks = record.marks(self.channel)
        severity = record.severity
        if marks.began_ms is None:
            if record.ended_ms is None or severity is Severity.NEWS:
                yield self._beginning(record)
        elif severity is Severity.NEWS or marks.ended_ms is not None:
            return
        elif record.ended_ms is not None:
            after_ms = self._slowed(record, ENDS_AFTER_MS[severity])
            ended_ms = self._past_ms(record.ended_ms)
            joins = self.now_ms >= ended_ms + JOINS_AFTER_MS
            yield _Timed(Notice(News.ENDED, record), ended_ms + after_ms, joins)
        else:
            last_ms = self._past_ms(marks.began_ms if marks.lasts_ms is None else marks.lasts_ms)
            if marks.step is not None and record.step > marks.step:
                due_ms = last_ms + self._slowed(record, WORSE_AFTER_MS[severity])
                yield _Timed(Notice(News.WORSE, record), due_ms, may_join=True)
                return
            due_ms = last_ms + REMINDED_MS[severity]
            yield _Timed(Notice(News.LASTS, record), due_ms, self.now_ms >= due_ms - HOUR_MS)

    def _beginning(self, record: AlarmRecord) -> _Timed:
        severity = record.severity
        due_ms = self._past_ms(record.noted_ms) + self._slowed(record, BEGINS_AFTER_MS[severity])
        if record.kind.by_strangers:
            again_ms = max(self._sent_before(record), default=0) + STRANGERS_AGAIN_MS
            joins = severity is not Severity.PASSES and self.now_ms >= again_ms
            return _Timed(Notice(News.BEGAN, record), max(due_ms, again_ms), joins)
        return _Timed(Notice(News.BEGAN, record), due_ms, severity is not Severity.PASSES)

    def _slowed(self, record: AlarmRecord, usual_ms: int) -> int:
        """Longer for an alarm that comes and goes, and for a role that has much to say."""
        lately = [at_ms for at_ms in self._sent_before(record) if at_ms > self.now_ms - DAY_MS]
        if len(lately) >= FLAPS_MAX:
            usual_ms = max(usual_ms, FLAPPING_MS)
        of_role = [self._past_ms(one.at_ms) for one in self.earlier if record.role in one.roles]
        if sum(at_ms > self.now_ms - URGENT_MS for at_ms in of_role) >= URGENT_MAX:
            usual_ms = max(usual_ms, GATHER_MS)
        return usual_ms

    def _past_ms(self, at_ms: int) -> int:
        return past_ms(at_ms, self.now_ms)

    def _sent_before(self, record: AlarmRecord) -> Sequence[int]:
        return self.began.get((record.kind, record.subject), ())
