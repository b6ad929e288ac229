"""Deliveries are selected by common properties; waiting ones are dropped only after a question."""

import json
import os
import pty
import subprocess
import sys
from contextlib import suppress

import pytest

from secondpost.cli.choosing import IN_STATES
from secondpost.mail.delivery import State
from secondpost.spool.desk import Standing
from tests.cli.office import DOWN_SITE, Office
from tests.cli.test_queue import standings

SECONDS_MAX = 20.0


def at_terminal(office: Office, answer: str, *words: str) -> str:
    """The output of a command on a real terminal, whose question gets this answer."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "secondpost", "--config", str(office.config), *words]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        os.write(ours, answer.encode() + b"\n")
        shown = b""
        with suppress(OSError):  # reading a terminal whose process has ended
            while len(piece := os.read(ours, 65_536)) > 0:
                shown += piece
        process.wait(SECONDS_MAX)
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("state", "many"),
    [
        ("waiting", 5),
        ("primary", 3),
        ("held (primary)", 3),
        ("kept", 2),
        ("refused", 1),
        ("kept (refused)", 1),
        ("quarantine", 1),
        ("kept (expired)", 0),
        ("held (owner)", 0),
        ("delivered", 1),
    ],
)
def test_a_state_is_named_as_lists_show_it(office: Office, state: str, many: int) -> None:
    assert len(standings(office, "--state", state)) == many


def test_several_states_are_all_that_are_in_one_of_them(office: Office) -> None:
    found = standings(office, "--state", "primary", "--state", "refused", "--state", "held")
    assert sorted(found.values()) == ["held (primary)"] * 3 + ["kept (refused)"]
    found = standings(office, "--state", "primary", "--state", "waiting", "--domain", "example.org")
    assert found == {f"{office.waiting}/1": "waiting"}


def test_every_state_and_every_standing_can_be_asked_for() -> None:
    assert {*State, *Standing} <= set(IN_STATES)


def test_the_cause_of_the_last_try_chooses(office: Office) -> None:
    assert set(standings(office, "--cause", "message")) == {f"{office.refused}/1"}
    assert standings(office, "--cause", "connect", "--cause", "recipient") == {}
    assert "is not one of" in office.run("queue", "list", "--cause", "rain", code=2).stderr


def test_age_and_size_choose(office: Office) -> None:
    assert len(standings(office, "--older", "0 seconds")) == 7
    assert standings(office, "--older", "1 hour") == {}
    sizes = json.loads(office.run("queue", "list", "--json").stdout)["deliveries"]
    smallest = min(one["size"] for one in sizes)
    assert len(standings(office, "--larger", f"{smallest - 1} B")) == 7
    assert len(standings(office, "--larger", f"{smallest} B")) == sum(one["size"] > smallest for one in sizes)
    assert "is not a duration" in office.run("queue", "list", "--older", "long", code=2).stderr
    assert "is not a size" in office.run("queue", "drop", "--larger", "1", code=2).stderr


@pytest.mark.parametrize(
    ("words", "done"),
    [
        (("hold", "--state", "primary", "--address", "bob@example.net"), "Held: 1 delivery."),
        (("retry", "--cause", "message"), "Retried: 1 delivery."),
        (("drop", "--state", "refused", "--older", "0 seconds", "--yes"), "Dropped: 1 delivery."),
        (("drop", "--larger", "1 B", "--state", "quarantine", "--yes"), "Dropped: 1 delivery."),
    ],
)
def test_every_verb_takes_what_is_chosen(office: Office, words: tuple[str, ...], done: str) -> None:
    assert done in office.run("queue", *words).stdout


def test_what_is_held_is_exported_and_redirected_by_the_same_choice(office: Office) -> None:
    listed = json.loads(office.run("held", "list", "--state", "refused", "--json").stdout)
    assert [one["id"] for one in listed["deliveries"]] == [f"{office.refused}/1"]
    path = str(office.folder / "kept.mbox")
    output = office.run("held", "export", "--state", "quarantine", "--to", path).stdout
    assert "Wrote 1 message" in output
    choice = ("--site", DOWN_SITE, "--state", "primary")
    output = office.run("held", "redirect", *choice, "--to", "me@elsewhere.example", "--yes").stdout
    assert "3 deliveries" in output


def test_a_choice_in_a_state_that_the_verb_does_not_take_says_so(office: Office) -> None:
    output = office.run("queue", "release", "--state", "refused", code=1).stderr
    assert "the matching mail is 1 kept (refused); release takes only what is held" in output


def test_all_leaves_what_waits_and_says_how_to_take_it(office: Office) -> None:
    output = office.run("queue", "drop", "--all", code=2).stderr
    assert "Drop 2 deliveries that are held or kept? There is no terminal to ask on" in output
    assert "`--state kept --yes` drops these; add --yes to drop also the 5 that wait" in output
    shown = at_terminal(office, "y", "queue", "drop", "--all")
    assert "Drop 2 deliveries that are held or kept? [y/N]: " in shown
    assert "Dropped: 2 deliveries.\n5 waiting deliveries were left: add --yes to drop all.\n" in shown
    assert set(standings(office).values()) == {"waiting", "held (primary)"}
    output = office.run("queue", "drop", "--all", code=1).stderr
    assert "nothing to drop: 5 deliveries wait, and --all drops waiting ones only with --yes" in output
    assert len(standings(office)) == 5
    assert "Dropped: 5 deliveries." in office.run("queue", "drop", "--all", "--yes").stdout
    assert standings(office) == {}


def test_a_no_changes_nothing(office: Office) -> None:
    shown = at_terminal(office, "n", "queue", "drop", "--all")
    assert "nothing was changed" in shown
    assert len(standings(office)) == 7


def test_a_choice_that_would_drop_waiting_mail_says_so_before_it_asks(office: Office) -> None:
    output = office.run("queue", "drop", "--domain", "example.net", code=2).stderr
    assert "Drop 4 deliveries to example.net, of which 3 wait to be delivered? There is no terminal" in output
    output = office.run("queue", "drop", "--state", "kept", "--larger", "1 B", code=2).stderr
    assert "Drop 2 deliveries in the state kept, larger than 1 B? There is no terminal" in output
    assert len(standings(office)) == 7
