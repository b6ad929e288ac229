"""The verbs of alarms: which queries they run."""

from dataclasses import replace

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.content import InTable
from secondpost.mail.envelope import Arrival, Envelope, Lane, Peer
from secondpost.mail.owner_notice import AlarmRecord, Batch, News, Notice, OwnerPost
from secondpost.mail.queue_id import QueueId
from secondpost.store.verbs.alarms import AlarmsVerbs
from secondpost.store.verbs.steps import Query, Row
from tests.store.recording import Given, RecordingEngine, over

ALARM = AlarmRecord(AlarmKind.NO_ROUTE, "example.net", "deliver", 5, "no MX", 4, 4, 5)
KEY: Row = ("no-route", "example.net", "deliver", 5)
KEPT: Row = (*KEY, "no MX", 4, 4, 5, 0, None, "", *[None] * 8)
MAIL = Arrival(
    QueueId(9),
    Lane.OWN,
    Envelope(Mailbox.parse("a@b.example"), (Mailbox.parse("me@elsewhere.example"),)),
    Peer("", "mx2.example.net", "SMTP"),
    7,
    InTable(b"\r\n"),
)
MAILED: list[Given] = [
    ("intake.add_domains", 1),
    ("intake.add_messages", 1),
    ("intake.add_contents", 1),
    ("intake.add_deliveries", 1),
]


async def test_what_is_noted_is_written_by_sets() -> None:
    engine = RecordingEngine([("alarms.forget", 1), ("alarms.change", 1), ("alarms.add", 1)])
    store = over(engine, AlarmsVerbs)
    await store.note_alarms([ALARM], [replace(ALARM, ended_ms=8)], [ALARM])
    assert engine.finished() == [
        Query("alarms.forget", chosen=[KEY]),
        Query("alarms.change", chosen=[(*KEY, "no MX", 4, 4, 5, 0, 8, "")]),
        Query("alarms.add", chosen=[(*KEY, "no MX", 4, 4, 5, 0)]),
    ]


async def test_marks_and_mail_are_one_verb() -> None:
    steps: list[Given] = [("alarms.alarms", [KEPT]), ("alarms.mark_mailed", 1), ("alarms.add_notice", 1)]
    engine = RecordingEngine([*steps, *MAILED, ("alarms.add_posts", 0)])
    store = over(engine, AlarmsVerbs)
    began = [Notice(News.BEGAN, ALARM)]
    assert await store.give_notice(Batch.OWN, began, frozenset({"web", "deliver"}), 7, mail=MAIL)
    assert engine.finished()[1:3] == [
        Query("alarms.mark_mailed", chosen=[(*KEY, 7, None, 0, None)]),
        Query("alarms.add_notice", ("mail", "own", 7, "deliver web", 9)),
    ]


async def test_marks_that_changed_since_stop_the_mail() -> None:
    engine = RecordingEngine([("alarms.alarms", [(*KEPT[:11], 6, *KEPT[12:])])])
    store = over(engine, AlarmsVerbs)
    assert not await store.give_notice(Batch.OWN, [Notice(News.BEGAN, ALARM)], frozenset(), 7, mail=MAIL)
    engine.finished()


async def test_a_kind_of_another_version_is_left_alone() -> None:
    engine = RecordingEngine([("alarms.alarms", [("no-such-kind", *KEPT[1:]), KEPT])])
    assert await over(engine, AlarmsVerbs).alarms() == [ALARM]


async def test_posts_and_their_marks() -> None:
    post = OwnerPost(7, 0, "{}", 7)
    engine = RecordingEngine(
        [
            ("alarms.alarms", [KEPT]),
            ("alarms.mark_posted", 1),
            ("alarms.add_notice", 1),
            ("alarms.add_posts", 1),
            ("alarms.post_due", [(7, 0, "{}", 7, 2)]),
            ("alarms.post_again", 1),
            ("alarms.drop_post", 1),
            ("alarms.add_posts", 1),
        ]
    )
    store = over(engine, AlarmsVerbs)
    assert await store.give_notice(Batch.STRANGERS, [Notice(News.BEGAN, ALARM)], frozenset(), 7, posts=[post])
    assert await store.post_due(8) == replace(post, attempts=2)
    await store.post_again(post, 9)
    await store.drop_post(post)
    await store.add_posts([post])
    asked = engine.finished()
    assert asked[2] == Query("alarms.add_notice", ("webhook", "strangers", 7, "", None))
    assert asked[5:7] == [Query("alarms.post_again", (7, 0, 9)), Query("alarms.drop_post", (7, 0))]


async def test_reports_and_other_mail() -> None:
    report: list[Given] = [("alarms.report_slot", [(5,)]), ("alarms.set_report_slot", 1), *MAILED]
    engine = RecordingEngine(
        [
            *report,
            *MAILED,
            ("alarms.report_slot", []),
            ("alarms.notices", [("mail", "own", 7, "deliver", 1)]),
            ("alarms.forget_notices", 1),
            ("alarms.forget_posts", 1),
            ("alarms.domains_down", [("elsewhere.example",)]),
        ]
    )
    store = over(engine, AlarmsVerbs)
    assert await store.give_report("digest", 6, 5, MAIL)
    await store.send_own(MAIL)
    assert await store.report_slot("digest") is None
    [sent] = await store.sent_notices()
    assert (sent.at_ms, sent.roles, sent.is_waiting) == (7, frozenset({"deliver"}), True)
    await store.forget_notices(3)
    assert await store.domains_down() == {Domain("elsewhere.example")}
    engine.finished()
