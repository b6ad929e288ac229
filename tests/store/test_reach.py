"""What networks of other countries see: views with their networks, counts of rounds, sources, and answers."""

from dataclasses import replace

from secondpost.mail.reach import (
    Confirmation,
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
from secondpost.store.reach_ports import RAW_ANSWERS_MAX, RAW_OCTETS_MAX
from tests.store.place import Place

TARGET = ReachTarget("2001:db8::25", "mx1.provider.example", ("example.net", "example.org"))
BLOCKED = ReachView(
    TARGET,
    "RU",
    ReachVerdict.BLOCKED,
    since_ms=1000,
    looked_ms=3000,
    confirmation=Confirmation.CONFIRMED,
    confirmed_ms=3500,
    networks=(
        NetworkView(ProbeNetwork(8359, "MTS PJSC"), 2, 0, True, 1000, 3000),
        NetworkView(ProbeNetwork(12389), 0, 7, False, None, 2000),
    ),
)


async def test_a_view_is_written_in_place_of_the_one_before(place: Place) -> None:
    here, there = place.open("deliver"), place.open("receive")
    other = ReachView(ReachTarget("192.0.2.1", "mail.example.net", ()), "BY")
    for view in (BLOCKED, other):
        await here.note_view(view)
    assert await there.reach_views() == [other, BLOCKED]
    open_again = replace(BLOCKED, verdict=ReachVerdict.OPEN, networks=BLOCKED.networks[1:])
    await here.note_view(open_again)
    assert await there.reach_views() == [other, open_again]
    await here.forget_view(open_again)
    assert await there.reach_views() == [other]


async def test_counts_are_told_since_a_time_and_forgotten_before_one(place: Place) -> None:
    store = place.open()
    counts = [
        ReachCount(at_ms, "192.0.2.1", country, 1, 2, 3) for at_ms in (1, 2) for country in ("DE", "RU")
    ]
    await store.note_counts(counts)
    await store.note_counts(counts[:1])  # a round that is written twice
    assert await store.reach_counts(0) == counts
    assert await store.reach_counts(2) == counts[2:]
    assert await store.last_reach_counts() == counts[2:]
    many = [ReachCount(5, f"192.0.2.{one % 250}", f"{one // 250}", 0, 0, 0) for one in range(700)]
    await store.note_counts(many)
    await store.forget_counts(6)
    assert await store.reach_counts(0) == []
    assert await store.last_reach_counts() == []


async def test_how_a_source_stands_is_one_row(place: Place) -> None:
    store = place.open()
    assert await store.reach_sources() == {}
    state = SourceState(ReachSource.REGISTER, 3, 100, 200, 300, 400, "has a problem (HTTP 500)", "of 2029")
    for each in (SourceState(ReachSource.REGISTER), state, SourceState(ReachSource.OONI, 1)):
        await store.note_source(each)
    assert await store.reach_sources() == {
        ReachSource.OONI: SourceState(ReachSource.OONI, 1),
        ReachSource.REGISTER: state,
    }


async def test_what_a_source_says_of_a_country_replaces_what_it_said(place: Place) -> None:
    store = place.open()
    russian = ReachContext(ReachSource.REGISTER, "192.0.2.1", "RU", 5, "192.0.2.0/24 (Роскомнадзор)")
    ooni = ReachContext(ReachSource.OONI, "192.0.2.1", "RU", 5, "")
    await store.note_contexts(ReachSource.REGISTER, "RU", [replace(russian, subject="mx"), russian])
    await store.note_contexts(ReachSource.OONI, "RU", [ooni])
    await store.note_contexts(ReachSource.REGISTER, "BY", [])
    await store.note_contexts(ReachSource.REGISTER, "RU", [russian])
    assert await store.reach_contexts() == [ooni, russian]


async def test_answers_are_kept_up_to_a_bound_of_number_and_octets(place: Place) -> None:
    store = place.open()
    long = bytes(range(256)) * 300
    answer = RawAnswer(0, 7, ReachSource.GLOBALPING, "POST /v1/measurements", 202, len(long), long)
    assert await store.keep_answer(answer) == 1
    kept = await store.raw_answer(1)
    assert kept == replace(answer, number=1, body=long[:RAW_OCTETS_MAX])
    for _ in range(RAW_ANSWERS_MAX):
        last = await store.keep_answer(replace(answer, body=b"", octets=0))
    assert last == RAW_ANSWERS_MAX + 1
    assert await store.raw_answer(1) is None
    latest = await store.raw_answers(2)
    assert [one.number for one in latest] == [last, last - 1]
    assert len(await store.raw_answers(1_000)) == RAW_ANSWERS_MAX
