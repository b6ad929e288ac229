"""The verbs of weighing bounces: which queries they run."""

from secondpost.mail.bounce_kind import BounceKind, Weighed
from secondpost.mail.issue import IssueId
from secondpost.mail.subscriber import SubscriberId
from secondpost.store.verbs.weighing import WeighingVerbs
from secondpost.store.weighing_ports import BouncedReader, SiteReaders, Suspension
from tests.store.recording import RecordingEngine, names, over

ISSUE, ID = IssueId(7), SubscriberId(5)


async def test_bounces_are_read_by_issue_and_reader() -> None:
    engine = RecordingEngine(
        [
            ("weighing.bounced_issues", [(7,), (None,)]),
            ("weighing.bounced_readers", [(1, 5, "dead", "mx.example", 3, "active", "no such user", 2)]),
            ("weighing.bounces_among", [(5, 12, "vague")]),
            ("weighing.weighed_counts", [("held", "mx.example", 1, 4)]),
            ("weighing.undecided", [(7, 4)]),
        ]
    )
    store = over(engine, WeighingVerbs)
    assert await store.bounced_issues(9) == [ISSUE, None]
    reader = BouncedReader(1, ID, BounceKind.DEAD, "mx.example", 3, True, "no such user", 2)
    assert await store.bounced_readers(ISSUE, Weighed.NEW, 9, 0, 10) == [reader]
    assert await store.bounces_among(ISSUE, [ID], 5) == [(ID, 12, BounceKind.VAGUE)]
    counted = (Weighed.HELD, SiteReaders("mx.example", True, 4))
    assert await store.weighed_counts(ISSUE, 2) == [counted]
    assert await store.undecided() == [(ISSUE, 4)]
    asked = engine.finished()
    assert asked[1].binds == (ISSUE, "new", 9, 0, 10)
    assert asked[2].chosen == [(ID,)]


async def test_an_audience_is_counted_by_site_some_readers_at_a_time() -> None:
    engine = RecordingEngine(
        [
            ("weighing.next_of_audience", [(9,)]),
            ("weighing.audience", [("mx.example", 0, 8), ("unsorted", 1, 1)]),
            ("weighing.next_of_audience", [(None,)]),
        ]
    )
    store = over(engine, WeighingVerbs)
    behind, sites = await store.audience(ISSUE, 3, SubscriberId(0), 10)
    assert (behind, sites) == (9, [SiteReaders("mx.example", False, 8), SiteReaders("unsorted", True, 1)])
    assert await store.audience(ISSUE, 3, SubscriberId(9), 10) == (None, [])
    assert engine.finished()[1].binds == (ISSUE, 0, 9, 3)


async def test_what_became_of_a_bounce_is_written_with_the_readers_state() -> None:
    gone: list[tuple[int | str | bytes | None, ...]] = []
    engine = RecordingEngine([("readers.by_id", gone), ("weighing.weigh", 2)])
    chosen = [Suspension(1, ID, Weighed.SUSPENDED, "gone"), Suspension(2, ID, Weighed.COUNTED)]
    assert await over(engine, WeighingVerbs).weigh(chosen, 9) == 0
    asked = engine.finished()
    assert names(asked) == ["readers.by_id", "weighing.weigh"]
    assert asked[1].chosen == [(1, "suspended"), (2, "counted")]
