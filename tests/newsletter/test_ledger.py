"""What fetching a feed adds to the ledger, and what not: each test is a story of a blog."""

from dataclasses import replace

import pytest

from secondpost.config.records import Start
from secondpost.mail.article import Article, FeedRead, FeedUnchanged, FeedUnreadable
from secondpost.mail.article_states import ArticleState
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.mail.issue import ArticleId
from secondpost.newsletter.decisions import InDoubt, Ready, Settling, TooFew
from secondpost.newsletter.known import WAITING_MAX
from secondpost.newsletter.ledger import GONE, STRANGE_MAX
from secondpost.newsletter.novelty import MANY
from secondpost.store.newsletter_ports import ArticleMove
from tests.newsletter.blog import (
    START_MS,
    URL,
    WEEKLY,
    Bench,
    article,
    articles,
)

OTHER = "https://other.example/feed.json"


def feed(*told: Article) -> FeedRead:
    return FeedRead("The Blog", "urn:blog", told)


def test_none_one_and_two_articles_bring_nothing_nothing_and_an_issue(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        assert (await blog.says(articles())).decision == TooFew(0, 2, None)
        one = await blog.says(articles(1))
        assert one.decision == TooFew(1, 2, None)
        assert one.reason == "1 of 2 articles; as soon as there are enough, the issue goes out."
        two = await blog.says(articles(2, 1))
        assert isinstance(two.decision, Ready)
        assert (two.articles, two.minimum) == (2, 2)
        made = await blog.publisher.send_now(blog.newsletter, await blog.leader())
        assert isinstance(made.decision, Ready)
        assert await blog.titles(ArticleState.TAKEN) == ["Article 1", "Article 2"]
        again = await blog.publisher.outlook_forced(blog.newsletter)
        assert not isinstance(again.decision, Ready)
        assert "Issue 1 is not finished" in again.reason

    bench.run(story())


def test_what_stands_in_the_feed_at_first_sight_is_never_mailed(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, start=Start.NEW))

    async def story() -> None:
        assert (await blog.says(articles(3, 2, 1))).articles == 0
        assert await blog.counts() == {"seen": 3}
        assert (await blog.says(articles(4, 3, 2, 1))).articles == 1
        assert (await blog.says(articles(5, 4, 3, 2))).articles == 2
        assert await blog.counts() == {"seen": 3, "waiting": 2}

    bench.run(story())


OWN_ARCHIVE = "https://www.example.net/weekly/feed.xml"
IN_THE_PLACE_OF_A_FEED: dict[str, FeedRead | FeedUnreadable] = {
    "unreadable": FeedUnreadable("It is incomplete."),
    "empty": feed(),
    "another feed": FeedRead("Cars for sale", "urn:cars", (article(7), article(8))),
    "all ids changed": feed(
        *(
            article(
                n,
                guid=f"new-{n}",
                link=f"https://new.example/{n}",
                summary=f"Short {n}",
                fingerprint=f"{n}" * 32,
            )
            for n in (1, 2)
        )
    ),
    "one article with everything changed": feed(
        article(1, guid="new", link="https://new.example/1", summary="Short", fingerprint="f" * 32)
    ),
    "our own archive by its name": FeedRead("The Blog", OWN_ARCHIVE, (article(9),)),
    "our own archive by its maker": FeedRead(
        "The Blog", "urn:blog", (article(9),), generator="Secondpost/1.0"
    ),
}


@pytest.mark.parametrize("found", IN_THE_PLACE_OF_A_FEED.values(), ids=IN_THE_PLACE_OF_A_FEED.keys())
@pytest.mark.parametrize("numbers", [(1,), (2, 1)])
def test_what_is_no_information_adds_nothing_removes_nothing_sends_nothing(
    found: FeedRead | FeedUnreadable, numbers: tuple[int, ...], bench: Bench
) -> None:
    blog = bench.blog()

    async def story() -> None:
        await blog.says(articles(*numbers))
        for _ in range(3):
            told = await blog.says(found)
            assert isinstance(told.decision, InDoubt)
            assert told.articles == len(numbers)
            assert "problem with the feed" in told.reason
            assert len(await blog.titles(ArticleState.WAITING)) == len(numbers)
            sent = await blog.publisher.send_now(blog.newsletter, await blog.leader())
            assert isinstance(sent.decision, InDoubt)
        assert await blog.store.issues("weekly", None, 10) == []
        # When the feed is normal again, everything is as before.
        back = await blog.says(articles(2, 1))
        assert isinstance(back.decision, Ready)
        assert back.articles == 2

    bench.run(story())


def test_ids_that_changed_for_good_are_a_matter_for_the_owner(bench: Bench) -> None:
    blog = bench.blog()
    strange = IN_THE_PLACE_OF_A_FEED["all ids changed"]

    async def story() -> None:
        await blog.says(articles(2, 1))
        blog.clock.ms += HOUR_MS
        await blog.says(strange)
        assert await blog.counts() == {"waiting": 2, "held": 2}
        held = await blog.store.entries("weekly", ArticleState.HELD, 10)
        moves = [replace_state(entry.id) for entry in held]
        assert await blog.store.move_articles("weekly", moves) == 2
        # Skipped by hand they are known, and the feed is trusted again; waiting articles still
        # wait.
        assert isinstance((await blog.says(strange)).decision, Ready)
        assert await blog.counts() == {"waiting": 2, "skipped": 2}

    def replace_state(id: ArticleId) -> ArticleMove:
        return ArticleMove(id, ArticleState.SKIPPED, "the same as before")

    bench.run(story())


def test_a_feed_with_other_articles_at_each_look_does_not_fill_the_disk(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, start=Start.NEW))

    async def story() -> None:
        await blog.says(articles(*range(20)))
        for look in range(1, 40):
            await blog.later(HOUR_MS)
            await blog.says(articles(*range(1000 * look, 1000 * look + 20)))
        assert await blog.store.count("weekly", ArticleState.HELD) == STRANGE_MAX

    bench.run(story())


SAME = {
    "the guid follows the title": article(1, guid="other", title="New title"),
    "the link follows the date": article(1, link="https://www.example.net/2029/1"),
    "http became https, and www went": article(1, guid="x", link="http://example.net/posts/1/"),
    "a tracker was added": article(1, guid="x", link="https://www.example.net/posts/1?utm_source=rss"),
    "only the words are the same": article(1, guid="x", link="https://moved.example/1"),
    "only the guid is the same": article(1, link="https://moved.example/1", summary="", fingerprint="e" * 32),
}


@pytest.mark.parametrize("changed", SAME.values(), ids=SAME.keys())
def test_an_article_is_known_by_any_of_its_marks(changed: Article, bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        await blog.says(articles(2, 1))
        told = await blog.says(feed(article(2), changed))
        assert told.articles == 2
        assert await blog.counts() == {"waiting": 2}

    bench.run(story())


def test_short_words_are_nobodys_own(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        photos = [article(n, title="Photo", summary="A new photo.", fingerprint="a" * 32) for n in (1, 2, 3)]
        assert (await blog.says(feed(photos[0]))).articles == 1
        assert (await blog.says(feed(photos[1], photos[0]))).articles == 2
        assert (await blog.says(feed(photos[2], photos[1], photos[0]))).articles == 3

    bench.run(story())


def test_a_guid_that_was_given_to_two_articles_is_never_believed_again(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        def bare(n: int) -> Article:
            return article(n, guid="")

        await blog.says(replace(feed(bare(2), bare(1)), repeated_guids=frozenset(("blog",))))
        assert await blog.counts() == {"waiting": 2}
        # Now only one of them has it, and it differs from the next one with it.
        await blog.says(feed(article(3, guid="blog"), bare(2), bare(1)))
        await blog.says(feed(article(4, guid="blog"), bare(3), bare(2)))
        assert await blog.counts() == {"waiting": 4}

    bench.run(story())


def test_a_link_that_several_articles_share_tells_nothing(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        def page(n: int) -> Article:
            return article(n, link="https://www.example.net/all.html")

        await blog.says(feed(page(2), page(1)))
        assert (await blog.says(feed(page(3), page(2), page(1)))).articles == 3

    bench.run(story())


def test_an_article_in_two_feeds_is_one(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, feeds=(URL, OTHER)))

    async def story() -> None:
        blog.found[OTHER] = FeedRead("Other", "urn:other", (article(1, guid="other-1"),))
        assert (await blog.says(articles(1))).articles == 1
        blog.found[OTHER] = FeedRead("Other", "urn:other", (article(2, guid="o"), article(1, guid="other-1")))
        assert (await blog.says(articles(1))).articles == 2

    bench.run(story())


def test_a_feed_is_added_to_a_newsletter_that_has_seen_much(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, start=Start.NEW, feeds=(URL, OTHER)))

    much = articles(*range(WAITING_MAX, 0, -1))

    async def story() -> None:
        blog.found[OTHER] = FeedUnreadable("It is not there yet.")
        await blog.says(much)
        others = tuple(article(n, guid=f"other-{n}") for n in range(2010, 2000, -1))
        blog.found[OTHER] = FeedRead("Other", "urn:other", others)
        await blog.says(much)
        assert await blog.counts() == {"seen": WAITING_MAX + 10}
        blog.found[OTHER] = FeedRead("Other", "urn:other", (article(2011, guid="other-2011"), *others))
        assert (await blog.says(much)).articles == 1

    bench.run(story())


def test_a_blog_that_began_with_nothing_may_be_written_on_and_not_moved_in(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, start=Start.NEW))

    async def story() -> None:
        assert (await blog.says(articles())).articles == 0
        assert (await blog.says(articles(*range(50, 0, -1)))).articles == 0
        assert await blog.counts() == {"held": 50}

    bench.run(story())
    young = bench.blog(replace(WEEKLY, name="young", start=Start.NEW))

    async def its_story() -> None:
        await young.says(articles())
        assert (await young.says(articles(2, 1))).articles == 2

    bench.run(its_story())


def test_unchanged_to_a_first_look_is_no_information(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, start=Start.NEW))

    async def story() -> None:
        told = await blog.says(FeedUnchanged())
        assert isinstance(told.decision, InDoubt)
        assert (await blog.store.feed("weekly", URL)).last_good_ms is None
        await blog.says(articles(2, 1))
        assert await blog.counts() == {"seen": 2}

    bench.run(story())


def test_more_that_is_new_than_anybody_writes_is_held(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        def upto(first: int, last: int) -> FeedRead:
            return articles(*range(last, first - 1, -1))

        await blog.says(upto(1, 10))
        assert (await blog.says(upto(1, 15))).articles == 15  # five at once are not too many
        assert (await blog.says(upto(1, 25))).articles == 25  # nor ten in a long feed
        assert (await blog.says(upto(21, 50))).articles == 25
        assert await blog.counts() == {"waiting": 25, "held": 25}
        assert await blog.reasons(ArticleState.HELD) == {MANY}

    bench.run(story())


def test_an_article_has_to_settle(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, settle_ms=10 * MINUTE_MS))

    async def story() -> None:
        told = await blog.says(articles(2, 1))
        assert told.decision == Settling(0, 2, START_MS + 10 * MINUTE_MS)
        assert told.reason == "0 of 2 articles are ready, the next one Monday 00:10 (UTC)."
        told = await blog.later(5 * MINUTE_MS)
        assert isinstance(told.decision, Settling)
        assert isinstance((await blog.later(5 * MINUTE_MS)).decision, Ready)

    bench.run(story())


def test_age_alone_does_not_settle_an_article(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, settle_ms=10 * MINUTE_MS))

    async def story() -> None:
        await blog.says(articles(2, 1))
        blog.clock.ms += DAY_MS
        assert isinstance((await blog.publisher.outlook(blog.newsletter)).decision, Settling)
        # A 304 is a good fetch too.
        assert isinstance((await blog.says(FeedUnchanged())).decision, Ready)
        assert blog.asked[-1].etag == '"etag"'

    bench.run(story())


def test_what_is_taken_back_is_held_and_what_comes_back_waits_again(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        await blog.says(articles(2, 1))
        assert (await blog.says(articles(1))).articles == 1
        assert await blog.reasons(ArticleState.HELD) == {GONE}
        assert (await blog.says(articles(2, 1))).articles == 2
        assert await blog.counts() == {"waiting": 2}
        assert (await blog.says(articles(2))).articles == 1  # the older one, which was not pushed out

    bench.run(story())


def test_what_slides_out_of_a_short_window_still_waits(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        await blog.says(articles(2, 1))
        blog.clock.ms += HOUR_MS
        assert (await blog.says(articles(3, 2))).articles == 3
        for _ in range(3):
            assert (await blog.later(HOUR_MS)).articles == 3
        blog.clock.ms += HOUR_MS
        assert (await blog.says(FeedUnchanged())).articles == 3
        assert (await blog.says(articles(3, 2))).articles == 3

    bench.run(story())


def test_an_old_article_taken_up_by_hand_waits_though_it_is_not_in_the_feed(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, start=Start.NEW))

    async def story() -> None:
        await blog.says(articles(2, 1))
        blog.clock.ms += HOUR_MS
        await blog.says(articles(3, 2))
        old = (await blog.store.entries("weekly", ArticleState.SEEN, 10))[0]
        await blog.store.move_articles("weekly", [ArticleMove(old.id, ArticleState.WAITING, "")])
        for _ in range(3):
            assert (await blog.later(HOUR_MS)).articles == 2
        assert await blog.titles(ArticleState.WAITING) == ["Article 1", "Article 3"]

    bench.run(story())


def test_what_slid_out_before_its_second_look_settles_by_age(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, settle_ms=10 * MINUTE_MS))

    async def story() -> None:
        await blog.says(articles(2, 1))
        blog.clock.ms += MINUTE_MS
        assert isinstance((await blog.says(articles(3, 2))).decision, Settling)
        assert (await blog.later(HOUR_MS)).articles == 3

    bench.run(story())


def test_a_date_to_come_is_waited_for(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        told = await blog.says(feed(article(2, published_ms=START_MS + HOUR_MS), article(1)))
        assert told.decision == Settling(1, 2, START_MS + HOUR_MS)
        assert isinstance((await blog.later(HOUR_MS)).decision, Ready)

    bench.run(story())


def test_an_old_article_that_was_never_seen_is_held(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, start=Start.NEW))

    async def story() -> None:
        await blog.says(articles(1))
        old, young = START_MS - 400 * DAY_MS, START_MS - DAY_MS
        told = await blog.says(feed(article(3, published_ms=young), article(2, published_ms=old), article(1)))
        assert told.articles == 1
        assert await blog.titles(ArticleState.HELD) == ["Article 2"]

    bench.run(story())


def test_categories_are_taken_or_skipped(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, only=("Notes",), skip=("draft",)))

    async def story() -> None:
        told = await blog.says(
            feed(
                article(4),
                article(3, categories=("notes", "Draft")),
                article(2, categories=("cars",)),
                article(1, categories=("NOTES", "cars")),
            )
        )
        assert told.articles == 1
        assert await blog.titles(ArticleState.WAITING) == ["Article 1"]
        assert await blog.counts() == {"waiting": 1, "skipped": 3}

    bench.run(story())


def test_a_new_name_of_the_same_articles_is_the_same_feed(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        await blog.says(articles(2, 1))
        told = await blog.says(FeedRead("The Blog", "urn:new-name", (article(3), article(2), article(1))))
        assert told.articles == 3

    bench.run(story())


def test_the_order_of_articles_is_that_of_their_writing(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        await blog.says(articles(3, 2, 1))
        assert await blog.titles(ArticleState.WAITING) == ["Article 1", "Article 2", "Article 3"]

    bench.run(story())


def test_after_a_doubt_the_feed_is_asked_without_conditions(bench: Bench) -> None:
    """Otherwise a 304 could make a doubtful document look good, or hide a good one for ever."""
    blog = bench.blog()

    async def story() -> None:
        await blog.says(articles(2, 1))
        await blog.says(IN_THE_PLACE_OF_A_FEED["empty"])
        assert blog.asked[-1].etag == '"etag"'
        await blog.says(articles(2, 1))
        assert blog.asked[-1].etag == ""

    bench.run(story())
