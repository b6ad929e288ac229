"""The verbs of arrivals: which queries they run."""

from secondpost.mail.address import Domain
from secondpost.mail.arrivals import OTHERS, BlockedNetwork, CameFrom, NetworkOrigin, PrimaryHour
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.queue_id import QueueId
from secondpost.store.verbs.arrivals import AUTHORS_MAX, PENDING_MAX, ArrivalsVerbs
from secondpost.store.verbs.engine import BATCH_ROWS
from secondpost.store.verbs.steps import Query
from tests.store.recording import RecordingEngine, over

NET = Domain("example.net")
HERE = "192.0.2.0/24"
AUTHORED = CameFrom(QueueId(7), NET, 5, 0, HERE, "a.example")
BLOCKED = BlockedNetwork(NET, HERE, 1, 2, 3, 4, 5)


async def test_beyond_the_bound_of_what_is_open_mail_is_counted_at_once() -> None:
    engine = RecordingEngine(
        [
            ("arrivals.pending_count", [(PENDING_MAX - 1,)]),
            ("arrivals.add_pending", 1),
            ("arrivals.rows_of_hours", []),
            ("arrivals.add_counts", 1),
        ]
    )
    await over(engine, ArrivalsVerbs).note_arrivals([AUTHORED, AUTHORED])
    assert engine.finished()[1:] == [
        Query("arrivals.add_pending", (), [(7, "example.net", 5, 0, HERE, "a.example")]),
        Query("arrivals.rows_of_hours", (), [("example.net", 0)]),
        Query("arrivals.add_counts", (), [("example.net", 0, HERE, OTHERS, 0, 0, 1)]),
    ]


async def test_what_the_primary_took_makes_its_author_known_before_it_is_judged() -> None:
    taken = (7, "example.net", HOUR_MS, HOUR_MS, HERE, "a.example", HOUR_MS + 9)
    engine = RecordingEngine(
        [
            ("arrivals.decided", [taken]),
            ("arrivals.drop_pending", 1),
            ("arrivals.took_authors", 1),
            ("arrivals.authors_since", [("example.net", "a.example", 3)]),
            ("arrivals.rows_of_hours", [("example.net", HOUR_MS, HERE, "a.example")]),
            ("arrivals.add_counts", 1),
            ("arrivals.decided", []),
        ]
    )
    assert await over(engine, ArrivalsVerbs).settle_arrivals() == 1
    ran = engine.finished()
    assert ran[2].chosen == [("example.net", "a.example", HOUR_MS + 9, HOUR_MS + 9)]
    assert ran[5].chosen == [("example.net", HOUR_MS, HERE, "a.example", 1, 0, 0)]


async def test_hours_origins_and_blocked_networks_are_rows() -> None:
    engine = RecordingEngine(
        [("arrivals.note_primaries", 1), ("arrivals.learn_origins", 1), ("arrivals.keep_blocked", 1)]
    )
    store = over(engine, ArrivalsVerbs)
    await store.note_primaries([PrimaryHour(NET, 60, False)])
    await store.learn_origins({HERE: NetworkOrigin(64_500, "EXAMPLE", "NO")}, 8)
    await store.keep_blocked([BLOCKED])
    assert [query.chosen for query in engine.finished()] == [
        [("example.net", 60, 0)],
        [(HERE, 64_500, "EXAMPLE", "NO", 8)],
        [("example.net", HERE, 1, 2, 3, 4, 5, None)],
    ]


async def test_what_is_kept_is_read() -> None:
    engine = RecordingEngine(
        [
            ("arrivals.hour_counts", [("example.net", 0, HERE, OTHERS, 0, 0, 3)]),
            ("arrivals.primary_hours", [("example.net", 0, 1)]),
            ("arrivals.origins", [(HERE, 0, "", "")]),
            ("arrivals.networks_unknown", [(HERE,)]),
            ("arrivals.blocked_networks", [("example.net", HERE, 1, 2, 3, 4, 5, None)]),
            ("arrivals.known_authors", [(2,)]),
        ]
    )
    store = over(engine, ArrivalsVerbs)
    assert [one.other for one in await store.hour_counts(0)] == [3]
    assert await store.primary_hours(0) == [PrimaryHour(NET, 0, True)]
    assert await store.origins() == {HERE: NetworkOrigin(0, "", "")}
    assert await store.networks_unknown(5, 1) == [HERE]
    assert await store.blocked_networks() == [BLOCKED]
    assert await store.known_authors(NET) == 2
    engine.finished()


async def test_authors_beyond_the_bound_are_forgotten_oldest_first() -> None:
    engine = RecordingEngine(
        [
            ("arrivals.forget_blocked", 0),
            ("arrivals.forget_counts", 1),
            ("arrivals.forget_hours", 0),
            ("arrivals.forget_origins", 0),
            ("arrivals.forget_authors", 0),
            ("arrivals.author_count", [(AUTHORS_MAX + BATCH_ROWS + 1,)]),
            ("arrivals.forget_oldest_authors", BATCH_ROWS),
        ]
    )
    assert await over(engine, ArrivalsVerbs).forget_arrivals(9) == 1 + BATCH_ROWS
    assert engine.finished()[-1] == Query("arrivals.forget_oldest_authors", (BATCH_ROWS,))
