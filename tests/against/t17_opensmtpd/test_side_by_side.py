"""What is imported from OpenSMTPD behaves as it did, or the report names the line by which it does not.

Ten configurations since 6.4 run in Debian's OpenSMTPD, and beside it in ours as imported. Ten from
before 6.4, which Debian no longer has, run in Debian's as the smtpd.conf of today that we write, and
beside it in ours; what they did is in their tables, by smtpd.conf(5) and ruleset.c of 6.0.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
import pytest

from bench.peers import PROJECT, need_root
from tests.against.t17_opensmtpd.street import Outcome
from tests.against.t17_opensmtpd.tables import Case, cases

STREET_SECONDS_MAX: Final = 600
STREETS: Final = 3  # side by side: most of the time they wait
CASES: Final = {case.name: case for case in cases()}


@pytest.fixture(scope="module")
def outcomes() -> Iterator[Mapping[str, Outcome]]:
    need_root()
    folder = Path(tempfile.mkdtemp(prefix="secondpost-import-", dir="/tmp"))
    folder.chmod(0o755)
    streets = [_street(folder / str(part), part) for part in range(STREETS)]
    try:
        for part, street in enumerate(streets):
            street.wait(STREET_SECONDS_MAX)
            assert street.returncode == 0, (folder / str(part) / "faults").read_text()[-6000:]
        files = [folder / str(part) / "outcomes.json" for part in range(STREETS)]
        found = [one for file in files for one in msgspec.json.decode(file.read_bytes(), type=list[Outcome])]
        yield {one.case: one for one in found}
    finally:
        for street in streets:
            street.kill()
            street.wait()
        shutil.rmtree(folder)


def _street(folder: Path, part: int) -> subprocess.Popen[bytes]:
    folder.mkdir()
    folder.chmod(0o755)
    own = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    module = [sys.executable, "-m", "tests.against.t17_opensmtpd.street"]
    with open(folder / "faults", "wb") as faults:
        return subprocess.Popen(
            ["unshare", *own, *module, str(folder), str(part), str(STREETS)],
            cwd=PROJECT,
            stdin=subprocess.DEVNULL,
            stdout=faults,
            stderr=faults,
        )


def test_there_are_ten_of_each_format() -> None:
    assert sum(case.is_old for case in CASES.values()) == 10
    assert len(CASES) == 20


@pytest.mark.parametrize("name", CASES)
def test_debians_server_reads_the_file(outcomes: Mapping[str, Outcome], name: str) -> None:
    assert outcomes[name].checked.strip().endswith("configuration OK"), outcomes[name].checked


@pytest.mark.parametrize("name", CASES)
def test_the_old_server_does_what_the_table_says(outcomes: Mapping[str, Outcome], name: str) -> None:
    expected = {row.name: row.action for row in CASES[name].rows}
    assert outcomes[name].old == expected, outcomes[name].trouble


@pytest.mark.parametrize("name", CASES)
def test_ours_does_the_same_but_for_what_the_report_names(outcomes: Mapping[str, Outcome], name: str) -> None:
    case: Case = CASES[name]
    expected = {row.name: row.ours for row in case.rows}
    assert outcomes[name].ours == expected, outcomes[name].trouble
    told = {row.name: outcomes[name].fates.get(row.line) for row in case.rows if row.ours != row.action}
    assert set(told.values()) <= {"changed", "not carried"}, told


@pytest.mark.parametrize("name", CASES)
def test_no_stranger_sends_anywhere_but_where_he_could(outcomes: Mapping[str, Outcome], name: str) -> None:
    """Ours never takes what the old server refused because of the domain."""
    case = CASES[name]
    open_domains = {row.recipient.rpartition("@")[2].lower() for row in case.rows if row.action != "refused"}
    for row in case.rows:
        if row.recipient.rpartition("@")[2].lower() not in open_domains:
            assert outcomes[name].ours[row.name] == "refused", row
