"""Configurations of Exim carried over: the new server answers as the old one for each client, sender and
recipient, but where the report says that a line changed or was not carried.
"""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

import msgspec
import pytest

from bench.peers import PROJECT, need_root
from tests.against.servers import folder_of
from tests.against.t17_exim.cases import CASES, Case, Outcome, Result, Row

SECONDS_MAX: Final = 240
WORKERS: Final = 3  # they wait more than they work


@pytest.fixture(scope="module")
def results() -> Iterator[Mapping[str, Result]]:
    need_root()
    folder = Path(tempfile.mkdtemp(prefix="secondpost-exim-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        shares = [CASES[number::WORKERS] for number in range(WORKERS)]
        with ThreadPoolExecutor(WORKERS) as workers:
            found = list(workers.map(lambda number: compared(folder, number, shares[number]), range(WORKERS)))
        yield {result.name: result for results in found for result in results}
    finally:
        shutil.rmtree(folder)


def compared(folder: Path, number: int, cases: Sequence[Case]) -> list[Result]:
    """Each of the workers has an internet of its own."""
    own = ["--net", "--mount", "--pid", "--uts", "--fork", "--kill-child", "--mount-proc"]
    there = folder_of(folder, f"worker-{number}")
    words = [str(there), *(case.name for case in cases)]
    done = subprocess.run(
        ["unshare", *own, sys.executable, "-m", "tests.against.t17_exim.compare", *words],
        cwd=PROJECT,
        timeout=SECONDS_MAX,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-6000:]
    return msgspec.json.decode((there / "result.json").read_bytes(), type=list[Result])


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_the_new_server_answers_as_the_old_one(results: Mapping[str, Result], case: Case) -> None:
    result = results[case.name]
    unsaid = [
        row
        for row in result.rows
        if row.old is not row.new and not any(one.has(row) for one in case.differences)
    ]
    assert unsaid == [], shown(unsaid, result)
    said = {one["text"]: one["fate"] for one in result.report}
    for one in case.differences:
        assert any(one.has(row) for row in result.rows), f"no row has this difference: {one}"
        fates = {fate for text, fate in said.items() if one.statement in text}
        assert len(fates) > 0, f"no line of the report has {one.statement!r}"
        assert fates & {"changed", "not carried"}, one


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_no_domain_is_taken_whose_mail_the_old_server_refused(
    results: Mapping[str, Result], case: Case
) -> None:
    """But mail for the server's own postmaster, which every server must take."""
    rows = [row for row in results[case.name].rows if not row.recipient.startswith("postmaster@")]
    taken = {domain(row) for row in rows if row.client == "stranger" and row.old is Outcome.ACCEPTED}
    for row in rows:
        if row.new is Outcome.ACCEPTED:
            assert domain(row) in taken, row
        if domain(row) == "elsewhere.example":
            assert row.new in (Outcome.REFUSED, Outcome.CLOSED), row


@pytest.mark.parametrize("case", [case for case in CASES if len(case.lines) > 0], ids=lambda case: case.name)
def test_where_mail_goes_on_stands_in_the_new_file(results: Mapping[str, Result], case: Case) -> None:
    written = [line.replace(" ", "") for line in results[case.name].config.splitlines()]
    for line in case.lines:
        assert any(one.startswith(line.replace(" ", "")) for one in written), line


def domain(row: Row) -> str:
    return row.recipient.lower().rpartition("@")[2]


def shown(rows: list[Row], result: Result) -> str:
    lines = [f"{row.client} {row.recipient} {row.is_primary_up}: {row.old} -> {row.new}" for row in rows]
    return "\n".join([*lines, result.config, *(f"{one}" for one in result.report)])
