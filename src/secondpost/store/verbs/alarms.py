"""Alarms, and what the owner was sent about them: marked and stored in one transaction."""

from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.envelope import Arrival
from secondpost.mail.owner_notice import (
    AHEAD_MS,
    POST_AGAIN_MS_MAX,
    AlarmRecord,
    Batch,
    News,
    Notice,
    NoticeChannel,
    NoticeMarks,
    OwnerPost,
    SentNotice,
)
from secondpost.store.verbs.engine import CHANGE_UNITS, Verbs
from secondpost.store.verbs.intake import add_mail
from secondpost.store.verbs.steps import Row, Steps, maybe_number, number, rows, run

ROWS_PER_UNIT = 4
MARK: Mapping[NoticeChannel, str] = MappingProxyType(
    {NoticeChannel.MAIL: "alarms.mark_mailed", NoticeChannel.WEBHOOK: "alarms.mark_posted"}
)


class AlarmsVerbs(Verbs):
    async def alarms(self) -> list[AlarmRecord]:
        return await self._engine.read(_alarms())

    def note_alarms(
        self, begun: Sequence[AlarmRecord], changed: Sequence[AlarmRecord], gone: Sequence[AlarmRecord]
    ) -> Awaitable[None]:
        def write() -> Steps[None]:
            # First what ended: another alarm of the same kind and subject may begin.
            yield from run("alarms.forget", chosen=[_key(one) for one in gone])
            yield from run("alarms.change", chosen=[_changed(one) for one in changed])
            yield from run("alarms.add", chosen=[_stated(one) for one in begun])

        many = len(begun) + len(changed) + len(gone)
        return self._engine.change(write, CHANGE_UNITS + many // ROWS_PER_UNIT)

    def give_notice(
        self,
        batch: Batch,
        notices: Sequence[Notice],
        roles: frozenset[str],
        at_ms: int,
        *,
        mail: Arrival | None = None,
        posts: Sequence[OwnerPost] = (),
    ) -> Awaitable[bool]:
        channel = NoticeChannel.WEBHOOK if mail is None else NoticeChannel.MAIL

        def write() -> Steps[bool]:
            kept = {_key(one): one.marks(channel) for one in (yield from _alarms())}
            if any(kept.get(_key(one.alarm)) != one.alarm.marks(channel) for one in notices):
                return False  # another process was first
            marked = [(*_key(one.alarm), *_marks_row(_marked(one, channel, at_ms))) for one in notices]
            yield from run(MARK[channel], chosen=marked)
            message = None if mail is None else mail.queue_id
            named = " ".join(sorted(roles))
            yield from run("alarms.add_notice", channel.value, batch.value, at_ms, named, message)
            if mail is not None:
                yield from add_mail([(mail, None)])
            yield from run("alarms.add_posts", chosen=[_post_row(one) for one in posts])
            return True

        return self._engine.change(write, 2 * CHANGE_UNITS + len(notices) // ROWS_PER_UNIT)

    async def sent_notices(self) -> list[SentNotice]:
        return [_sent_notice(row) for row in await self._engine.read(rows("alarms.notices"))]

    def forget_notices(self, before_ms: int) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("alarms.forget_notices", before_ms)
            yield from run("alarms.forget_posts", before_ms)

        return self._engine.change(write)

    def send_own(self, arrival: Arrival) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from add_mail([(arrival, None)])

        return self._engine.change(write)

    def add_posts(self, posts: Sequence[OwnerPost]) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("alarms.add_posts", chosen=[_post_row(one) for one in posts])

        return self._engine.change(write)

    async def post_due(self, now_ms: int) -> OwnerPost | None:
        for made_ms, place, body, due_ms, attempts in await self._engine.read(
            rows("alarms.post_due", now_ms, now_ms + POST_AGAIN_MS_MAX + AHEAD_MS)
        ):
            return OwnerPost(number(made_ms), number(place), str(body), number(due_ms), number(attempts))
        return None

    def post_again(self, post: OwnerPost, due_ms: int) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("alarms.post_again", post.made_ms, post.number, due_ms)

        return self._engine.change(write)

    def drop_post(self, post: OwnerPost) -> Awaitable[None]:
        def write() -> Steps[None]:
            yield from run("alarms.drop_post", post.made_ms, post.number)

        return self._engine.change(write)

    async def report_slot(self, name: str) -> int | None:
        return await self._engine.read(_report_slot(name))

    def give_report(
        self, name: str, slot_ms: int, before_ms: int | None, mail: Arrival | None
    ) -> Awaitable[bool]:
        def write() -> Steps[bool]:
            if (yield from _report_slot(name)) != before_ms:
                return False  # another process was first
            yield from run("alarms.set_report_slot", name, slot_ms)
            if mail is not None:
                yield from add_mail([(mail, None)])
            return True

        return self._engine.change(write)

    async def domains_down(self) -> frozenset[Domain]:
        found = await self._engine.read(rows("alarms.domains_down"))
        return frozenset(Domain(str(name)) for (name,) in found)


def _alarms() -> Steps[list[AlarmRecord]]:
    found = yield from rows("alarms.alarms")
    kinds = {kind.word: kind for kind in AlarmKind}
    # A kind that another version wrote is left alone.
    return [_record(row, kinds[str(row[0])]) for row in found if str(row[0]) in kinds]


def _report_slot(name: str) -> Steps[int | None]:
    for (slot_ms,) in (yield from rows("alarms.report_slot", name)):
        return number(slot_ms)
    return None


def _record(row: Row, kind: AlarmKind) -> AlarmRecord:
    _, subject, role, noted_ms, detail, since_ms, last_ms, seen_ms, step, ended_ms, how, *given = row
    marks = [maybe_number(mark) for mark in given]
    return AlarmRecord(
        kind,
        str(subject),
        str(role),
        number(noted_ms),
        str(detail),
        number(since_ms),
        number(last_ms),
        number(seen_ms),
        number(step),
        maybe_number(ended_ms),
        str(how),
        NoticeMarks(*marks[:4]),
        NoticeMarks(*marks[4:]),
    )


def _sent_notice(row: Row) -> SentNotice:
    channel, batch, at_ms, roles, waits = row
    causes = frozenset(str(roles).split())
    return SentNotice(NoticeChannel(str(channel)), Batch(str(batch)), number(at_ms), causes, waits == 1)


def _key(alarm: AlarmRecord) -> Row:
    return alarm.kind.word, alarm.subject, alarm.role, alarm.noted_ms


def _stated(alarm: AlarmRecord) -> Row:
    times = alarm.since_ms, alarm.last_ms, alarm.seen_ms
    return (*_key(alarm), alarm.detail, *times, alarm.step)


def _changed(alarm: AlarmRecord) -> Row:
    return (*_stated(alarm), alarm.ended_ms, alarm.how)


def _marked(notice: Notice, channel: NoticeChannel, at_ms: int) -> NoticeMarks:
    alarm = notice.alarm
    marks = alarm.marks(channel)
    match notice.news:
        case News.BEGAN:
            return replace(marks, began_ms=at_ms, step=alarm.step)
        case News.LASTS | News.WORSE:
            return replace(marks, lasts_ms=at_ms, step=alarm.step)
        case News.ENDED:
            return replace(marks, ended_ms=at_ms)


def _marks_row(marks: NoticeMarks) -> Row:
    return marks.began_ms, marks.lasts_ms, marks.step, marks.ended_ms


def _post_row(post: OwnerPost) -> Row:
    return post.made_ms, post.number, post.body, post.due_ms
