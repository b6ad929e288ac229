"""When readers are suspended, and when they are too many at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.bounce_kind import AGAINST_A_READER, BounceKind
from secondpost.subscribers.suspending import Audience, BounceOfIssue, too_many, why_suspended

D, V, N, F, T = BounceKind.DEAD, BounceKind.VAGUE, BounceKind.DOMAIN, BounceKind.FULL, BounceKind.TEMPORARY
OLD, NEW = Audience("google", is_new=False), Audience("google", is_new=True)
OLD_ELSEWHERE = Audience("mx.example", is_new=False)


@pytest.mark.parametrize(
    ("bounces", "is_suspended"),
    [
        (((9, D),), True),
        (((8, D),), False),  # came back before, and the latest did not
        (((9, V),), False),
        (((9, V), (9, V)), False),  # two reports of one issue count once
        (((8, V), (9, V)), True),
        (((7, N), (9, V)), True),
        (((6, V), (9, V)), False),
        (((8, D), (9, N)), True),
        (((8, F), (9, F)), False),
        (((5, F), (7, F), (9, F)), True),
        (((4, F), (7, F), (9, F)), False),  # the first is more than five issues ago
        (((7, V), (8, F), (9, F)), True),
        (((6, T), (7, T), (9, T)), False),
        (((5, T), (6, T), (7, F), (9, T)), True),
        (((9, BounceKind.SENDER), (8, BounceKind.SENDER), (7, BounceKind.SENDER)), False),
    ],
)
def test_a_reader_is_suspended_by_issues_and_not_by_reports(
    bounces: tuple[tuple[int, BounceKind], ...], is_suspended: bool
) -> None:
    why = why_suspended(9, [BounceOfIssue(number, kind) for number, kind in bounces])
    assert (len(why) > 0) == is_suspended


@given(
    st.lists(
        st.tuples(st.integers(1, 9), st.sampled_from(sorted(frozenset(BounceKind) - AGAINST_A_READER))),
        max_size=60,
    )
)
def test_no_number_of_faults_of_ours_suspends_a_reader(found: list[tuple[int, BounceKind]]) -> None:
    bounces = [BounceOfIssue(number, kind) for number, kind in found]
    assert why_suspended(9, bounces) == why_suspended(9, bounces, is_probe=True) == ""


@pytest.mark.parametrize(("kind", "is_suspended"), [(D, True), (V, True), (N, True), (F, False), (T, False)])
def test_the_first_mail_after_a_suspension_is_a_probe(kind: BounceKind, is_suspended: bool) -> None:
    assert (why_suspended(9, [BounceOfIssue(9, kind)], is_probe=True) != "") == is_suspended
    assert why_suspended(9, [BounceOfIssue(8, kind)], is_probe=True) == ""


def test_it_says_which_issues_came_back_and_why() -> None:
    assert why_suspended(9, [BounceOfIssue(9, D)]) == "issue 9: there is no such mailbox"
    both = [BounceOfIssue(9, V), BounceOfIssue(8, V)]
    assert why_suspended(9, both) == "issues 8, 9: the mailbox or its domain seems to be gone"


@pytest.mark.parametrize(
    ("suspended", "readers", "waits"),
    [
        ({OLD: 4}, {OLD: 10}, set()),  # a small list may lose four at once
        ({OLD: 5}, {OLD: 10}, {OLD, OLD_ELSEWHERE}),  # five of ten: the issue is held
        ({OLD: 5}, {OLD: 249, OLD_ELSEWHERE: 900}, {OLD}),
        ({OLD: 5}, {OLD: 250, OLD_ELSEWHERE: 900}, set()),  # two in a hundred are permitted
        ({OLD: 50, OLD_ELSEWHERE: 1}, {OLD: 900, OLD_ELSEWHERE: 100}, {OLD, OLD_ELSEWHERE}),
        ({NEW: 90}, {NEW: 1_000, OLD: 10}, set()),  # an imported list is counted apart
        ({NEW: 101}, {NEW: 1_000, OLD: 10_000}, {NEW}),
        ({NEW: 101, OLD: 1}, {NEW: 1_000, OLD: 10_000}, {NEW}),
    ],
)
def test_too_many_at_once_wait_for_the_owner(
    suspended: dict[Audience, int], readers: dict[Audience, int], waits: set[Audience]
) -> None:
    crowd = too_many(suspended, readers)
    assert {each for each in (OLD, NEW, OLD_ELSEWHERE) if crowd.holds(each)} == waits
