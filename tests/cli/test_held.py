"""Held mail can be listed, read, exported and redirected."""

import json
import mailbox
from pathlib import Path

from tests.cli.closed_pipe import into_a_closed_pipe
from tests.cli.office import Office


def held(office: Office, *words: str) -> dict[str, str]:
    document = json.loads(office.run("held", "list", "--json", *words).stdout)
    return {one["id"]: one["standing"] for one in document["deliveries"]}


def test_what_lies_here_for_backup_domains_is_listed_with_why(office: Office) -> None:
    office.run("queue", "hold", office.waiting)
    assert list(held(office).items()) == [
        (f"{office.primary}/1", "held (primary)"),
        (f"{office.both}/1", "held (primary)"),
        (f"{office.both}/2", "held (primary)"),
        (f"{office.waiting}/1", "held (owner)"),
        (f"{office.quarantine}/1", "kept (quarantine)"),
        (f"{office.refused}/1", "kept (refused)"),
    ]
    assert set(held(office, "--domain", "example.org")) == {f"{office.waiting}/1", f"{office.refused}/1"}
    assert len(held(office, "--limit", "2", "--after", f"{office.primary}/1")) == 2


def test_a_held_message_is_read(office: Office) -> None:
    output = office.run("held", "show", office.primary).stdout
    assert "Subject: number 1" in output
    assert "From me, 1." in output
    document = json.loads(office.run("held", "show", office.both, "--json").stdout)
    assert document["headers"] == {"Subject": "number 2"}
    assert document["recipients"] == ["ada@example.net", "bob@example.net"]
    assert document["complete"]


def test_the_raw_message_is_its_bytes(office: Office) -> None:
    raw = office.run("held", "show", office.primary, "--raw").stdout_bytes
    assert raw == b"Received: by mx2.example.net\r\nSubject: number 1\r\n\r\nFrom me, 1.\r\n"


def test_what_was_delivered_cannot_be_read_any_more(office: Office) -> None:
    assert "is gone" in office.run("held", "show", office.delivered, code=1).stderr


def test_everything_is_exported_once_and_stays(office: Office) -> None:
    path = office.folder / "held.mbox"
    before = held(office)
    document = json.loads(office.run("held", "export", "--to", str(path), "--json").stdout)
    assert (document["format"], document["messages"]) == ("mbox", 4)
    box = mailbox.mbox(path, create=False)
    subjects = [each["Subject"] for each in box]
    box.close()
    assert subjects == ["number 1", "number 2", "number 5", "number 6"]
    assert held(office) == before
    assert "already exists" in office.run("held", "export", "--to", str(path), code=1).stderr


def test_single_messages_are_exported_as_files(office: Office) -> None:
    path = office.folder / "eml"
    words = ("held", "export", office.primary, f"{office.both}/2", "--format", "eml", "--to", str(path))
    assert "Wrote 2 messages" in office.run(*words).stdout
    assert {each.name for each in path.iterdir()} == {f"{office.primary}.eml", f"{office.both}.eml"}
    content = (path / f"{office.primary}.eml").read_bytes()
    assert content == b"Received: by mx2.example.net\r\nSubject: number 1\r\n\r\nFrom me, 1.\r\n"


def test_an_export_goes_to_standard_output(office: Office) -> None:
    out = office.run("held", "export", "--domain", "example.org", "--to", "-").stdout_bytes
    assert out.startswith(b"From sender6@example.com ")
    assert b"\n>From me, 6.\n\n" in out
    assert b"\r" not in out


def test_an_export_that_is_read_no_further_ends_without_a_word(office: Office) -> None:
    ended = into_a_closed_pipe("--config", str(office.config), "held", "export", "--to", "-")
    assert (ended.returncode, ended.stderr) == (1, "")


def test_an_export_of_nothing_leaves_nothing(office: Office, tmp_path: Path) -> None:
    for form in ("mbox", "eml"):
        words = ("--domain", "example.com", "--format", form, "--to", str(tmp_path / form))
        assert "nothing to export" in office.run("held", "export", *words, code=1).stderr
        assert not (tmp_path / form).exists()
    text = office.run("held", "export", "--to", str(tmp_path / "no" / "x"), code=1).stderr
    assert "cannot be created: No such file or directory" in text


def test_what_is_held_goes_to_another_mailbox(office: Office) -> None:
    words = ("held", "redirect", "--domain", "example.net", "--to", "ada@elsewhere.example")
    assert "add --yes" in office.run(*words, code=2).stderr
    assert "Redirected to ada@elsewhere.example: 4 deliveries." in office.run(*words, "--yes").stdout
    document = json.loads(office.run("queue", "list", "--address", "ada@elsewhere.example", "--json").stdout)
    assert {one["lane"] for one in document["deliveries"]} == {"own"}
    assert len(document["deliveries"]) == 4
    assert "is not an address" in office.run("held", "redirect", "--all", "--to", "ada", code=2).stderr
    text = office.run("held", "redirect", office.delivered, "--to", "a@example.com", code=1).stderr
    assert "nothing to redirect" in text


def test_redirected_mail_shows_for_whom_it_came(office: Office) -> None:
    office.run("held", "redirect", office.both, "--to", "me@elsewhere.example")
    office.run("held", "redirect", f"{office.both}/2", "--to", "me@safe.example")
    document = json.loads(office.run("queue", "show", office.both, "--json").stdout)
    assert [(one["recipient"], one["first_recipient"]) for one in document["deliveries"]] == [
        ("me@elsewhere.example", "ada@example.net"),
        ("me@safe.example", "bob@example.net"),
    ]
    for words in (
        ("queue", "list", "--address", "bob@example.net"),
        ("queue", "show", office.both),
        ("held", "show", office.both),
    ):
        assert "me@safe.example (for bob@example.net)" in office.run(*words).stdout
    office.run("queue", "hold", office.both)
    listed = json.loads(office.run("held", "list", "--address", "ada@example.net", "--json").stdout)
    assert [(one["id"], one["first_recipient"]) for one in listed["deliveries"]] == [
        (f"{office.primary}/1", None),
        (f"{office.both}/1", "ada@example.net"),
    ]


def test_what_was_redirected_and_stays_here_is_still_held(office: Office) -> None:
    office.run("held", "redirect", office.both, "--to", "ada@elsewhere.example")
    office.run("queue", "hold", office.both)
    document = json.loads(office.run("held", "list", "--address", "ada@elsewhere.example", "--json").stdout)
    assert {one["standing"] for one in document["deliveries"]} == {"held (owner)"}


def test_an_id_may_be_copied_from_any_list(office: Office) -> None:
    for words in (("held", "show"), ("queue", "show"), ("trace",)):
        assert office.run(*words, f"{office.both}/1").stdout == office.run(*words, office.both).stdout
    text = office.run("held", "show", "nonsense", code=2).stderr
    assert "`secondpost queue list` shows ids" in text
