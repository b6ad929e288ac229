"""The owner's commands are right about deferred and refused mail to readers, and about a rename.

The real service with the readers' mail server; the newsletter is renamed while mails with its old
name lie in mailboxes.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.newsletter.writing import atom
from tests.service.newsroom import BOUNCES, BY_HAND, EVERYTHING, Newsroom, ask, parsed, urls_in
from tests.service.primary import Client, Mail, Primary
from tests.service.test_hard_times import until
from tests.world.web_server import WebServer, answer

ADA, BOB, EVE, NEW = (f"{who}@reader.example" for who in ("ada", "bob", "eve", "new"))
PUT_OFF, REFUSED = "451 4.2.1 greylisted, come again", "550 5.1.1 no such mailbox"


class Choosy(Primary):
    """Defers and refuses the given recipients."""

    def __init__(self) -> None:
        super().__init__()
        self.puts_off: set[str] = set()
        self.refuses: set[str] = set()

    def _recipient(self, mailbox: str) -> bytes:
        if mailbox in self.puts_off:
            return f"{PUT_OFF}\r\n".encode()
        if mailbox in self.refuses:
            return f"{REFUSED}\r\n".encode()
        return super()._recipient(mailbox)


class Story:
    def __init__(self, folder: Path, blog: WebServer, readers: Choosy) -> None:
        self.readers = readers
        self.room = Newsroom(folder, blog, readers.port, {"weekly": f"{BY_HAND}\n{EVERYTHING}"})

    def mails(self, address: str) -> list[Mail]:
        return [mail for mail in self.readers.mails if mail.recipients == (address,)]

    def mail(self, address: str, number: int = 1) -> Mail:
        until(f"{address} has mail {number}", lambda: len(self.mails(address)) >= number)
        return self.mails(address)[number - 1]

    def status(self) -> dict[str, int]:
        found = self.room.json_of("status")["readers_mail"]
        assert isinstance(found, dict)
        return found

    def named(self, name: str, before: str) -> None:
        text = self.room.config.read_text()
        self.room.config.write_text(text.replace(f'name   = "{before}"', f'name   = "{name}"'))


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    pages: dict[str, bytes | None] = {"/weekly": answer("200 OK", atom((1, 2)))}
    with WebServer(pages).in_a_thread() as blog, Choosy() as readers:
        shown = Story(tmp_path, blog, readers)
        try:
            shown.room.have_readers({"weekly": [ADA, BOB, EVE]})
            yield shown
            assert "role-died" not in shown.room.log.read_text()
        finally:
            shown.room.end()


def test_what_readers_servers_say_is_what_the_owner_is_told(story: Story) -> None:
    room = story.room
    story.readers.puts_off.add(BOB)
    story.readers.refuses.add(EVE)
    room.start()
    room.wait_for_roles()
    assert room.run("issue", "send").returncode == 0
    story.mail(ADA)
    until("one is put off and one refused", lambda: story.status()["deferred"] == 1)
    until("the refusal is written down", lambda: room.json_of("issue", "status")["failed"] == 1)
    status = room.run("status").stdout
    assert "Nothing waits" not in status
    assert "Mail to readers: 1 of an issue waits (1 put off so far)." in status
    assert PUT_OFF in status
    waiting = room.json_of("issue", "status", "--waiting")["mails"]
    failed = room.json_of("issue", "status", "--failed")["mails"]
    assert isinstance(waiting, list)
    assert isinstance(failed, list)
    assert [(mail["address"], mail["attempts"], mail["reply"]) for mail in waiting] == [(BOB, 1, PUT_OFF)]
    assert [(mail["address"], mail["attempts"], mail["reply"]) for mail in failed] == [(EVE, 1, REFUSED)]
    assert waiting[0]["due"] > waiting[0]["last"]
    assert "Mail to readers is not in this list: 1 of an issue waits" in room.run("queue", "list").stdout
    shown = room.run("queue", "show", waiting[0]["id"]).stdout
    assert f"to {BOB}: waiting; 1 try; last " in shown
    assert PUT_OFF in room.run("trace", waiting[0]["id"]).stdout
    story.readers.refuses.add(NEW)
    assert ask(f"{room.web}/weekly/", "POST", f"email={NEW.replace('@', '%40')}").status == 200
    until("the confirmation failed", lambda: story.status()["confirmations_failed"] == 1)
    assert f"1 confirmation failed in the last 7 days, the newest to {NEW}" in room.run("status").stdout
    assert REFUSED in room.run("subscribers", "show", NEW).stdout


def test_a_newsletter_with_another_name_keeps_its_readers_and_its_links(story: Story) -> None:
    room = story.room
    room.start()
    room.wait_for_roles()
    assert room.run("issue", "send").returncode == 0
    old = {address: story.mail(address) for address in (ADA, BOB, EVE)}
    until("it is done", lambda: room.is_done("weekly", 1))
    assert ask(f"{room.web}/weekly/", "POST", f"email={NEW.replace('@', '%40')}").status == 200
    confirm = next(url for url in urls_in(story.mail(NEW)) if "/confirm/" in url)
    room.stop()
    story.named("daily", "weekly")
    assert "newsletter rename weekly daily" in room.run("check", "config").stdout
    room.start()
    until("it is said", lambda: "about=newsletter-unnamed" in room.log.read_text())
    assert "weekly" in re.findall(r"alarm about=newsletter-unnamed.*", room.log.read_text())[0]
    renamed = room.run("newsletter", "rename", "weekly", "daily")
    assert renamed.returncode == 0, renamed.stderr
    assert "no faults" in room.run("check", "config").stdout
    # Links in delivered mails keep working.
    view = next(url for url in urls_in(old[ADA]) if url.endswith("/weekly/1"))
    moved = ask(view)
    assert (moved.status, moved.location) == (308, "/daily/1")
    assert ask(f"{room.web}/daily/1").status == 200
    leave = next(url for url in urls_in(old[BOB]) if "/leave/" in url)
    assert ask(leave, "POST", "List-Unsubscribe=One-Click").status == 200
    assert ask(confirm, "POST").status == 200
    client = Client(room.port)
    joined = client.send(f"From: {ADA}\r\n\r\nhi\r\n".encode(), f"join-weekly@{BOUNCES}", ADA)
    client.close()
    assert joined.startswith("250 ")
    states = room.rows("SELECT key, state FROM subscriber WHERE newsletter = 'daily' ORDER BY key")
    assert states == [(ADA, "active"), (BOB, "left"), (EVE, "active"), (NEW, "active")]
    # No article of the first issue is new.
    following = room.json_of("issue", "next")
    assert (following["articles"], following["newsletter"]) == (0, "daily")


def test_a_rename_that_was_killed_is_finished_by_the_service(story: Story) -> None:
    room = story.room
    room.start()
    room.wait_for_roles()
    assert room.run("issue", "send").returncode == 0
    until("it is done", lambda: room.is_done("weekly", 1))
    room.stop()
    story.named("daily", "weekly")
    room.write("INSERT INTO former_name VALUES ('weekly', 'daily', 1, 'daily', 0)")
    room.start()
    until("it is moved", lambda: room.rows("SELECT is_done FROM former_name") == [(1,)])
    assert room.rows("SELECT DISTINCT newsletter FROM subscriber") == [("daily",)]
    assert room.rows("SELECT newsletter, number FROM issue") == [("daily", 1)]
    message = parsed(story.mails(ADA)[0])
    assert message["List-Id"].endswith("<weekly.example.net>")
