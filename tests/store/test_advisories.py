"""Advisories in the store: the last good answer stays until the next one."""

from secondpost.store.advisory_ports import AdvisoryLook, KeptAdvisory
from tests.store.place import Place


async def test_nothing_is_known_at_first(place: Place) -> None:
    store = place.open()
    assert await store.advisories() == []
    assert await store.advisory_look() == AdvisoryLook()


async def test_an_answer_replaces_the_last_one_but_not_since_when_each_is_known(place: Place) -> None:
    store = place.open()
    await store.keep_advisories([KeptAdvisory("A-1", "1"), KeptAdvisory("A-2", "2")], 5)
    await store.note_advisories(["A-1", "A-2"], 6)
    await store.keep_advisories([KeptAdvisory("A-2", "new"), KeptAdvisory("A-3", "3")], 7)
    await store.note_advisories(["A-2", "A-3"], 8)
    assert await store.advisories() == [KeptAdvisory("A-2", "new", 5), KeptAdvisory("A-3", "3", 7)]
    assert await store.advisory_look() == AdvisoryLook(8, 8)
    await store.note_advisories([], 9)
    assert await place.open("receive").advisories() == []


async def test_without_an_answer_what_was_answered_stays(place: Place) -> None:
    store = place.open()
    await store.note_no_advisories("no way out", 3)
    assert await store.advisory_look() == AdvisoryLook(3, None, 3, "no way out")
    await store.keep_advisories([KeptAdvisory("A-1", "1")], 5)
    await store.note_advisories(["A-1"], 5)
    assert await store.advisory_look() == AdvisoryLook(5, 5)
    await store.note_no_advisories("it answers 500", 7)
    await store.note_no_advisories("it answers 502", 9)
    assert await store.advisory_look() == AdvisoryLook(9, 5, 7, "it answers 502")
    assert await store.advisories() == [KeptAdvisory("A-1", "1", 5)]
