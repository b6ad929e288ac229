"""secondpost config migrate: what is shown, what is written, and what is kept."""

import json
import os
import sys
from pathlib import Path

import click.testing
import pytest

from secondpost.cli.main import secondpost
from secondpost.config.syntax import FILE_OCTETS_MAX
from tests.cli.newcomer import Terminal

VERSIONS = Path(__file__).parents[1] / "config" / "versions"
NAMES = sorted(path.name for path in VERSIONS.glob("*.toml"))
OLD = """\
version = 1
hostname = "mx2.example.net"
store = "/nowhere/secondpost"
owner = ["me@elsewhere.example"]

[tls]
acme = "me@example.net"
acme_challenge = "http-01"  # port 80

[[backup]]
domain = "example.net"
unknown = "quarantine"
"""
NEW = """\
version = 3
hostname = "mx2.example.net"
store = "/nowhere/secondpost"
owner = ["me@elsewhere.example"]

[tls]
acme = "me@example.net"

[acme]
challenge = "http-01"  # port 80

[[backup]]
domain = "example.net"
unknown = "hold"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "secondpost.toml"
    path.write_text(OLD, encoding="utf-8")
    return path


def run(*words: str, code: int = 0) -> click.testing.Result:
    result = click.testing.CliRunner().invoke(secondpost, words)
    assert result.exit_code == code, (words, result.output, result.exception)
    return result


def kept_beside(path: Path) -> list[Path]:
    return sorted(one for one in path.parent.iterdir() if one.name.startswith(f"{path.name}."))


def test_it_shows_the_difference_and_what_it_means_and_keeps_the_earlier_file(path: Path) -> None:
    shown = run("config", "migrate", str(path), "--yes").stdout
    assert path.read_text(encoding="utf-8") == NEW
    [kept] = kept_beside(path)
    assert kept.read_text(encoding="utf-8") == OLD
    assert (
        shown
        == f"""\
--- {path}
+++ {path} (new)
@@ -1,2 +1,2 @@
-version = 1
+version = 3
 hostname = "mx2.example.net"
@@ -7,3 +7,5 @@
 acme = "me@example.net"
-acme_challenge = "http-01"  # port 80
+
+[acme]
+challenge = "http-01"  # port 80
{" "}
@@ -11,2 +13,2 @@
 domain = "example.net"
-unknown = "quarantine"
+unknown = "hold"

From version 1 to version 3:
  The version, line 1, is now 3; it was 1.
  What is said to the certificate authority has a table of its own:
    acme_challenge of [tls], line 8, is now challenge of [acme], line 10.
  The word for unknown addresses says what is done with their mail:
    backup[1].unknown, line 14, is now "hold"; it was "quarantine".

Wrote {path}; the earlier file is {kept}.
"""
    )


def test_a_second_time_there_is_nothing_to_do(path: Path) -> None:
    run("config", "migrate", str(path), "--yes")
    shown = run("--config", str(path), "config", "migrate").stdout
    assert shown == f"{path} is of version 3, today's: nothing to do.\n"
    assert run("config", "migrate", str(path), "--check").stdout == shown
    assert path.read_text(encoding="utf-8") == NEW
    assert len(kept_beside(path)) == 1


@pytest.mark.parametrize("name", NAMES)
def test_past_files_are_written_octet_for_octet(name: str, tmp_path: Path) -> None:
    path = tmp_path / "secondpost.toml"
    path.write_bytes((VERSIONS / name).read_bytes())
    run("config", "migrate", str(path), "--yes")
    assert path.read_bytes() == (VERSIONS / "expected" / name).read_bytes()
    assert kept_beside(path)[0].read_bytes() == (VERSIONS / name).read_bytes()


def test_check_writes_nothing_and_its_exit_code_tells(path: Path) -> None:
    assert "+[acme]" in run("config", "migrate", str(path), "--check", code=1).stdout
    run("config", "migrate", str(path), "--check", "--yes", code=1)
    assert path.read_text(encoding="utf-8") == OLD
    assert kept_beside(path) == []


def test_without_a_terminal_and_a_yes_nothing_is_written(path: Path) -> None:
    result = run("config", "migrate", str(path), code=1)
    assert result.stderr == "secondpost: nothing was written: add --yes to make these changes\n"
    assert path.read_text(encoding="utf-8") == OLD


def test_on_a_terminal_it_asks(path: Path) -> None:
    command = [sys.executable, "-m", "secondpost", "config", "migrate", str(path)]
    with Terminal(command, path.parent) as terminal:
        terminal.until("Make these changes?")
        terminal.type("n")
        assert terminal.end() == 1
    assert path.read_text(encoding="utf-8") == OLD
    with Terminal(command, path.parent) as terminal:
        terminal.until("Make these changes?")
        terminal.type("y")
        assert terminal.end() == 0
    assert path.read_text(encoding="utf-8") == NEW


def test_what_was_changed_while_it_asked_is_not_overwritten(path: Path) -> None:
    with Terminal([sys.executable, "-m", "secondpost", "config", "migrate", str(path)], path.parent) as one:
        one.until("Make these changes?")
        path.write_text(OLD + "# more\n", encoding="utf-8")
        one.type("y")
        assert one.end() == 1
        assert f"{path} was changed meanwhile; nothing was written: try again" in one.heard
    assert path.read_text(encoding="utf-8") == OLD + "# more\n"
    assert kept_beside(path) == []


def test_the_document_has_the_steps_and_the_difference(path: Path) -> None:
    checked = json.loads(run("config", "migrate", str(path), "--check", "--json", code=1).stdout)
    assert (checked["state"], checked["was"], checked["now"], checked["kept"]) == ("earlier", 1, 3, None)
    assert checked["steps"][1] == {
        "kind": "moved",
        "line": 10,
        "was": "tls.acme_challenge",
        "now": "acme.challenge",
        "text": "acme_challenge of [tls], line 8, is now challenge of [acme], line 10.",
        "why": "What is said to the certificate authority has a table of its own",
    }
    assert [step["kind"] for step in checked["steps"]] == ["version", "moved", "reworded"]
    assert "+[acme]" in checked["difference"]
    run("config", "migrate", str(path), "--json", code=1)
    written = json.loads(run("config", "migrate", str(path), "--yes", "--json").stdout)
    assert written == {**checked, "state": "migrated", "kept": str(kept_beside(path)[0])}
    again = json.loads(run("config", "migrate", str(path), "--json").stdout)
    assert (again["state"], again["steps"], again["difference"]) == ("current", [], [])


def test_a_file_with_faults_is_left_alone(path: Path) -> None:
    faulty = OLD.replace('"http-01"', '"dns-01"')
    path.write_text(faulty, encoding="utf-8")
    result = run("config", "migrate", str(path), "--yes", code=3)
    assert result.stderr.splitlines() == [
        f'{path}:8: tls.acme_challenge: "dns-01" is not a valid value; write one of "http-01", "tls-alpn-01"',
        f"{path}: 1 fault; nothing was written",
    ]
    assert path.read_text(encoding="utf-8") == faulty
    assert kept_beside(path) == []


def test_files_that_it_names_need_not_be_there(path: Path) -> None:
    path.write_text(OLD.replace('acme_challenge = "http-01"', 'acme_root = "gone.pem"'), encoding="utf-8")
    run("config", "migrate", str(path), "--yes")
    assert 'root = "gone.pem"' in path.read_text(encoding="utf-8")


def test_mode_and_owner_stay_and_a_link_leads_to_the_same_file(path: Path) -> None:
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 12, 34)
    before = path.stat()
    link = path.parent / "link" / "secondpost.toml"
    link.parent.mkdir()
    link.symlink_to(path)
    run("config", "migrate", str(link), "--yes")
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert link.is_symlink()
    assert link.read_text(encoding="utf-8") == NEW
    assert [one.read_text(encoding="utf-8") for one in kept_beside(path)] == [OLD]
    assert [one.name for one in link.parent.iterdir()] == [link.name]


def test_what_is_no_file_is_refused_in_words(tmp_path: Path, path: Path) -> None:
    for named, said in (
        (tmp_path, "it cannot be read: Is a directory"),
        (tmp_path / "missing", "it cannot be read: No such file or directory"),
        (Path("/dev/zero"), f"the file has more than {FILE_OCTETS_MAX} octets"),
    ):
        result = run("config", "migrate", str(named), "--yes", code=3)
        assert result.stderr == f"{named}: {said}\n{named}: 1 fault; nothing was written\n"
    assert path.read_text(encoding="utf-8") == OLD


def test_check_config_notes_an_earlier_version_and_warns_of_nothing_for_it(path: Path) -> None:
    shown = json.loads(run("--config", str(path), "check", "config", "--json").stdout)
    notes = [one for one in shown["diagnoses"] if one["subject"] == "version"]
    assert [(one["grade"], one["remedy"]) for one in notes] == [("note", f"secondpost config migrate {path}")]
    run("config", "migrate", str(path), "--yes")
    shown = json.loads(run("--config", str(path), "check", "config", "--json").stdout)
    assert [one for one in shown["diagnoses"] if one["subject"] == "version"] == []
