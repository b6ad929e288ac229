"""The blog whose feed the newsletter reads, and the Fetcher that reads it.

The feed grows over the day. `trouble` selects a faulty answer instead.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import StrEnum

from secondpost.world.ports import Fetched, FetchError, Validators
from simulation.clock import EPOCH_MS, Timeline
from simulation.dice import SimDice

BLOG = "https://blog.example"
HANGS_SECONDS = 60.0  # the fetcher's own time limit
QUICK_SECONDS = (0.05, 0.5)
WINDOW = 10  # articles in the feed at one time


class Trouble(StrEnum):
    UNREADABLE = "unreadable"  # the server answers 503
    PAGE = "page"  # an HTML page instead of the feed
    EMPTY = "empty"
    TORN = "torn"
    OTHER_IDS = "other ids"  # all ids are new, links and texts are unchanged
    STRANGE = "strange"  # ids, links and texts are all new, as of another blog
    HANGS = "hangs"


@dataclass(frozen=True, slots=True)
class ArticlePlan:
    at_seconds: float  # below zero: published before the day
    number: int


@dataclass(frozen=True, slots=True)
class FeedPlan:
    name: str
    articles: tuple[ArticlePlan, ...]  # in the order of their times

    @property
    def url(self) -> str:
        return f"{BLOG}/{self.name}.xml"

    def link(self, number: int) -> str:
        return f"{BLOG}/{self.name}/a{number}"


class SimBlog:
    def __init__(self, feeds: Sequence[FeedPlan], timeline: Timeline) -> None:
        self.trouble: Trouble | None = None
        self._feeds = {feed.url: feed for feed in feeds}
        self._timeline = timeline

    def answer(self, url: str, validators: Validators | None) -> Fetched:
        """The response to a request now. HANGS is played by the fetcher."""
        match self.trouble:
            case Trouble.UNREADABLE:
                return _document(url, 503, b"sorry", "text/plain")
            case Trouble.PAGE:
                return _document(url, 200, b"<!DOCTYPE html><html><body><p>Welcome!</p></body></html>")
        feed = self._feeds[url]
        now = self._timeline.now
        shown = [article for article in feed.articles if article.at_seconds <= now][-WINDOW:]
        body = self._written(feed, shown)
        etag = f'"{len(body)}-{len(shown)}-{self.trouble}"'
        if validators is not None and validators.etag == etag:
            return Fetched(304, {"etag": etag}, b"", url)
        if self.trouble is Trouble.TORN:
            body = body[: len(body) // 2]
        return Fetched(200, {"content-type": "application/rss+xml", "etag": etag}, body, url)

    def _written(self, feed: FeedPlan, shown: Sequence[ArticlePlan]) -> bytes:
        items = [] if self.trouble is Trouble.EMPTY else [self._item(feed, each) for each in reversed(shown)]
        return (
            '<?xml version="1.0" encoding="utf-8"?>\n<rss version="2.0"><channel>'
            f"<title>The {feed.name} blog</title><link>{BLOG}/</link><description>Words.</description>"
            f"{''.join(items)}</channel></rss>\n"
        ).encode()

    def _item(self, feed: FeedPlan, article: ArticlePlan) -> str:
        number, link, guid = article.number, feed.link(article.number), f"{feed.name}-{article.number}"
        words = f"Article {number} of the {feed.name} blog"
        if self.trouble in (Trouble.OTHER_IDS, Trouble.STRANGE):
            guid = f"moved-{guid}"
        if self.trouble is Trouble.STRANGE:
            link, words = f"{BLOG}/{feed.name}/strange{number}", f"Something else, part {number}"
        at = datetime.fromtimestamp(EPOCH_MS / 1000 + article.at_seconds, UTC)
        return (
            f"<item><guid isPermaLink='false'>{guid}</guid><link>{link}</link><title>{words}</title>"
            f"<description>&lt;p&gt;{words} has a paragraph of words: {WORDS}&lt;/p&gt;</description>"
            f"<pubDate>{format_datetime(at)}</pubDate></item>"
        )


WORDS = "what happened, why it matters, and what anybody could do about it, told at some length."


class SimFetcher:
    """The Fetcher port of one process. `asked` is called at every request."""

    def __init__(self, blog: SimBlog, dice: SimDice, asked: Callable[[], None]) -> None:
        self._blog = blog
        self._dice = dice
        self._asked = asked

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Fetched:
        """The simulated web has no webhook."""
        return Fetched(404, {}, b"", url)

    async def get(
        self, url: str, headers: Mapping[str, str], octets_max: int, validators: Validators | None = None
    ) -> Fetched:
        self._asked()
        if self._blog.trouble is Trouble.HANGS:
            await asyncio.sleep(HANGS_SECONDS)
            raise FetchError("it took longer than a minute")
        await asyncio.sleep(self._dice.between(*QUICK_SECONDS))
        return self._blog.answer(url, validators)


def _document(url: str, status: int, body: bytes, kind: str = "text/html") -> Fetched:
    return Fetched(status, {"content-type": kind}, body, url)
