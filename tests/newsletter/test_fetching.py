"""How the fetch role interprets responses; the web is a dict."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from secondpost.mail.article import (
    FeedAnswered,
    FeedAsked,
    FeedGone,
    FeedRead,
    FeedUnchanged,
    FeedUnreadable,
    HubSubscription,
)
from secondpost.mail.duration import HOUR_MS
from secondpost.newsletter.fetching import HUB_SECONDS_MAX, FeedFetching, parse_in_line
from secondpost.newsletter.response_times import REFRESH_MS_MAX, RETRY_AFTER_MS_MAX
from secondpost.world.ports import Fetched, FetchError, Redirect, Validators
from simulation.clock import Timeline, run
from tests.in_line_work import InLineWork

URL = "https://www.example.net/feed.xml"
FEED = b"<rss version='2.0'><channel><item><title>One</title><link>/1</link></item></channel></rss>"


@dataclass
class Web:
    """Responses or errors by URL."""

    pages: Mapping[str, Fetched | FetchError]
    asked: list[Validators | None] = field(default_factory=list)

    async def get(
        self, url: str, headers: Mapping[str, str], octets_max: int, validators: Validators | None = None
    ) -> Fetched:
        self.asked.append(validators)
        found = self.pages[url]
        if isinstance(found, FetchError):
            raise found
        return found


def ask(pages: Mapping[str, Fetched | FetchError], asked: FeedAsked) -> tuple[FeedAnswered, Web]:
    web = Web(pages)
    return asyncio.run(FeedFetching(web, parse_in_line(InLineWork())).look(asked)), web


def look(page: Fetched | FetchError) -> FeedAnswered:
    answered, web = ask({URL: page}, FeedAsked(URL, '"1"', "yesterday", URL))
    assert web.asked == [Validators(URL, '"1"', "yesterday")]
    return answered


def test_a_feed_is_read_and_its_validators_kept() -> None:
    headers = {"content-type": "application/rss+xml", "etag": 'W/"2"', "last-modified": "today"}
    answered = look(Fetched(200, headers, FEED, URL))
    assert isinstance(answered.found, FeedRead)
    assert [article.link for article in answered.found.articles] == ["https://www.example.net/1"]
    # A weak validator is sent back with its mark (RFC 9110 §8.8.3).
    assert (answered.etag, answered.last_modified, answered.validators_url) == ('W/"2"', "today", URL)


def test_validators_of_a_redirects_target_are_kept_for_the_target_alone() -> None:
    """Catalogue row 23."""
    there = "https://feeds.example/1"
    answered = look(Fetched(200, {"etag": '"2"'}, FEED, there, (Redirect(302, there),)))
    assert isinstance(answered.found, FeedRead)
    assert (answered.etag, answered.validators_url, answered.location) == ('"2"', there, URL)


def test_validators_longer_than_any_server_needs_are_not_kept() -> None:
    answered = look(Fetched(200, {"etag": f'"{"2" * 1_000}"', "last-modified": "today"}, FEED, URL))
    assert (answered.etag, answered.last_modified) == ("", "today")


def test_unchanged_keeps_the_validators() -> None:
    assert look(Fetched(304, {}, b"", URL)) == FeedAnswered(FeedUnchanged(), '"1"', "yesterday", URL, URL)


MOVED = "https://www.example.net/new.xml"


@pytest.mark.parametrize(
    ("redirects", "location"),
    [
        ((301,), "https://www.example.net/to0"),
        ((308, 301), "https://www.example.net/to1"),
        ((301, 302), "https://www.example.net/to0"),
        ((302, 301), URL),
        ((307,), URL),
        ((303,), URL),
    ],
)
def test_a_feed_is_where_the_permanent_redirects_lead_until_the_first_temporary_one(
    redirects: tuple[int, ...], location: str
) -> None:
    """Catalogue row 22."""
    led = tuple(Redirect(status, f"https://www.example.net/to{n}") for n, status in enumerate(redirects))
    assert look(Fetched(200, {}, FEED, led[-1].to, led)).location == location


def test_a_feed_that_has_moved_is_asked_at_its_new_place_and_by_the_old_one_if_that_fails() -> None:
    asked = FeedAsked(URL, location=MOVED)
    answered, web = ask({MOVED: Fetched(200, {}, FEED, MOVED)}, asked)
    assert (answered.location, len(web.asked)) == (MOVED, 1)
    further = "https://www.example.net/newest.xml"
    pages = {
        MOVED: Fetched(404, {}, b"", MOVED),
        URL: Fetched(200, {}, FEED, further, (Redirect(301, further),)),
    }
    answered, web = ask(pages, asked)
    assert isinstance(answered.found, FeedRead)
    assert (answered.location, len(web.asked)) == (further, 2)


def test_a_feed_that_is_gone_is_more_than_unreadable() -> None:
    assert look(Fetched(410, {}, FEED, URL)) == FeedAnswered(FeedGone(), location=URL)


@pytest.mark.parametrize(
    ("status", "headers", "wait_ms"),
    [
        (503, {"retry-after": "120"}, 120_000),
        (429, {"retry-after": " 3600 "}, 3_600_000),
        (429, {"retry-after": "99999999999"}, RETRY_AFTER_MS_MAX),
        (
            503,
            {"retry-after": "Mon, 01 Jan 2029 00:10:00 GMT", "date": "Mon, 01 Jan 2029 00:00:00 GMT"},
            600_000,
        ),
        (
            503,
            {"retry-after": "Mon, 01 Jan 2029 00:10:00 GMT", "date": "Mon, 01 Jan 2029 01:00:00 GMT"},
            0,
        ),
        (
            503,
            {"retry-after": "Mon, 01 Jan 2035 00:10:00 GMT", "date": "Mon, 01 Jan 2029 01:00:00 GMT"},
            RETRY_AFTER_MS_MAX,
        ),
        (503, {"retry-after": "Mon, 01 Jan 2029 00:10:00 GMT"}, None),
        (503, {"retry-after": "soon", "date": "today"}, None),
        (503, {"retry-after": "-5"}, None),
        (429, {}, None),
        (404, {"retry-after": "120"}, None),
    ],
)
def test_a_busy_server_is_left_alone_for_as_long_as_it_asks_and_a_day_at_most(
    status: int, headers: Mapping[str, str], wait_ms: int | None
) -> None:
    assert look(Fetched(status, headers, b"", URL)).wait_ms == wait_ms


@pytest.mark.parametrize(
    ("said", "cache_control", "refresh_ms"),
    [
        (b"", "", 0),
        (b"<ttl>60</ttl>", "", HOUR_MS),
        (b"<ttl>an hour</ttl>", "", 0),
        (b"<ttl>60</ttl>", "public, max-age=7200", 2 * HOUR_MS),
        (b"", "max-age=99999999999999999999", REFRESH_MS_MAX),
        (b"", "s-maxage=7200", 0),
        (b"<ttl>99999999</ttl>", "", REFRESH_MS_MAX),
        (b"<sy:updatePeriod>hourly</sy:updatePeriod>", "", HOUR_MS),
        (
            b"<sy:updatePeriod>daily</sy:updatePeriod><sy:updateFrequency>12</sy:updateFrequency>",
            "",
            2 * HOUR_MS,
        ),
        (
            b"<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>0</sy:updateFrequency>",
            "",
            HOUR_MS,
        ),
    ],
)
def test_how_often_a_feed_wants_to_be_read_is_what_it_or_its_server_says(
    said: bytes, cache_control: str, refresh_ms: int
) -> None:
    syndication = b"<channel xmlns:sy='http://purl.org/rss/1.0/modules/syndication/'>"
    body = FEED.replace(b"<channel>", syndication + said)
    answered = look(Fetched(200, {"cache-control": cache_control}, body, URL))
    assert isinstance(answered.found, FeedRead)
    assert answered.found.refresh_ms == refresh_ms


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (FetchError("refused: 10.0.0.1"), "cannot be fetched: refused: 10.0.0.1."),
        (Fetched(200, {}, b"<html><body/></html>", URL), "an HTML page"),
        (Fetched(404, {}, FEED, URL), "HTTP 404"),
        (Fetched(403, {}, FEED, URL), "HTTP 403"),
        (Fetched(429, {}, FEED, URL), "too often"),
        (Fetched(503, {}, FEED, URL), "The server has a problem"),
        (Fetched(206, {}, FEED, URL), "HTTP 206"),
        (Fetched(301, {}, FEED, URL), "HTTP 301"),
    ],
)
def test_everything_else_is_a_sentence(page: Fetched | FetchError, words: str) -> None:
    answered = look(page)
    assert isinstance(answered.found, FeedUnreadable)
    assert words in answered.found.reason
    assert answered.etag == ""


def test_a_hub_that_does_not_answer_keeps_no_feed_waiting() -> None:
    class SilentHub:
        async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
            await asyncio.Event().wait()
            raise AssertionError(url)

    web = Web({URL: Fetched(200, {}, FEED, URL)})
    hub = HubSubscription("https://hub.example/", URL, "https://mx2.example.net/api/websub/x", "s")
    look = FeedFetching(web, parse_in_line(InLineWork()), SilentHub()).look
    timeline = Timeline()
    answered = run(look(FeedAsked(URL, subscription=hub)), timeline, timeline.loop("fetch"))
    assert isinstance(answered.found, FeedRead)
    assert timeline.now <= HUB_SECONDS_MAX


@dataclass
class Hubs:
    """Hubs: redirects by URL; any other URL accepts."""

    redirects: Mapping[str, str]
    asked: list[str] = field(default_factory=list)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
        self.asked.append(url)
        if url in self.redirects:
            return Fetched(308, {"location": self.redirects[url]}, b"")
        return Fetched(202, {}, b"")


def look_and_subscribe(hubs: Hubs) -> FeedAnswered:
    asked = FeedAsked(URL, subscription=HubSubscription("https://hub.example/", URL, f"{URL}/call", "s"))
    web = Web({URL: Fetched(200, {}, FEED, URL)})
    return asyncio.run(FeedFetching(web, parse_in_line(InLineWork()), hubs).look(asked))


def test_the_secret_of_a_subscription_never_goes_from_https_to_http() -> None:
    hubs = Hubs({"https://hub.example/": "/new", "https://hub.example/new": "http://hub.example/"})
    look_and_subscribe(hubs)
    assert hubs.asked == ["https://hub.example/", "https://hub.example/new"]
