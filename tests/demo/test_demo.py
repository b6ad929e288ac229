"""The demo as a newcomer runs it: from any folder, to its end, leaving nothing behind."""

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import ProxyHandler, build_opener

import pytest

from secondpost.demo import mailserver
from secondpost.demo.act_newsletter import NewsletterAct
from secondpost.demo.mailserver import Arrived, MailServer
from secondpost.demo.story import play

SECONDS_MAX = 180
WHOLE = ("-m", "secondpost", "demo", "--fast")


def only(module: str, act: str) -> tuple[str, ...]:
    """The story with only this act."""
    code = f"from {module} import {act}; from secondpost.demo.story import play; exit(play(True, ({act},)))"
    return ("-c", code)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: the story has a store deep below it, whose socket paths are limited."""
    with TemporaryDirectory(prefix="demo-") as name:
        yield Path(name)


@contextmanager
def demo(
    folder: Path, words: Sequence[str] = WHOLE, terminal: int = subprocess.PIPE
) -> Iterator[subprocess.Popen[str]]:
    """Started in an unrelated folder, with a temporary folder, and Ctrl-C ignored as by `&`."""
    (folder / "here").mkdir()
    (folder / "tmp").mkdir()
    process = subprocess.Popen(
        ["sh", "-c", 'trap "" INT; exec "$0" "$@"', sys.executable, *words],
        cwd=folder / "here",
        env={**os.environ, "TMPDIR": str(folder / "tmp")},
        stdout=terminal,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def left_of(folder: Path) -> list[str]:
    """Remaining files, and processes whose command line contains the folder."""
    processes = [line for line in command_lines() if str(folder / "tmp") in line]
    return [str(path) for path in folder.rglob("*") if path.name not in ("here", "tmp")] + processes


def command_lines() -> Iterator[str]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(FileNotFoundError, ProcessLookupError):  # ended since it was listed
            yield path.read_bytes().replace(b"\0", b" ").decode(errors="replace")


def test_the_story_is_told_to_its_end_and_leaves_nothing_behind(folder: Path) -> None:
    with demo(folder) as process:
        told, _ = process.communicate(timeout=SECONDS_MAX)
    assert process.returncode == 0, told
    assert "\x1b" not in told
    claims = re.search(r"(\d+) claims, each checked", told)
    assert claims is not None
    assert told.count("✓ ") == int(claims[1]) > 20
    assert [act for act in ("one", "two", "three") if f"Act {act}" in told] == ["one", "two", "three"]
    assert "until Ctrl-C" not in told
    assert left_of(folder) == []


@pytest.mark.parametrize(
    ("number", "words", "moment"),
    [
        (signal.SIGINT, WHOLE, "no longer lets"),
        (signal.SIGTERM, only("secondpost.demo.act_newsletter", "NewsletterAct"), "has a new article"),
    ],
)
def test_an_interrupted_story_leaves_nothing_behind(
    folder: Path, number: signal.Signals, words: Sequence[str], moment: str
) -> None:
    with demo(folder, words) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if moment in line:
                break
        process.send_signal(number)
        rest, _ = process.communicate(timeout=SECONDS_MAX)
    assert (process.returncode, "Interrupted" in rest) == (130, True), rest
    assert left_of(folder) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_on_a_terminal_the_public_pages_stay_open_until_ctrl_c(folder: Path, number: signal.Signals) -> None:
    opened = build_opener(ProxyHandler({})).open
    ours, theirs = pty.openpty()
    with (
        open(ours, encoding="utf-8") as screen,
        demo(folder, only("secondpost.demo.act_block", "Morning"), theirs) as process,
    ):
        os.close(theirs)
        told = ""
        while "until Ctrl-C" not in told:
            told += screen.readline()
        url = re.search(r"http://127\.0\.0\.1:\d+/weekly/", told)
        assert url is not None, told
        with opened(url[0], timeout=SECONDS_MAX) as page:
            assert (page.status, b"Subscribe" in page.read()) == (200, True)
        process.send_signal(number)
        rest = ""
        with suppress(OSError):  # reading a terminal whose process has ended
            while len(line := screen.readline()) > 0:
                rest += line
        assert process.wait(SECONDS_MAX) == 0
    assert "The stage is empty again" in rest
    assert "Interrupted" not in rest
    with pytest.raises(OSError):
        opened(url[0], timeout=SECONDS_MAX)
    assert left_of(folder) == []


def test_a_false_claim_is_told_and_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A primary that adds a header field to accepted mail, so that the first claim is false."""
    whole = mailserver._message

    async def changed(reader: asyncio.StreamReader) -> bytes:
        return b"X-Seen: yes\r\n" + await whole(reader)

    monkeypatch.setattr(mailserver, "_message", changed)
    assert play(fast=True) == 1
    told = capsys.readouterr().out
    assert "This was claimed, and is not so: direct mail is untouched" in told
    assert "X-Seen" in told
    assert "expected" in told


def test_an_issue_that_comes_twice_is_no_success(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Twice(list[Arrived]):
        def append(self, mail: Arrived) -> None:
            self.extend((mail, mail) if b"List-Unsubscribe" in mail.data else (mail,))

    switched_on = MailServer.switch_on

    async def careless(server: MailServer) -> None:
        server.mailbox = Twice()
        await switched_on(server)

    monkeypatch.setattr(MailServer, "switch_on", careless)
    assert play(True, (NewsletterAct,)) == 1
    told = capsys.readouterr().out
    assert "This was claimed, and is not so: every reader has each issue exactly once" in told
