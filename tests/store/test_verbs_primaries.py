"""The verbs of primaries and daily counts: which queries they run."""

from secondpost.mail.address import Domain
from secondpost.mail.daily import DailyCount
from secondpost.mail.offered import Offered
from secondpost.store.primary_ports import DayCount, Primary, RefusedCount
from secondpost.store.verbs.days import DaysVerbs
from secondpost.store.verbs.engine import BATCH_ROWS
from secondpost.store.verbs.primaries import PrimariesVerbs
from secondpost.store.verbs.steps import Query
from tests.store.recording import RecordingEngine, over

NET = Domain("example.net")


async def test_what_was_refused_is_counted_for_a_domain_that_may_be_new() -> None:
    engine = RecordingEngine([("days.add_domain", 1), ("days.count_refused", 1)] * 2)
    for_good = RefusedCount(20_000, NET, DailyCount.REFUSED, 3)
    for_now = RefusedCount(20_000, NET, DailyCount.REFUSED_FOR_NOW, 1)
    await over(engine, DaysVerbs).count_refused([for_good, for_now])
    assert engine.finished()[:2] == [
        Query("days.add_domain", ("example.net",)),
        Query("days.count_refused", (20_000, "example.net", "refused", 3)),
    ]


async def test_days_are_counted_up_to_today() -> None:
    engine = RecordingEngine([("days.day_counts", [("example.net", "held", 1, 5)])])
    assert await over(engine, DaysVerbs).day_counts(20_000, 7) == [DayCount(NET, DailyCount.HELD, 1, 5)]
    assert engine.finished() == [Query("days.day_counts", (20_000, 19_994))]


async def test_days_are_forgotten_in_batches_until_none_is_left() -> None:
    engine = RecordingEngine(
        [
            ("days.days_before", [(1,)]),
            ("days.forget_days", BATCH_ROWS),
            ("days.days_before", [(2,)]),
            ("days.forget_days", 3),
            ("days.days_before", []),
        ]
    )
    await over(engine, DaysVerbs).forget_days(20_000)
    assert engine.finished()[1] == Query("days.forget_days", (20_000, BATCH_ROWS))


async def test_what_a_primary_offered_is_a_row() -> None:
    engine = RecordingEngine(
        [
            ("primaries.saw_primary", 1),
            ("primaries.primaries", [("example.net", "mx.example", 1, 9, None, 1)]),
            ("primaries.relay_sites", [("example.net", "mx.example")]),
            ("primaries.kept_for", [("example.net", 4)]),
            ("primaries.recipients_learned", [(3,)]),
        ]
    )
    store = over(engine, PrimariesVerbs)
    await store.saw_primary("mx.example", Offered(None, True), 9)
    assert await store.primaries() == {NET: Primary("mx.example", 1, 9, Offered(None, True))}
    assert await store.relay_sites() == [(NET, "mx.example")]
    assert await store.kept_for("loop") == {NET: 4}
    assert await store.recipients_learned(NET) == 3
    assert engine.finished()[-1] == Query("primaries.recipients_learned", ("@example.net",))
    assert engine.finished()[0] == Query("primaries.saw_primary", ("mx.example", 9, None, 1))


async def test_nothing_is_written_where_no_primary_is_forgotten() -> None:
    engine = RecordingEngine(
        [
            ("primaries.forgotten_primaries", []),
            ("primaries.forgotten_primaries", [("mx.example",)]),
            ("primaries.forget_primaries", 1),
        ]
    )
    store = over(engine, PrimariesVerbs)
    await store.forget_primaries(5)
    await store.forget_primaries(5)
    assert engine.finished()[2] == Query("primaries.forget_primaries", (5,))
