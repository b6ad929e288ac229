"""The public pages with real requests and a real store."""

import html
import json
import re
from contextlib import closing
from dataclasses import asdict, replace
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import quote
from xml.etree import ElementTree

import apsw
import httpx2
import pytest
from msgspec import structs

from secondpost.compose.templating import Templates, TemplateValue
from secondpost.config.records import Web
from secondpost.mail.address import Mailbox
from secondpost.mail.delivery import State
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.issue_content import IssueContent
from secondpost.mail.subscriber import NO_SUBSCRIBER, SubscriberState
from secondpost.owner.reader_documents import reader_document
from secondpost.protocols.tokens import Purpose
from secondpost.signing.assembly import Assembly
from secondpost.store.subscriber_ports import Imported, SignedUp, SignUpLimits
from secondpost.subscribers.reader_desk import ReadersDesk
from secondpost.web.app import headers_of
from secondpost.web.public import SIGN_UPS_MAX, TRAP
from secondpost.web.reader import BAD_TOKENS_MAX, MAIL_WORDS, STATE_WORDS
from tests.compose.articles import article
from tests.stations.test_assembly import KEYS, WITH_WEB, parsed, parts_of, reader
from tests.web.service import AGREED, Service

pytestmark = pytest.mark.anyio

ATOM = "{http://www.w3.org/2005/Atom}"
VOID = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "{{ 7 * 7 }}",
    "{% include 'x' %}",
    "</title><script>alert(1)</script>",
    "javascript:alert(1)",
    "a@b.example<script>alert(1)</script>",
    "\x00\x01\u2028\ufdd0LEAVE_URL\ufdd1",
    "%3Cscript%3E",
)


class Page(HTMLParser):
    """Checks HTML: every element is closed in order, ids are unique, every field has a label."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.faults: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.words: list[str] = []  # visible words
        self.values: list[str] = []  # values of address fields
        self.labelled: set[str] = set()
        self.feed(html)
        self.close()
        if not html.startswith("<!DOCTYPE html>\n"):
            self.faults.append("no doctype")
        if len(self.open) > 0:
            self.faults.append(f"left open: {self.open}")
        if self.tags.count("h1") > 1 or self.tags.count("title") != 1:
            self.faults.append("more than one h1, or not one title")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        names = [name for name, _ in attrs]
        values = dict(attrs)
        if len(set(names)) < len(names):
            self.faults.append(f"an attribute twice in <{tag}>")
        self.faults += [f"{name} in <{tag}>" for name in names if name.startswith("on") or name == "style"]
        if tag == "html" and not values.get("lang"):
            self.faults.append("no language")
        if tag == "label" and values.get("for"):
            self.labelled.add(values["for"] or "")
        if tag == "input" and values.get("type") == "email" and values.get("id") not in self.labelled:
            self.faults.append("a field without a label")
        if tag == "input" and values.get("type") == "email" and "value" in values:
            self.values.append(values["value"] or "")
        if "id" in values:
            self.ids.append(values["id"] or "")
        self.links += [value or "" for name, value in attrs if name in ("href", "action")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_endtag(self, tag: str) -> None:
        if len(self.open) == 0 or self.open[-1] != tag:
            self.faults.append(f"</{tag}> where {self.open[-1:]} is open")
        else:
            self.open.pop()


def check_page(response: httpx2.Response) -> Page:
    """What holds for every page."""
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["referrer-policy"] in ("no-referrer", "same-origin")
    assert response.headers["strict-transport-security"] == "max-age=31536000"
    assert response.headers["x-content-type-options"] == "nosniff"
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'none';")
    assert "script" not in policy
    assert "set-cookie" not in response.headers
    page = Page(response.text)
    assert page.faults == []
    assert len(set(page.ids)) == len(page.ids)
    assert "script" not in page.tags
    return page


# ---- a reader's way


async def test_a_reader_comes_and_goes(service: Service) -> None:
    check_page(await service.client.get("/weekly/"))
    asked = await service.sign_up("ann@reader.example")
    assert asked.status_code == 200
    assert "Check your inbox" in asked.text
    check_page(asked)
    ann = await service.found("ann@reader.example")
    assert ann.state is SubscriberState.PENDING
    assert ann.consent is not None
    assert ann.consent.address_prefix == "192.0.2.0/24"
    assert len(service.hints) == 1

    path = service.path("confirm", Purpose.CONFIRM, ann.id)
    page = check_page(await service.client.get(path))
    assert page.links.count(path) == 1
    assert (await service.found("ann@reader.example")).state is SubscriberState.PENDING
    assert "Welcome" in (await service.client.post(path)).text
    assert (await service.found("ann@reader.example")).state is SubscriberState.ACTIVE
    again = await service.client.post(path)
    assert again.status_code == 200
    assert "You are already subscribed" in (await service.client.get(path)).text

    leave = service.path("leave", Purpose.LEAVE, ann.id, 3)
    check_page(await service.client.get(leave))
    assert (await service.found("ann@reader.example")).state is SubscriberState.ACTIVE
    check_page(await service.client.post(leave))
    assert (await service.found("ann@reader.example")).state is SubscriberState.LEFT
    assert (await service.client.post(leave)).status_code == 200


async def test_one_click_needs_no_cookie_and_gets_no_redirect(service: Service) -> None:
    """RFC 8058 §3.1; the type of the body does not matter."""
    for body, kind in (
        (b"List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
        (
            b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--',
            "multipart/form-data; boundary=x",
        ),
        (b"", "text/plain"),
        (b"\xff" * 100_000, "application/octet-stream"),
    ):
        ann = await service.reader("ann@reader.example")
        path = service.path("leave", Purpose.LEAVE, ann.id)
        response = await service.client.post(path, content=body, headers={"Content-Type": kind})
        assert response.status_code == 200
        assert "location" not in response.headers
        assert (await service.found("ann@reader.example")).state is SubscriberState.LEFT
        await service.store.erase(ann.id, service.clock.now_ms())
        await service.store.unsuppress("weekly", ann.mailbox)
        await service.store.unsuppress("", ann.mailbox)


async def test_the_answer_to_a_sign_up_says_nothing_of_who_reads(service: Service) -> None:
    await service.reader("reader@reader.example")
    gone = await service.reader("gone@reader.example")
    await service.store.erase(gone.id, service.clock.now_ms())
    answers = [
        await service.sign_up(address)
        for address in (
            "new@reader.example",
            "new@reader.example",
            "reader@reader.example",
            "gone@reader.example",
        )
    ]
    assert len({(answer.status_code, answer.text, tuple(answer.headers.items())) for answer in answers}) == 1
    assert (await service.found("reader@reader.example")).state is SubscriberState.ACTIVE
    assert (
        await service.found("gone@reader.example")
    ).state is SubscriberState.PENDING  # an erased reader may come back
    assert len(service.hints) == len(answers)  # each time, since it takes time too


async def test_a_flood_at_one_domain_gets_the_same_answer_and_one_line_in_the_log(service: Service) -> None:
    most = SignUpLimits().domain_per_hour_max
    answers = [
        await service.sign_up(f"r{n}@victim.example", f"10.{n >> 8}.{n & 255}.1") for n in range(most + 3)
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, answers[0].text)}
    assert await service.find(f"r{most}@victim.example") is None
    line = "sign-ups-crowded newsletter=weekly domain=victim.example"
    assert service.lines == [line]
    service.clock.ms += 30 * 60_000
    await service.sign_up("more@victim.example", "10.200.0.1")
    assert service.lines == [line]
    service.clock.ms += 30 * 60_000 - 1
    await service.sign_up("late@victim.example", "10.201.0.1")
    assert service.lines == [line]


async def outcomes(service: Service, address: str) -> list[SignedUp]:
    """The outcomes that the owner can see of an address."""
    return [one.outcome for one in await service.store.sign_ups_of("weekly", Mailbox.parse(address), 100)]


async def test_a_program_that_fills_in_everything_is_thanked_and_the_owner_sees_it(
    service: Service,
) -> None:
    response = await service.client.post(
        "/weekly/", data={"email": "bot@reader.example", TRAP: "https://spam.example/"}
    )
    assert "Check your inbox" in response.text
    assert await service.find("bot@reader.example") is None
    assert await outcomes(service, "bot@reader.example") == [SignedUp.TRAPPED]
    before = service.contents()
    await service.client.post("/weekly/", data={"email": "bot@mx2.example.net", TRAP: "x"})
    assert service.contents() == before, "of what can be no reader's nothing is kept"


# Some of the patterns by which Chromium and Firefox recognise fields by name and label
# (components/autofill and toolkit/components/formautofill).
AUTOFILLED = re.compile(
    "name|mail|address|addr|street|suite|unit|line|city|town|suburb|state|county|region|province|zip|post|code"
    "|country|land|phone|mobile|tel|fax|company|business|organi[sz]ation|web|site|url|home|title|prefix|suffix"
    "|user|login|pass|card|number|month|year|date|birth|exp|price|rate|cost|search|query|^q$|area|ext|first|last",
    re.IGNORECASE,
)


async def test_nothing_fills_the_trap_in_for_a_person(service: Service) -> None:
    page = (await service.client.get("/weekly/")).text
    found = re.search(r'<p class="trap" aria-hidden="true"><label>([^<]+)<input ([^>]+)>', page)
    assert found is not None
    assert f'name="{TRAP}"' in found[2]
    for words in (TRAP, found[1]):
        assert AUTOFILLED.search(words) is None, words
    for ignored in ('autocomplete="off"', 'tabindex="-1"', "data-1p-ignore", "data-bwignore"):
        assert ignored in found[2]
    assert 'data-lpignore="true"' in found[2]
    for older in ("website", "url"):  # its former names, still used on other pages
        await service.client.post(
            "/weekly/", data={"email": f"{older}@reader.example", older: "https://x.example/"}
        )
        assert await outcomes(service, f"{older}@reader.example") == [SignedUp.CONFIRM]


@pytest.mark.parametrize(
    "address", ["", "nobody", "a@b", "a@[192.0.2.1]", "a b@c.example", "a@b.example, c@d.example"]
)
async def test_what_is_no_address_is_told_on_the_form(service: Service, address: str) -> None:
    before = service.contents()
    response = await service.sign_up(address)
    assert response.status_code == 422
    page = check_page(response)
    assert "fault" in page.ids
    assert service.contents() == before


@pytest.mark.parametrize(
    ("typed", "headers"),
    [
        ("ann@reader", {}),
        ('ann"><b>@reader..example', {}),
        ("join-weekly@mx2.example.net", {}),
        ("ann@reader,example", {"Origin": "https://blog.example"}),
    ],
)
async def test_an_address_that_is_mistyped_stays_to_be_mended(
    service: Service, typed: str, headers: dict[str, str]
) -> None:
    response = await service.client.post("/weekly/", data={"email": typed}, headers=headers)
    assert response.status_code == 422
    page = check_page(response)
    assert page.values == [typed]
    assert "once-more" not in page.ids


async def test_an_address_of_ours_is_no_readers(service: Service) -> None:
    before = service.contents()
    for address in ("join-weekly@mx2.example.net", "b-aaaa@MX2.EXAMPLE.NET", "me@mx2.example.net"):
        response = await service.sign_up(address)
        assert response.status_code == 422
        assert "fault" in check_page(response).ids
    assert service.contents() == before
    assert service.hints == []


async def test_a_network_that_signs_up_too_often_waits(service: Service) -> None:
    answers = [await service.sign_up(f"r{number}@reader.example", "198.51.100.7") for number in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    check_page(answers[-1])
    assert await outcomes(service, "r20@reader.example") == [SignedUp.REFUSED]
    assert (await service.sign_up("other@reader.example", "203.0.113.1")).status_code == 200
    for number in range(100):
        refused = await service.sign_up(f"flood{number}@reader.example", "198.51.100.7")
        assert refused.status_code == 429
    assert (await service.store.sign_up_counts("weekly", 0)).outcomes[SignedUp.REFUSED] == SIGN_UPS_MAX


# ---- forms on other sites

BLOG, US = "https://www.blog.example", "https://mx2.example.net"
NEAR: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "same-origin", "Origin": US},
    {"Sec-Fetch-Site": "same-site", "Origin": "https://www.example.net"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": US},
    {"Origin": US.upper()},
    {"Origin": "http://192.0.2.9:8025", "Host": "192.0.2.9:8025"},
    {"Referer": f"{US}/weekly/"},
    {},
)
ELSEWHERE: tuple[dict[str, str], ...] = (
    {"Sec-Fetch-Site": "cross-site", "Origin": BLOG},
    {"Sec-Fetch-Site": "Cross-Site"},
    {"Sec-Fetch-Site": "cross-site", "Origin": US},
    {"Sec-Fetch-Site": "of-another-kind"},
    {"Origin": BLOG},
    {"Origin": "null"},
    {"Origin": "https://["},
    {"Origin": f"{US}.evil.example"},
    {"Referer": f"{BLOG}/about"},
)


@pytest.mark.parametrize("headers", NEAR)
async def test_a_form_of_ours_or_of_the_same_site_signs_up_at_once(
    service: Service, headers: dict[str, str]
) -> None:
    answer = await service.client.post("/weekly/", data={"email": "ann@reader.example"}, headers=headers)
    assert "Check your inbox" in answer.text
    assert (await service.found("ann@reader.example")).state is SubscriberState.PENDING


@pytest.mark.parametrize("headers", ELSEWHERE)
async def test_a_form_elsewhere_leads_to_ours_with_the_address_in_it(
    service: Service, headers: dict[str, str]
) -> None:
    before = service.contents()
    form = {"email": ' ann+"><b>@reader.example'}
    assert (await service.client.post("/weekly/", data=form, headers=headers)).status_code == 422
    answer = await service.client.post("/weekly/", data={"email": "ann@reader.example"}, headers=headers)
    assert answer.status_code == 200
    page = check_page(answer)
    assert "once-more" in page.ids
    assert 'value="ann@reader.example"' in answer.text
    assert service.contents() == before
    assert service.hints == []
    # Browsers send the origin of the next request only because the page permits it.
    assert answer.headers["referrer-policy"] == "same-origin"
    clicked = await service.client.post(
        page.links[page.links.index("/weekly/")], data={"email": "ann@reader.example"}, headers={"Origin": US}
    )
    assert "Check your inbox" in clicked.text
    assert (await service.found("ann@reader.example")).state is SubscriberState.PENDING


async def test_the_form_of_the_manual_works_on_any_page(service: Service) -> None:
    manual = (Path(__file__).parents[2] / "docs" / "newsletter.md").read_text(encoding="utf-8")
    [form] = re.findall(r"```html\n(.*?)```", manual, re.DOTALL)
    [action] = re.findall(r'<form method="post" action="https://news\.example\.net(/.*?)"', form)
    [field] = re.findall(r'<input type="email" name="(\w+)"', form)
    for headers, said in ((ELSEWHERE[0], "press Subscribe once more"), (NEAR[1], "Check your inbox")):
        answer = await service.client.post(action, data={field: "ann@reader.example"}, headers=headers)
        assert answer.status_code == 200
        assert said in answer.text


async def test_a_form_elsewhere_counts_against_its_network(service: Service) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "X-Forwarded-For": "198.51.100.7"}
    answers = [
        await service.client.post("/weekly/", data={"email": "ann@reader.example"}, headers=headers)
        for _ in range(21)
    ]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]


async def test_what_a_token_opens_is_open_from_wherever_it_is_posted(service: Service) -> None:
    """A token is sufficient by itself: there is no cookie or login of the visitor behind it."""
    for headers in ELSEWHERE:
        ann = await service.reader("ann@reader.example")
        leave = service.path("leave", Purpose.LEAVE, ann.id)
        body = b"List-Unsubscribe=One-Click"
        assert (await service.client.post(leave, content=body, headers=headers)).status_code == 200
        assert (await service.found("ann@reader.example")).state is SubscriberState.LEFT
        await service.store.erase(ann.id, service.clock.now_ms())
        for where in ("", "weekly"):
            await service.store.unsuppress(where, ann.mailbox)


def test_browsers_are_sent_to_https_only_where_it_is() -> None:
    strict = "Strict-Transport-Security"
    assert headers_of(Web(url="https://news.example.net"))[strict] == "max-age=31536000"
    for url in ("http://127.0.0.1:8025", None):
        assert strict not in headers_of(Web(url=url))


# ---- stored data


async def test_a_reader_sees_takes_and_erases_what_we_keep(service: Service) -> None:
    ann = await service.reader("ann@reader.example")
    await service.sent_issue()
    path = service.path("me", Purpose.ME, ann.id)
    response = await service.client.get(path)
    check_page(response)
    for told in ("ann@reader.example", "at the fair", "The Blog"):
        assert told in response.text
    # Shown in the newsletter's zone, which is named; documents for programs and exports have UTC.
    since = '<time datetime="2027-01-15T08:00:00Z">2027-01-15 09:00:00 (Europe/Oslo)</time>'
    assert since in html.unescape(response.text)
    taken = await service.client.get(f"{path}?as=json")
    assert taken.headers["content-type"] == "application/json"
    document = json.loads(taken.text)
    about = await ReadersDesk(service.store, service.clock).about(ann.id)
    assert about is not None
    assert document == asdict(await reader_document(service.store, about))
    assert document["address"] == "ann@reader.example"
    assert document["agreed"]["where"] == "at the fair"
    assert document["events"][0]["agreed"] == document["agreed"]
    assert [mail["kind"] for mail in document["mails"]] == ["issue"]
    await service.sign_up("ann@reader.example")
    document = json.loads((await service.client.get(f"{path}?as=json")).text)
    assert [(one["how"], one["outcome"]) for one in document["sign_ups"]] == [("form", "already")]
    check_page(await service.client.post(path, data={"do": "leave"}))
    assert (await service.found("ann@reader.example")).state is SubscriberState.LEFT
    check_page(await service.client.post(path, data={"do": "erase"}))
    assert await service.find("ann@reader.example") is None
    assert (await service.client.get(path)).status_code == 410
    leave = service.path("leave", Purpose.LEAVE, ann.id)
    assert (await service.client.post(leave)).status_code == 200


async def test_a_reader_sees_their_history_in_words(service: Service) -> None:
    await service.sign_up("ann@reader.example")
    ann = await service.found("ann@reader.example")
    confirm = service.path("confirm", Purpose.CONFIRM, ann.id)
    await service.client.post(confirm, headers={"X-Forwarded-For": "192.0.2.1"})
    await service.sent_issue()
    await service.client.post(service.path("leave", Purpose.LEAVE, ann.id))
    response = await service.client.get(service.path("me", Purpose.ME, ann.id))
    shown = " ".join(unescape(response.text).split())
    for words in (
        "unsubscribed, since",
        "“Yes, send me weekly” (network 192.0.2.0/24)",
        "Your address was entered to subscribe.",
        "You confirmed your subscription.",
        "You were unsubscribed.",
        "<li>Request to confirm: waiting to be sent</li>",
        "<li>Issue: planned</li>",
    ):
        assert words in shown


def test_every_state_has_words_for_readers() -> None:
    assert set(STATE_WORDS) == set(SubscriberState)
    assert set(MAIL_WORDS) == set(State)


async def test_an_unknown_wish_changes_nothing(service: Service) -> None:
    ann = await service.reader("ann@reader.example")
    before = service.contents()
    response = await service.client.post(service.path("me", Purpose.ME, ann.id), data={"do": "everything"})
    assert response.status_code == 400
    assert service.contents() == before


async def test_a_sign_up_that_was_forgotten_cannot_be_confirmed(service: Service) -> None:
    await service.sign_up("ann@reader.example")
    ann = await service.found("ann@reader.example")
    path = service.path("confirm", Purpose.CONFIRM, ann.id)
    await service.store.forget_pending(service.clock.now_ms() + 1)
    for response in (await service.client.get(path), await service.client.post(path)):
        assert response.status_code == 410
        check_page(response)
    assert await service.find("ann@reader.example") is None


# ---- tokens


async def test_a_token_opens_only_what_it_was_made_for(service: Service) -> None:
    ann = await service.reader("ann@reader.example")
    before = service.contents()
    good = service.path("me", Purpose.ME, ann.id).rpartition("/")[2]
    wrong = "a" if good[-1] != "a" else "b"
    for path in (
        f"/leave/{good}",
        f"/confirm/{good}",
        f"/me/{good[:-1]}{wrong}",
        f"/me/{good}a",
        "/me/a",
        "/leave/" + "a" * 150,
        "/leave/" + "a" * 5_000,
        "/leave/%00",
        "/leave/%C3%A9",
    ):
        for response in (await service.client.get(path), await service.client.post(path)):
            assert response.status_code == 404
            check_page(response)
    assert service.contents() == before


async def test_no_changed_token_opens_anything(service: Service) -> None:
    ann = await service.reader("ann@reader.example")
    before = service.contents()
    head, _, token = service.path("leave", Purpose.LEAVE, ann.id, 7).rpartition("/")
    for place, character in enumerate(token):
        other = "2" if character != "2" else "3"
        changed = f"{head}/{token[:place]}{other}{token[place + 1 :]}"
        assert (await service.client.post(changed)).status_code in (404, 429)
    assert service.contents() == before


async def test_who_guesses_tokens_is_slowed_but_nobody_who_leaves(service: Service) -> None:
    ann = await service.reader("ann@reader.example")
    caller = {"X-Forwarded-For": "192.0.2.1"}
    answers = [
        (await service.client.get("/leave/aaaa", headers=caller)).status_code
        for _ in range(BAD_TOKENS_MAX + 1)
    ]
    assert answers == [404] * BAD_TOKENS_MAX + [429]
    leave = service.path("leave", Purpose.LEAVE, ann.id)
    assert (await service.client.post(leave, headers=caller)).status_code == 200
    assert (await service.found("ann@reader.example")).state is SubscriberState.LEFT


# ---- the archive


async def test_an_issue_is_shown_as_it_was_sent(service: Service) -> None:
    await service.reader("ann@reader.example")
    issue = await service.sent_issue()
    home = await service.client.get("/weekly/")
    assert f"/weekly/{issue.number}" in check_page(home).links
    assert "The Blog" in home.text
    shown = await service.client.get(f"/weekly/{issue.number}")
    assert shown.status_code == 200
    assert "Part 1 of the flood" in shown.text
    assert f'href="https://mx2.example.net/weekly/{issue.number}"' in shown.text
    assert "/leave/" not in shown.text
    assert "\ufdd0" not in shown.text
    assert "<script" not in shown.text
    assert "style-src 'unsafe-inline'" in shown.headers["content-security-policy"]
    assert "form-action 'none'" in shown.headers["content-security-policy"]


async def test_the_archive_has_the_articles_that_were_mailed_whatever_became_of_them(
    service: Service,
) -> None:
    """Catalogue row 57"""
    await service.reader("ann@reader.example")
    issue = await service.sent_issue()
    with closing(apsw.Connection(str(service.database))) as db:
        db.execute("UPDATE article SET title = 'Rewritten', html = '<p>Rewritten.</p>'")
    content = IssueContent.decode(await service.store.issue_content(issue.id))
    _, mailed = parts_of(parsed(Assembly(content, KEYS, WITH_WEB).mail_for(reader())))
    shown = (await service.client.get(f"/weekly/{issue.number}")).text.replace("\r\n", "\n")
    articles = [re.findall(r"<h2 .*?</h2>.*?</div>", html, re.DOTALL) for html in (mailed, shown)]
    assert [re.sub("<[^>]*>", "", each).split("\n")[0] for each in articles[0]] == [
        "Part 1 of the flood",
        "Part 2 of the flood",
    ]
    assert articles[0] == articles[1]


async def test_an_issue_in_the_archive_hides_what_was_meant_for_one_reader(service: Service) -> None:
    await service.reader("ann@reader.example")
    issue = await service.sent_issue()
    shown = (await service.client.get(f"/weekly/{issue.number}")).text
    assert ".mailed { display: none !important; }" in shown
    assert len(re.findall(r'<p class="(?:dateline )?mailed"', shown)) == 2
    [nav] = re.findall(r"<body[^>]*><nav [^>]*>(.*?)</nav>", shown)
    assert nav == '<a href="https://mx2.example.net/weekly/">All issues, and how to subscribe</a>'


async def test_an_issue_that_may_be_taken_back_is_shown_to_nobody(service: Service) -> None:
    await service.reader("ann@reader.example")
    issue = await service.sent_issue()
    await service.store.stop(issue.id, service.clock.now_ms(), "a mistake")
    assert (await service.client.get(f"/weekly/{issue.number}")).status_code == 404
    assert "<entry>" not in (await service.client.get("/weekly/feed.xml")).text


@pytest.mark.parametrize(
    "path", ["/weekly/0", "/weekly/99", "/weekly/-1", "/weekly/1e9", "/weekly/١", "/weekly/" + "9" * 30]
)
async def test_no_such_issue(service: Service, path: str) -> None:
    assert (await service.client.get(path)).status_code == 404


async def test_the_day_of_an_issue_is_that_of_the_newsletters_zone(service: Service) -> None:
    service.clock.ms += 15 * HOUR_MS + 30 * 60_000  # 23:30 UTC
    await service.sent_issue()
    assert '<time datetime="2027-01-16">2027-01-16</time>' in (await service.client.get("/weekly/")).text
    assert "<updated>2027-01-15T23:30:00Z</updated>" in (await service.client.get("/weekly/feed.xml")).text


async def test_old_mails_lead_to_the_name_that_a_newsletter_has_now(service: Service) -> None:
    store = service.store
    for old, now in (("monthly", "weekly"), ("daily", "hourly")):  # hourly is not in the file
        leader = await store.lead("publish")
        assert leader is not None
        await store.begin_rename(old, now, 1, leader)
        assert await store.rename_batch(old, leader) == 0
        await store.give_back(leader)
    await service.reader("ann@reader.example")
    issue = await service.sent_issue()
    for path, leads_to in (
        ("/monthly", "/weekly"),
        ("/monthly/", "/weekly/"),
        ("/monthly/?before=3", "/weekly/?before=3"),
        ("/monthly/feed.xml", "/weekly/feed.xml"),
        (f"/monthly/{issue.number}", f"/weekly/{issue.number}"),
    ):
        for method in ("GET", "HEAD"):
            moved = await service.client.request(method, path)
            assert (moved.status_code, moved.headers["location"]) == (308, leads_to)
            assert moved.headers["referrer-policy"] == "no-referrer"
    form = {"email": "new@reader.example"}
    signed_up = await service.client.post("/monthly/", data=form, follow_redirects=True)
    assert "Check your inbox" in signed_up.text
    assert (await service.found("new@reader.example")).newsletter == "weekly"
    for path in ("/daily/", "/monthlyx/", "/hourly/"):
        assert (await service.client.get(path)).status_code == 404


async def test_the_feed_of_issues_is_marked(service: Service) -> None:
    await service.reader("ann@reader.example")
    odd = [replace(article(1), title="<b>One</b> & \x0bmore"), article(2)]
    await service.sent_issue(odd)
    response = await service.client.get("/weekly/feed.xml")
    assert response.headers["content-type"] == "application/atom+xml"
    feed = ElementTree.fromstring(response.text)
    assert feed.findtext("{urn:secondpost:issues}newsletter") == "weekly"
    titles = [entry.findtext(f"{ATOM}title") for entry in feed.findall(f"{ATOM}entry")]
    assert titles == ["<b>One</b> & more · Part 2 of the flood"]
    assert feed.findtext(f"{ATOM}title") == "The Blog"


async def test_a_letter_is_in_the_archive_and_in_the_feed(service: Service) -> None:
    await service.reader("ann@reader.example")
    body = "Dear readers,\n\nthe last issue was *empty*. [Here is why](https://blog.example/why)\n"
    letter = await service.sent_letter("We are <sorry>", body)
    page = await service.client.get(f"/weekly/{letter.number}")
    assert page.status_code == 200
    assert "We are &lt;sorry" in page.text
    assert '<a href="https://blog.example/why"' in page.text
    assert len(re.findall(r'<p class="(?:dateline )?mailed"', page.text)) == 2, "hidden from everyone else"
    assert "We are &lt;sorry" in (await service.client.get("/weekly/")).text
    feed = ElementTree.fromstring((await service.client.get("/weekly/feed.xml")).text)
    [entry] = feed.findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "We are <sorry>"
    link = entry.find(f"{ATOM}link")
    assert link is not None
    assert link.get("href", "").endswith(f"/weekly/{letter.number}")


async def test_the_front_leads_to_the_only_newsletter(service: Service) -> None:
    front = await service.client.get("/")
    assert (front.status_code, front.headers["location"]) == (302, "/weekly/")
    bare = await service.client.get("/weekly", headers={"Host": "evil.example"})
    assert (bare.status_code, bare.headers["location"]) == (308, "/weekly/")


# ---- all pages


async def every_address(service: Service) -> list[str]:
    active, pending = await service.reader("ann@reader.example"), "bob@reader.example"
    await service.sign_up(pending)
    issue = await service.sent_issue()
    paths = [
        "/",
        "/health",
        "/static/style.css",
        "/weekly",
        "/weekly/",
        "/weekly/?before=9",
        "/weekly/feed.xml",
    ]
    paths += [f"/weekly/{issue.number}", "/nobody/", "/nobody/1", "/weekly/x", "/a/b/c", "/%2e%2e/etc"]
    for subscriber in (active, await service.found(pending)):
        paths += [
            service.path("confirm", Purpose.CONFIRM, subscriber.id),
            service.path("leave", Purpose.LEAVE, subscriber.id, issue.number),
            service.path("me", Purpose.ME, subscriber.id),
            service.path("me", Purpose.ME, subscriber.id) + "?as=json",
            service.path("me", Purpose.ME, subscriber.id) + "?do=erase",
        ]
    return paths


async def test_get_and_head_change_nothing(service: Service) -> None:
    paths = await every_address(service)
    before = service.contents()
    for path in paths:
        for method in ("GET", "HEAD"):
            response = await service.client.request(method, path)
            assert response.status_code < 500, path
            if method == "HEAD":
                assert response.content == b""
    assert service.contents() == before


async def test_other_methods_change_nothing(service: Service) -> None:
    paths = await every_address(service)
    before = service.contents()
    for path in paths:
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            response = await service.client.request(method, path)
            assert response.status_code in (404, 405), (method, path)
    assert service.contents() == before


async def test_every_page_is_well_formed_and_without_script(service: Service) -> None:
    for path in await every_address(service):
        response = await service.client.get(path)
        if response.headers.get("content-type", "").startswith("text/html") and not re.match(
            r"/weekly/\d", path
        ):
            check_page(response)


async def test_what_strangers_write_stays_text(service: Service) -> None:
    ann = await service.reader("ann@reader.example")
    for text in HOSTILE:
        answers = [
            await service.client.get("/weekly/", params={"before": text}),
            await service.client.get("/weekly/" + quote(text, safe="")),
            await service.sign_up(text),
            await service.client.post("/weekly/", data={"email": text, text: text}),
            await service.client.get(service.path("me", Purpose.ME, ann.id), params={"as": text}),
            await service.client.post(service.path("me", Purpose.ME, ann.id), data={"do": text}),
        ]
        for answer in answers:
            assert answer.status_code < 500
            page = check_page(answer)
            assert {"script", "img", "svg"}.isdisjoint(page.tags)
            assert not any("alert" in link for link in page.links)
            assert "alert(1)" not in "".join(page.words)  # in the field it stays, to be corrected
            assert "49" not in answer.text


async def test_what_a_list_brought_stays_text_on_the_page_of_the_reader(service: Service) -> None:
    attributes = tuple((f"column {number}", text) for number, text in enumerate(HOSTILE) if text.isascii())
    hostile = structs.replace(AGREED, where=HOSTILE[0], text=HOSTILE[1])
    mailbox = Mailbox.parse('"<b>x</b>"@reader.example')
    await service.store.import_batch(
        "weekly", [Imported(mailbox, attributes)], SubscriberState.ACTIVE, hostile, service.clock.now_ms()
    )
    reader = await service.store.find("weekly", mailbox)
    assert reader is not None
    response = await service.client.get(service.path("me", Purpose.ME, reader.id))
    page = check_page(response)
    assert "img" not in page.tags
    assert "svg" not in page.tags
    assert "&lt;script&gt;alert(1)&lt;" in response.text


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"email=" + b"a" * 10_000, "application/x-www-form-urlencoded", 413),
        (b"email=%FF", "application/x-www-form-urlencoded", 400),
        (b"&".join([b"a=b"] * 50), "application/x-www-form-urlencoded", 400),
        (b'{"email": "a@reader.example"}', "application/json", 415),
    ],
)
async def test_a_form_has_bounds(service: Service, content: bytes, kind: str, status: int) -> None:
    response = await service.client.post("/weekly/", content=content, headers={"Content-Type": kind})
    assert response.status_code == status
    check_page(response)


async def test_the_links_of_a_test_copy_lead_to_nobody(service: Service) -> None:
    await service.reader("ann@reader.example")
    before = service.contents()
    for page, purpose in (("leave", Purpose.LEAVE), ("me", Purpose.ME)):
        path = service.path(page, purpose, NO_SUBSCRIBER)
        for method in ("GET", "POST"):
            answer = await service.client.request(method, path, data={"do": "erase"})
            assert answer.status_code == 200
            assert "test copy" in answer.text
    assert service.contents() == before


def test_a_page_runs_in_the_direction_of_its_language() -> None:
    pages = Templates("secondpost.web")
    for language, direction in (("en", "ltr"), ("he", "rtl"), ("ar-EG", "rtl"), ("nb", "ltr")):
        values: dict[str, TemplateValue] = {
            "language": language,
            "heading": "x",
            "paragraphs": [],
            "link": None,
        }
        assert f'<html lang="{language}" dir="{direction}">' in pages.render("message.html", values)
