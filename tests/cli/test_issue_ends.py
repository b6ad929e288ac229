"""What ends an issue or sends it once more asks first, offers only what it would do, and keeps its reason."""

import sys
from pathlib import Path

import pytest

from secondpost.mail.delivery import State
from secondpost.mail.envelope import Lane
from tests.cli.newcomer import Terminal
from tests.cli.newspaper import Newspaper
from tests.cli.test_trace_readers import attempt, office

__all__ = ["office"]

READERS = ("ada@reader.example", "bob@reader.example", "eve@reader.example")
RETRY = "secondpost issue retry --unknown weekly 1"
COME_AGAIN = "450 4.2.0 come again"


def one_waits(recipient: str) -> tuple[State, str, str]:
    """The first reader has it, of the second it is not known, the third waits."""
    if recipient.startswith("ada"):
        return State.DELIVERED, "", "250 2.0.0 kept"
    if recipient.startswith("bob"):
        return State.UNKNOWN, "lost", "no answer"
    return State.WAITING, "recipient", COME_AGAIN


def none_waits(recipient: str) -> tuple[State, str, str]:
    return (State.DELIVERED, "", "250 2.0.0 kept") if recipient.startswith("ada") else one_waits("bob")


@pytest.fixture
def sent(office: Newspaper) -> Newspaper:
    """An issue to three readers was made, and no delivery was tried yet."""
    office.makes_issue_for(READERS)
    return office


def at_terminal(paper: Newspaper, folder: Path, *words: str) -> Terminal:
    command = [sys.executable, "-m", "secondpost", "--config", str(paper.config), *words]
    return Terminal(command, folder)


def test_an_issue_that_readers_have_is_stopped_only_after_a_question(sent: Newspaper) -> None:
    attempt(sent, Lane.ISSUES, one_waits)
    refused = sent.run("issue", "stop", "1", code=2).stderr
    assert "2 readers have issue 1, and the other one will never get it" in refused
    assert "secondpost issue hold weekly 1 only halts it" in refused
    assert sent.json_of("issue", "status", "1")["state"] == "sending"
    stopped = sent.run("issue", "stop", "1", "--yes", "--reason", "is the link right?").stdout
    assert "1 reader does not have it, and will not get it." in stopped


def test_the_reason_of_a_stopped_or_held_issue_is_shown(sent: Newspaper) -> None:
    sent.run("issue", "hold", "1", "--reason", "is the link right?")
    assert "is held: is the link right?\n" in sent.run("issue", "status", "1").stdout
    assert "is the link right?" in sent.run("issue", "list").stdout
    assert sent.json_of("issue", "status", "1")["reason"] == "is the link right?"
    sent.run("issue", "stop", "1", "--reason", "it is not")
    for words in (("show", "1"), ("status", "1"), ("list",)):
        assert "it is not" in sent.run("issue", *words).stdout
    status = sent.run("issue", "status", "1").stdout
    assert status.startswith("Issue 1 of weekly was stopped at ")
    issue = sent.json_of("issue", "show", "1")["issue"]
    assert isinstance(issue, dict)
    assert issue["reason"] == "it is not"


def test_one_more_try_is_offered_once_and_refused_before_the_question(sent: Newspaper) -> None:
    attempt(sent, Lane.ISSUES, none_waits)
    assert RETRY in sent.run("issue", "status", "1").stdout
    asked = sent.run("issue", "retry", "--unknown", "1", code=2).stderr
    assert "Send it to them once more?" in asked
    again = sent.run("issue", "retry", "--unknown", "1", "--yes").stdout
    assert again == "Being sent once more: 2 mails of issue 1.\n"
    attempt(sent, Lane.ISSUES, none_waits)
    shown = sent.run("issue", "status", "1").stdout
    assert RETRY not in shown
    assert "It was already sent to them once more, and is not sent again." in shown
    refused = sent.run("issue", "retry", "--unknown", "1", code=1)
    assert "every unknown mail of issue 1 was already sent once more" in refused.stderr
    assert refused.stdout == ""


def test_a_stopped_issue_is_not_offered_to_be_sent_once_more(sent: Newspaper) -> None:
    attempt(sent, Lane.ISSUES, one_waits)
    sent.run("issue", "stop", "1", "--yes")
    shown = sent.run("issue", "status", "1").stdout
    assert RETRY not in shown
    assert "It cannot be sent to them once more now: issue 1 is stopped" in shown
    refused = sent.run("issue", "retry", "--unknown", "1", code=1)
    assert "issue 1 is stopped, and cannot be sent once more" in refused.stderr
    assert refused.stdout == ""


def test_an_issue_that_is_being_sent_is_said_to_be(sent: Newspaper) -> None:
    attempt(sent, Lane.ISSUES, one_waits)
    assert "Issue 1 of weekly is being sent." in sent.run("issue", "status", "1").stdout
    assert "issue 1 is being sent, not held" in sent.run("issue", "resume", "1", code=1).stderr


@pytest.mark.parametrize("key", [b"\x03", b"\x04"])
def test_the_first_ctrl_c_or_ctrl_d_at_a_question_is_a_no(
    sent: Newspaper, tmp_path: Path, key: bytes
) -> None:
    attempt(sent, Lane.ISSUES, one_waits)
    with at_terminal(sent, tmp_path, "issue", "stop", "1") as terminal:
        terminal.until("[y/N]")
        terminal.press(key)
        terminal.until("secondpost: nothing was changed")
        assert terminal.end() == 1
    assert sent.json_of("issue", "status", "1")["state"] == "sending"
