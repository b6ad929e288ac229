"""A simulated day keeps every promise; planted bugs are found; a seed repeats its day exactly."""

import os
import subprocess
import sys

import pytest

from simulation.day import live
from simulation.days import main
from simulation.dice import ThreeDice
from simulation.faults import (
    Blocked,
    Crash,
    CrashAtStep,
    FeedWrong,
    InboxDown,
    InboxMoody,
    PowerCut,
    PrimaryDown,
    Restart,
)
from simulation.people.news import STEPS
from simulation.planted import PLANTED
from simulation.scenario import LETTERS_MIN, draw

# `python -m simulation.days --planted all` finds every one.
REPLAYED = "double-send"
MAILED_MIN = 90  # of an issue to a hundred readers: some leave, and some mailboxes do not exist any more
OF_NEWS = InboxDown | InboxMoody | FeedWrong | CrashAtStep


def test_an_issue_comes_to_a_hundred_mailboxes_and_a_seed_is_the_same_day_in_every_process() -> None:
    report = live(2)
    assert report.violations == ()
    assert report.issues >= 1
    assert report.mailed >= MAILED_MIN
    here = report.digest
    there = subprocess.run(
        [sys.executable, "-c", "from simulation.day import live; print(live(2).digest)"],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert there.stdout.strip() == here


def test_a_mail_sent_twice_is_found_and_the_seed_prints_the_command_that_replays_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = f"--seeds 1 --from {PLANTED[REPLAYED].seed} --planted {REPLAYED}"
    monkeypatch.setattr(sys, "argv", ["days", *words.split()])
    assert main() == 1
    told = capsys.readouterr().out
    assert f"replay: python -m simulation.days {words}\n" in told
    assert told.endswith("0 passed, 1 failed\n")


def test_every_day_has_its_messages_its_block_its_outage_its_crash_and_three_other_faults() -> None:
    for seed in range(200):
        scenario = draw(ThreeDice.of(seed).faults)
        faults = [fault.what for fault in scenario.faults]
        crashes = [what for what in faults if isinstance(what, Crash | PowerCut)]
        usual = [what for what in faults if isinstance(what, PrimaryDown | Blocked | Restart)]
        assert len(scenario.letters) >= LETTERS_MIN
        assert len(scenario.domains) >= 3
        assert any(isinstance(what, Blocked) for what in faults)
        assert any(isinstance(what, PrimaryDown) for what in faults)
        assert len(crashes) >= 1
        others = [what for what in faults if not isinstance(what, OF_NEWS)]
        assert len(others) - len(crashes) - len(usual) >= 3, seed


def test_every_day_has_a_hundred_readers_who_come_and_go_and_an_issue_that_is_too_small() -> None:
    for seed in range(200):
        news = draw(ThreeDice.of(seed).faults).news
        main, rare = news.newsletters
        readers = [reader for reader in news.readers if reader.newsletter == main.name]
        stay = [reader for reader in readers if reader.joins_at is None and reader.leaves_at is None]
        # Readers who leave later get it too: fewer than a hundred stay to the day's end.
        assert len(stay) >= 90
        assert len([reader for reader in readers if reader.joins_at is None]) >= 100
        assert any(reader.joins_at is not None for reader in readers)
        assert any(reader.leaves_at is not None for reader in readers)
        assert len({reader.address.rpartition("@")[2] for reader in readers}) >= 4
        assert sum(article.at_seconds > 0 for article in main.feed.articles) >= main.minimum
        assert sum(article.at_seconds > 0 for article in rare.feed.articles) < rare.minimum
        assert any(isinstance(fault.what, InboxDown) for fault in news.faults)
        assert any(isinstance(fault.what, CrashAtStep) for fault in news.faults)


def test_over_some_days_a_role_dies_in_the_midst_of_everything_it_does_with_an_issue() -> None:
    steps = {
        (fault.what.role, fault.what.verb)
        for seed in range(200)
        for fault in draw(ThreeDice.of(seed).faults).news.faults
        if isinstance(fault.what, CrashAtStep)
    }
    assert steps == {(role, verb) for role, verb, _ in STEPS}
