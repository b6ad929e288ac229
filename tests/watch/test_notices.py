"""What the owner is sent, by simulated days: no alarm rings twice, and every beginning has its end."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpost.mail.alarm import AlarmEnds, AlarmKind, Severity
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.mail.owner_notice import (
    AlarmRecord,
    Batch,
    News,
    Notice,
    NoticeChannel,
    NoticeMarks,
    SentNotice,
)
from secondpost.mail.standing_alarms import Alarm
from secondpost.protocols.alarm_statements import Stated
from secondpost.watch import notices as bounds
from secondpost.watch.noted import noted
from secondpost.watch.notices import NoticeDue, notices_due
from secondpost.watch.roll import AlarmRoll

NOON = 1_800_000_000_000
ACT, LOOK, PASSES = AlarmKind.NO_ROUTE, AlarmKind.RECIPIENTS_FILE, AlarmKind.CLAIM_WAITS
STRANGERS = AlarmKind.ATTACKED
CONDITIONS = [
    kind for kind in AlarmKind if kind.ends is AlarmEnds.WHEN_MENDED and kind.severity is not Severity.NEWS
]
EVENT = AlarmKind.ROLE_FAILED
SERIOUS = AlarmKind.ISSUE_HELD  # by strangers, and the owner must act
STEPS = AlarmKind.KEEP_RUNS_OUT


def test_the_kinds_of_this_test() -> None:
    severities = [kind.severity for kind in (ACT, LOOK, PASSES)]
    assert severities == [Severity.ACT, Severity.LOOK, Severity.PASSES]
    assert STRANGERS.by_strangers
    assert STRANGERS.ends is ACT.ends is AlarmEnds.WHEN_MENDED
    assert not any(kind.by_strangers for kind in (ACT, LOOK, PASSES))


@dataclass
class Office:
    """Processes that state alarms, the rows of the store, and the mails that were sent."""

    now_ms: int = NOON
    rows: list[AlarmRecord] = field(default_factory=list)
    mails: list[tuple[int, NoticeDue]] = field(default_factory=list)
    standing: dict[str, dict[tuple[AlarmKind, str], Alarm]] = field(default_factory=dict)
    connections: dict[str, int] = field(default_factory=dict)
    unsent: set[int] = field(default_factory=set)  # times of mails that no server took
    server_is_down: bool = False

    def __post_init__(self) -> None:
        self.roll = AlarmRoll(lambda: self.now_ms)

    def begin(self, kind: AlarmKind, subject: str = "", role: str = "deliver", step: int = 0) -> None:
        own = self.standing.setdefault(role, {})
        before = own.get((kind, subject))
        since_ms = self.now_ms if before is None else before.since_ms
        own[kind, subject] = Alarm(kind, subject, "why", since_ms, self.now_ms, step)

    def end(self, kind: AlarmKind, subject: str = "", role: str = "deliver") -> None:
        self.standing.get(role, {}).pop((kind, subject), None)

    def restart(self, role: str) -> None:
        """The process dies; its successor knows of nothing."""
        self.standing[role] = {}
        if role in self.connections:
            self.roll.left(self.connections[role])
        self.connections[role] = max(self.connections.values(), default=0) + 1

    def look(self) -> list[NoticeDue]:
        for role, alarms in self.standing.items():
            number = self.connections.setdefault(role, max(self.connections.values(), default=0) + 1)
            self.roll.heard(number, Stated(role, tuple(alarms.values())))
        found = noted(self.rows, self.roll.states(), self.now_ms)
        self.roll.noted(self.roll.gone)
        kept = {_key(row): row for row in self.rows}
        for row in found.gone:
            del kept[_key(row)]
        for row in (*found.changed, *found.begun):
            kept[_key(row)] = row
        self.rows = sorted(kept.values(), key=lambda row: row.noted_ms)
        due = list(notices_due(NoticeChannel.MAIL, self.rows, self._sent(), self.now_ms))
        for place, one in enumerate(due):
            self._mail(one, self.now_ms + place)
        return due

    def _sent(self) -> list[SentNotice]:
        return [
            SentNotice(NoticeChannel.MAIL, due.batch, at_ms, due.roles, at_ms in self.unsent)
            for at_ms, due in self.mails
        ]

    def _mail(self, due: NoticeDue, at_ms: int) -> None:
        self.mails.append((at_ms, due))
        if self.server_is_down:
            self.unsent.add(at_ms)
        for notice in due.notices:
            place = self.rows.index(notice.alarm)
            marks = notice.alarm.mail
            match notice.news:
                case News.BEGAN:
                    marks = replace(marks, began_ms=at_ms, step=notice.alarm.step)
                case News.ENDED:
                    marks = replace(marks, ended_ms=at_ms)
                case _:
                    marks = replace(marks, lasts_ms=at_ms, step=notice.alarm.step)
            self.rows[place] = replace(notice.alarm, mail=marks)

    def passes(self, milliseconds: int, every_ms: int = MINUTE_MS) -> list[NoticeDue]:
        until_ms = self.now_ms + milliseconds
        found: list[NoticeDue] = []
        while self.now_ms < until_ms:
            self.now_ms = min(until_ms, self.now_ms + every_ms)
            found += self.look()
        return found

    def news(self) -> list[tuple[News, AlarmKind, str]]:
        return [
            (notice.news, notice.alarm.kind, notice.alarm.subject)
            for _, due in self.mails
            for notice in due.notices
        ]


def _key(row: AlarmRecord) -> tuple[AlarmKind, str, str, int]:
    return row.kind, row.subject, row.role, row.noted_ms


def test_what_needs_the_owner_is_mailed_at_once_and_its_end_a_minute_later() -> None:
    office = Office()
    office.begin(ACT, "example.net")
    assert [due.batch for due in office.look()] == [Batch.OWN]
    assert office.passes(23 * HOUR_MS) == []
    office.end(ACT, "example.net")
    assert office.look() == []
    assert len(office.passes(MINUTE_MS)) == 1
    assert office.passes(30 * DAY_MS, HOUR_MS) == []
    assert office.news() == [(News.BEGAN, ACT, "example.net"), (News.ENDED, ACT, "example.net")]


@pytest.mark.parametrize(("kind", "every_ms"), [(ACT, DAY_MS), (LOOK, 7 * DAY_MS), (PASSES, DAY_MS)])
def test_what_lasts_is_mailed_again_in_its_rhythm(kind: AlarmKind, every_ms: int) -> None:
    office = Office()
    office.begin(kind)
    for _ in range(15 * 24):  # an event occurs again and again, a condition just stands
        office.begin(kind)
        office.passes(HOUR_MS, 10 * MINUTE_MS)
    times = [at_ms for at_ms, _ in office.mails]
    assert [news for news, _, _ in office.news()] == [News.BEGAN, *[News.LASTS] * (len(times) - 1)]
    gaps = {later - earlier for earlier, later in pairwise(times)}
    assert gaps == {every_ms}
    assert len(times) == -(-15 * DAY_MS // every_ms)


def test_what_is_not_urgent_waits_to_be_gathered() -> None:
    office = Office()
    office.begin(LOOK, "one")
    assert office.look() == []
    office.passes(10 * MINUTE_MS)
    office.begin(LOOK, "two")
    assert office.passes(19 * MINUTE_MS) == []
    (due,) = office.passes(MINUTE_MS)
    assert [one.alarm.subject for one in due.notices] == ["one", "two"]


def test_what_is_urgent_takes_the_rest_along() -> None:
    office = Office()
    office.begin(LOOK, "lists")
    office.begin(PASSES)
    office.begin(STRANGERS)
    office.look()
    office.begin(ACT, "example.net")
    (due,) = office.look()
    assert [one.alarm.kind for one in due.notices] == [ACT, LOOK]


def test_what_passes_by_itself_is_not_mailed() -> None:
    office = Office()
    office.begin(PASSES)
    office.look()
    office.passes(29 * MINUTE_MS)
    office.end(PASSES)
    office.passes(DAY_MS)
    assert office.mails == []


def test_what_comes_back_before_its_end_was_mailed_goes_on() -> None:
    office = Office()
    for _ in range(100):
        office.begin(ACT)
        office.passes(30_000, 5_000)
        office.end(ACT)
        office.passes(30_000, 5_000)
    assert office.news() == [(News.BEGAN, ACT, "")]


def test_what_flaps_slowly_is_mailed_less_and_less() -> None:
    office = Office()
    for _ in range(24 * 6):
        office.begin(ACT)
        office.passes(5 * MINUTE_MS)
        office.end(ACT)
        office.passes(5 * MINUTE_MS)
    counts = Counter(news for news, _, _ in office.news())
    assert counts[News.BEGAN] <= bounds.FLAPS_MAX + 1
    assert counts[News.BEGAN] - counts[News.ENDED] in (0, 1)


def test_a_restarted_process_begins_nothing_twice() -> None:
    office = Office()
    office.begin(ACT, "example.net")
    office.look()
    for _ in range(5):
        office.restart("deliver")
        office.passes(MINUTE_MS)
        office.begin(ACT, "example.net")
        office.passes(10 * MINUTE_MS)
    assert office.news() == [(News.BEGAN, ACT, "example.net")]
    office.restart("deliver")
    office.passes(HOUR_MS)
    assert office.news()[1:] == [(News.ENDED, ACT, "example.net")]


def test_each_step_for_the_worse_is_mailed_once() -> None:
    office = Office()
    said = []
    for step in (0, 0, 1, 1, 0, 1, 2, 2):
        office.begin(STEPS, "example.net", step=step)
        office.passes(2 * HOUR_MS)
        said.append([news for news, _, _ in office.news()])
    assert said[-1] == [News.BEGAN, News.WORSE, News.WORSE]
    assert [len(one) for one in said] == [1, 1, 2, 2, 2, 2, 3, 3]


def test_while_the_owners_server_is_down_mails_do_not_pile_up() -> None:
    office = Office(server_is_down=True)
    for number in range(48):
        office.begin(ACT, f"{number}.example")
        office.passes(HOUR_MS)
    assert len(office.mails) == bounds.WAITING_MAX[Batch.OWN]
    office.unsent.clear()
    office.server_is_down = False
    (due,) = office.look()
    begun = {notice.alarm.subject for notice in due.notices if notice.news is News.BEGAN}
    assert begun == {f"{number}.example" for number in range(bounds.WAITING_MAX[Batch.OWN], 48)}


HOURS = 6


def test_a_hijacked_role_neither_floods_nor_hides_others() -> None:
    office = Office()
    for number in range(HOURS * 60):
        office.standing["receive"] = {}
        for place in range(40):
            office.begin(EVENT, f"{number}-{place}", role="receive")
        if number == 200:
            office.begin(ACT, "example.net")
            (due,) = office.look()
            first = [notice.alarm.kind for notice in due.notices[: bounds.FIRST_OF_ROLE + 1]]
            assert ACT in first
        else:
            office.passes(MINUTE_MS)
    assert len(office.mails) <= HOURS * (bounds.URGENT_MAX + 2)
    assert len(office.rows) <= 2_000


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_strangers_never_delay_or_hide_another(data: st.DataObject) -> None:
    quiet, loud = Office(), Office()
    subjects = st.sampled_from([f"192.0.2.{number}" for number in range(20)])
    for _ in range(36):
        for _ in range(data.draw(st.integers(0, 5))):
            begins = data.draw(st.booleans())
            (loud.begin if begins else loud.end)(STRANGERS, data.draw(subjects), "receive")
        event = data.draw(st.sampled_from([None, "begin", "end"]))
        for office in (quiet, loud):
            if event is not None:
                (office.begin if event == "begin" else office.end)(ACT, "example.net")
            office.passes(40 * MINUTE_MS, 10 * MINUTE_MS)
    assert _of_batch(loud, Batch.OWN) == _of_batch(quiet, Batch.OWN)
    strangers = _of_batch(loud, Batch.STRANGERS)
    assert len(strangers) <= bounds.STRANGERS_MAX
    _check_strangers(strangers)


def _of_batch(office: Office, batch: Batch) -> list[tuple[int, list[tuple[News, str]]]]:
    return [
        (at_ms, [(notice.news, notice.alarm.subject) for notice in due.notices])
        for at_ms, due in office.mails
        if due.batch is batch
    ]


def _check_strangers(mails: list[tuple[int, list[tuple[News, str]]]]) -> None:
    """Each begins at most once a day."""
    last: dict[str, int] = {}
    for at_ms, said in mails:
        for news, subject in said:
            if news is News.BEGAN:
                assert at_ms - last.get(subject, 0) >= bounds.STRANGERS_AGAIN_MS
                last[subject] = at_ms


conditions = st.sampled_from(CONDITIONS)
changes = st.tuples(
    st.sampled_from(["begin", "begin", "end", "restart", "server"]),
    conditions,
    st.sampled_from(["", "a.example", "b.example"]),
    st.sampled_from(["deliver", "supervisor", "publish"]),
    st.integers(1, 90),  # minutes until the next
)


@settings(max_examples=60, deadline=None)
@given(st.lists(changes, max_size=60))
def test_days_of_alarms(events: list[tuple[str, AlarmKind, str, str, int]]) -> None:
    office = Office()
    for what, kind, subject, role, minutes in events:
        match what:
            case "begin":
                office.begin(kind, subject, role)
            case "end":
                office.end(kind, subject, role)
            case "restart":
                office.restart(role)
            case "server":
                office.server_is_down = not office.server_is_down
                if not office.server_is_down:
                    office.unsent.clear()
        office.passes(minutes * MINUTE_MS, 3 * MINUTE_MS)
    _check_story(office.mails)
    office.server_is_down = False
    office.unsent.clear()
    for role in office.standing:
        office.standing[role] = {}
    office.passes(9 * DAY_MS, HOUR_MS)
    _check_story(office.mails)
    open_ones = {
        _key(row) for row in office.rows if row.mail.began_ms is not None and row.mail.ended_ms is None
    }
    assert open_ones == set(), "every beginning that was mailed has its end"


def _check_story(mails: Sequence[tuple[int, NoticeDue]]) -> None:
    """Of each alarm: one beginning, then reminders in their rhythm, then at most one end."""
    stories: dict[tuple[AlarmKind, str, str, int], list[tuple[int, Notice]]] = {}
    for at_ms, due in mails:
        for notice in due.notices:
            assert (notice.alarm.kind.by_strangers) == (due.batch is Batch.STRANGERS)
            stories.setdefault(_key(notice.alarm), []).append((at_ms, notice))
    for story in stories.values():
        news = [notice.news for _, notice in story]
        assert news[0] is News.BEGAN
        assert news.count(News.BEGAN) == 1
        assert News.ENDED not in news[:-1]
        for (earlier_ms, _), (later_ms, notice) in pairwise(story):
            if notice.news is News.LASTS:
                rhythm_ms = bounds.REMINDED_MS[notice.alarm.severity]
                assert later_ms - earlier_ms >= rhythm_ms - HOUR_MS


def test_one_kind_of_the_strangers_does_not_delay_another() -> None:
    office = Office()
    for number in range(20):
        office.begin(STRANGERS, str(number), "receive")
        office.passes(40 * MINUTE_MS, 10 * MINUTE_MS)
    assert len(office.mails) == bounds.STRANGERS_MAX
    assert SERIOUS.by_strangers
    office.begin(SERIOUS, "weekly", "publish")
    (due,) = office.look()
    assert due.batch is Batch.STRANGERS
    assert due.notices[0].alarm.kind is SERIOUS


def test_news_is_sent_once_and_never_ends() -> None:
    news = AlarmKind.IMPORT_FINISHED
    assert news.severity is Severity.NEWS
    office = Office()
    office.begin(news, "weekly")
    office.look()
    office.end(news, "weekly")  # the command that stated it is over
    office.passes(DAY_MS, 10 * MINUTE_MS)
    assert office.news() == [(News.BEGAN, news, "weekly")]
    office.begin(news, "weekly")
    office.passes(DAY_MS, 10 * MINUTE_MS)
    assert len(office.news()) == 2


@pytest.mark.parametrize("kind", [ACT, LOOK, PASSES, STRANGERS, SERIOUS, EVENT])
def test_after_the_clock_was_set_back_nothing_waits_for_the_wrong_time(kind: AlarmKind) -> None:
    office = Office(now_ms=NOON + 1_000 * DAY_MS)
    for subject in ("ended", "stands"):
        office.begin(kind, subject)
    office.passes(3 * HOUR_MS)
    office.end(kind, "ended")
    office.look()
    office.now_ms = NOON
    for role in ("deliver", "web"):
        office.restart(role)
    office.begin(kind, "stands")
    before = len(office.news())
    for _ in range(24):
        office.begin(kind, "stands")
        office.passes(HOUR_MS, 10 * MINUTE_MS)
    assert (News.ENDED, kind, "ended") in office.news()
    assert (News.LASTS, kind, "stands") in office.news()[before:]
    office.end(kind, "stands")
    office.begin(kind, "ended")
    office.passes(3 * HOUR_MS, MINUTE_MS)
    assert (News.BEGAN, kind, "ended") in office.news()[before:]
    assert len(office.mails) < 12


def test_each_channel_is_looked_at_by_itself() -> None:
    record = AlarmRecord(ACT, "", "deliver", NOON, "", NOON, NOON, NOON, mail=NoticeMarks(NOON, None, 0))
    assert notices_due(NoticeChannel.MAIL, [record], [], NOON) == ()
    (due,) = notices_due(NoticeChannel.WEBHOOK, [record], [], NOON)
    assert due.notices == (Notice(News.BEGAN, record),)
    waiting = [
        SentNotice(NoticeChannel.MAIL, Batch.OWN, NOON - n, frozenset(), is_waiting=True) for n in range(9)
    ]
    assert notices_due(NoticeChannel.WEBHOOK, [record], waiting, NOON) == (due,)
