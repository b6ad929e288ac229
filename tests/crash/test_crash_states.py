"""A power cut at any moment loses no promised mail; and the suite would notice if it did."""

import asyncio
from pathlib import Path

import pytest

from secondpost.world.room_disk import make_rooms
from simulation.disk.crash import Model
from simulation.disk.disk import RecordedDisk
from simulation.disk.recording import SyncTarget
from tests.crash.judging import Verdict, judge
from tests.crash.playing import QUICK, Scenario, play
from tests.crash.sabotage import Sabotage, commits_are_not_synced, drop, synchronous_is_off
from tests.crash.scenarios import SCENARIOS, accept_large, accept_small, checkpoint
from tests.crash.side_by_side import verdicts_of
from tests.crash.stage import Stage

STATES_MIN = 2_000


@pytest.fixture(scope="module")
def verdicts() -> dict[str, Verdict]:
    return verdicts_of(SCENARIOS, play_named)


def play_named(name: str, folder: Path) -> Verdict:
    return play(SCENARIOS[name], folder)


@pytest.mark.parametrize("name", SCENARIOS)
def test_nothing_promised_is_lost(verdicts: dict[str, Verdict], name: str) -> None:
    assert verdicts[name].faults == ()


def test_the_states_are_enough_to_mean_something(verdicts: dict[str, Verdict]) -> None:
    for name, verdict in verdicts.items():
        print(f"{name}: {verdict.states} crash states")
    total = sum(verdict.states for verdict in verdicts.values())
    print(f"all: {total} crash states")
    assert total >= STATES_MIN


def test_nothing_is_lost_where_names_come_with_any_sync(folder: Path) -> None:
    assert play(accept_large, folder, model=Model.EXT4).faults == ()


def test_a_store_half_made_can_be_made_again(folder: Path) -> None:
    async def played() -> Verdict:
        disk = RecordedDisk(folder / "disk")
        make_rooms(disk)
        stage = Stage.on(disk)
        await stage.accept(1_000)
        log = list(disk.log)
        disk.kill()
        return await judge(log, disk.first, stage.stories, folder, depth=QUICK)

    assert asyncio.run(played()).faults == ()


@pytest.mark.parametrize(
    ("kind", "scenario"),
    [
        (SyncTarget.WAL, accept_small),
        (SyncTarget.DATABASE, checkpoint),
        (SyncTarget.CONTENT, accept_large),
        (SyncTarget.FOLDER, accept_large),
    ],
)
def test_a_sync_left_out_is_found_out(folder: Path, kind: SyncTarget, scenario: Scenario) -> None:
    assert_lost(play(scenario, folder, sabotage=drop(kind), faults_max=1))


@pytest.mark.parametrize(
    ("sabotage", "scenario"),
    [(commits_are_not_synced, accept_small), (synchronous_is_off, checkpoint)],
    ids=["commits", "checkpoints"],
)
def test_a_setting_that_syncs_too_little_is_found_out(
    folder: Path, sabotage: Sabotage, scenario: Scenario
) -> None:
    assert_lost(play(scenario, folder, sabotage=sabotage, faults_max=1))


def assert_lost(verdict: Verdict) -> None:
    assert len(verdict.faults) > 0
    assert "lost" in verdict.faults[0]
