"""Behaviour shared by all commands: finding the configuration, exit codes, clear errors."""

import json
import os
import re
import stat
import subprocess
import sys
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import click.testing
import pytest

from secondpost import __version__
from secondpost.cli.command import Ending, Exit
from secondpost.cli.main import secondpost
from tests.cli.office import Office, open_office


def run(*words: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(secondpost, list(words))


def test_the_configuration_may_be_named_before_or_after_the_command(office: Office) -> None:
    path = str(office.config)
    for words in (
        ("--config", path, "queue", "list"),
        ("queue", "--config", path, "list"),
        ("queue", "list", "--config", path),
        ("--config", "/does/not/exist", "queue", "list", "--config", path),
    ):
        assert run(*words).exit_code == 0, words


def test_the_environment_and_the_folder_name_it_too(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECONDPOST_CONFIG", str(office.config))
    assert run("queue", "list").exit_code == 0
    monkeypatch.delenv("SECONDPOST_CONFIG")
    monkeypatch.chdir(office.folder)
    assert run("queue", "list").exit_code == 0
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    result = run("queue", "list")
    assert (result.exit_code, "there is no configuration" in result.stderr) == (3, True)


def test_no_configuration_is_exit_3(tmp_path: Path) -> None:
    for words in (("status",), ("serve",), ("check", "config"), ("held", "export", "--to", "x")):
        result = run(*words, "--config", str(tmp_path / "none.toml"))
        assert (result.exit_code, result.stdout) == (3, "")
        assert "there is no such file" in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_a_wrong_configuration_starts_nothing_and_every_fault_is_named(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('version = 3\nhostname = "mx2.example.net"\nstore = "here"\nowner = ["me"]\ncolour = 1\n')
    result = run("serve", "--config", str(path))
    assert result.exit_code == 3
    for key in ("store", "owner", "colour"):
        assert key in result.stderr
    result = run("check", "config", "--config", str(path))
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) >= 4
    assert all(line.startswith(f"{path}:") for line in result.stderr.splitlines())
    document = json.loads(run("check", "config", "--json", "--config", str(path)).stdout)
    assert {one["subject"] for one in document["diagnoses"]} >= {f"{path}:{line}" for line in (3, 4, 5)}
    assert not document["right"]


def test_a_mistyped_command_is_guessed() -> None:
    for words, meant in ((("chek",), "check"), (("queue", "lst"), "list")):
        result = run(*words)
        assert (result.exit_code, f"Did you mean '{meant}'?" in result.stderr) == (2, True)


def test_a_right_configuration_is_said_to_be_right(office: Office) -> None:
    # The fourth warning is of a machine without the service's user.
    assert re.search(r"no faults, [34] warnings; 1 check is well\.", office.run("check", "config").stdout)
    document = json.loads(office.run("check", "config", "--json").stdout)
    assert document["right"]
    assert {one["grade"] for one in document["diagnoses"]} == {"warning", "well"}


def test_a_store_that_is_not_there_is_exit_4(office: Office) -> None:
    (office.folder / "store").rename(office.folder / "elsewhere")
    assert "start the service" in office.run("status", code=4).stderr
    (office.folder / "store").mkdir()
    assert "there is no store" in office.run("status", code=4).stderr


def test_wrong_usage_is_exit_2() -> None:
    assert run("serve", "--role", "receive", "--single").exit_code == 2
    assert run("queue", "what").exit_code == 2
    assert run("held", "show").exit_code == 2


def test_a_command_does_not_load_the_others() -> None:
    """Start-up stays quick: checked by the loaded modules, not by time."""
    code = "import sys, secondpost.cli.main as m; m.secondpost(['serve', '--help'], standalone_mode=False); "
    code += "print([n for n in sys.modules if n in ('rich', 'apsw', 'secondpost.demo', 'secondpost.roles')])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"


NOBODY = 65534


def test_root_becomes_the_owner_and_others_are_told_the_line(tmp_path: Path) -> None:
    """Run as root, this tests the first; as another user, the second, on a folder of root's."""
    with TemporaryDirectory() as name:  # not below tmp_path, which another user cannot read
        office = open_office(Path(name))
        program = [sys.executable, "-m", "secondpost", "status", "--config", str(office.config)]
        if os.geteuid() != 0:
            office.config.write_text(office.config.read_text().replace(str(office.folder / "store"), "/etc"))
            done = subprocess.run(program, capture_output=True, text=True, timeout=30, check=False)
            assert done.returncode == 4
            assert "type as root: secondpost status" in done.stderr
            return
        office.folder.chmod(0o711)
        for path in [office.folder / "store", *(office.folder / "store").rglob("*")]:
            os.chown(path, NOBODY, NOBODY)
        done = subprocess.run(program, capture_output=True, text=True, timeout=30, check=False)
        if not all(folder.stat().st_mode & stat.S_IXOTH for folder in Path(__file__).resolve().parents):
            assert (done.returncode, "cannot read" in done.stderr) == (
                4,
                True,
            )  # the checkout is root's alone
            return
        assert (done.returncode, done.stderr) == (0, "")
        assert {path.stat().st_uid for path in (office.folder / "store").rglob("*")} == {NOBODY}


def test_serve_names_at_its_start_the_keys_that_have_no_effect_yet(tmp_path: Path) -> None:
    config, store = tmp_path / "secondpost.toml", tmp_path / "store"
    store.write_text("a file where a folder should be: it ends at once")
    config.write_text(
        f'''version = 3
hostname = "mx2.example.net"
store = "{store}"
owner = ["me@elsewhere.example"]
[[newsletter]]
name = "weekly"
from = "The Blog <newsletter@example.net>"
feeds = ["https://www.example.net/feed.xml"]
template = "plain"
language = "nb"
'''
    )
    command = (sys.executable, "-m", "secondpost", "--config", str(config), "serve", "--single")
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode != 0
    said = [line for line in ended.stderr.splitlines() if line.startswith("warning: ")]
    assert [line.split(": ")[1] for line in said] == ["newsletter[1].template", "newsletter[1].language"]


def test_the_version_is_the_first_line_and_then_what_it_is_made_of() -> None:
    result = run("--version")
    first, *further = result.stdout.splitlines()
    assert (result.exit_code, first) == (0, f"secondpost {__version__}")
    assert [line.split()[0] for line in further] == ["commit", "installed", "SQLite", "OpenSSL", "Python"]
    assert "as checkout, in /" in further[1]


def test_an_error_that_quotes_a_stranger_does_not_steer_the_terminal() -> None:
    said = StringIO()
    Ending("nothing was sent: it is \x1b[2J\u202e", Exit.NO).show(said)
    Ending("a.toml:1: \x9b\nb.toml:2: \udcff", Exit.NO).show(said)
    assert said.getvalue().splitlines() == [
        "secondpost: nothing was sent: it is \\x1b[2J\\u202e",
        "a.toml:1: \\x9b",
        "b.toml:2: \\udcff",
    ]
