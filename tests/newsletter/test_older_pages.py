"""A feed whose first page no longer shows what we know is read on (RFC 5005), from a real web server."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from secondpost.config.records import Newsletter, Start
from secondpost.mail.article import ARTICLES_MAX
from secondpost.mail.article_states import ArticleState
from secondpost.mail.duration import DAY_MS
from secondpost.newsletter.fetching import FeedFetching, parse_in_line
from secondpost.newsletter.ledger import MISSED
from secondpost.newsletter.older_pages import PAGES_MAX
from secondpost.newsletter.publish import Publisher
from secondpost.newsletter.reading import FeedReading
from secondpost.store.newsletter_ports import ArticleMove
from secondpost.world.real.fetch import RealFetcher
from simulation.dice import SimDice
from tests.in_line_work import InLineWork
from tests.newsletter.blog import START_MS, WEEKLY, Bench, Blog
from tests.world.test_fetch_addresses import Names
from tests.world.web_server import WebServer, answer

PER_PAGE = 3
Publish = Callable[..., None]
Look = Callable[[], Awaitable[None]]
Story = Callable[[Blog, WebServer, Publish, Look], Awaitable[None]]
NEW_ALONE = replace(WEEKLY, start=Start.NEW)


def document(articles: list[int], older: str, relation: str, *, dated: bool, itself: str = "") -> bytes:
    """An Atom-in-RSS feed: articles by number, one a day."""

    def item(n: int) -> str:
        at = format_datetime(datetime.fromtimestamp(START_MS / 1_000 + n * 86_400, UTC))
        date = f"<pubDate>{at}</pubDate>" if dated else ""
        guid = f"<guid isPermaLink='false'>urn:{n}</guid>"
        return f"<item>{guid}<title>Article {n}</title><link>/{n}</link>{date}</item>"

    links = ((relation, older), ("self", itself))
    link = "".join(f"<atom:link rel='{name}' href='{to}'/>" for name, to in links if len(to) > 0)
    return (
        "<rss version='2.0' xmlns:atom='http://www.w3.org/2005/Atom'><channel><title>The Blog</title>"
        f"{link}{''.join(map(item, articles))}</channel></rss>"
    ).encode()


def lives(bench: Bench, newsletter: Newsletter, story: Story) -> None:
    blog = bench.blog(newsletter)
    work = InLineWork()
    pages: dict[str, bytes | None] = {}

    def publish(
        newest: int,
        oldest: int = 1,
        relation: str = "next",
        *,
        dated: bool = True,
        host: str = "",
        itself: str = "",
    ) -> None:
        """Show the articles from `newest` to `oldest`, PER_PAGE on each page; pages and self link at hosts
        of their own.
        """
        numbers = list(range(newest, oldest - 1, -1))
        for first in range(0, len(numbers), PER_PAGE):
            number = first // PER_PAGE
            is_last = first + PER_PAGE >= len(numbers)
            older = "" if is_last else f"{host}/feed/{number + 1}"
            shown = numbers[first : first + PER_PAGE]
            body = document(shown, older, relation, dated=dated, itself=itself)
            pages["/feed" if number == 0 else f"/feed/{number}"] = answer("200 OK", body)

    async def through() -> None:
        async with WebServer(pages).running() as server:
            fetcher = RealFetcher(
                Names(
                    {
                        "blog.example": ("127.0.0.1",),
                        "other.example": ("127.0.0.1",),
                        "www.blogger.com": ("127.0.0.1",),
                    }
                ),
                allow_private=True,
            )
            look = FeedFetching(fetcher, parse_in_line(work)).look
            reading = FeedReading(blog.store, blog.clock, SimDice("pages"), look)
            publisher = Publisher(
                reading, blog.store, blog.clock, blog.ids, blog.composed, blog.log, blog.standing
            )
            reads = replace(newsletter, feeds=(f"http://blog.example:{server.port}/feed",))
            await story(blog, server, publish, lambda: publisher.fetch(reads))

    bench.run(through())


@pytest.mark.parametrize("relation", ["next", "prev-archive"])
def test_articles_that_an_outage_pushed_from_the_first_page_are_read_from_the_next_ones(
    relation: str, bench: Bench
) -> None:
    """Catalogue row 25."""

    async def story(blog: Blog, server: WebServer, publish: Publish, look: Look) -> None:
        publish(6, relation=relation)
        await look()
        assert len(server.asked) == 1, "the first reading takes the first page alone"
        assert await blog.counts() == {"seen": 3}
        publish(13, relation=relation)
        blog.clock.ms += 14 * DAY_MS
        await look()
        assert await blog.titles(ArticleState.WAITING) == [f"Article {n}" for n in range(7, 14)]
        # Articles 1 to 3 were never seen, and are on pages behind the oldest known article.
        assert await blog.counts() == {"seen": 3, "waiting": 7}
        assert len(server.asked) == 1 + 3
        await look()
        assert len(server.asked) == 1 + 3 + 1, "nothing is missing any more"

    lives(bench, NEW_ALONE, story)


def test_pages_of_a_feed_of_blogger_are_at_its_host(bench: Bench) -> None:
    """The feed is at the blog's own domain, its self link and its next page at Blogger's."""

    async def story(blog: Blog, server: WebServer, publish: Publish, look: Look) -> None:
        host = f"http://www.blogger.com:{server.port}"
        publish(6, host=host, itself=f"{host}/feeds/1/posts/default")
        await look()
        publish(13, host=host, itself=f"{host}/feeds/1/posts/default")
        blog.clock.ms += 14 * DAY_MS
        await look()
        assert await blog.titles(ArticleState.WAITING) == [f"Article {n}" for n in range(7, 14)]

    lives(bench, NEW_ALONE, story)


def test_a_gap_that_no_page_fills_is_said(bench: Bench) -> None:
    async def story(blog: Blog, server: WebServer, publish: Publish, look: Look) -> None:
        publish(6, 4)
        await look()
        publish(13, 11)
        blog.clock.ms += 14 * DAY_MS
        await look()
        assert await blog.titles(ArticleState.WAITING) == [f"Article {n}" for n in (11, 12, 13)]
        url = f"http://blog.example:{server.port}/feed"
        assert (await blog.store.feed(NEW_ALONE.name, url)).left_out == MISSED
        await look()
        assert (await blog.store.feed(NEW_ALONE.name, url)).left_out == MISSED, "they still wait"
        waiting = await blog.store.entries(NEW_ALONE.name, ArticleState.WAITING, 10)
        moves = [ArticleMove(entry.id, ArticleState.SKIPPED, "") for entry in waiting]
        assert await blog.store.move_articles(NEW_ALONE.name, moves) == 3
        await look()
        assert (await blog.store.feed(NEW_ALONE.name, url)).left_out == ""

    lives(bench, NEW_ALONE, story)


def test_pages_without_dates_bring_nothing_that_may_be_old(bench: Bench) -> None:
    async def story(blog: Blog, server: WebServer, publish: Publish, look: Look) -> None:
        publish(6)
        await look()
        publish(13, dated=False)
        blog.clock.ms += 14 * DAY_MS
        await look()
        assert "Article 10" not in await blog.titles(ArticleState.WAITING)
        assert not {f"Article {n}" for n in (1, 2, 3)} & set(await blog.titles(ArticleState.WAITING))

    lives(bench, NEW_ALONE, story)


@pytest.mark.parametrize("trouble", ["loop", "broken", "elsewhere", "redirected", "endless", "large"])
def test_pages_that_lead_nowhere_are_not_followed_for_long(trouble: str, bench: Bench) -> None:
    async def story(blog: Blog, server: WebServer, publish: Publish, look: Look) -> None:
        publish(6)
        await look()
        pages = dict(server.pages)
        match trouble:
            case "loop":
                publish(200, 198)
                pages = dict(server.pages)
                for at, to in (("/feed", "/feed/1"), ("/feed/1", "/feed/1")):
                    pages[at] = answer(
                        "200 OK", document([200 if at == "/feed" else 190], to, "next", dated=True)
                    )
            case "broken":
                publish(13)
                pages = {**server.pages, "/feed/1": answer("200 OK", b"<html><body/></html>")}
            case "elsewhere":
                publish(13, host=f"http://other.example:{server.port}")
                pages = dict(server.pages)
            case "redirected":
                publish(13)
                here, there = (f"http://{host}.example:{server.port}" for host in ("blog", "other"))
                page = document([10], f"{here}/feed/2", "next", dated=True)
                pages = {**server.pages, "/feed/1": answer("302 Found", location=f"{there}/page")}
                pages["/page"] = answer("200 OK", page)
            case "large":
                publish(400, 300)
                page = document([*range(-1, -1 - ARTICLES_MAX, -1)], "/feed/2", "next", dated=True)
                pages = {**server.pages, "/feed/1": answer("200 OK", page)}
            case "endless":
                publish(400, 300)
                pages = dict(server.pages)
        server.pages = pages
        blog.clock.ms += 14 * DAY_MS
        server.asked.clear()
        await look()
        asked = {
            "loop": 2,
            "broken": 2,
            "elsewhere": 1,
            "redirected": 3,
            "endless": 1 + PAGES_MAX,
            "large": 2,
        }
        assert len(server.asked) == asked[trouble]
        waiting = await blog.titles(ArticleState.WAITING)
        assert not {f"Article {n}" for n in (1, 2, 3)} & set(waiting)

    lives(bench, NEW_ALONE, story)
