"""issue preview --open shows the next issue in the owner's browser, or says how to see it elsewhere."""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.cli.newspaper import Newspaper


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home of ada"
    folder.mkdir()
    return folder


def browser(folder: Path, *, works: bool = True) -> str:
    """A program that writes down what it was asked to show."""
    path = folder / "browser"
    path.write_text(f'#!/bin/sh\nprintf %s "$1" > {folder}/asked\nexit {0 if works else 1}\n')
    path.chmod(0o755)
    return str(path)


def preview(
    paper: Newspaper, home: Path, *words: str, code: int = 0, **changes: str
) -> subprocess.CompletedProcess[str]:
    """The command in a process and an environment of its own: browsers are looked up once a process."""
    left_out = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "SUDO_USER")
    kept = {name: value for name, value in os.environ.items() if name not in left_out}
    command = [sys.executable, "-m", "secondpost", "--config", str(paper.config), "issue", "preview", *words]
    done = subprocess.run(
        command,
        env={**kept, "HOME": str(home), "USER": "ada", "LOGNAME": "ada", **changes},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def shown(tmp_path: Path) -> Path:
    """The file that the browser was asked to show."""
    address = urlsplit((tmp_path / "asked").read_text())
    assert address.scheme == "file"
    return Path(unquote(address.path))


def test_the_issue_is_shown_as_a_page_and_as_text(paper: Newspaper, home: Path, tmp_path: Path) -> None:
    paper.writes(1, 2)
    program = browser(tmp_path)
    said = preview(paper, home, "--open", BROWSER=program).stdout
    assert "Your browser shows it." in said
    assert shown(tmp_path) == home / "secondpost-weekly.html"
    assert "Article 2" in shown(tmp_path).read_text()
    assert shown(tmp_path).read_text().lstrip().lower().startswith("<!doctype html")
    preview(paper, home, "--open", "--text", "--no-fetch", BROWSER=program)
    assert shown(tmp_path) == home / "secondpost-weekly.txt"
    assert shown(tmp_path).read_text().startswith("Subject: Article 2")
    chosen = tmp_path / "my own.html"
    preview(paper, home, "--open", "--html", str(chosen), "--no-fetch", BROWSER=program)
    assert shown(tmp_path) == chosen


def test_the_file_is_for_its_user_alone_and_no_link_that_lay_there_is_followed(
    paper: Newspaper, home: Path, tmp_path: Path
) -> None:
    paper.writes(1, 2)
    file, other = home / "secondpost-weekly.html", tmp_path / "other"
    preview(paper, home, "--open")
    assert file.stat().st_mode & 0o777 == 0o600
    file.unlink()
    other.write_text("kept")
    file.symlink_to(other)
    assert f"{file} cannot be written" in preview(paper, home, "--open", code=1).stderr
    assert other.read_text() == "kept"


def test_on_a_server_without_a_screen_the_way_to_see_it_is_said(paper: Newspaper, home: Path) -> None:
    paper.writes(1, 2)
    said = preview(paper, home, "--open").stdout
    file = home / "secondpost-weekly.html"
    assert f"Wrote {file}." in said
    line = said[said.index("scp ") :].strip()
    assert shlex.split(line) == ["scp", f"ada@mx2.example.net:{file}", "."]
    assert "Article 2" in file.read_text()


def test_by_sudo_the_line_asks_for_the_issue_itself(paper: Newspaper, home: Path) -> None:
    paper.writes(1, 2)
    said = preview(paper, home, "--open", "--text", SUDO_USER="ada").stdout
    assert (
        "ssh ada@mx2.example.net 'sudo secondpost issue preview weekly --text' > secondpost-weekly.txt"
        in said
    )


def test_a_browser_that_fails_is_not_called_open(paper: Newspaper, home: Path, tmp_path: Path) -> None:
    paper.writes(1, 2)
    said = preview(paper, home, "--open", BROWSER=browser(tmp_path, works=False)).stdout
    assert "There is no browser here." in said


def test_with_nothing_to_show_no_file_is_left(paper: Newspaper, home: Path, tmp_path: Path) -> None:
    assert "nothing to show" in preview(paper, home, "--open", code=1, BROWSER=browser(tmp_path)).stderr
    assert list(home.iterdir()) == []
    assert not (tmp_path / "asked").exists()


def test_a_file_is_shown_not_a_document_or_standard_output(paper: Newspaper, home: Path) -> None:
    for words in (("--json",), ("--html", "-")):
        assert "--open shows a file" in preview(paper, home, "--open", *words, code=2).stderr


def test_a_place_that_cannot_be_written_is_named(paper: Newspaper, home: Path) -> None:
    paper.writes(1, 2)
    (home / "secondpost-weekly.html").mkdir()
    assert "secondpost-weekly.html cannot be written" in preview(paper, home, "--open", code=1).stderr


def test_a_user_without_a_home_gets_the_file_elsewhere_and_never_in_the_store(
    paper: Newspaper, home: Path
) -> None:
    paper.writes(1, 2)
    store = paper.folder / "store"
    for away in (home / "away", store):
        said = preview(paper, away, "--open", TMPDIR=str(home)).stdout
        [file] = home.glob("secondpost-*/secondpost-weekly.html")
        assert f"Wrote {file}." in said
        file.unlink()
        file.parent.rmdir()
    assert not list(store.glob("secondpost-weekly*"))
