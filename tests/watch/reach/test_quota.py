"""How often a source may be asked: within its window, and not before it wants to be asked again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.config.records import ReachSettings
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.mail.reach import ReachSource, SourceState
from secondpost.watch.reach.quota import SourceQuota, free_at_ms, heeding, quota_of, spent

NOW = 1_800_000_000_000
TEN = SourceQuota(10, HOUR_MS)
SOURCE = ReachSource.GLOBALPING


def used(units: int, since_ms: int = NOW, rests_until_ms: int = 0) -> SourceState:
    return SourceState(SOURCE, units, since_ms, rests_until_ms)


@pytest.mark.parametrize(
    ("state", "cost", "free_ms"),
    [
        (SourceState(SOURCE), 10, NOW),
        (used(7), 3, NOW),
        (used(8), 3, NOW + HOUR_MS),
        (used(8, NOW - HOUR_MS), 3, NOW),  # the window is over
        (used(8, NOW + MINUTE_MS), 3, NOW),  # the clock was set back
        (used(0, NOW, NOW + MINUTE_MS), 1, NOW + MINUTE_MS),
        (used(10, NOW - 59 * MINUTE_MS, NOW + 9 * MINUTE_MS), 1, NOW + 9 * MINUTE_MS),
        (used(0, NOW, NOW + 2 * DAY_MS), 1, NOW),  # no service rests for so long: the clock was ahead
    ],
)
def test_when_a_question_may_be_asked(state: SourceState, cost: int, free_ms: int) -> None:
    assert free_at_ms(state, TEN, cost, NOW) == free_ms


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(0, HOUR_MS)), max_size=60))
def test_never_more_than_the_quota_in_a_window(questions: list[tuple[int, int]]) -> None:
    state, now_ms, taken = SourceState(SOURCE), NOW, []
    for cost, pause_ms in questions:
        now_ms += pause_ms
        if free_at_ms(state, TEN, cost, now_ms) <= now_ms:
            state = spent(state, TEN, cost, now_ms)
            taken.append((state.window_ms, cost))
    for window in {window for window, _ in taken}:
        assert sum(cost for begun, cost in taken if begun == window) <= TEN.units


@pytest.mark.parametrize(
    ("remaining", "reset", "rests_ms"),
    [
        ("0", "90", 90_000),
        ("1", "90", 0),
        ("0", "soon", 0),
        ("0", "", 0),
        ("", "90", 0),
        ("0", "999999999", DAY_MS),
        ("0", "9" * 30, 0),
        ("-1", "90", 0),
    ],
)
def test_what_an_answer_says_of_the_quota(remaining: str, reset: str, rests_ms: int) -> None:
    headers = {"x-ratelimit-remaining": remaining, "x-ratelimit-reset": reset}
    state = heeding(SourceState(SOURCE), headers, NOW)
    assert state.rests_until_ms == (NOW + rests_ms if rests_ms > 0 else 0)


def test_a_token_allows_more() -> None:
    without, with_one = ReachSettings(), ReachSettings(globalping_token_file="/etc/secondpost/token")
    assert quota_of(with_one, SOURCE).units == 2 * quota_of(without, SOURCE).units
    assert quota_of(with_one, ReachSource.OONI) == quota_of(without, ReachSource.OONI)
