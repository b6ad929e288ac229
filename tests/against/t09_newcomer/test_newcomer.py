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

from bench.peers import PROJECT, need_root
from secondpost.mail.store_rooms import ROLES
from tests.against.systemd_machine import remove_groups_of_ended
from tests.against.t09_newcomer.console import Typed, alike, as_read, mails_of, script_of, with_outputs
from tests.against.t09_newcomer.day import Result
from tests.against.t15_packages.built import package

GUIDE: Final = PROJECT / "docs" / "guide.md"
COMMANDS_MAX: Final = 8
DAY_BY_DAY: Final = "## 7. Day by day"  # the commands above it set both jobs up, and see them done
DAY_SECONDS_MAX: Final = 400


def played(folder: Path) -> Result:
    need_root()
    own = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    day = [sys.executable, "-m", "tests.against.t09_newcomer.day", str(GUIDE), str(folder), str(package())]
    try:
        done = subprocess.run(
            ["unshare", *own, *day],
            cwd=PROJECT,
            timeout=DAY_SECONDS_MAX,
            capture_output=True,
            text=True,
            check=False,
        )
    finally:  # if the time was over, the day was killed, and with it all that it began
        remove_groups_of_ended(folder)
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


def guide() -> str:
    return GUIDE.read_text(encoding="utf-8")


def test_every_output_in_the_guide_is_this_runs(result: Result) -> None:
    typed = [step for step in script_of(guide()) if isinstance(step, Typed)]
    assert [alike(run.command) for run in result.runs] == [alike(step.command) for step in typed]
    for run, step in zip(result.runs, typed, strict=True):
        assert alike(run.output) == alike(step.output), run.command


def test_no_command_fails_and_both_jobs_take_at_most_eight(result: Result) -> None:
    assert [run.exit_code for run in result.runs] == [0] * len(result.runs)
    way, _, _ = guide().partition(DAY_BY_DAY)
    commands = sum(isinstance(step, Typed) for step in script_of(way))
    assert commands <= COMMANDS_MAX
    print(f"{commands} commands in {sum(run.seconds for run in result.runs[:commands]):.0f} s")


def test_the_unit_of_each_role_runs(result: Result) -> None:
    assert result.units == dict.fromkeys(ROLES, "active")
    assert result.failed_units == ""


def test_mail_and_pages_have_the_certificate_that_came_by_itself(result: Result) -> None:
    assert result.certified == ["25", "443"]


def test_removal_of_the_package_leaves_the_store(result: Result) -> None:
    assert {"mail", "newsletter", "keys", "tls"} <= set(result.left_by_removal.split())
    assert "secondpost" not in result.left_by_removal  # neither program nor units


def test_mail_was_held_and_drained(result: Result) -> None:
    (mail,) = result.held_mails
    assert "Subject: Are you there?" in mail


def test_the_reader_has_the_issue(result: Result) -> None:
    assert ["A post office of my own" in mail for mail in result.readers_mails] == [True]


def test_the_owner_heard_of_the_outage_and_of_its_end(result: Result) -> None:
    shown = mails_of(guide())
    assert len(shown) == 2
    assert [alike(as_read(mail)) for mail in result.owners_mails] == [alike(mail) for mail in shown]


def write() -> None:
    with tempfile.TemporaryDirectory(prefix="secondpost-newcomer-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        result = played(folder)
    for run in result.runs:
        print(f"{run.exit_code} {run.seconds:.1f} s {run.command}")
    typed = [Typed(run.command, run.output) for run in result.runs]
    mails = [as_read(mail) for mail in result.owners_mails]
    GUIDE.write_text(with_outputs(guide(), typed, mails), encoding="utf-8")


if __name__ == "__main__":
    write()
