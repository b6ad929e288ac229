"""Opening any link of any mail that this server makes changes nothing; only a POST does.

Mail scanners follow every link before a reader sees the mail. The links are taken from mails that are
really composed, so that a link which a template gains is followed here too.
"""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from html import unescape
from pathlib import Path
from urllib.parse import urljoin, urlsplit
from zoneinfo import ZoneInfo

import pytest

import secondpost
from secondpost.compose.alarm_mail import alarm_subject, alarm_text
from secondpost.compose.approval_mail import IssueToApprove, approval_subject, approval_text
from secondpost.compose.confirmation import ConfirmationComposer
from secondpost.compose.own_mail import OwnHeading, own_message
from secondpost.compose.report_mail import Figures, report_subject, report_text
from secondpost.compose.self_test import self_test_message
from secondpost.config.records import Newsletter
from secondpost.mail.address import Mailbox
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.approval_link import approval_url
from secondpost.mail.issue_content import Addressee, IssueContent
from secondpost.mail.owner_notice import AlarmRecord, News, Notice, ReportKind
from secondpost.mail.queue_id import QueueId
from secondpost.mail.subscriber import Subscriber, SubscriberState
from secondpost.newsletter.render import DigestRenderer
from secondpost.protocols.tokens import KEY_OCTETS, KeyRing, Ring
from secondpost.protocols.verp import CONFIRMATION
from secondpost.signing.assembly import Assembly, OwnAddresses, ReaderKeys
from secondpost.world.real.dice import RealDice
from tests.compose.articles import article
from tests.web.service import CONFIG, NEWSLETTER, Service
from tests.web.test_approval import SECRET, action, asked, is_approved, waiting

pytestmark = pytest.mark.anyio

BASE = "https://mx2.example.net"
UTC = ZoneInfo("UTC")
SOURCES = Path(secondpost.__file__).parent
# The modules that write a message, and those that word one to the owner. A new one belongs into
# `mails_of`, with all its links.
WRITERS = {"compose/own_mail.py", "compose/self_test.py", "protocols/mime/issue_mail.py"}
TO_THE_OWNER = {"alarm_mail.py", "approval_mail.py", "report_mail.py"}
_URL = re.compile(r"https?://[^\s\"'<>]+")
_LINK = re.compile(r"(?:href|action|src)=\"([^\"]+)\"")


@dataclass(frozen=True, slots=True)
class Mails:
    """Every kind of mail, by a name for it; and who gets the readers' mails."""

    by_kind: dict[str, bytes]
    active: Subscriber
    pending: Subscriber


async def no_title(_: Newsletter) -> str:
    return "The Blog"


async def mails_of(service: Service) -> Mails:
    active = await service.reader("ann@reader.example")
    await service.sign_up("bob@reader.example")
    pending = await service.found("bob@reader.example")
    issue, now_ms = await service.sent_issue(), service.clock.ms
    await asked(service, await waiting(service, 3, 4))
    renderer = DigestRenderer(CONFIG.web, RealDice(), no_title)
    stored = IssueContent.decode(await service.store.issue_content(issue.id))
    letter = await renderer.letter(NEWSLETTER, 2, now_ms, "Sorry", "We were wrong, and we are sorry. " * 9)
    test_copy = await renderer.test_copy(NEWSLETTER, now_ms, [article(1)], 1, "Look, **please**.")
    confirmation = ConfirmationComposer().content(NEWSLETTER, CONFIG.web, "The Blog", now_ms, bytes(16))
    return Mails(
        {
            "issue": assembled(service, stored, active, issue.number),
            "letter": assembled(service, letter.content, active, issue.number),
            "test copy": assembled(service, test_copy.content, active, issue.number),
            "confirmation": assembled(service, confirmation, pending, CONFIRMATION),
            **dict(to_the_owner(now_ms)),
            "self-test": self_test_message(CONFIG.hostname, Mailbox.parse("a@example.net"), "q7m2", now_ms),
        },
        active,
        pending,
    )


def assembled(service: Service, content: IssueContent, reader: Subscriber, number: int) -> bytes:
    keys = ReaderKeys((), service.links, KeyRing(Ring.ADDRESSES, {1: bytes(KEY_OCTETS)}))
    assembly = Assembly(content, keys, OwnAddresses(CONFIG.web.url, CONFIG.bounces))
    return assembly.mail_for(Addressee(reader.id, number, reader.mailbox)).data


def to_the_owner(now_ms: int) -> Iterator[tuple[str, bytes]]:
    heading = OwnHeading(CONFIG.hostname, CONFIG.owner, QueueId(1), now_ms)
    to_approve = IssueToApprove("weekly", 12, [article(3)], now_ms, approval_url(BASE, SECRET))
    yield (
        "approval",
        own_message(heading, approval_subject(heading, to_approve), approval_text(to_approve, UTC)),
    )
    for kind in AlarmKind:
        alarm = AlarmRecord(kind, "weekly", "publish", now_ms, f"see {BASE}/weekly/", now_ms, now_ms, now_ms)
        for news in News:
            notices = [Notice(news, alarm)]
            text = alarm_text(notices, UTC)
            yield f"alarm {kind} {news}", own_message(heading, alarm_subject(heading, notices), text)
        standing = [alarm]
        for report in ReportKind:
            text = report_text(report, standing, Figures([], 1, [], ["weekly"]), UTC, now_ms)
            subject = report_subject(report, standing, heading)
            yield f"report {report} {kind}", own_message(heading, subject, text)


def urls_in(data: bytes) -> set[str]:
    """All URLs of the header and of each part."""
    message = message_from_bytes(data, policy=default)
    assert isinstance(message, EmailMessage)
    texts = [str(value) for value in message.values()]
    texts += [str(part.get_content()) for part in message.walk() if not part.is_multipart()]
    return {unescape(url).rstrip(".,;)") for text in texts for url in _URL.findall(text)}


def ours(urls: set[str]) -> set[str]:
    return {url for url in urls if url.startswith(f"{BASE}/")}


def pages(urls: set[str]) -> set[str]:
    """The first part of each path."""
    return {urlsplit(url).path.split("/")[1] for url in urls}


def test_no_mail_is_made_that_is_not_looked_at_here() -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py")}
    writers = {
        str(path.relative_to(SOURCES)) for path, text in sources.items() if '"MIME-Version: 1.0"' in text
    }
    assert writers == WRITERS
    wording = {
        path.name for path, text in sources.items() if "OwnHeading" in text and path.parent.name == "compose"
    }
    assert wording == TO_THE_OWNER | {"own_mail.py"}


async def test_looking_at_every_link_of_every_mail_changes_nothing(service: Service) -> None:
    """Catalogue row 53: a scanner confirms, leaves or approves by GET."""
    mails = await mails_of(service)
    found = {kind: ours(urls_in(data)) for kind, data in mails.by_kind.items()}
    assert pages(found["issue"]) == {"leave", "me", "weekly"}
    assert pages(found["letter"]) == {"leave", "me", "weekly"}
    assert {"leave", "me"} <= pages(found["test copy"])
    assert pages(found["confirmation"]) == {"confirm", "weekly"}
    assert pages(found["approval"]) == {"approve"}
    before = service.contents()
    behind: set[str] = set()
    for url in sorted(set().union(*found.values())):
        for method in ("GET", "HEAD"):
            response = await service.client.request(method, url)
            assert response.status_code in (200, 302, 308), (method, url)
            behind |= {urljoin(url, unescape(link)) for link in _LINK.findall(response.text)}
    # Scanners follow what the pages lead to as well.
    for url in sorted(ours(behind)):
        for method in ("GET", "HEAD"):
            assert (await service.client.request(method, url)).status_code < 500, (method, url)
    assert service.contents() == before
    assert (await service.found("ann@reader.example")).state is SubscriberState.ACTIVE
    assert (await service.found("bob@reader.example")).state is SubscriberState.PENDING
    assert not await is_approved(service)


@asynccontextmanager
async def changed(service: Service) -> AsyncIterator[None]:
    """What is done within changes the store, so that the comparison above can fail."""
    before = service.contents()
    yield
    assert service.contents() != before


async def test_a_post_to_the_same_links_leaves_confirms_and_approves(service: Service) -> None:
    mails = await mails_of(service)
    [confirm] = [url for url in ours(urls_in(mails.by_kind["confirmation"])) if "/confirm/" in url]
    [leave] = {url for url in ours(urls_in(mails.by_kind["letter"])) if "/leave/" in url}
    [approve] = ours(urls_in(mails.by_kind["approval"]))
    async with changed(service):
        await service.client.post(confirm)
    async with changed(service):
        await service.client.post(leave)
    async with changed(service):
        await service.client.post(action((await service.client.get(approve)).text))
    assert (await service.found("bob@reader.example")).state is SubscriberState.ACTIVE
    assert (await service.found("ann@reader.example")).state is SubscriberState.LEFT
    assert await is_approved(service)


@pytest.mark.parametrize("is_multipart", [False, True])
async def test_one_click_leaves_in_both_encodings(service: Service, is_multipart: bool) -> None:
    """RFC 8058 §3.2: the POST that List-Unsubscribe and List-Unsubscribe-Post of an issue ask for."""
    mails = await mails_of(service)
    message = message_from_bytes(mails.by_kind["issue"], policy=default)
    [url] = re.findall(r"<(https://[^>]+)>", str(message["List-Unsubscribe"]))
    name, _, value = str(message["List-Unsubscribe-Post"]).partition("=")
    assert (name, value) == ("List-Unsubscribe", "One-Click")
    if is_multipart:
        response = await service.client.post(url, files={name: (None, value.encode())})
        assert response.request.headers["content-type"].startswith("multipart/form-data")
    else:
        response = await service.client.post(url, data={name: value})
        assert response.request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert (response.status_code, response.headers.get("location")) == (200, None)
    assert (await service.found("ann@reader.example")).state is SubscriberState.LEFT
