"""What is cached, for how long, and that the number of entries is bounded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.questions import Finding
from secondpost.protocols.dns.cache import DnsCache, lifetime_seconds
from secondpost.protocols.dns.lookup import FAILED, DnsAnswer, DnsQuestion, RecordType


def question(number: int) -> DnsQuestion:
    return DnsQuestion(f"host{number}.example", RecordType.A)


def found(ttl_seconds: int) -> DnsAnswer:
    return DnsAnswer(Finding.FOUND, ("192.0.2.1",), ttl_seconds)


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (found(300), 300),
        (found(0), 5),
        (found(10_000_000), 86_400),
        (DnsAnswer(Finding.NO_NAME, (), 300), 300),
        (DnsAnswer(Finding.NO_NAME, (), 86_400), 3_600),
        (DnsAnswer(Finding.NO_DATA), 5),
        (FAILED, 5),
    ],
)
def test_an_answer_lives_as_long_as_it_says_within_bounds(answer: DnsAnswer, seconds: int) -> None:
    assert lifetime_seconds(answer) == seconds
    cache = DnsCache()
    cache.put(question(1), answer, 1000.0)
    assert cache.get(question(1), 1000.0 + seconds - 0.1) == answer
    assert cache.get(question(1), 1000.0 + seconds) is None


def test_a_type_of_record_is_not_another() -> None:
    cache = DnsCache()
    cache.put(question(1), found(60), 0.0)
    assert cache.get(DnsQuestion("host1.example", RecordType.AAAA), 1.0) is None


def test_when_room_is_needed_what_would_end_soonest_goes() -> None:
    cache = DnsCache(entries_max=3)
    for number, seconds in ((1, 100), (2, 50), (3, 200), (4, 80)):
        cache.put(question(number), found(seconds), 0.0)
    assert [cache.get(question(number), 1.0) is not None for number in (1, 2, 3, 4)] == [
        True,
        False,
        True,
        True,
    ]


def test_what_has_ended_makes_room_by_itself() -> None:
    cache = DnsCache()
    for number in range(1000):
        cache.put(question(number), found(10), float(number))
    assert len(cache) <= 11


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 300), st.floats(0, 50)), max_size=80))
def test_the_bound_holds_and_nothing_is_told_after_its_end(
    puts: list[tuple[int, int, float]],
) -> None:
    cache = DnsCache(entries_max=5)
    now = 0.0
    ends: dict[int, float] = {}
    for number, ttl, pause in puts:
        now += pause
        cache.put(question(number), found(ttl), now)
        ends[number] = now + max(ttl, 5)
        assert len(cache) <= 5
        for known, end in ends.items():
            if cache.get(question(known), now) is not None:
                assert end > now
