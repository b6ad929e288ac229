"""Feeds whose servers redirect, are busy or are gone (R13, R22), and what `issue next` says of them."""

from dataclasses import replace

from secondpost.mail.article import FeedAnswered, FeedAsked, FeedGone, FeedRead, FeedUnchanged, FeedUnreadable
from secondpost.mail.article_states import ArticleState
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.newsletter.reading import GONE
from secondpost.newsletter.rhythm import CLOSE_MS, GONE_MS
from tests.newsletter.blog import URL, Bench, Blog, articles

SAME_HOST = "https://example.net/new.xml"
OTHER_HOST = "https://feeds.example/blog.xml"


def answers(blog: Blog, *, location: str = "", validators_url: str = "", wait_ms: int | None = None) -> None:
    """All further answers of the blog's server have these fields, beside what it finds; "": as asked."""

    async def look(asked: FeedAsked) -> FeedAnswered:
        blog.asked.append(asked)
        there = asked.location or asked.url
        return FeedAnswered(
            blog.found[asked.url],
            etag='"1"',
            validators_url=there if len(validators_url) == 0 else validators_url,
            location=asked.url if len(location) == 0 else location,
            wait_ms=wait_ms,
        )

    blog.look = look


def test_a_feed_that_moved_for_good_on_its_host_is_asked_there_from_then_on(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        await blog.says(articles(1))
        answers(blog, location=SAME_HOST, validators_url=SAME_HOST)
        assert (await blog.says(articles(2, 1))).articles == 2
        await blog.later(HOUR_MS)
        asked = blog.asked[-1]
        assert (asked.url, asked.location, asked.validators_url) == (URL, SAME_HOST, SAME_HOST)

    bench.run(story())


def test_a_feed_that_moved_to_another_host_is_not_believed_until_the_owner_writes_its_new_address(
    bench: Bench,
) -> None:
    """Catalogue row 22."""
    blog = bench.blog()

    async def story() -> None:
        answers(blog)
        await blog.says(articles(2, 1))
        answers(blog, location=OTHER_HOST)
        for found in (articles(3, 2, 1), FeedUnchanged()):
            told = await blog.says(found)
            assert f"It has moved for good to {OTHER_HOST}" in told.reason
            assert told.articles == 2
        assert await blog.counts() == {"waiting": 2}
        # The owner does as the sentence says: the articles that waited still do, and none comes twice.
        blog.newsletter = replace(blog.newsletter, feeds=(OTHER_HOST,))
        blog.restart()
        answers(blog)
        told = await blog.says(articles(3, 2, 1), OTHER_HOST)
        assert (told.articles, await blog.counts()) == (3, {"waiting": 3})

    bench.run(story())


def test_at_its_first_reading_a_feed_may_be_anywhere(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        answers(blog, location=OTHER_HOST)
        for found in (articles(2, 1), articles(3, 2, 1)):
            told = await blog.says(found)
        assert told.articles == 3
        assert blog.asked[-1].location == OTHER_HOST

    bench.run(story())


def test_articles_of_an_address_that_was_changed_keep_their_guids_apart(bench: Bench) -> None:
    """An article that is known by its link becomes the new feed's, even where its guid is taken."""
    blog = bench.blog()

    async def story() -> None:
        await blog.says(articles(2, 1))
        blog.newsletter = replace(blog.newsletter, feeds=(OTHER_HOST,))
        blog.restart()
        swapped = replace(articles(2, 1), articles=articles(1).articles)
        await blog.says(swapped, OTHER_HOST)
        await blog.says(articles(2, 1), OTHER_HOST)
        entries = await blog.store.entries("weekly", ArticleState.WAITING, 10)
        assert {entry.feed for entry in entries} == {OTHER_HOST}
        assert sorted(entry.article.guid for entry in entries) == ["urn:1", "urn:2"]

    bench.run(story())


def test_a_feed_that_is_gone_is_left_alone_and_the_owner_is_told_at_once(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        blog.found[URL] = articles(1)
        await blog.turn()
        blog.found[URL] = FeedGone()
        blog.clock.ms += DAY_MS
        await blog.turn()
        [alarm] = blog.alarms
        assert "feed-in-doubt" in alarm
        assert "HTTP 410" in alarm
        looks = len(blog.asked)
        for _ in range(int(GONE_MS / HOUR_MS) - 1):
            blog.clock.ms += HOUR_MS
            told = await blog.turn()
        assert len(blog.asked) == looks
        assert GONE in told.reason
        blog.clock.ms += HOUR_MS
        await blog.turn()
        assert len(blog.asked) == looks + 1
        # The owner's commands look all the same, and what they find counts.
        assert GONE not in (await blog.says(articles(2, 1))).reason
        blog.clock.ms += DAY_MS
        await blog.turn()
        assert len(blog.asked) > looks + 2

    bench.run(story())


def test_a_server_that_asks_for_an_hour_is_left_alone_for_it_even_while_an_issue_is_due(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        await blog.says(articles(2, 1))
        answers(blog, wait_ms=HOUR_MS)
        blog.clock.ms += DAY_MS
        blog.found[URL] = FeedUnreadable("The server has a problem (HTTP 503).")
        await blog.turn()
        looks = len(blog.asked)
        for _ in range(5):
            blog.clock.ms += CLOSE_MS
            await blog.turn()
        assert len(blog.asked) == looks
        answers(blog)
        blog.found[URL] = articles(2, 1)
        blog.clock.ms += CLOSE_MS
        await blog.turn()
        assert len(blog.asked) == looks + 1

    bench.run(story())


def test_a_feed_that_asks_for_an_hour_between_two_looks_gets_it(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        blog.found[URL] = replace(articles(1), refresh_ms=HOUR_MS)
        for minutes in range(0, 181, 10):
            await blog.turn()
            blog.clock.ms += 10 * MINUTE_MS
            if minutes == 60:
                blog.found[URL] = FeedUnchanged()  # a 304 says nothing of it
        assert len(blog.asked) == 4

    bench.run(story())


def test_a_newsletter_with_a_fixed_time_looks_more_often_before_it(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        day_ms = DAY_MS + 5 * HOUR_MS
        dated = tuple(
            replace(each, published_ms=blog.clock.ms - n * day_ms)
            for n, each in enumerate(articles(*range(9, 0, -1)).articles)
        )
        blog.found[URL] = FeedRead("The Blog", "urn:blog", dated)
        weekly = replace(blog.newsletter, every="friday 09:00", min_articles=100)
        per_day = []
        for _ in range(5):
            before = len(blog.asked)
            for _ in range(24 * 6):
                await blog.turn(weekly)
                blog.clock.ms += 10 * MINUTE_MS
            per_day.append(len(blog.asked) - before)
        assert max(per_day[1:4]) <= 9
        assert per_day[4] > per_day[3]

    bench.run(story())
