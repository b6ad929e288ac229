"""From composed texts to one reader's mail: a mail program shows exactly what was composed."""

import re
from dataclasses import replace
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest

from secondpost.compose.confirmation import ConfirmationComposer
from secondpost.compose.issue import IssueComposer
from secondpost.compose.masthead import content_of, masthead_of, title_of
from secondpost.config.records import Newsletter, Web
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.issue_content import MARKS, Addressee, IssueContent, ReaderMailKind
from secondpost.protocols.tokens import KEY_OCTETS, KeyRing, Ring
from secondpost.signing.assembly import Assembly, OwnAddresses, ReaderKeys
from tests.compose.articles import DATED_S, article

NEWSLETTER = Newsletter(
    name="weekly",
    sender="The Blog <newsletter@example.net>",
    feeds=("https://blog.example/feed.xml",),
    reply_to="me@example.net",
)
SEED = bytes(16)


def mail_of(content: IssueContent, web: Web) -> EmailMessage:
    keys = ReaderKeys(
        (), KeyRing(Ring.LINKS, {1: bytes(KEY_OCTETS)}), KeyRing(Ring.ADDRESSES, {1: bytes(KEY_OCTETS)})
    )
    own = OwnAddresses(web.url, Domain("mx2.example.net"))
    mail = Assembly(content, keys, own).mail_for(Addressee(7, 12, Mailbox.parse("ann@reader.example")))
    return message_from_bytes(mail.data, policy=default)


def part_of(message: EmailMessage, subtype: str) -> str:
    part = message.get_body((subtype,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


@pytest.mark.parametrize("url", ["https://mx2.example.net", None])
def test_an_issue_arrives_as_it_was_composed(url: str | None) -> None:
    web = Web(url=url)
    masthead = masthead_of(NEWSLETTER, web, "The Blog’s week")
    composed = IssueComposer().compose(masthead, 12, DATED_S, [article(1), article(2)])
    content = content_of(ReaderMailKind.ISSUE, NEWSLETTER, masthead, composed, DATED_S * 1000, SEED)
    message = mail_of(content, web)
    assert message["Subject"] == "Part 1 of the flood · Part 2 of the flood"
    assert message["From"] == "The Blog <newsletter@example.net>"
    assert message["Reply-To"] == "me@example.net"
    text, html = part_of(message, "plain"), part_of(message, "html")
    leave = "mailto:leave-" if url is None else "https://mx2.example.net/leave/"
    view = "mailto:newsletter@example.net" if url is None else "https://mx2.example.net/weekly/12"
    for part in (text, html):
        assert part.count(leave) == 1
        assert part.count(view) == (0 if url is None else 1)  # no link to pages that do not exist
    for composed_part, part in ((composed.text, text), (composed.html, html)):
        between = re.split("[{0}{1}][A-Z_]+[{0}{1}]".format(*sorted(MARKS)), composed_part)
        assert len(between) == (2 if url is None else 4)
        assert all(piece.strip() in part for piece in between)


@pytest.mark.parametrize("url", ["https://mx2.example.net", None])
def test_a_confirmation_asks_once(url: str | None) -> None:
    web = Web(url=url)
    content = ConfirmationComposer().content(NEWSLETTER, web, "The Blog", DATED_S * 1000, SEED)
    message = mail_of(content, web)
    assert message["Subject"] == "Please confirm your subscription to The Blog"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] is None
    confirm = "mailto:confirm-" if url is None else "https://mx2.example.net/confirm/"
    for subtype in ("plain", "html"):
        part = part_of(message, subtype)
        assert part.count(confirm) == 1
        assert "ann@" not in part
    assert ("open this page" in part_of(message, "plain")) == (url is not None)


def test_a_title_is_found_in_every_case() -> None:
    assert title_of(replace(NEWSLETTER, title=" A  title "), "The feed") == "A title"
    assert title_of(NEWSLETTER, "The feed") == "The feed"
    assert title_of(NEWSLETTER, " ") == "weekly"
