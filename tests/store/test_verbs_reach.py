"""The verbs of what other countries see: which queries they run."""

from secondpost.mail.reach import (
    NetworkView,
    ProbeNetwork,
    RawAnswer,
    ReachContext,
    ReachCount,
    ReachSource,
    ReachTarget,
    ReachVerdict,
    ReachView,
    SourceState,
)
from secondpost.store.reach_ports import RAW_ANSWERS_MAX
from secondpost.store.verbs.engine import BATCH_ROWS
from secondpost.store.verbs.reach import ReachVerbs
from secondpost.store.verbs.steps import Query
from tests.store.recording import RecordingEngine, over

NETWORK = NetworkView(ProbeNetwork(8359, "MTS"), 2, 0, True, 1, 3)
VIEW = ReachView(
    ReachTarget("192.0.2.1", "mx1.example", ("a.example", "b.example")),
    "RU",
    ReachVerdict.BLOCKED,
    1,
    3,
    networks=(NETWORK,),
)
VIEW_ROW = ("192.0.2.1", "RU", "mx1.example", "a.example b.example", "blocked", 1, 3, "not asked", 0)
NETWORK_ROW = ("192.0.2.1", "RU", 8359, "MTS", 2, 0, 1, 1, 3)


async def test_a_view_is_a_row_and_one_for_each_network() -> None:
    engine = RecordingEngine(
        [
            ("reach.note_view", 1),
            ("reach.forget_networks", 0),
            ("reach.add_networks", 1),
            ("reach.views", [VIEW_ROW]),
            ("reach.networks", [NETWORK_ROW]),
            ("reach.forget_networks", 1),
            ("reach.forget_view", 1),
        ]
    )
    store = over(engine, ReachVerbs)
    await store.note_view(VIEW)
    assert await store.reach_views() == [VIEW]
    await store.forget_view(VIEW)
    ran = engine.finished()
    assert ran[0] == Query("reach.note_view", VIEW_ROW)
    assert ran[2] == Query("reach.add_networks", (), [NETWORK_ROW])


async def test_counts_go_in_batches() -> None:
    row = (5, "192.0.2.1", "RU", 1, 2, 0)
    engine = RecordingEngine(
        [
            ("reach.add_counts", 1),
            ("reach.counts", [row]),
            ("reach.last_counts", [row]),
            ("reach.forget_counts", BATCH_ROWS),
            ("reach.forget_counts", 0),
        ]
    )
    store = over(engine, ReachVerbs)
    await store.note_counts([ReachCount(*row)])
    assert await store.reach_counts(4) == [ReachCount(*row)]
    assert await store.last_reach_counts() == [ReachCount(*row)]
    await store.forget_counts(9)
    ran = engine.finished()
    assert ran[0] == Query("reach.add_counts", (), [row])
    assert ran[-1] == Query("reach.forget_counts", (9, BATCH_ROWS))


async def test_sources_and_what_they_say_are_rows() -> None:
    state, context = ("ooni", 1, 2, 3, 4, 5, "why", "what"), ("ooni", "192.0.2.1", "RU", 6, "text")
    engine = RecordingEngine(
        [
            ("reach.note_source", 1),
            ("reach.sources", [state]),
            ("reach.forget_contexts", 0),
            ("reach.add_contexts", 1),
            ("reach.contexts", [context]),
        ]
    )
    store = over(engine, ReachVerbs)
    known = SourceState(ReachSource.OONI, 1, 2, 3, 4, 5, "why", "what")
    said = ReachContext(ReachSource.OONI, "192.0.2.1", "RU", 6, "text")
    await store.note_source(known)
    assert await store.reach_sources() == {ReachSource.OONI: known}
    await store.note_contexts(ReachSource.OONI, "RU", [said])
    assert await store.reach_contexts() == [said]
    assert engine.finished()[3] == Query("reach.add_contexts", (), [context])


async def test_an_answer_gets_a_number_and_the_oldest_go() -> None:
    row = (7, 1, "atlas", "GET /", 200, 3)
    engine = RecordingEngine(
        [
            ("reach.add_answer", [(7,)]),
            ("reach.forget_answers", 0),
            ("reach.answers", [row]),
            ("reach.answer", [(*row, b"abc")]),
            ("reach.answer", []),
        ]
    )
    store = over(engine, ReachVerbs)
    assert await store.keep_answer(RawAnswer(0, 1, ReachSource.ATLAS, "GET /", 200, 3, b"abc")) == 7
    assert await store.raw_answers(5) == [RawAnswer(7, 1, ReachSource.ATLAS, "GET /", 200, 3)]
    assert await store.raw_answer(7) == RawAnswer(7, 1, ReachSource.ATLAS, "GET /", 200, 3, b"abc")
    assert await store.raw_answer(8) is None
    assert engine.finished()[1] == Query("reach.forget_answers", (7 - RAW_ANSWERS_MAX,))
