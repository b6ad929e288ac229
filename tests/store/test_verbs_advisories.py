"""The verbs of advisories: which queries they run."""

from secondpost.store.advisory_ports import AdvisoryLook, KeptAdvisory
from secondpost.store.verbs.advisories import AdvisoriesVerbs
from secondpost.store.verbs.steps import Query
from tests.store.recording import RecordingEngine, over


async def test_reading() -> None:
    engine = RecordingEngine(
        [("advisories.advisories", [("A-1", "{}", 5)]), ("advisories.look", [(9, 5, 7, "silent")])]
    )
    store = over(engine, AdvisoriesVerbs)
    assert await store.advisories() == [KeptAdvisory("A-1", "{}", 5)]
    assert await store.advisory_look() == AdvisoryLook(9, 5, 7, "silent")
    assert engine.finished() == [Query("advisories.advisories"), Query("advisories.look")]


async def test_an_answer_is_noted_as_good_after_what_it_lacks_is_forgotten() -> None:
    engine = RecordingEngine(
        [("advisories.keep", 1), ("advisories.forget_others", 1), ("advisories.note_good", 1)]
    )
    store = over(engine, AdvisoriesVerbs)
    await store.keep_advisories([KeptAdvisory("A-1", "{}")], 5)
    await store.note_advisories(["A-1"], 6)
    assert engine.finished() == [
        Query("advisories.keep", (5,), [("A-1", "{}")]),
        Query("advisories.forget_others", (), [("A-1",)]),
        Query("advisories.note_good", (6,)),
    ]


async def test_no_answer() -> None:
    engine = RecordingEngine([("advisories.note_bad", 1)])
    store = over(engine, AdvisoriesVerbs)
    await store.note_no_advisories("silent", 6)
    assert engine.finished() == [Query("advisories.note_bad", (6, "silent"))]
