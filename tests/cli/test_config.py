"""`secondpost config explain` and `config show`, as an owner types them."""

import json
from pathlib import Path

import click.testing
import pytest
from click.shell_completion import ShellComplete

from secondpost.cli.main import secondpost
from secondpost.config.keys import DESCRIBED, TOP
from secondpost.config.reading import read_config

TEXT = """\
version  = 3
hostname = "mx2.example.net"
store    = "/var/lib/secondpost"
owner    = ["me@elsewhere.example"]

[[backup]]
domain = "example.net"
keep   = "5 days"

[[backup]]
domain = "example.org"
"""


def run(*words: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(secondpost, list(words))


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = tmp_path / "secondpost.toml"
    file.write_text(TEXT)
    return str(file)


def explained(path: str, *words: str) -> str:
    result = run("--config", path, "config", "explain", *words)
    assert result.exit_code == 0, result.output
    return " ".join(result.stdout.split())


def test_a_key_is_explained_with_its_values_here(path: str) -> None:
    said = explained(path, "[[backup]]", "keep")
    assert said.startswith("[[backup]] keep How long mail waits for the primary")
    assert 'form a duration from 1 hour to 366 days default "31 days" example keep = "62 days"' in said
    assert f'here "5 days", in line 8 of {path} (backup[1])' in said
    assert f"here the default, in 1 other table of {path}" in said


def test_an_old_name_says_where_the_key_is_now(path: str) -> None:
    said = explained(path, "tls.acme_directory")
    assert said.startswith("[tls] acme_directory is now [acme] directory.")
    assert "before up to version 1 of the file: [tls] acme_directory" in said


def test_a_table_lists_its_keys_and_without_a_key_all_are_listed(path: str) -> None:
    for table, keys in DESCRIBED.items():
        if table != TOP:
            listed = run("config", "explain", table, "--config", path).stdout
            assert all(f"\n{name} " in listed for name in keys)
    every = run("config", "explain", "--config", path).stdout.splitlines()
    assert sum(line.split(" ")[0] in keys for keys in DESCRIBED.values() for line in every) >= 90


def test_an_unknown_key_is_exit_1_with_the_nearest(path: str) -> None:
    result = run("--config", path, "config", "explain", "backup.kep")
    assert (result.exit_code, result.stdout) == (1, "")
    assert 'no key or table "backup.kep"; did you mean backup.keep' in result.stderr
    result = run("--config", path, "config", "explain", "???")
    assert (result.exit_code, "such as backup.keep" in result.stderr) == (1, True)


def test_it_explains_without_a_configuration_but_not_with_one_that_was_named_and_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("config", "explain", "keep")
    assert (result.exit_code, "\nhere " in result.stdout) == (0, False)
    assert run("--config", "no.toml", "config", "explain", "keep").exit_code == 3
    monkeypatch.setenv("SECONDPOST_CONFIG", "no.toml")
    assert run("config", "explain", "keep").exit_code == 3
    broken = tmp_path / "broken.toml"
    broken.write_bytes(b"\xff\xfe[[")
    for place in (broken, tmp_path):  # a folder can be named, too
        result = run("--config", str(place), "config", "explain", "keep")
        assert (result.exit_code, "\nhere " in result.stdout) == (0, False)


def test_the_document_has_every_key_with_its_values(path: str) -> None:
    document = json.loads(run("config", "explain", "--json", "--config", path).stdout)
    places = [(one["table"], one["key"]) for one in document["keys"]]
    assert places == [(table, name) for table, keys in DESCRIBED.items() for name in keys]
    keep = next(one for one in document["keys"] if (one["table"], one["key"]) == ("backup", "keep"))
    assert keep["default"] == '"31 days"'
    assert [(one["number"], one["value"], one["line"]) for one in keep["values"]] == [(1, '"5 days"', 8)]


def test_what_is_shown_is_a_configuration_that_means_the_same(path: str) -> None:
    for words in ([], ["--effective"]):
        shown = run("--config", path, "config", "show", *words)
        assert shown.exit_code == 0
        Path(path).write_text(shown.stdout)
        checked = run("--config", path, "check", "config")
        assert checked.exit_code == 0, checked.output
        again = read_config(path)
        Path(path).write_text(TEXT)
        assert again == read_config(path)


def test_the_document_says_where_each_value_is_from(path: str) -> None:
    document = json.loads(run("--config", path, "config", "show", "--effective", "--json").stdout)
    values = {(one["table"], one["number"], one["key"]): one for one in document["values"]}
    assert (
        values["backup", 1, "keep"] | {"value": '"5 days"', "line": 8, "origin": "file"}
        == (values["backup", 1, "keep"])
    )
    assert values["backup", 2, "keep"]["origin"] == "default"
    assert values["backup", 2, "quota"]["origin"] == "unset"


def test_a_file_with_faults_is_not_shown(path: str) -> None:
    Path(path).write_text(TEXT + "colour = 1\n")
    result = run("--config", path, "config", "show")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "colour" in result.stderr


def test_the_shell_completes_keys() -> None:
    words = ShellComplete(secondpost, {}, "secondpost", "_SECONDPOST_COMPLETE")
    found = [item.value for item in words.get_completions(["config", "explain"], "backup.ke")]
    assert found == ["backup.keep", "backup.keep_refused"]
