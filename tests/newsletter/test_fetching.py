"""How the fetch role interprets responses; the web is a dict."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import pytest

from secondpost.mail.article import FeedAnswered, FeedAsked, FeedRead, FeedUnchanged, FeedUnreadable
from secondpost.newsletter.fetching import FeedFetching, parse_in_line
from secondpost.world.ports import Fetched, FetchError, Validators, WorkLine

T = TypeVar("T")
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


class InLine:
    """Work that is done at once."""

    def run(self, job: Callable[[], T]) -> Awaitable[T]:
        async def done() -> T:
            return job()

        return done()

    def line(self, name: str) -> WorkLine:
        raise KeyError(name)


def look(page: Fetched | FetchError) -> FeedAnswered:
    web = Web({URL: page})
    answered = asyncio.run(
        FeedFetching(web, parse_in_line(InLine())).look(FeedAsked(URL, '"1"', "yesterday"))
    )
    assert web.asked == [Validators(URL, '"1"', "yesterday")]
    return answered


def test_a_feed_is_read_and_its_validators_kept() -> None:
    headers = {"content-type": "application/rss+xml", "etag": '"2"', "last-modified": "today"}
    answered = look(Fetched(200, headers, FEED, URL))
    assert isinstance(answered.found, FeedRead)
    assert [article.link for article in answered.found.articles] == ["https://www.example.net/1"]
    assert (answered.etag, answered.last_modified) == ('"2"', "today")


def test_validators_of_a_redirects_target_are_not_kept_for_the_first_url() -> None:
    answered = look(Fetched(200, {"etag": '"2"'}, FEED, "https://feeds.example/1"))
    assert isinstance(answered.found, FeedRead)
    assert answered.etag == ""


def test_unchanged_keeps_the_validators() -> None:
    assert look(Fetched(304, {}, b"", URL)) == FeedAnswered(FeedUnchanged(), '"1"', "yesterday")


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (FetchError("refused: 10.0.0.1"), "cannot be fetched: refused: 10.0.0.1."),
        (Fetched(200, {}, b"<html><body/></html>", URL), "an HTML page"),
        (Fetched(404, {}, FEED, URL), "HTTP 404"),
        (Fetched(410, {}, FEED, URL), "HTTP 410"),
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
