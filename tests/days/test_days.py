"""Simulated days keep every promise; planted bugs are found; a seed is the same day every time."""

import os
import subprocess
import sys

import pytest

from simulation.day import live
from simulation.days import judge, main, replay_command
from simulation.dice import ThreeDice
from simulation.faults import Blocked, Crash, PowerCut, PrimaryDown, Restart
from simulation.planted import PLANTED
from simulation.scenario import LETTERS_MIN, draw

SEEDS_MAX = 50
# Found only when a crash falls between a 250 and its commit: some ten days, too long for every test run.
SELDOM = "early-acknowledgement"


@pytest.mark.parametrize("seed", range(4))
def test_a_day_full_of_faults_keeps_every_promise(seed: int) -> None:
    verdict = judge(seed, None)
    assert verdict.violations == (), replay_command(seed, None)


@pytest.mark.parametrize("bug", sorted(set(PLANTED) - {SELDOM}))
def test_a_planted_bug_is_found_within_fifty_days(bug: str) -> None:
    assert any(len(judge(seed, bug).violations) > 0 for seed in range(SEEDS_MAX))


def test_a_seed_is_the_same_day_in_every_process() -> None:
    here = live(2).digest
    there = subprocess.run(
        [sys.executable, "-c", "from simulation.day import live; print(live(2).digest)"],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert there.stdout.strip() == here


def test_a_failing_seed_prints_the_command_that_replays_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["days", "--seeds", "1", "--from", "4", "--planted", "open-relay"])
    assert main() == 1
    told = capsys.readouterr().out
    assert "replay: python -m simulation.days --seeds 1 --from 4 --planted open-relay\n" in told
    assert told.endswith("0 passed, 1 failed\n")


def test_every_day_has_its_messages_its_block_its_outage_its_crash_and_three_other_faults() -> None:
    for seed in range(300):
        scenario = draw(ThreeDice.of(seed).faults)
        faults = [fault.what for fault in scenario.faults]
        crashes = [what for what in faults if isinstance(what, Crash | PowerCut)]
        usual = [what for what in faults if isinstance(what, PrimaryDown | Blocked | Restart)]
        assert len(scenario.letters) >= LETTERS_MIN
        assert len(scenario.domains) >= 3
        assert any(isinstance(what, Blocked) for what in faults)
        assert any(isinstance(what, PrimaryDown) for what in faults)
        assert len(crashes) >= 1
        assert len(faults) - len(crashes) - len(usual) >= 3, seed
