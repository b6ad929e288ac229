"""What can go wrong with a newsletter, from its feed to its frozen issue: rows of docs/failures.md."""

from dataclasses import replace

import pytest

from secondpost.config.records import Start
from secondpost.mail.article import Article, FeedRead
from secondpost.mail.article_states import ArticleState
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.issue import IssueState
from secondpost.newsletter.by_hand import ArticleRefused, ByHand
from secondpost.newsletter.decisions import NotDue, Ready, TooFew
from secondpost.newsletter.words import fingerprint
from tests.newsletter.blog import START_MS, URL, WEEKLY, Bench, Blog, article, articles

FRIDAYS = replace(WEEKLY, every="friday 09:00")
FRIDAY_MS = START_MS + 4 * DAY_MS + 9 * HOUR_MS
WINDOW = 10  # articles in the feed


async def issue_titles(blog: Blog) -> list[list[str]]:
    """The titles of each issue, oldest issue first."""
    made = (await blog.store.issues("weekly", None, 100))[::-1]
    return [[entry.article.title for entry in await blog.store.entries_of_issue(issue.id)] for issue in made]


def rewritten(n: int) -> Article:
    """Another article under the guid and link of article n."""
    title, text = f"Another article at the place of {n}", "Words that were never there before. " * 9
    return article(n, title=title, summary=text, html=f"<p>{text}</p>", fingerprint=fingerprint(title, text))


def test_articles_that_are_all_filtered_make_no_issue(bench: Bench) -> None:
    """Catalogue row 3. They are many, and the one that remains is below the minimum."""
    blog = bench.blog(replace(FRIDAYS, only=("notes",), skip=("draft",)))

    def of(category: str, *numbers: int) -> tuple[Article, ...]:
        return tuple(article(n, categories=(category,)) for n in numbers)

    async def story() -> None:
        left_out = (*of("cars", 5, 4), *of("draft", 3), article(2), article(1))
        await blog.says(FeedRead("The Blog", "urn:blog", left_out))
        for ready, notes in enumerate(((), of("notes", 6))):
            blog.found[URL] = FeedRead("The Blog", "urn:blog", (*notes, *left_out))
            blog.clock.ms = START_MS + ready * DAY_MS
            await blog.turn()
            sent = await blog.publisher.send_now(blog.newsletter, await blog.leader())
            assert sent.decision == TooFew(ready, 2, FRIDAY_MS)
        blog.clock.ms = FRIDAY_MS
        assert isinstance((await blog.turn()).decision, TooFew)
        assert await issue_titles(blog) == []
        blog.found[URL] = FeedRead("The Blog", "urn:blog", (*of("Notes", 7, 6), *left_out))
        blog.clock.ms = FRIDAY_MS + 7 * DAY_MS
        assert isinstance((await blog.turn()).decision, Ready)
        assert await issue_titles(blog) == [["Article 7", "Article 6"]]

    bench.run(story())


def test_what_happens_to_an_article_after_the_freeze_changes_nothing_of_the_issue(bench: Bench) -> None:
    """Catalogue row 9. One is deleted from the blog, the other edited."""
    blog = bench.blog()

    async def story() -> None:
        blog.found[URL] = articles(2, 1)
        await blog.turn()
        await blog.publisher.go_on([blog.newsletter], await blog.leader())
        [issue] = await blog.store.issues("weekly", None, 9)
        assert issue.state is IssueState.FROZEN
        content = await blog.store.issue_content(issue.id)
        blog.found[URL] = FeedRead("The Blog", "urn:blog", (rewritten(1),))
        for _ in range(3):
            blog.clock.ms += HOUR_MS
            await blog.turn()
        await blog.sees_through()
        [sent] = await blog.store.issues("weekly", None, 9)
        assert (sent.state, sent.article_count) == (IssueState.DONE, 2)
        assert await blog.store.issue_content(issue.id) == content
        assert await blog.counts() == {"taken": 2}, "a deleted article is not held, for it was sent"

    bench.run(story())


def test_a_new_text_under_an_old_id_is_sent_only_if_the_owner_takes_it(bench: Bench) -> None:
    """Catalogue row 18. Nothing in the feed tells whether it is an edit or a new article."""
    blog = bench.blog(replace(WEEKLY, start=Start.NEW, min_articles=1))
    by_hand = ByHand(blog.store, "weekly")

    async def story() -> None:
        await blog.says(articles(2, 1))
        blog.clock.ms += HOUR_MS
        feed = FeedRead("The Blog", "urn:blog", (article(2), rewritten(1)))
        assert (await blog.says(feed)).decision == TooFew(0, 1, None)
        await by_hand.take(await by_hand.named([rewritten(1).link]))
        assert isinstance((await blog.turn()).decision, Ready)
        await blog.sees_through()
        assert await issue_titles(blog) == [[rewritten(1).title]]
        # What an issue had is not sent again by hand either: the owner writes a letter about it.
        blog.clock.ms += HOUR_MS
        assert (await blog.says(articles(2, 1))).decision == TooFew(0, 1, None)
        with pytest.raises(ArticleRefused, match="is in an issue already"):
            await by_hand.take(await by_hand.named([article(1).link]))

    bench.run(story())


def test_an_article_that_comes_back_after_years_is_known(bench: Bench) -> None:
    """Catalogue row 19. A hundred articles later nothing of the old ones was forgotten."""
    blog = bench.blog(replace(FRIDAYS, undo_ms=0))
    months, each_month = 26, 4

    async def story() -> None:
        for month in range(months):
            newest = each_month * (month + 1)
            blog.found[URL] = articles(*range(newest, max(newest - WINDOW, 0), -1))
            for at_ms in (START_MS, FRIDAY_MS):
                blog.clock.ms = at_ms + 28 * month * DAY_MS
                await blog.turn()
            await blog.sees_through()
        before = await blog.counts()
        assert before == {"taken": months * each_month}
        blog.restart()
        newest = months * each_month
        blog.found[URL] = articles(1, 2, 50, 3, *range(newest, newest - WINDOW, -1))
        for _ in range(9):
            blog.clock.ms += DAY_MS
            assert isinstance((await blog.turn()).decision, NotDue | TooFew)
        assert await blog.counts() == before

    bench.run(story())


def test_an_article_that_appears_while_an_issue_is_made_waits_for_the_next(bench: Bench) -> None:
    """Catalogue row 46. Between each two steps of the issue there is one article more."""
    blog = bench.blog(replace(FRIDAYS, undo_ms=HOUR_MS))

    async def story() -> None:
        leader = await blog.leader()
        await blog.says(articles(2, 1))
        blog.clock.ms = FRIDAY_MS - HOUR_MS
        await blog.turn()
        told = await blog.publisher.outlook_forced(blog.newsletter)
        assert isinstance(told.decision, Ready)
        await blog.says(articles(3, 2, 1))
        now_ms = blog.clock.ms
        created = await blog.store.create_digest(told.decision.draft, blog.ids.next(now_ms), now_ms)
        await blog.says(articles(4, 3, 2, 1))
        await blog.publisher.freeze(blog.newsletter, created, leader)
        await blog.says(articles(5, 4, 3, 2, 1))
        await blog.sees_through()
        assert await blog.titles(ArticleState.WAITING) == ["Article 3", "Article 4", "Article 5"]
        blog.clock.ms = FRIDAY_MS + 7 * DAY_MS
        await blog.turn()
        assert [sorted(each) for each in await issue_titles(blog)] == [
            ["Article 1", "Article 2"],
            ["Article 3", "Article 4", "Article 5"],
        ]

    bench.run(story())
