"""The guide is true: its commands, typed by a newcomer, print what it shows, and do both jobs.

`python -m tests.against.t09_newcomer.test_newcomer` plays the day and writes the outputs into the
guide.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.against.t09_newcomer.console import Typed, alike, as_read, mails_of, script_of, with_outputs
from tests.against.t09_newcomer.day import Result
from tests.against.t09_newcomer.installing import PROJECT, install

GUIDE: Final = PROJECT / "docs" / "guide.md"
COMMANDS_MAX: Final = 8
DAY_SECONDS_MAX: Final = 600


def played(folder: Path) -> Result:
    programs = install(folder)
    command = ["unshare", "--net", "--mount", sys.executable, "-m", "tests.against.t09_newcomer.day"]
    done = subprocess.run(
        [*command, str(GUIDE), str(folder), str(programs)],
        cwd=PROJECT,
        timeout=DAY_SECONDS_MAX,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    return msgspec.json.decode((folder / "result.json").read_bytes(), type=Result)


@pytest.fixture(scope="module")
def result() -> Result:
    folder = Path(tempfile.mkdtemp(prefix="secondpost-newcomer-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        return played(folder)
    finally:
        shutil.rmtree(folder)


def test_every_output_in_the_guide_is_this_runs(result: Result) -> None:
    typed = [step for step in script_of(GUIDE.read_text(encoding="utf-8")) if isinstance(step, Typed)]
    assert [run.command for run in result.runs] == [step.command for step in typed]
    for run, step in zip(result.runs, typed, strict=True):
        assert alike(run.output) == alike(step.output), run.command


def test_no_command_fails_and_there_are_at_most_eight(result: Result) -> None:
    assert [run.exit_code for run in result.runs] == [0] * len(result.runs)
    assert len(result.runs) <= COMMANDS_MAX
    print(f"{len(result.runs)} commands in {sum(run.seconds for run in result.runs):.0f} s")


def test_mail_was_held_and_drained(result: Result) -> None:
    (mail,) = result.held_mails
    assert "Subject: Are you there?" in mail


def test_the_reader_has_the_issue(result: Result) -> None:
    assert ["A post office of my own" in mail for mail in result.readers_mails] == [True]


def test_the_owner_heard_of_the_outage_and_of_its_end(result: Result) -> None:
    shown = mails_of(GUIDE.read_text(encoding="utf-8"))
    assert len(shown) == 2
    assert [alike(as_read(mail)) for mail in result.owners_mails] == [alike(mail) for mail in shown]


def write() -> None:
    with tempfile.TemporaryDirectory(prefix="secondpost-newcomer-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        result = played(folder)
    for run in result.runs:
        print(f"{run.exit_code} {run.seconds:.1f} s {run.command}")
    outputs, mails = [run.output for run in result.runs], [as_read(mail) for mail in result.owners_mails]
    text = with_outputs(GUIDE.read_text(encoding="utf-8"), outputs, mails)
    GUIDE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write()
