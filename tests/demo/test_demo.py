"""The demo as a newcomer meets it: from any folder, to its end, and nothing is left of it."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from secondpost.demo import mailserver
from secondpost.demo.story import play

SECONDS_MAX = 60


@contextmanager
def demo(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """`secondpost demo --fast`, begun in an unrelated folder, its temporary files in another."""
    (folder / "here").mkdir()
    (folder / "tmp").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "secondpost", "demo", "--fast"],
        cwd=folder / "here",
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def left_of(folder: Path) -> list[str]:
    """Files, and processes whose command line names its folder."""
    processes = [line for line in command_lines() if str(folder / "tmp") in line]
    return [str(path) for path in folder.rglob("*") if path.name not in ("here", "tmp")] + processes


def command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):  # ended since it was listed
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")


def test_the_story_is_told_to_its_end_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with demo(tmp_path) as process:
        told, _ = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 0, told
    assert "\x1b" not in told
    claims = re.search(r"(\d+) claims, each checked", told)
    assert claims is not None
    assert told.count("✓ ") == int(claims[1]) > 10
    assert left_of(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_story_leaves_nothing_behind(tmp_path: Path, number: signal.Signals) -> None:
    with demo(tmp_path) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "closed" in line or "no longer lets" in line:
                break
        process.send_signal(number)
        rest, _ = process.communicate(timeout=SECONDS_MAX)
    assert (process.returncode, "Interrupted" in rest) == (130, True), rest
    assert left_of(tmp_path) == []


def test_a_false_claim_is_told_and_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A primary that adds a header field to what it takes: the first claim is false then."""
    whole = mailserver._message

    async def changed(reader: asyncio.StreamReader) -> bytes:
        return b"X-Seen: yes\r\n" + await whole(reader)

    monkeypatch.setattr(mailserver, "_message", changed)
    assert play(fast=True) == 1
    told = capsys.readouterr().out
    assert "This was claimed, and is not so: direct mail is untouched" in told
    assert "X-Seen" in told
    assert "expected" in told
