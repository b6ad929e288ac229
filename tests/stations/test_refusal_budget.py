"""How many refusals by a primary are permitted, and for which networks."""

from hypothesis import given
from hypothesis import strategies as st

from secondpost.deliver.refusal_budget import (
    QUEUE,
    RECOVERY_MS,
    REFUSALS_PER_MINUTE_MAX,
    REFUSALS_PER_MINUTE_MIN,
    RefusalBudget,
)
from secondpost.mail.duration import MINUTE_MS

BEGUN_MS = 1_800_000_000_000


def all_refused(budget: RefusalBudget, asker: str, now_ms: int) -> int:
    """How many recipients the asker can name until no more are allowed, if all are refused."""
    named = 0
    while budget.allows(asker, now_ms) > 0:
        budget.take(asker, 1, now_ms)
        named += 1
    return named


def test_a_flood_leaves_half_and_a_second_one_half_of_that() -> None:
    budget = RefusalBudget()
    named = [all_refused(budget, f"192.0.{n}.0/24", BEGUN_MS) for n in range(4)]
    assert named == [10, 5, 3, 1]
    assert budget.allows("198.51.100.0/24", BEGUN_MS) > 0, "one that did not guess yet is asked for"


def test_what_is_not_refused_costs_nothing() -> None:
    budget = RefusalBudget()
    for _ in range(1000):
        assert budget.allows("192.0.2.0/24", BEGUN_MS) > 0
        budget.take("192.0.2.0/24", 1, BEGUN_MS)
        budget.give_back("192.0.2.0/24", 1)


def test_the_wait_that_is_told_is_over_when_it_is_over_and_not_before() -> None:
    budget = RefusalBudget()
    all_refused(budget, QUEUE, BEGUN_MS)
    wait_ms = budget.wait_ms(QUEUE, BEGUN_MS)
    assert 0 < wait_ms <= MINUTE_MS
    assert budget.allows(QUEUE, BEGUN_MS + wait_ms - 10) == 0
    assert budget.allows(QUEUE, BEGUN_MS + wait_ms) > 0


def test_a_parting_slows_the_budget_and_an_hour_without_one_makes_it_faster_again() -> None:
    budget = RefusalBudget()
    budget.parted(BEGUN_MS)
    assert budget.allows(QUEUE, BEGUN_MS) == 0
    assert budget.per_minute == REFUSALS_PER_MINUTE_MAX / 2
    for n in range(10):
        budget.parted(BEGUN_MS + n)
    assert budget.per_minute == REFUSALS_PER_MINUTE_MIN
    for hour in range(1, 8):
        budget.allows(QUEUE, BEGUN_MS + hour * (RECOVERY_MS + 100))
    assert budget.per_minute == REFUSALS_PER_MINUTE_MAX


@given(
    st.lists(
        st.tuples(st.integers(-2 * MINUTE_MS, 2 * MINUTE_MS), st.integers(0, 5), st.booleans()), max_size=300
    )
)
def test_in_no_minute_are_there_more_refusals_than_the_budget_has(steps: list[tuple[int, int, bool]]) -> None:
    budget, now_ms = RefusalBudget(), BEGUN_MS
    refused: list[int] = []
    for step_ms, asker, is_refused in steps:
        now_ms += max(step_ms, 0)
        if budget.allows(str(asker), now_ms) > 0:
            budget.take(str(asker), 1, now_ms)
            if is_refused:
                refused.append(now_ms)
            else:
                budget.give_back(str(asker), 1)
    for at in refused:
        assert sum(at <= each < at + MINUTE_MS for each in refused) <= REFUSALS_PER_MINUTE_MAX
