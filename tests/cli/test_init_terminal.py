"""The dialogue of `secondpost init` on a real terminal."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from secondpost.mail.address import Domain
from tests.cli.newcomer import LINES, Newcomer, Terminal
from tests.cli.test_check_dns import Dns

CTRL_C, CTRL_D = b"\x03", b"\x04"
# What is asked on some machines only.
HERE = ("--listen", "127.0.0.1:2525", "--address", "5.9.8.7")


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    names = Dns()
    names.lines = LINES
    with names.running() as port:
        yield Newcomer(tmp_path, port)


def answer(terminal: Terminal, question: str, typed: str) -> str:
    heard = terminal.until(question)
    terminal.type(typed)
    return heard


def answer_backup(terminal: Terminal, owner: str = "me@elsewhere.example") -> None:
    """A backup of one domain, at home, without a smart host."""
    answer(terminal, "Name of this server", "mx2.example.net")
    answer(terminal, "Domains to back up:", "example.net")
    answer(terminal, "Their recipients [learn]:", "")
    answer(terminal, "Feed of your blog:", "")
    answer(terminal, "Your address", owner)
    answer(terminal, "Smart host, HOST:PORT:", "")


def test_a_dialogue_from_the_first_question_to_the_file(newcomer: Newcomer) -> None:
    with newcomer.at_terminal(*HERE) as terminal:
        heard = answer(terminal, "Name of this server", "mx2.example.net")
        assert "The full name by which other servers find this one" in heard
        answer(terminal, "Domains to back up:", "example.net")
        heard = answer(terminal, "Their recipients [learn]:", "")
        assert "example.net: mail goes to mx1.provider.example (10)." in heard
        answer(terminal, "Feed of your blog:", "https://www.example.net/feed.xml")
        answer(terminal, "Name of the newsletter [weekly]:", "")
        answer(terminal, "Its sender [newsletter@example.net]:", "The Blog <b@example.net>")
        answer(terminal, "When an issue is sent [friday 09:00]:", "")
        answer(terminal, "In the time zone [", "Europe/Oslo")
        answer(terminal, "Your address:", "me@elsewhere.example")
        heard = answer(terminal, "Smart host, HOST:PORT:", "")
        assert "Port 25 seems closed outward: 255.255.255.255 cannot be reached." in heard
        heard = answer(terminal, "Web address of its pages [https://mx2.example.net]:", "")
        assert "warning: Until port 25 is open outward" in heard
        assert terminal.end() == 0
        assert f"Wrote {newcomer.path}." in terminal.heard
        assert "Next, type:" in terminal.heard
    config = newcomer.config
    assert config.newsletters[0].sender == "The Blog <b@example.net>"
    assert config.addresses == ("5.9.8.7",)


def test_a_wrong_option_is_asked_for_at_once(newcomer: Newcomer) -> None:
    with newcomer.at_terminal(*HERE, "--hostname", "mx2", "--backup", "example.net") as terminal:
        heard = answer(terminal, "Name of this server", "mx2.example.net")
        assert '--hostname: "mx2" is not a full domain; write one such as "mx2.example.net"' in heard
        answer(terminal, "Their recipients [learn]:", "")
        terminal.press(CTRL_C)
        assert terminal.end() == 1


def test_a_wrong_answer_says_what_would_be_right_and_asks_again(newcomer: Newcomer) -> None:
    with newcomer.at_terminal(*HERE) as terminal:
        answer(terminal, "Name of this server", "mx2")
        heard = answer(terminal, "Name of this server", "mx2.example.net")
        assert '"mx2" is not a full domain; write one such as "mx2.example.net"' in heard
        answer(terminal, "Domains to back up:", "mx2.example.net")
        heard = answer(terminal, "Domains to back up:", "example.net, example.net")
        assert "this is our own hostname" in heard
        heard = answer(terminal, "Domains to back up:", "example.net")
        assert "this domain has a [[backup]] already" in heard
        answer(terminal, "Their recipients [learn]:", "all of them")
        heard = answer(terminal, "Their recipients [learn]:", "")
        assert "is not one of the forms of recipients" in heard
        answer(terminal, "Feed of your blog:", "none")
        answer(terminal, "Your address:", "")
        heard = answer(terminal, "Your address:", "me@example.net")
        assert "alarms need an address" in heard
        assert "Type one, such as me@elsewhere.example; Ctrl-C leaves, and nothing is written." in heard
        heard = answer(terminal, "Your address:", "me@elsewhere.example")
        assert "every owner address is at a domain that is backed up here" in heard
        answer(terminal, "Smart host, HOST:PORT:", "")
        assert terminal.end() == 0
    assert newcomer.config.addresses == ("5.9.8.7",)


@pytest.mark.parametrize("key", [CTRL_C, CTRL_D])
@pytest.mark.parametrize("question", ["Name of this server", "Their recipients [learn]:", "Smart host"])
def test_leaving_it_at_any_question_writes_nothing(newcomer: Newcomer, question: str, key: bytes) -> None:
    typed = {
        "Name of this server": "mx2.example.net",
        "Domains to back up:": "example.net",
        "Their recipients [learn]:": "",
        "Feed of your blog:": "",
        "Your address:": "me@elsewhere.example",
        "Smart host": "",
    }
    with newcomer.at_terminal(*HERE) as terminal:
        for each, text in typed.items():
            terminal.until(each)
            if each == question:
                break
            terminal.type(text)
        terminal.press(key)
        assert terminal.end() == 1
        assert "secondpost: nothing was written" in terminal.heard
        assert "Traceback" not in terminal.heard
    assert os.listdir(newcomer.folder) == []


def test_a_second_dialogue_shows_what_would_change_and_asks(newcomer: Newcomer) -> None:
    with newcomer.at_terminal(*HERE) as terminal:
        answer_backup(terminal)
        assert terminal.end() == 0
    first = newcomer.path.read_text()
    with newcomer.at_terminal(*HERE) as terminal:
        answer(terminal, "Name of this server [mx2.example.net]:", "")
        answer(terminal, "Domains to back up [example.net]:", "")
        answer(terminal, "Their recipients [learn]:", "")
        answer(terminal, "Feed of your blog:", "")
        answer(terminal, "Your address [me@elsewhere.example]:", "you@elsewhere.example")
        answer(terminal, "Smart host, HOST:PORT:", "")
        heard = terminal.until("Make these changes? The earlier file is kept beside it. [y/N]:")
        assert '-owner     = ["me@elsewhere.example"]' in heard
        terminal.type("")
        assert terminal.end() == 1
    assert newcomer.path.read_text() == first
    with newcomer.at_terminal("--owner", "you@elsewhere.example", "--yes") as terminal:
        assert terminal.end() == 0
        assert "Your address" not in terminal.heard
    assert newcomer.config.hostname == Domain("mx2.example.net")
    kept = [name for name in os.listdir(newcomer.folder) if name.startswith("secondpost.toml.")]
    assert [(newcomer.folder / name).read_text() for name in kept] == [first]


def test_waiting_is_left_with_ctrl_c(newcomer: Newcomer) -> None:
    flags = ("--hostname", "mx2.example.net", "--backup", "example.net", "--owner", "me@elsewhere.example")
    with newcomer.at_terminal(*flags, *HERE, "--yes", "--wait") as terminal:
        shown = terminal.until("records are visible; Ctrl-C ends it. Missing:")
        assert "The same for a zone file:" in shown
        terminal.press(CTRL_C)
        assert terminal.end() == 1
        assert "missing: sp-rsa._domainkey.mx2.example.net TXT" in terminal.heard
        assert (
            "records are still missing; publish what is missing, then type the same again" in terminal.heard
        )
        assert "Traceback" not in terminal.heard


def test_a_yes_in_the_dialogue_changes_the_file(newcomer: Newcomer) -> None:
    newcomer.path.write_text("version = 2\n")
    with newcomer.at_terminal(*HERE) as terminal:
        answer_backup(terminal)
        heard = answer(terminal, "Make these changes?", "y")
        assert "has faults, so nothing of it is taken over" in heard
        assert terminal.end() == 0
    assert newcomer.config.hostname == Domain("mx2.example.net")
