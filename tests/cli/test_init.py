"""secondpost init without a terminal: answers from options, the file, the keys, and a second run."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from secondpost.mail.address import Domain, Endpoint
from tests.cli.newcomer import ANSWERS, LINES, Newcomer
from tests.cli.test_check_dns import Dns


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    names = Dns()
    names.lines = LINES
    with names.running() as port:
        yield Newcomer(tmp_path, port)


def test_with_all_answers_there_are_a_file_and_keys(newcomer: Newcomer) -> None:
    shown = newcomer.run(*ANSWERS).stdout
    config = newcomer.config
    assert config.hostname == Domain("mx2.example.net")
    assert [one.domain for one in config.backups] == [Domain("example.net")]
    assert config.receive.listen == (Endpoint("127.0.0.1", 2525),)
    keys = newcomer.folder / "store" / "keys"
    assert sorted(os.listdir(keys)) == ["addresses.keys", "links.keys", "sp-ed.pem", "sp-rsa.pem"]
    assert {path.stat().st_mode & 0o777 for path in keys.iterdir()} == {0o600}
    assert newcomer.path.stat().st_mode & 0o777 == 0o644
    assert f"Wrote {newcomer.path}.\nMade 4 keys in {newcomer.folder}/store/keys." in shown
    assert "example.net: mail goes to mx1.provider.example (10)." in shown
    assert "warning: Until port 25 is open outward" in shown


def test_every_missing_option_is_named_at_once(newcomer: Newcomer) -> None:
    error = newcomer.run("--hostname", "mx2.example.net", code=2).stderr
    assert "--feed is missing: without a feed, and without --backup, there is nothing to do here" in error
    assert "--owner is missing" in error
    assert "--hostname" not in error
    assert os.listdir(newcomer.folder) == []


def test_every_wrong_option_is_named_at_once(newcomer: Newcomer) -> None:
    error = newcomer.run(*ANSWERS[2:], "--hostname", "mx2", "--address", "home", code=2).stderr
    assert '--hostname: "mx2" is not a full domain; write one such as "mx2.example.net"' in error
    assert '--address: "home" is not an IP address; write one such as "192.0.2.25"' in error
    assert os.listdir(newcomer.folder) == []


def test_an_option_that_answers_nothing_is_refused(newcomer: Newcomer) -> None:
    error = newcomer.run(*ANSWERS, "--every", "daily", "--key", "key.pem", code=2).stderr
    assert "--every says nothing without --feed" in error
    assert "--key says nothing without --certificate" in error


def test_a_second_run_changes_nothing_and_says_so(newcomer: Newcomer) -> None:
    newcomer.run(*ANSWERS)
    before = newcomer.path.read_bytes()
    shown = newcomer.run().stdout
    assert f"{newcomer.path} stays as it is: nothing would change." in shown
    assert "Made" not in shown
    assert newcomer.path.read_bytes() == before
    assert sorted(os.listdir(newcomer.folder)) == ["secondpost.toml", "store"]


def test_nothing_is_overwritten_without_yes(newcomer: Newcomer) -> None:
    newcomer.run(*ANSWERS)
    before = newcomer.path.read_bytes()
    result = newcomer.run("--owner", "you@elsewhere.example", code=1)
    lines = result.stdout.splitlines()
    assert [line.partition("  #")[0] for line in lines if line[:1] in ("+", "-") and line[1] not in "+-"] == [
        '-owner     = ["me@elsewhere.example"]',
        '+owner     = ["you@elsewhere.example"]',
    ]
    assert result.stderr == "secondpost: nothing was written: add --yes to make these changes\n"
    assert newcomer.path.read_bytes() == before


def test_with_yes_the_earlier_file_stays_beside_the_new_one(newcomer: Newcomer) -> None:
    newcomer.run(*ANSWERS)
    edited = newcomer.path.read_text() + '# my own comment\nkeep = "90 days"\n'
    newcomer.path.write_text(edited)
    document = json.loads(newcomer.run("--owner", "you@elsewhere.example", "--yes", "--json").stdout)
    assert document["state"] == "changed"
    assert Path(document["kept"]).read_text() == edited
    assert Path(document["kept"]).parent == newcomer.folder
    assert str(newcomer.config.owner[0]) == "you@elsewhere.example"
    assert newcomer.config.backups[0].keep_ms == 90 * 86_400_000
    again = json.loads(newcomer.run("--owner", "her@elsewhere.example", "--yes", "--json").stdout)
    assert again["kept"] != document["kept"]
    assert Path(document["kept"]).read_text() == edited


def test_a_file_with_faults_is_kept_and_nothing_taken_over(newcomer: Newcomer) -> None:
    newcomer.path.write_text("hostname = 5\n")
    result = newcomer.run(*ANSWERS, code=1)
    assert "has faults, so nothing of it is taken over" in result.stdout
    document = json.loads(newcomer.run(*ANSWERS, "--yes", "--json").stdout)
    assert Path(document["kept"]).read_text() == "hostname = 5\n"
    assert newcomer.config.hostname == Domain("mx2.example.net")


def test_the_document(newcomer: Newcomer) -> None:
    feed = "https://www.example.net/feed.xml"
    document = json.loads(
        newcomer.run(*ANSWERS, "--feed", feed, "--address", "5.9.8.7", "--proxy", "nginx", "--json").stdout
    )
    assert document["config"] == str(newcomer.path)
    assert (document["state"], document["kept"]) == ("new", None)
    assert len(document["keys"]) == 4
    assert any(text.startswith("Until port 25") for text in document["warnings"])
    assert "proxy_pass http://127.0.0.1:" in document["proxy"]
    assert f"secondpost check all --config {newcomer.path}" in document["next"]


def test_a_folder_that_is_missing_is_made(newcomer: Newcomer) -> None:
    deep = Newcomer(newcomer.folder / "etc" / "mail", newcomer.dns_port)
    deep.run(*ANSWERS)
    assert deep.config.hostname == Domain("mx2.example.net")


def test_a_place_that_cannot_be_written_ends_in_one_sentence(newcomer: Newcomer) -> None:
    (newcomer.folder / "file").write_text("")
    blocked = Newcomer(newcomer.folder / "file", newcomer.dns_port)
    error = blocked.run(*ANSWERS, code=1).stderr
    assert error.startswith(f"secondpost: {blocked.path} cannot be ")
    assert error.count("\n") == 1


def test_a_folder_in_place_of_the_file_is_refused(newcomer: Newcomer) -> None:
    newcomer.path.mkdir()
    assert "cannot be read: Is a directory; nothing was written" in newcomer.run(*ANSWERS, code=1).stderr


def test_without_a_resolver_it_goes_on_with_what_was_answered(newcomer: Newcomer) -> None:
    deaf = Newcomer(newcomer.folder, 9)  # nothing listens there
    shown = deaf.run(*ANSWERS).stdout
    assert shown.count("No DNS server answers") == 1
    assert deaf.config.hostname == Domain("mx2.example.net")


def test_relative_paths_begin_where_the_command_is_typed(
    newcomer: Newcomer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(newcomer.folder)
    (newcomer.folder / "people").write_text("me@example.net\n")
    elsewhere = Newcomer(newcomer.folder / "etc", newcomer.dns_port)
    elsewhere.run(*ANSWERS, "--recipients", "learn", "--recipients", "file:people", "--store", "mail")
    assert f'"file:{newcomer.folder}/people"' in elsewhere.path.read_text()
    assert elsewhere.config.store == str(newcomer.folder / "mail")


def test_what_was_written_has_no_fault(newcomer: Newcomer) -> None:
    feed = "https://www.example.net/feed.xml"
    newcomer.run(*ANSWERS, "--feed", feed, "--from", 'The "Blog" <b@example.net>', "--every", "first monday")
    assert newcomer.config.newsletters[0].sender == 'The "Blog" <b@example.net>'
