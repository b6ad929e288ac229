"""The verbs of statistics: which queries they run."""

from secondpost.mail.delivery import State
from secondpost.mail.issue import IssueId
from secondpost.mail.subscriber import SubscriberId, SubscriberState
from secondpost.store.statistics_ports import DomainMail, IssueTally, LastAnswer, ReaderChange
from secondpost.store.verbs.statistics import StatisticsVerbs
from secondpost.store.verbs.steps import Query
from tests.store.recording import RecordingEngine, over

ISSUE = IssueId(3)


async def test_a_page_of_an_issues_mails_ends_where_its_rows_end() -> None:
    row = (7, "example.net", "unsorted", "waiting", 1, 5, 0, 0, None)
    engine = RecordingEngine(
        [
            ("weighing.next_of_audience", [(20,)]),
            ("statistics.mails_by_domain", [row]),
            ("weighing.next_of_audience", [(None,)]),
        ]
    )
    store = over(engine, StatisticsVerbs)
    expected = DomainMail(7, "example.net", "unsorted", State.WAITING, True, 5, 0, 0, None)
    assert await store.mails_by_domain(ISSUE, SubscriberId(0), 10, 90, 80) == (20, [expected])
    assert await store.mails_by_domain(ISSUE, SubscriberId(20), 10, 90, 80) == (None, [])
    assert Query("statistics.mails_by_domain", (ISSUE, 0, 20, 90, 80)) in engine.finished()


async def test_an_answer_is_looked_up_within_its_page() -> None:
    engine = RecordingEngine(
        [("statistics.answer", [(5, "mx.example", "451 later")]), ("statistics.answer", [])]
    )
    store = over(engine, StatisticsVerbs)
    within = (ISSUE, SubscriberId(1), SubscriberId(9), 7, 5)
    assert await store.answer(*within) == LastAnswer(5, "mx.example", "451 later")
    assert await store.answer(*within) is None
    assert engine.finished() == [Query("statistics.answer", (3, 1, 9, 7, 5))] * 2


async def test_tallies_have_zeros_where_nothing_was_counted() -> None:
    engine = RecordingEngine(
        [
            ("statistics.tallies", [(3, "delivered", 8)]),
            ("statistics.deferred", [(3, 2)]),
            ("statistics.returned", []),
            ("statistics.suspended", [(3, 1)]),
        ]
    )
    tallies = await over(engine, StatisticsVerbs).issue_tallies([ISSUE, IssueId(4)])
    assert tallies == {3: IssueTally({State.DELIVERED: 8}, 2, 0, 1), 4: IssueTally({}, 0, 0, 0)}
    assert engine.finished()[0] == Query("statistics.tallies", (), chosen=[(3,), (4,)])


async def test_changes_of_readers_are_read_up_to_the_last_event() -> None:
    engine = RecordingEngine(
        [
            ("statistics.next_events", [(9,)]),
            ("statistics.reader_changes", [(1, None, "active", 2), (1, "active", "left", 1)]),
            ("statistics.next_events", [(None,)]),
        ]
    )
    store = over(engine, StatisticsVerbs)
    active = SubscriberState.ACTIVE
    expected = [ReaderChange(1, None, active, 2), ReaderChange(1, active, SubscriberState.LEFT, 1)]
    assert await store.reader_changes("weekly", 0, 50) == (9, expected)
    assert await store.reader_changes("weekly", 9, 50) == (None, [])
    assert Query("statistics.reader_changes", ("weekly", 0, 9)) in engine.finished()
