"""A short kill loop: kill -9 of any process, and the ledger balances."""

import asyncio
from pathlib import Path

from tests.crash.kill_loop import run_kill_loop
from tests.crash.postoffice import Victim

SECONDS = 2.0


def test_kill_9_loses_nothing_and_invents_nothing(tmp_path: Path) -> None:
    report = asyncio.run(run_kill_loop(tmp_path, SECONDS, "short"))
    assert report.faults == ()
    assert report.exit_code == 0
    assert report.acknowledged > 0
    assert report.kills.keys() == set(Victim)
