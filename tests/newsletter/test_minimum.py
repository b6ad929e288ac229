"""Whatever a feed says and whenever a service runs, no issue has fewer articles than its minimum.

MINIMUM is the number of newsletters that each property is tried with; `make long` tries 2,000.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from secondpost.config.records import Newsletter, Start
from secondpost.mail.article import Article, FeedNotLookedAt, FeedRead, FeedUnchanged, FeedUnreadable
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.issue import IssueState
from tests.newsletter.blog import READER, START_MS, URL, WEEKLY, Blog, Found, article
from tests.newsletter.conftest import Ground

EXAMPLES = int(os.environ.get("MINIMUM", "30"))
EVERY = ("when ready", "daily 09:00", "friday 09:00", "monday,friday 00:00", "first monday")
PAST = 3  # articles before the first look
TURNS_EACH = 3  # turns of the service between two changes of the feed
AHEAD_DAYS = 25  # articles that are dated ahead; dates of more than a month are another matter
INSTEAD: tuple[Found, ...] = (  # of a document
    FeedRead("The Blog", "urn:blog", ()),
    FeedUnreadable("It is an HTML page, not a feed."),
    FeedUnreadable("It is incomplete."),
    FeedNotLookedAt("The fetch role is not there."),
    FeedUnchanged(),
    FeedRead("Cars for sale", "urn:cars", (article(9_001), article(9_002), article(9_003))),
    FeedRead("The Blog", "urn:blog", tuple(article(n, guid=f"x{n}") for n in range(8_001, 8_004))),
)


@dataclass(frozen=True, slots=True)
class Fresh:
    count: int


@dataclass(frozen=True, slots=True)
class Filtered:
    """Articles of a category that `skip` names."""

    count: int


@dataclass(frozen=True, slots=True)
class Ahead:
    """Articles that are dated ahead."""

    count: int


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """Articles that are written and withdrawn within the hour."""

    count: int


@dataclass(frozen=True, slots=True)
class Deleted:
    """The newest articles go from the feed."""

    count: int


@dataclass(frozen=True, slots=True)
class Instead:
    """Something else comes instead of the feed, for the next turns."""

    found: Found


@dataclass(frozen=True, slots=True)
class Forced:
    """The owner types `issue send`."""


@dataclass(frozen=True, slots=True)
class Restart:
    pass


Step = Fresh | Filtered | Ahead | Withdrawn | Deleted | Instead | Forced | Restart
few = st.integers(1, 4)
nothings: st.SearchStrategy[Step] = st.one_of(
    st.builds(Filtered, few),
    st.builds(Ahead, few),
    st.builds(Withdrawn, few),
    st.sampled_from(INSTEAD).map(Instead),
    st.sampled_from((Forced(), Restart())),
)
anything: st.SearchStrategy[Step] = st.one_of(nothings, st.builds(Fresh, few), st.builds(Deleted, few))
hours = st.integers(1, 60)
newsletters = st.builds(
    lambda every, minimum, settle_ms: replace(
        WEEKLY, every=every, min_articles=minimum, settle_ms=settle_ms, start=Start.NEW, skip=("draft",)
    ),
    st.sampled_from(EVERY),
    st.integers(1, 4),
    st.sampled_from((0, 2 * HOUR_MS)),
)


@dataclass
class Feed:
    """The feed of one newsletter, and the service that reads it."""

    blog: Blog
    listed: list[Article] = field(default_factory=list)  # newest first
    written: int = 0
    filtered: set[str] = field(default_factory=set)  # titles

    async def begins(self) -> None:
        """A reader, and articles of which each was there when the feed was first read."""
        await self.blog.reads(READER)
        self.writes(PAST)
        await self.turn()

    async def lives(self, steps: Sequence[tuple[Step, int]]) -> None:
        """Each step, and turns of the service over the hours behind it."""
        await self.turn()
        for step, hours in steps:
            await self.happens(step)
            for _ in range(TURNS_EACH):
                await self.turn()
                self.blog.clock.ms += hours * HOUR_MS // TURNS_EACH
            self.shows(self.document)
            await self.turn()

    @property
    def document(self) -> FeedRead:
        return FeedRead("The Blog", "urn:blog", tuple(self.listed))

    def shows(self, found: Found) -> None:
        self.blog.found[URL] = found

    def writes(self, count: int, **more: object) -> None:
        for _ in range(count):
            self.written += 1
            self.listed.insert(0, article(self.written, **more))
        self.shows(self.document)

    async def happens(self, step: Step) -> None:
        blog = self.blog
        match step:
            case Fresh(count):
                self.writes(count)
            case Filtered(count):
                self.writes(count, categories=("Draft",))
                self.filtered |= {each.title for each in self.listed[:count]}
            case Ahead(count):
                self.writes(count, published_ms=blog.clock.ms + AHEAD_DAYS * DAY_MS)
            case Withdrawn(count):
                self.writes(count)
                await self.turn()
                blog.clock.ms += HOUR_MS
                self.listed = self.listed[count:]
                self.shows(self.document)
            case Deleted(count):
                self.listed = self.listed[count:]
                self.shows(self.document)
            case Instead(found):
                self.shows(found)
            case Forced():
                await blog.publisher.fetch(blog.newsletter)
                await blog.publisher.send_now(blog.newsletter, await blog.leader())
            case Restart():
                blog.restart()

    async def turn(self) -> None:
        """A turn, and whatever issue it makes is sent to its end."""
        before = self.blog.clock.ms
        await self.blog.turn()
        for issue in await self.blog.store.issues_under_way():
            if issue.newsletter == self.blog.newsletter.name:
                await self.blog.sees_through()
        self.blog.clock.ms = before

    async def faults(self) -> list[str]:
        """What is wrong with the issues that were made."""
        found, sent = list[str](), list[str]()
        for issue in await self.blog.store.issues(self.blog.newsletter.name, None, 1_000):
            articles = [entry.article for entry in await self.blog.store.entries_of_issue(issue.id)]
            sent += [each.title for each in articles]
            if not len(articles) == issue.article_count >= self.blog.newsletter.min_articles:
                found.append(f"issue {issue.number} has {len(articles)} articles")
            if issue.state is not IssueState.DONE:
                found.append(f"issue {issue.number} is {issue.state}")
            if any((each.published_ms or 0) > issue.created_ms for each in articles):
                found.append(f"issue {issue.number} tells of an article before its date")
        if len(set(sent)) < len(sent):
            found.append(f"an article came twice: {sorted(sent)}")
        if not self.filtered.isdisjoint(sent):
            found.append(f"{self.filtered & set(sent)} should have been skipped")
        return found


def feed_of(ground: Ground, newsletter: Newsletter) -> Feed:
    return Feed(ground.blog(newsletter, START_MS))


quickly = settings(
    max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@quickly
@given(newsletters, st.lists(st.tuples(anything, hours), max_size=12))
def test_no_feed_leads_to_an_issue_below_the_minimum(
    ground: Ground, newsletter: Newsletter, steps: list[tuple[Step, int]]
) -> None:
    """Catalogue rows 1 to 3 and 5"""
    feed = feed_of(ground, newsletter)

    async def story() -> None:
        await feed.begins()
        await feed.lives(steps)
        assert await feed.faults() == []

    ground.bench.run(story())


@quickly
@given(newsletters, st.lists(st.tuples(nothings, st.integers(1, 40)), max_size=12))
def test_of_nothing_but_one_article_too_few_no_issue_is_made(
    ground: Ground, newsletter: Newsletter, steps: list[tuple[Step, int]]
) -> None:
    """Catalogue rows 1 to 3, 7, 20 and 21: the rest is filtered, ahead, withdrawn or no feed at all."""
    feed = feed_of(ground, replace(newsletter, settle_ms=2 * HOUR_MS))

    async def story() -> None:
        await feed.begins()
        feed.writes(newsletter.min_articles - 1)
        await feed.lives(steps)
        assert await feed.blog.store.issues(feed.blog.newsletter.name, None, 10) == []

    ground.bench.run(story())


def test_the_same_newsletter_with_one_article_more_has_its_issue(ground: Ground) -> None:
    """Otherwise the property above would hold of a service that does nothing."""
    daily = replace(WEEKLY, every="daily 09:00", settle_ms=2 * HOUR_MS, min_articles=3, start=Start.NEW)
    feed = feed_of(ground, daily)

    async def story() -> None:
        await feed.begins()
        feed.writes(2)
        steps: list[tuple[Step, int]] = [(Instead(each), 9) for each in INSTEAD]
        await feed.lives(steps)
        assert await feed.blog.store.issues(feed.blog.newsletter.name, None, 10) == []
        feed.writes(1)
        await feed.lives([(Restart(), 30), (Restart(), 30)])
        [issue] = await feed.blog.store.issues(feed.blog.newsletter.name, None, 10)
        assert issue.article_count == 3
        assert await feed.faults() == []

    ground.bench.run(story())
