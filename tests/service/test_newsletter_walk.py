"""The running newsletter: a blog, `secondpost serve` with all roles, commands and readers."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from bench.measure import pss_megabytes, settle, tree
from tests.bounce.complaining import report_of
from tests.newsletter.writing import FORMS, atom, json_feed, rss
from tests.processes.proc import command_line
from tests.protocols import dkimpy_says
from tests.service.newsroom import (
    BOUNCES,
    BY_HAND,
    CONFIRMED,
    EVERYTHING,
    Newsroom,
    ask,
    parsed,
    parts_of,
    urls_in,
)
from tests.service.primary import Client, Mail, Primary
from tests.service.test_hard_times import until
from tests.world.web_server import WebServer, answer

IDLE_OCTETS_MAX = 250_000_000  # of memory, all roles together
READERS = ("ada", "bob")  # of every newsletter
CROWD = [f"reader{n}@crowd.example" for n in range(498)]  # with those two, five hundred
SENT_AT_ONCE = ("crowd", "clicks", "letters")
OWNER = "me@elsewhere.example"
ONE_CLICK = "List-Unsubscribe=One-Click"  # RFC 8058 §3.1
FEEDS = {**FORMS, "crowd": json_feed, "letters": rss, "clicks": atom}
DOUBTFUL = ("broken", "refused", "page", "empty", "changed")
HTML_PAGE = b"<!DOCTYPE html><html><head><title>Blog</title></head><body><p>Back soon.</p></body></html>"


@dataclass(frozen=True, slots=True)
class Walk:
    room: Newsroom
    pages: dict[str, bytes | None]
    readers: Primary

    def blog_says(self, name: str, document: bytes, status: str = "200 OK") -> None:
        """Set the document of that newsletter's feed."""
        self.pages[f"/{name}"] = answer(status, document)

    def mails(self, address: str) -> list[Mail]:
        return [mail for mail in self.readers.mails if mail.recipients == (address,)]

    def mail(self, address: str, number: int = 1) -> Mail:
        """Wait for the reader's n-th mail and return it."""
        until(f"{address} has mail {number}", lambda: len(self.mails(address)) >= number)
        return self.mails(address)[number - 1]

    def begin_to_send(self, name: str, number: int) -> None:
        """Start sending an issue in a process of its own; it must be possible."""
        done = self.room.run("issue", "send", name, "--json")
        assert done.returncode == 0, (done.stdout, done.stderr)
        assert json.loads(done.stdout)["number"] == number

    def wait_until_done(self, name: str, number: int) -> None:
        until(f"issue {number} of {name} is done", lambda: self.room.is_done(name, number))

    def wait_until_quiet(self) -> None:
        """Wait until the issues sent at the start are done."""
        for name in SENT_AT_ONCE:
            self.wait_until_done(name, 1)

    def send(self, name: str, number: int) -> None:
        self.begin_to_send(name, number)
        self.wait_until_done(name, number)

    def refused(self, name: str) -> str:
        """The stated reason why there is no issue."""
        sent = self.room.json_of("issue", "send", name, code=1)
        assert (sent["sent"], sent["number"]) == (False, None)
        return str(sent["reason"])

    def has_a_crowd(self, folder: Path) -> None:
        listed = folder / "readers.csv"
        listed.write_text("\n".join(CROWD) + "\n")
        added = self.room.json_of("subscribers", "import", "crowd", str(listed), *CONFIRMED)["added"]
        assert added == len(CROWD)

    def state(self, name: str, address: str) -> str:
        [(state,)] = self.room.rows(
            "SELECT state FROM subscriber WHERE newsletter = ? AND key = ?", name, address
        )
        return str(state)

    def look_at_all(self, mail: Mail) -> None:
        """Open all links, as virus scanners do."""
        for url in sorted(urls_in(mail)):
            for method in ("GET", "HEAD"):
                assert ask(url, method).status < 500


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("walk")
    names = (*FEEDS, *DOUBTFUL)
    pages: dict[str, bytes | None] = {
        f"/{name}": answer("200 OK", FEEDS.get(name, atom)(())) for name in names
    }
    recently = datetime.now(UTC) - timedelta(hours=3)
    pages["/fresh"] = answer("200 OK", rss((1, 2, 3), recently))
    readers = Primary()
    with WebServer(pages).in_a_thread() as blog, readers:
        everything = f"{BY_HAND}\n{EVERYTHING}"
        room = Newsroom(folder, blog, readers.port, {**dict.fromkeys(names, everything), "fresh": BY_HAND})
        try:
            room.have_readers(
                {name: [f"{who}@{name}.example" for who in READERS] for name in (*names, "fresh")}
            )
            room.start()
            room.wait_for_roles()
            walk = Walk(room, pages, readers)
            # Started first, so that they are sent while other tests run.
            walk.has_a_crowd(folder)
            for name in SENT_AT_ONCE:
                walk.blog_says(name, FEEDS[name]((1, 2)))
                walk.begin_to_send(name, 1)
            yield walk
            assert "role-died" not in room.log.read_text()
        finally:
            room.end()


# ---------------------------------------------------------------- from a feed to an issue


def test_no_article_is_no_issue_one_is_none_and_two_are_one(walk: Walk) -> None:
    """In each form of feed; slow steps run for all three at once."""
    for numbers in ((), (1,)):
        for form, written in FORMS.items():
            walk.blog_says(form, written(numbers))
            shown = walk.room.json_of("issue", "next", form)
            assert (shown["articles"], shown["minimum"], shown["ready"]) == (len(numbers), 2, False)
            assert f"{len(numbers)} of 2 articles" in str(shown["reason"])
    done = walk.room.run("issue", "send", "atom")
    assert done.returncode == 1
    assert "nothing was sent: 1 of 2 articles" in done.stderr
    for form, written in FORMS.items():
        assert "1 of 2 articles" in walk.refused(form)
        assert walk.room.rows("SELECT * FROM issue WHERE newsletter = ?", form) == []
        walk.blog_says(form, written((1, 2)))
        walk.begin_to_send(form, 1)
    for form in FORMS:
        for who in READERS:
            for part in parts_of(parsed(walk.mail(f"{who}@{form}.example"))):
                assert [n for n in range(1, 4) if f"Article {n}" in part] == [1, 2]
        walk.wait_until_done(form, 1)
        assert "0 of 2 articles" in walk.refused(form)
        assert len(walk.mails(f"ada@{form}.example")) == len(walk.mails(f"bob@{form}.example")) == 1
    done = walk.room.run("issue", "send", "atom", "--no-fetch")
    assert done.returncode == 1
    assert "nothing was sent: 0 of 2 articles" in done.stderr


def test_what_stood_in_the_feed_at_first_sight_is_never_mailed(walk: Walk) -> None:
    until(
        "it was looked at",
        lambda: walk.room.rows("SELECT state FROM article WHERE newsletter = 'fresh'") != [],
    )
    recently = datetime.now(UTC) - timedelta(hours=2)
    for numbers, articles in (((1, 2, 3), 0), ((1, 2, 3, 4), 1)):
        walk.blog_says("fresh", rss(numbers, recently))
        assert walk.room.json_of("issue", "next", "fresh")["articles"] == articles
    walk.blog_says("fresh", rss((1, 2, 3, 4, 5), recently))
    walk.begin_to_send("fresh", 1)
    text, html = parts_of(parsed(walk.mail("ada@fresh.example")))
    for part in (text, html):
        assert [number for number in range(1, 6) if f"Article {number}" in part] == [4, 5]


@pytest.mark.parametrize("name", DOUBTFUL)
def test_a_feed_in_doubt_adds_and_removes_and_sends_nothing(walk: Walk, name: str) -> None:
    room = walk.room
    known = 0 if name == "refused" else 1
    walk.blog_says(name, atom(range(1, known + 1)))
    assert room.json_of("issue", "next", name)["articles"] == known
    before = room.rows("SELECT guid, state, issue FROM article WHERE newsletter = ?", name)
    match name:
        case "broken":
            walk.blog_says(name, b"sorry", "500 Internal Server Error")
            words = "The server has a problem (HTTP 500)"
        case "refused":
            words = "cannot be fetched"
        case "page":
            walk.blog_says(name, HTML_PAGE)
            words = "HTML"
        case "empty":
            walk.blog_says(name, atom(()))
            words = "empty, and it was not before"
        case _:
            # If only the ids change, articles are recognised by links and words.
            walk.blog_says(name, atom((1,), id="tag:{n}"))
            shown = room.json_of("issue", "next", name)
            assert (shown["articles"], shown["ready"]) == (1, False)
            assert "problem with the feed" not in str(shown["reason"])
            walk.blog_says(name, atom((11, 12, 13)))
            words = "new at once: their ids may have changed"
    shown = room.json_of("issue", "next", name)
    assert (shown["articles"], shown["ready"]) == (known, False)
    assert "problem with the feed" in str(shown["reason"])
    assert words in str(shown["reason"])
    assert words in walk.refused(name)
    after = room.rows("SELECT guid, state, issue FROM article WHERE newsletter = ? AND state <> 'held'", name)
    if name == "changed":
        assert [row[1:] for row in after] == [row[1:] for row in before]
    else:
        assert after == before
    assert room.rows("SELECT * FROM issue WHERE newsletter = ?", name) == []
    assert walk.mails(f"ada@{name}.example") == []


# ---------------------------------------------------------------- delivered mail


def test_five_hundred_mails_are_signed_twice_and_have_all_that_was_promised(walk: Walk) -> None:
    walk.wait_until_done("crowd", 1)
    addresses = {*CROWD, *(f"{who}@crowd.example" for who in READERS)}
    status = walk.room.json_of("issue", "status", "crowd")
    many = len(addresses)
    assert (status["planned"], status["delivered"], status["adds_up"]) == (many, many, True)
    mails = [mail for mail in walk.readers.mails if mail.recipients[0].endswith("@crowd.example")]
    assert sorted(mail.recipients for mail in mails) == sorted((address,) for address in addresses)
    known = {mail: parsed(mail) for mail in mails}
    txt = walk.room.dns()
    for mail, message in known.items():
        assert [dkimpy_says.accepts(mail.content, which, txt) for which in (0, 1)] == [True, True]
        _has_what_was_promised(walk, mail, message)
    for unique in (
        {mail.sender for mail in mails},
        {str(message["Message-ID"]) for message in known.values()},
        {_leave_url(message) for message in known.values()},
    ):
        assert len(unique) == many == 500


def _has_what_was_promised(walk: Walk, mail: Mail, message: EmailMessage) -> None:
    signed = [str(field) for field in message.get_all("DKIM-Signature", [])]
    assert sorted(re.sub(r".*a=([^;]*);.*", r"\1", field, flags=re.DOTALL) for field in signed) == [
        "ed25519-sha256",
        "rsa-sha256",
    ]
    for field in signed:
        [names] = re.findall(r";h=([^;]*);", re.sub(r"\s", "", field))
        assert {"from", "list-unsubscribe", "list-unsubscribe-post"} <= set(names.split(":"))
    assert re.fullmatch(rf"b-[a-z2-7]+@{BOUNCES}", mail.sender) is not None
    assert message["From"] == "The Blog <newsletter@example.net>"
    assert message["To"] == mail.recipients[0]
    assert message["List-Id"].endswith("<crowd.example.net>")
    assert message["List-Unsubscribe-Post"] == ONE_CLICK
    assert re.fullmatch(r"<[^<>@\s]+@example\.net>", message["Message-ID"]) is not None
    assert abs(message["Date"].datetime - datetime.now(UTC)) < timedelta(minutes=10)
    page, mailto = _leave_url(message), _leave_address(message)
    assert page.startswith(f"{walk.room.web}/leave/")
    assert re.fullmatch(rf"leave-[a-z2-7]+@{BOUNCES}", mailto) is not None
    for part in parts_of(message):
        assert page in part


def _leave_url(message: EmailMessage) -> str:
    [url] = re.findall(r"<(http[^<>]*)>", re.sub(r"\s", "", message["List-Unsubscribe"]))
    return str(url)


def _leave_address(message: EmailMessage) -> str:
    [address] = re.findall(r"<mailto:([^<>]*)>", re.sub(r"\s", "", message["List-Unsubscribe"]))
    return str(address)


# ---------------------------------------------------------------- readers and programs


def test_looking_at_every_link_of_a_confirmation_confirms_nothing(walk: Walk) -> None:
    room, address = walk.room, "cid@letters.example"
    assert ask(f"{room.web}/letters/", "POST", f"email={address}").status == 200
    asking = walk.mail(address)
    walk.wait_until_quiet()
    until(
        "it is written down that it was sent",
        lambda: room.rows("SELECT state FROM delivery WHERE issue IS NULL AND state <> 'delivered'") == [],
    )
    before = room.contents()
    walk.look_at_all(asking)
    assert room.contents() == before
    assert walk.state("letters", address) == "pending"
    [confirm] = [url for url in urls_in(asking) if "/confirm/" in url]
    assert ask(confirm, "POST").status == 200
    assert walk.state("letters", address) == "active"


def test_looking_at_every_link_of_an_issue_changes_nothing_and_one_click_leaves(walk: Walk) -> None:
    room, address = walk.room, "ada@clicks.example"
    walk.wait_until_quiet()
    mail = walk.mail(address)
    assert {"leave", "me", "clicks"} <= {url.removeprefix(room.web).split("/")[1] for url in urls_in(mail)}
    readers = room.command("subscribers", "export", "clicks")
    before = room.contents()
    walk.look_at_all(mail)
    assert room.contents() == before
    assert room.command("subscribers", "export", "clicks") == readers
    assert room.json_of("issue", "status", "clicks")["delivered"] == len(READERS)

    left = ask(_leave_url(parsed(mail)), "POST", ONE_CLICK)
    assert (left.status, left.location) == (200, None)
    assert room.json_of("subscribers", "show", "clicks", address)["state"] == "left"
    walk.blog_says("clicks", atom((1, 2, 3, 4)))
    walk.send("clicks", 2)
    assert len(walk.mails("bob@clicks.example")) == 2
    assert len(walk.mails(address)) == 1


# ---------------------------------------------------------------- incoming mail


def returned(mail: Mail) -> bytes:
    """The report of a reader's server whose mailbox is gone (RFC 3464)."""
    return (
        "From: MAILER-DAEMON@readers.example\r\nTo: you\r\nSubject: Undelivered\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.readers.example\r\n\r\n"
        f"Final-Recipient: rfc822; {mail.recipients[0]}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n--b--\r\n"
    ).encode()


def test_what_comes_by_mail_counts_leaves_confirms_and_joins(walk: Walk) -> None:
    room = walk.room
    ada, bob = walk.mail("ada@letters.example"), walk.mail("bob@letters.example")
    client = Client(room.port)
    try:
        # A report to the envelope sender of the mail.
        assert client.send(returned(ada), ada.sender, "").startswith("250 ")
        counted = (
            "SELECT reader.key, issue.newsletter, issue.number, bounce.kind, status FROM bounce "
            "JOIN subscriber AS reader ON reader.id = bounce.subscriber JOIN issue ON issue.id = bounce.issue"
        )
        until("it is counted", lambda: len(room.rows(counted)) == 1)
        assert room.rows(counted) == [("ada@letters.example", "letters", 1, "dead", "5.1.1")]

        # An address without a reader, and a forged one.
        token = bob.sender.partition("@")[0].removeprefix("b-")
        forged = token[:-5] + ("b" if token[-5] != "b" else "c") + token[-4:]
        for local in (f"b-{forged}", f"leave-{token}", "b-abcdefgh", "join-nothing", "somebody"):
            assert client.send(b"\r\n", f"{local}@{BOUNCES}", "").startswith("550 5.1.1"), local

        # Leaving by mail with any content.
        assert client.send(b"\r\n", _leave_address(parsed(bob)), "bob@letters.example").startswith("250 ")
        until("bob has left", lambda: walk.state("letters", "bob@letters.example") == "left")

        # Joining by mail, and confirming by a reply.
        joining = b"From: Dot <dot@letters.example>\r\nSubject: please\r\n\r\n\r\n"
        to = f"join-letters@{BOUNCES}"
        assert client.send(joining, to, "dot@letters.example").startswith("250 ")
        asking = walk.mail("dot@letters.example")
        assert walk.state("letters", "dot@letters.example") == "pending"
        reply_to = str(parsed(asking)["Reply-To"])
        assert re.fullmatch(rf"confirm-[a-z2-7]+@{BOUNCES}", reply_to) is not None
        assert client.send(joining, reply_to, "dot@letters.example").startswith("250 ")
        until("dot is a reader", lambda: walk.state("letters", "dot@letters.example") == "active")
    finally:
        client.close()


def test_a_complaint_to_the_address_in_the_mail_or_to_abuse_ends_the_subscription(walk: Walk) -> None:
    room, provider = walk.room, "fbl@provider.example"
    walk.wait_until_done("crowd", 1)
    one, other, third = (walk.mail(address) for address in CROWD[:3])
    to = str(parsed(one)["CFBL-Address"]).partition(";")[0]
    assert re.fullmatch(rf"f-[a-z2-7]+@{BOUNCES}", to) is not None
    client = Client(room.port)
    try:
        assert client.send(report_of(b"Subject: Articles"), to, provider).startswith("250 ")
        until("the first complained", lambda: walk.state("crowd", CROWD[0]) == "complained")

        # To an address that a sender registers by hand, with the mail but for its To.
        seen = b"\r\n".join(line for line in other.content.split(b"\r\n") if not line.startswith(b"To: "))
        assert client.send(report_of(seen), f"abuse@{BOUNCES}", provider).startswith("250 ")
        until("the second complained", lambda: walk.state("crowd", CROWD[1]) == "complained")
        until("the owner has it too", lambda: len(_reports_to_owner(walk)) == 1)

        # A forged one: its sender knows only the address and the Message-ID.
        known = f"To: {CROWD[2]}\r\nMessage-ID: {parsed(third)['Message-ID']}".encode()
        assert client.send(report_of(known), f"abuse@{BOUNCES}", provider).startswith("250 ")
        until("it was looked at", lambda: "names a reader: not counted" in room.log.read_text())
        until("the owner has that too", lambda: len(_reports_to_owner(walk)) == 2)
        assert walk.state("crowd", CROWD[2]) == "active"
    finally:
        client.close()


def _reports_to_owner(walk: Walk) -> list[Mail]:
    return [mail for mail in walk.mails(OWNER) if b"message/feedback-report" in mail.content]


# ---------------------------------------------------------------- cost


def parses_feeds(pid: int) -> bool:
    return "secondpost.processes.feed_reader" in command_line(pid)


def test_all_five_roles_are_idle_in_little_memory(walk: Walk) -> None:
    root = walk.room.supervisor
    until("the process that parsed feeds has ended", lambda: not any(map(parses_feeds, tree(root))))
    settle(root)
    used = pss_megabytes(root) * 2**20
    print(f"all processes: {used / 1e6:.0f} MB")
    assert used < IDLE_OCTETS_MAX
