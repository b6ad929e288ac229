"""A short fan-out with kills, and tests of its judge. fanout_kill itself is the long form."""

from pathlib import Path

import pytest

from tests.crash.fanout_judging import faults_of
from tests.crash.fanout_kill import Killed, run_fanout_kill
from tests.crash.readers_sink import Taken

READERS = 1_500
KILLS = 2  # the deliverer alone, then all at once
WHOLE = {"planned": 2, "delivered": 1, "suppressed": 0, "failed": 0, "expired": 0, "stopped": 0, "unknown": 1}


def test_a_fan_out_that_is_killed_reaches_every_reader_once_or_it_is_known_who_may_have_it(
    tmp_path: Path,
) -> None:
    report = run_fanout_kill(tmp_path, READERS, KILLS, "short")
    print(report)
    assert report.faults == ()
    assert report.exit_code == 0
    assert report.kills.keys() >= {Killed.DELIVER.value, Killed.ALL.value}
    assert report.delivered + report.unknown == READERS
    assert report.holds > 0


def test_an_issue_that_is_stopped_after_kills_reaches_nobody_twice_and_adds_up(tmp_path: Path) -> None:
    report = run_fanout_kill(tmp_path, READERS, KILLS, "stopped", stopped=True)
    print(report)
    assert report.faults == ()
    assert report.exit_code == 0
    assert 0 < report.stopped < READERS
    assert report.delivered + report.unknown + report.stopped == READERS


def judged(
    taken: list[tuple[str, str]], states: dict[str, str], open_max: int = 1, **status: object
) -> list[str]:
    told = [Taken(address, id) for address, id in taken]
    return list(faults_of(["a", "b"], told, states, {**WHOLE, "adds_up": True, **status}, open_max))


def test_a_fan_out_that_adds_up_has_no_fault() -> None:
    states = {"a": "delivered", "b": "unknown"}
    assert judged([("a", "1")], states) == []
    assert judged([("a", "1"), ("b", "2")], states) == []


@pytest.mark.parametrize(
    ("taken", "states", "complaint"),
    [
        ([("a", "1"), ("a", "1")], {"a": "delivered", "b": "unknown"}, "a got the issue 2 times"),
        ([("a", "1"), ("b", "1")], {"a": "delivered", "b": "unknown"}, "a Message-ID in common"),
        ([("a", "1")], {"a": "delivered"}, "b is not planned once"),
        ([("a", "1"), ("c", "2")], {"a": "delivered", "b": "unknown"}, "c got the issue and is no reader"),
        ([], {"a": "delivered", "b": "unknown"}, "its server has nothing"),
        ([("a", "1"), ("b", "2")], {"a": "delivered", "b": "waiting"}, "b has the issue, and is said to be"),
        ([("a", "1")], {"a": "delivered", "b": "failed"}, "b is failed"),
        ([("a", "1")], {"a": "unknown", "b": "unknown"}, "2 are unknown, with at most 1"),
        ([("a", "1"), ("b", "2")], {"a": "delivered", "b": "delivered"}, "issue status says"),
    ],
)
def test_what_does_not_add_up_is_seen(
    taken: list[tuple[str, str]], states: dict[str, str], complaint: str
) -> None:
    assert any(complaint in fault for fault in judged(taken, states))


def test_a_stopped_mail_is_a_fault_unless_the_issue_was_stopped() -> None:
    taken = [Taken("a", "1")]
    states = {"a": "delivered", "b": "stopped"}
    status: dict[str, object] = {**WHOLE, "unknown": 0, "stopped": 1, "adds_up": True}
    assert list(faults_of(["a", "b"], taken, states, status, 1, stopped=True)) == []
    assert any("b is stopped" in fault for fault in faults_of(["a", "b"], taken, states, status, 1))
    late = [*taken, Taken("b", "2")]
    assert any(
        "b has the issue" in each for each in faults_of(["a", "b"], late, states, status, 1, stopped=True)
    )


def test_a_status_that_does_not_add_up_is_seen() -> None:
    states = {"a": "delivered", "b": "unknown"}
    assert any("issue status says" in fault for fault in judged([("a", "1")], states, adds_up=False))
    assert any("3 were planned" in fault for fault in judged([("a", "1")], states, planned=3))
