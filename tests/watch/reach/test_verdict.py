"""A verdict needs two networks that fail in two rounds while the control passes, and ends after two good
rounds.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.reach import Confirmation, ReachVerdict
from secondpost.watch.reach.verdict import asked_again, confirmed

from .seen import BEGUN_MS, CONTROL, EVERY_MS, after_rounds, looks

OK, DOWN = "90+ 91+", "90- 91-"


@pytest.mark.parametrize(
    ("rounds", "verdicts"),
    [
        (["1+ 2+ 3+"], "open"),
        (["1- 2- 3+"], "suspected"),
        (["1- 2- 3+", "1- 2-"], "suspected blocked"),
        (["1- 2- 3+", "1- 2+"], "suspected open"),
        (["1- 2+", "1- 2+", "1- 2+", "1- 2+"], "open open open open"),  # one network alone
        (["1- 1- 1-", "1- 1-"], "unknown unknown"),  # many probes of one network
        (["1- 1+ 2- 2+", "1- 1+ 2-"], "open open"),  # a network passes if any of its probes does
        (["1- 2+", "1+ 2-", "1- 2+", "1+ 2-"], "open open open open"),  # flapping
        (["1- 2- 3+", "4- 5- 3+", "6- 7- 3+"], "suspected suspected suspected"),  # each once
        (["1- 2- 3+", "1- 4- 3+", "2- 5+"], "suspected suspected blocked"),  # two, each twice
        (["1- 2-", "1? 2?", "1- 2-"], "suspected suspected blocked"),  # probes that fail say nothing
        (["1? 2? 3?"], "unknown"),
        ([""], "unknown"),
        (["1- 2-", "1- 2-", "1+ 2+"], "suspected blocked blocked"),
        (["1- 2-", "1- 2-", "1+ 2+", "1+ 2+"], "suspected blocked blocked open"),
        (["1- 2-", "1- 2-", "1+ 2+", "1- 2-", "1+ 2+"], "suspected blocked blocked blocked blocked"),
        (["1- 2-", "1- 2-", "1+ 2-", "1+ 2-"], "suspected blocked blocked blocked"),  # one still is
        (["1- 2+", "1- 2+", "1+ 2-", "2-"], "open open open open"),  # one after the other
        (["1- 2-", "1- 2-", "3+ 4+", "3+ 4+"], "suspected blocked blocked blocked"),  # others pass
    ],
)
def test_what_rounds_mean_while_the_control_passes(rounds: list[str], verdicts: str) -> None:
    views = after_rounds((found, OK) for found in rounds)
    assert " ".join(view.verdict for view in views) == verdicts


def test_a_failing_control_makes_failures_mean_nothing_and_passes_still_count() -> None:
    views = after_rounds([("1- 2-", OK), ("1- 2-", DOWN), ("1- 2-", "90+ 91-"), ("1- 2-", "")])
    assert {view.verdict for view in views} == {ReachVerdict.SUSPECTED}
    blocked = after_rounds([("1- 2-", OK), ("1- 2-", OK)])[-1]
    ended = after_rounds([("1+ 2+", DOWN), ("1+ 2+", DOWN)], blocked)[-1]
    assert ended.verdict is ReachVerdict.OPEN


def test_a_block_is_since_its_first_failure_and_names_its_networks() -> None:
    views = after_rounds([("1+ 2+", OK), ("1- 2+ 3+", OK), ("1- 2-", OK), ("1- 2-", OK), ("1- 2- 3+", OK)])
    last = views[-1]
    assert (last.verdict, last.since_ms) == (ReachVerdict.BLOCKED, BEGUN_MS + EVERY_MS)
    assert [str(one.network) for one in last.blocked] == ["AS1 Net 1", "AS2 Net 2"]
    assert last.is_alarm


def test_failures_far_apart_are_no_row() -> None:
    views = after_rounds([("1- 2-", OK), ("1- 2-", OK)], every_ms=7 * HOUR_MS)
    assert [view.verdict for view in views] == [ReachVerdict.SUSPECTED, ReachVerdict.SUSPECTED]


def test_a_network_without_probes_is_forgotten_and_its_block_with_it() -> None:
    blocked = after_rounds([("1- 2-", OK), ("1- 2-", OK)])[-1]
    views = after_rounds([("3+ 4+", OK)] * 2, blocked, every_ms=DAY_MS)
    assert [view.verdict for view in views] == [ReachVerdict.BLOCKED, ReachVerdict.OPEN]


def test_the_next_round_asks_for_those_that_failed_and_first_for_those_blocked() -> None:
    views = after_rounds([("5- 6- 7+", OK), ("5- 6- 8- 9- 7+", OK)])
    assert asked_again(views[0], BEGUN_MS) == tuple(one.network for one in looks("5- 6-"))
    assert [one.asn for one in asked_again(views[1], BEGUN_MS + EVERY_MS)] == [5, 6, 8]
    assert asked_again(views[0], BEGUN_MS + DAY_MS) == ()


@pytest.mark.parametrize(
    ("found", "control", "said"),
    [
        ("1- 2- 3+", "90+", Confirmation.CONFIRMED),
        ("1- 3+", "90+", Confirmation.CONFIRMED),
        ("1+ 3- 4-", "90+", Confirmation.CONFIRMED),  # two others fail
        ("1+ 2+ 3+", "90+", Confirmation.CONTRADICTED),
        ("1+ 2+ 3-", "90+", Confirmation.CONTRADICTED),
        ("1+ 3+", "90+", Confirmation.NO_ANSWER),  # not heard from one of them
        ("3+ 4+", "90+", Confirmation.NO_ANSWER),
        ("1? 2?", "90+", Confirmation.NO_ANSWER),
        ("1- 2-", "90-", Confirmation.NO_ANSWER),
        ("1- 2-", "", Confirmation.NO_ANSWER),
    ],
)
def test_what_other_probes_say_of_a_block(found: str, control: str, said: Confirmation) -> None:
    blocked = after_rounds([("1- 2-", OK), ("1- 2-", OK)])[-1]
    assert confirmed(blocked, looks(found), looks(control, CONTROL)) is said


# -- whatever is found

finding = st.sampled_from("+-?")
round_found = st.lists(st.tuples(st.integers(1, 4), finding), max_size=6).map(
    lambda probes: " ".join(f"{asn}{found}" for asn, found in probes)
)
control_found = st.lists(finding, max_size=4).map(
    lambda probes: " ".join(f"{90 + number}{found}" for number, found in enumerate(probes))
)


@given(st.lists(round_found, max_size=12))
def test_a_failing_control_never_rings(rounds: list[str]) -> None:
    for view in after_rounds((found, DOWN) for found in rounds):
        assert view.verdict is not ReachVerdict.BLOCKED


@given(st.lists(st.tuples(st.text("-?", max_size=3), finding), max_size=12))
def test_one_failing_network_never_rings(rounds: list[tuple[str, str]]) -> None:
    """The second one always passes, whatever the third says once."""
    written = ((" ".join(f"1{each}" for each in failing) + " 2+", OK) for failing, _ in rounds)
    for view in after_rounds(written):
        assert view.verdict is not ReachVerdict.BLOCKED


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=12))
def test_networks_that_never_fail_twice_in_a_row_never_ring(rounds: list[tuple[bool, bool]]) -> None:
    """Between two failures of a network there is a pass of it."""
    failed, written = {1: False, 2: False}, []
    for wishes in rounds:
        line = []
        for asn, wants_to_fail in zip(failed, wishes, strict=True):
            failed[asn] = wants_to_fail and not failed[asn]
            line.append(f"{asn}{'-' if failed[asn] else '+'}")
        written.append((" ".join(line), OK))
    for view in after_rounds(written):
        assert view.verdict is not ReachVerdict.BLOCKED


@settings(max_examples=50)
@given(st.lists(st.tuples(round_found, control_found), max_size=16))
def test_a_block_has_two_networks_that_failed_in_two_conclusive_rounds(rounds: list[tuple[str, str]]) -> None:
    before = ReachVerdict.UNKNOWN
    failures: dict[int, int] = {}
    for (found, control), view in zip(rounds, after_rounds(rounds), strict=True):
        passes = control.count("+") > control.count("-")
        for asn in range(1, 5):
            heard = {each[-1] for each in found.split() if int(each[:-1]) == asn}
            if "+" in heard:
                failures[asn] = 0
            elif "-" in heard and passes:
                failures[asn] = failures.get(asn, 0) + 1
        if view.verdict is ReachVerdict.BLOCKED and before is not ReachVerdict.BLOCKED:
            assert len(view.blocked) >= 2
            assert sum(many >= 2 for many in failures.values()) >= 2
        before = view.verdict


@settings(max_examples=50)
@given(st.lists(st.tuples(round_found, control_found), max_size=10))
def test_two_good_rounds_of_all_networks_end_any_block(rounds: list[tuple[str, str]]) -> None:
    good = [("1+ 2+ 3+ 4+", OK)] * 2
    assert after_rounds([*rounds, *good])[-1].verdict is ReachVerdict.OPEN
