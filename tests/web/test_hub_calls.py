"""A feed with a hub (WebSub): a small hub that follows the W3C Recommendation, a real blog, real pages."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest

from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.newsletter.fetching import HUB_REDIRECTS_MAX, FeedFetching, parse_in_line
from secondpost.newsletter.reading import FeedReading
from secondpost.protocols.websub import RENEW_MS
from secondpost.store.feed_ports import NO_PUSH, Feed
from secondpost.web.hub_calls import PUSH_APART_MS, PUSH_OCTETS_MAX
from secondpost.web.reader import BAD_TOKENS_MAX
from secondpost.world.real.fetch import RealFetcher
from secondpost.world.real.work import RealWork
from simulation.dice import SimDice
from tests.web.service import CONFIG, NEWSLETTER, Service, open_service
from tests.world.test_fetch_addresses import Names
from tests.world.web_server import WebServer, answer

pytestmark = pytest.mark.anyio

PUBLIC = "https://mx2.example.net"
FEED = b"""<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>The Blog</title>
<atom:link rel="self" href="http://blog.example/feed"/><atom:link rel="hub" href="HUB"/>
<ttl>1440</ttl><item><title>One</title><link>/1</link></item></channel></rss>"""
WITHOUT_HUB = FEED.replace(b'<atom:link rel="hub" href="HUB"/>', b"")
TOPIC = "http://blog.example/feed"


@dataclass
class Hub:
    """Verifies each subscription at once, before it answers (W3C WebSub \u00a75.3).

    It needs the parameter `hub.verify`, as the hub of Google's code does. `instead`: where it sends all who
    ask it elsewhere than there; "": nowhere.
    """

    service: Service
    instead: str = ""
    status: str = "308 Permanent Redirect"
    asked: int = 0
    forms: list[dict[str, str]] = field(default_factory=list)
    verified: list[bool] = field(default_factory=list)

    @property
    def path(self) -> str:
        return urlsplit(self.forms[-1]["hub.callback"]).path

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        octets = int(head.partition("content-length: ")[2].partition("\r")[0])
        self.asked += 1
        if len(self.instead) > 0 and head.split()[1] != "/there":
            await reader.readexactly(octets)
            writer.write(answer(self.status, location=self.instead))
        else:
            await self.verify((await reader.readexactly(octets)).decode())
            writer.write(answer("202 Accepted"))
        await writer.drain()
        writer.close()

    async def verify(self, form: str) -> None:
        self.forms.append(dict(parse_qsl(form)))
        asked = {name: self.forms[-1][name] for name in ("hub.mode", "hub.topic", "hub.lease_seconds")}
        assert self.forms[-1]["hub.verify"] in ("sync", "async")
        got = await self.service.client.get(self.path, params={**asked, "hub.challenge": "a<b>c"})
        self.verified.append((got.status_code, got.text) == (200, "a<b>c"))
        assert got.headers["content-type"].startswith("text/plain")

    def signature(self, body: bytes, method: str = "sha256") -> dict[str, str]:
        made = hmac.new(self.forms[-1]["hub.secret"].encode(), body, getattr(hashlib, method)).hexdigest()
        return {"X-Hub-Signature": f"{method}={made}"}

    async def says(self, body: bytes, headers: dict[str, str]) -> int:
        return (await self.service.client.post(self.path, content=body, headers=headers)).status_code


@dataclass
class Scene:
    service: Service
    hub: Hub
    blog: WebServer
    reading: FeedReading
    url: str

    async def look(self) -> Feed:
        newsletter = replace(NEWSLETTER, feeds=(self.url,))
        await self.reading.read(newsletter)
        return await self.feed()

    async def feed(self) -> Feed:
        return await self.service.store.feed("weekly", self.url)


@asynccontextmanager
async def scene(folder: Path, public_url: str | None = PUBLIC, body: bytes = FEED) -> AsyncIterator[Scene]:
    pages: dict[str, bytes | None] = {}
    work = RealWork(1)
    try:
        async with WebServer(pages).running() as blog:
            url = f"http://blog.example:{blog.port}/feed"
            config = replace(CONFIG, newsletters=(replace(NEWSLETTER, feeds=(url,)),))
            async with open_service(folder, config) as service:
                hub = Hub(service)
                server = await asyncio.start_server(hub.serve, "127.0.0.1", 0)
                port = server.sockets[0].getsockname()[1]
                there = body.replace(b"HUB", f"http://hub.example:{port}/".encode())
                pages["/feed"] = answer("200 OK", there)
                names = Names({"blog.example": ("127.0.0.1",), "hub.example": ("127.0.0.1",)})
                fetcher = RealFetcher(names, allow_private=True)
                look = FeedFetching(fetcher, parse_in_line(work), fetcher).look
                reading = FeedReading(
                    service.store, service.clock, SimDice("hub"), look, public_url=public_url
                )
                try:
                    yield Scene(service, hub, blog, reading, url)
                finally:
                    server.close()
                    await server.wait_closed()
    finally:
        work.close()


async def test_a_hub_is_asked_verifies_and_brings_the_next_look_nearer(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        assert at.hub.forms == []
        feed = await at.look()
        assert at.hub.forms == [], "token and secret are stored before the hub hears of them"
        at.service.clock.ms += HOUR_MS
        feed = await at.look()
        assert at.hub.verified == [True]
        [form] = at.hub.forms
        assert form["hub.topic"] == TOPIC
        assert form["hub.callback"] == f"{PUBLIC}/api/websub/{feed.push.token}"
        assert (len(feed.push.token), len(feed.push.secret)) == (40, 64)
        assert feed.next_fetch_ms is not None
        assert feed.next_fetch_ms > at.service.clock.ms + PUSH_APART_MS

        body = b"an article that nobody reads here"
        looks = len(at.blog.asked)
        assert await at.hub.says(body, at.hub.signature(body)) == 202
        assert (await at.feed()).next_fetch_ms == at.service.clock.ms + PUSH_APART_MS
        assert len(at.blog.asked) == looks, "it is the publish role that has the feed fetched"


@pytest.mark.parametrize(
    "status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]
)
async def test_a_hub_that_has_moved_is_asked_where_it_is(status: str, tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.hub.instead, at.hub.status = "/there", status
        for _ in range(2):
            await at.look()
        assert (at.hub.asked, at.hub.verified) == (2, [True])


@pytest.mark.parametrize(
    ("status", "instead", "asked"),
    [
        ("308 Permanent Redirect", "/round", 1 + HUB_REDIRECTS_MAX),
        ("303 See Other", "/there", 1),
        ("308 Permanent Redirect", "ftp://hub.example/there", 1),
        ("400 Bad Request", "/there", 1),
    ],
)
async def test_a_hub_that_leads_nowhere_is_not_followed_for_long(
    status: str, instead: str, asked: int, tmp_path: Path
) -> None:
    async with scene(tmp_path) as at:
        at.hub.instead, at.hub.status = instead, status
        for _ in range(2):
            feed = await at.look()
        assert (at.hub.asked, at.hub.forms) == (asked, [])
        assert feed.finding == ""


async def test_a_subscription_is_renewed_every_day_and_no_more_often(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        for expected in (0, 1, 1, 1):
            await at.look()
            at.service.clock.ms += HOUR_MS
            assert len(at.hub.forms) == expected
        at.service.clock.ms += RENEW_MS
        await at.look()
        assert len(at.hub.forms) == 2
        assert at.hub.forms[0] == at.hub.forms[1], "the same token: the hub replaces the subscription"


async def test_a_feed_that_names_another_topic_or_no_hub_in_between_has_its_hub_asked_once_a_day(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as at:
        whole = at.blog.pages["/feed"]
        assert whole is not None
        for n in range(8):
            changed = whole.replace(b"http://blog.example/feed", b"http://blog.example/fe%02d" % n)
            at.blog.pages = {"/feed": changed if n % 3 else answer("200 OK", WITHOUT_HUB)}
            await at.look()
            at.service.clock.ms += HOUR_MS
        assert len(at.hub.forms) == 1
        at.service.clock.ms += RENEW_MS
        await at.look()
        assert len(at.hub.forms) == 2


async def test_a_hub_whose_address_is_too_long_is_not_asked_and_the_feed_is_read(tmp_path: Path) -> None:
    # A link of 2,000 characters becomes many times longer when it is escaped.
    long = FEED.replace(b"HUB", b"HUB/" + "\u6f22".encode() * 1_900)
    async with scene(tmp_path, body=long) as at:
        for _ in range(3):
            feed = await at.look()
            at.service.clock.ms += HOUR_MS
        assert (at.hub.forms, feed.push, feed.finding) == ([], NO_PUSH, "")


async def test_what_is_not_signed_or_wrongly_signed_does_nothing_and_sha1_is_a_hint_alone(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as at:
        for _ in range(2):
            await at.look()
        before = await at.feed()
        body = b"news"
        wrong = {"X-Hub-Signature": "sha256=" + "0" * 64}
        strange = {"X-Hub-Signature": "md5=" + "0" * 32}
        for headers in ({}, wrong, strange, at.hub.signature(b"other news")):
            assert await at.hub.says(body, headers) == 202
            assert await at.feed() == before
        got = await at.service.client.post(
            at.hub.path, content=body, headers=[(b"X-Hub-Signature", b"sha256=\xe9")]
        )
        assert (got.status_code, await at.feed()) == (202, before), "no octets are a fault of ours"
        assert await at.hub.says(b"x" * (PUSH_OCTETS_MAX + 1), at.hub.signature(body)) == 413
        assert await at.feed() == before
        assert await at.hub.says(body, {"X-Hub-Signature": "sha1=" + "0" * 40}) == 202
        assert (await at.feed()).next_fetch_ms == at.service.clock.ms + PUSH_APART_MS


async def test_a_hub_that_calls_all_the_time_writes_once_and_never_brings_two_looks_close_together(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as at:
        for _ in range(2):
            await at.look()
        await at.hub.says(b"news", at.hub.signature(b"news"))
        contents = at.service.contents()
        for _ in range(20):
            await at.hub.says(b"news", at.hub.signature(b"news"))
        assert at.service.contents() == contents


async def test_strangers_and_get_requests_change_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        for _ in range(2):
            await at.look()
        contents = at.service.contents()
        get = at.service.client.get
        asks = {"hub.mode": "subscribe", "hub.topic": TOPIC, "hub.challenge": "x"}
        for changed in (
            {"hub.topic": "http://evil.example/"},
            {"hub.mode": "unsubscribe"},
            {"hub.mode": ""},
            {"hub.challenge": ""},
            {"hub.challenge": "x" * 1_001},
            {"hub.challenge": "\u00fc"},
            {"hub.challenge": "a\nb"},
        ):
            assert (await get(at.hub.path, params={**asks, **changed})).status_code == 404
        assert (await get(at.hub.path, params={**asks, "hub.mode": "denied"})).status_code == 204
        assert (await at.service.client.head(at.hub.path, params=asks)).status_code == 200
        statuses = set()
        for n in range(BAD_TOKENS_MAX + 2):
            statuses.add((await get(f"/api/websub/{n:040x}", params=asks)).status_code)
            statuses.add((await at.service.client.post(f"/api/websub/{n:040x}", content=b"x")).status_code)
        assert statuses == {404, 429}
        assert at.service.contents() == contents


async def test_without_a_public_address_or_a_hub_there_is_polling_alone(tmp_path: Path) -> None:
    for n, (public_url, body) in enumerate(((None, FEED), (PUBLIC, WITHOUT_HUB))):
        async with scene(tmp_path / str(n), public_url, body) as at:
            for _ in range(3):
                feed = await at.look()
                at.service.clock.ms += DAY_MS
            assert at.hub.forms == []
            assert feed.push == NO_PUSH


async def test_a_hub_in_the_header_link_counts_before_that_of_the_document(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        link = '<https://hub.example/h>; rel="hub", <https://www.example.net/f>; rel=self'
        at.blog.pages = {"/feed": answer("200 OK", FEED, link=link)}
        push = (await at.look()).push
        assert (push.hub, push.topic) == ("https://hub.example/h", "https://www.example.net/f")
