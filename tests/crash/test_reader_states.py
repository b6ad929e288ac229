"""A power cut at any moment of an issue: no reader is planned twice, forgotten or served twice.

A selection of states: `python -m tests.crash.reader_states` tests more than two thousand.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from secondpost.store.sqlite import engine, statements
from simulation.disk.crash import Depth
from simulation.disk.disk import RecordedDisk
from simulation.disk.recording import SyncTarget
from tests.crash.judging import Verdict
from tests.crash.reader_judging import play_readers
from tests.crash.reader_scenarios import READER_SCENARIOS
from tests.crash.sabotage import commits_are_not_synced, drop
from tests.crash.side_by_side import verdicts_of

STATES_MIN = 500
SOME = Depth(tears=0, subsets=0, stride=20)


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Verdict]:
    return verdicts_of(READER_SCENARIOS, play_some)


def play_some(name: str, folder: Path) -> Verdict:
    return play_readers(name, folder, depth=SOME)


@pytest.mark.parametrize("name", READER_SCENARIOS)
def test_every_reader_is_planned_once_and_served_at_most_once(
    verdicts: dict[str, Verdict], name: str
) -> None:
    assert verdicts[name].faults == ()


def test_the_states_are_enough_to_mean_something(verdicts: dict[str, Verdict]) -> None:
    for name, verdict in verdicts.items():
        print(f"{name}: {verdict.states} crash states")
    total = sum(verdict.states for verdict in verdicts.values())
    print(f"all: {total} crash states")
    assert total >= STATES_MIN


def test_a_sync_left_out_is_found_out(folder: Path) -> None:
    assert_found(play_readers("committing", folder, sabotage=drop(SyncTarget.WAL), faults_max=1))


def test_a_commit_that_is_not_synced_is_found_out(folder: Path) -> None:
    assert_found(play_readers("outcome", folder, sabotage=commits_are_not_synced, faults_max=1))


def test_a_mark_that_is_not_written_is_found_out(folder: Path) -> None:
    @contextmanager
    def without_marks(disk: RecordedDisk) -> Iterator[None]:
        """The dot is sent while the row is still claimed."""
        with pytest.MonkeyPatch.context() as patch:
            marks = statements.QUERIES["reader_mail.commit_marks"]
            text = marks.text.replace("SET state = 'committing'", "SET level = level")
            assert text != marks.text
            queries = {**statements.QUERIES, marks.name: replace(marks, text=text)}
            patch.setattr(engine, "Statements", lambda _: statements.Statements(queries))
            yield

    assert_found(play_readers("committing", folder, sabotage=without_marks, faults_max=1))


def assert_found(verdict: Verdict) -> None:
    assert len(verdict.faults) > 0
