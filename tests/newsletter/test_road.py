"""The whole path over loopback: a blog's web server, fetcher, parser, ledger and issue."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from secondpost.mail.article_states import ArticleState
from secondpost.newsletter.decisions import InDoubt, Ready, TooFew
from secondpost.newsletter.fetching import FeedFetching, parse_in_line
from secondpost.newsletter.publish import Publisher
from secondpost.newsletter.reading import FeedReading
from secondpost.world.real.fetch import RealFetcher
from simulation.dice import SimDice
from tests.in_line_work import InLineWork
from tests.newsletter.blog import WEEKLY, Bench
from tests.newsletter.writing import FORMS
from tests.world.test_fetch_addresses import Names
from tests.world.web_server import WebServer, answer


@pytest.mark.parametrize("written", FORMS.values(), ids=FORMS)
def test_a_blog_that_grows_by_one_article_and_another(written: Callable[..., bytes], bench: Bench) -> None:
    blog = bench.blog()
    work = InLineWork()
    pages: dict[str, bytes | None] = {}

    async def story() -> None:
        async with WebServer(pages).running() as server:
            newsletter = replace(WEEKLY, feeds=(f"http://blog.example:{server.port}/feed",))
            fetcher = RealFetcher(Names({"blog.example": ("127.0.0.1",)}), allow_private=True)
            reading = FeedReading(
                blog.store, blog.clock, SimDice("road"), FeedFetching(fetcher, parse_in_line(work)).look
            )
            publisher = Publisher(
                reading, blog.store, blog.clock, blog.ids, blog.composed, blog.log, blog.standing
            )
            for numbers, expected in (((), TooFew), ((1,), TooFew), ((2, 1), Ready)):
                pages["/feed"] = answer("200 OK", written(numbers), etag='"1"')
                await publisher.fetch(newsletter)
                assert isinstance((await publisher.outlook(newsletter)).decision, expected)
            for bad in (b"<!DOCTYPE html><html><body>Back soon</body></html>", written(()), b""):
                pages["/feed"] = answer("200 OK", bad)
                await publisher.fetch(newsletter)
                assert isinstance((await publisher.outlook(newsletter)).decision, InDoubt)
            pages["/feed"] = answer("200 OK", written((2, 1)))
            await publisher.fetch(newsletter)
            made = await publisher.send_now(newsletter, await blog.leader())
            assert isinstance(made.decision, Ready)
            assert await blog.titles(ArticleState.TAKEN) == ["Article 1", "Article 2"]
            entries = await blog.store.entries("weekly", ArticleState.TAKEN, 10)
            links = [entry.article.link for entry in entries]
            assert links == [f"http://blog.example:{server.port}/{n}" for n in (1, 2)]

    bench.run(story())
