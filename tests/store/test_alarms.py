"""Alarms in the store, and what is sent to the owner about them: marked and stored at once."""

from dataclasses import replace

import pytest

from secondpost.mail.address import Domain
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import State
from secondpost.mail.envelope import Arrival, Lane
from secondpost.mail.owner_notice import (
    AlarmRecord,
    Batch,
    News,
    Notice,
    NoticeChannel,
    NoticeMarks,
    OwnerPost,
    SentNotice,
)
from tests.store.letters import Letters, leased, settled
from tests.store.place import Place

OWNER = "me@elsewhere.example"
NO_ROUTE = AlarmRecord(AlarmKind.NO_ROUTE, "example.net", "deliver", 5_000, "no MX", 4_000, 4_500, 5_000)
DIED = AlarmRecord(AlarmKind.ROLE_DIED, "web", "supervisor", 5_000, "killed", 4_900, 4_900, 5_000)


def mail(place: Place, letters: Letters) -> Arrival:
    return letters.arrival(OWNER, sender="", lane=Lane.OWN)


async def test_an_alarm_stands_until_its_end_is_written(place: Place) -> None:
    store = place.open()
    await store.note_alarms([NO_ROUTE, DIED], [], [])
    await store.note_alarms([replace(NO_ROUTE, noted_ms=6_000)], [], [])  # it stands already
    assert await store.alarms() == [NO_ROUTE, DIED]
    ended = replace(NO_ROUTE, detail="null MX", last_ms=7_000, seen_ms=7_100, ended_ms=7_200)
    again = replace(NO_ROUTE, noted_ms=8_000, since_ms=8_000, last_ms=8_000, seen_ms=8_000)
    await store.note_alarms([again], [ended], [DIED])
    assert await store.alarms() == [ended, again]
    assert await place.open("receive").alarms() == [ended, again]


async def test_more_alarms_than_one_query_takes(place: Place) -> None:
    store = place.open()
    many = [replace(NO_ROUTE, subject=f"{number:03}.example") for number in range(300)]
    await store.note_alarms(many, [], [])
    await store.note_alarms([], [replace(one, ended_ms=9_000) for one in many[:150]], many[150:])
    found = await store.alarms()
    assert [one.subject for one in found] == [one.subject for one in many[:150]]
    assert {one.ended_ms for one in found} == {9_000}


async def test_what_a_mail_says_is_marked_with_the_mail(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    await store.note_alarms([NO_ROUTE, DIED], [], [])
    first = mail(place, letters)
    roles = frozenset({"deliver", "supervisor"})
    notices = [Notice(News.BEGAN, NO_ROUTE), Notice(News.BEGAN, DIED)]
    assert await store.give_notice(Batch.OWN, notices, roles, 6_000, mail=first)
    began = [replace(one, mail=NoticeMarks(6_000, None, 0)) for one in (NO_ROUTE, DIED)]
    assert await store.alarms() == began
    assert await store.message(first.queue_id) is not None
    assert await store.sent_notices() == [
        SentNotice(NoticeChannel.MAIL, Batch.OWN, 6_000, roles, is_waiting=True)
    ]
    ended = replace(began[0], ended_ms=6_500)
    await store.note_alarms([], [ended], [])
    later = [Notice(News.ENDED, ended), Notice(News.LASTS, began[1])]
    assert await store.give_notice(Batch.OWN, later, roles, 7_000, mail=mail(place, letters))
    assert [one.mail for one in await store.alarms()] == [
        NoticeMarks(6_000, None, 0, 7_000),
        NoticeMarks(6_000, 7_000, 0),
    ]


async def test_what_another_process_mailed_is_not_mailed_again(place: Place) -> None:
    here, there = place.open(), place.open("receive")
    await here.note_alarms([NO_ROUTE, DIED], [], [])
    first, second = mail(place, Letters(place, here)), mail(place, Letters(place, there))
    assert await here.give_notice(Batch.OWN, [Notice(News.BEGAN, DIED)], frozenset(), 6_000, mail=first)
    both = [Notice(News.BEGAN, NO_ROUTE), Notice(News.BEGAN, DIED)]
    assert not await there.give_notice(Batch.OWN, both, frozenset(), 6_001, mail=second)
    assert await here.message(second.queue_id) is None
    assert [one.mail for one in await here.alarms()] == [NoticeMarks(), NoticeMarks(6_000, None, 0)]


async def test_an_end_is_not_marked_before_the_beginning(place: Place) -> None:
    store = place.open()
    ended = replace(NO_ROUTE, ended_ms=6_000)
    await store.note_alarms([NO_ROUTE], [ended], [])
    letter = mail(place, Letters(place, store))
    with pytest.raises(Exception, match=r"(?i)constraint"):
        await store.give_notice(Batch.OWN, [Notice(News.ENDED, ended)], frozenset(), 7_000, mail=letter)
    assert await store.message(letter.queue_id) is None


async def test_a_mail_waits_until_one_server_takes_it(place: Place) -> None:
    store = place.open()
    await store.note_alarms([NO_ROUTE], [], [])
    letter = Letters(place, store).arrival(OWNER, "you@other.example", sender="", lane=Lane.OWN)
    await store.give_notice(Batch.OWN, [Notice(News.BEGAN, NO_ROUTE)], frozenset(), 6_000, mail=letter)
    lease = await leased(store, lane=Lane.OWN)
    one, other = await store.claim(lease, place.clock.ms, 2)
    await store.settle(lease, [settled(one, State.WAITING, 6_000, due_ms=10**13, cause="recipient")])
    assert [sent.is_waiting for sent in await store.sent_notices()] == [True]
    await store.settle(lease, [settled(other, State.DELIVERED, 6_000)])
    assert [sent.is_waiting for sent in await store.sent_notices()] == [False]
    await store.forget_notices(6_000)
    assert len(await store.sent_notices()) == 1
    await store.forget_notices(6_001)
    assert await store.sent_notices() == []


async def test_posts_wait_on_their_own(place: Place) -> None:
    store = place.open()
    await store.note_alarms([NO_ROUTE], [], [])
    posts = [OwnerPost(6_000, number, f'{{"text": "{number}"}}', 6_000) for number in range(2)]
    began = [Notice(News.BEGAN, NO_ROUTE)]
    assert await store.give_notice(Batch.OWN, began, frozenset({"deliver"}), 6_000, posts=posts)
    assert not await store.give_notice(Batch.OWN, began, frozenset({"deliver"}), 6_001, posts=posts[:1])
    assert [(one.mail, one.webhook) for one in await store.alarms()] == [
        (NoticeMarks(), NoticeMarks(6_000, None, 0))
    ]
    assert await store.post_due(5_999) is None
    assert await store.post_due(6_000) == posts[0]
    await store.post_again(posts[0], 9_000)
    assert await store.post_due(6_000) == posts[1]
    await store.drop_post(posts[1])
    assert await store.post_due(6_000) is None
    assert await store.post_due(9_000) == replace(posts[0], due_ms=9_000, attempts=1)
    sent = SentNotice(NoticeChannel.WEBHOOK, Batch.OWN, 6_000, frozenset({"deliver"}), is_waiting=True)
    assert await store.sent_notices() == [sent]
    await store.drop_post(posts[0])
    assert await store.sent_notices() == [replace(sent, is_waiting=False)]
    await store.add_posts([replace(posts[0], number=7)])
    await store.forget_notices(6_001)
    assert await store.post_due(9_000) is None


async def test_a_report_is_given_once_for_its_slot(place: Place) -> None:
    store = place.open()
    letters = Letters(place, store)
    assert await store.report_slot("digest") is None
    assert await store.give_report("digest", 1_000, None, None)
    first, second = mail(place, letters), mail(place, letters)
    assert await store.give_report("digest", 2_000, 1_000, first)
    assert not await store.give_report("digest", 2_000, 1_000, second)
    assert await store.report_slot("digest") == 2_000
    assert await store.message(first.queue_id) is not None
    assert await store.message(second.queue_id) is None


async def test_domains_of_our_own_mail_are_down_with_their_site(place: Place) -> None:
    store = place.open()
    for lane, domain, site in (
        (Lane.OWN, "elsewhere.example", "mx.elsewhere.example"),
        (Lane.OWN, "example.org", "mx.example.org"),
        (Lane.RELAY, "example.net", "mx.elsewhere.example"),
    ):
        await store.hint_site(lane, Domain(domain), site)
    await store.site_down("mx.elsewhere.example", "connect", "refused", 1_000, 2_000)
    assert await store.domains_down() == {Domain("elsewhere.example")}


async def test_a_test_mail_is_sent_without_an_alarm(place: Place) -> None:
    store = place.open()
    letter = mail(place, Letters(place, store))
    await store.send_own(letter)
    assert await store.message(letter.queue_id) is not None
    assert await store.sent_notices() == []
