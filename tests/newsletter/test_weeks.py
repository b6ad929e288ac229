"""Weeks of blogs: no article is lost or sent twice, and the owner sees why one is held.

Each file in weeks/ is one test, written as described in weeks_language. Feed reader, ledger,
publisher and store are real; the web and the clock are not.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path

import pytest

from secondpost.config.records import ArticleOrder, Newsletter, Start
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.article_states import ArticleState
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.newsletter.by_hand import ByHand
from secondpost.newsletter.fetching import FeedFetching, parse_in_line
from secondpost.newsletter.publish import Publisher
from secondpost.newsletter.reading import FeedReading
from secondpost.store.newsletter_ports import LedgerEntry
from simulation.dice import SimDice
from tests.alarms import logged_alarms, that_stand
from tests.in_line_work import InLineWork
from tests.newsletter.blog import (
    START_MS,
    WEEKLY,
    Bench,
    Blog,
)
from tests.newsletter.weekly_blog import WeeklyBlog
from tests.newsletter.weeks_language import Step, Weeks, all_weeks, numbers, post_of, settings_of

FOLDER = Path(__file__).parent / "weeks"
WEEKS = {weeks.name: weeks for weeks in all_weeks(FOLDER)}
TURN_MS = 6 * HOUR_MS


def newsletter_of(weeks: Weeks) -> Newsletter:
    told = {"start": "new", "min": "1", "only": "", "skip": ""} | weeks.newsletter
    return replace(
        WEEKLY,
        every="friday 09:00",
        feeds=tuple(f"https://www.example.net/{name}.xml" for name in weeks.feeds),
        start=Start(told["start"]),
        min_articles=int(told["min"]),
        settle_ms=10 * MINUTE_MS,
        order=ArticleOrder.OLDEST,
        only=tuple(told["only"].split(",")) if len(told["only"]) > 0 else (),
        skip=tuple(told["skip"].split(",")) if len(told["skip"]) > 0 else (),
    )


class Life:
    def __init__(self, weeks: Weeks, blog: Blog) -> None:
        self.weeks = weeks
        self.blog = blog
        self.site = WeeklyBlog(feeds=weeks.feeds)
        self.is_looked_at = False
        self.past: set[int] = set()  # posts from before the first fetch
        self.standing = logged_alarms(blog.lines, blog.clock.now_ms)
        self.logged_again = 0  # alarms that stood when the service was restarted
        self.reopen()

    def reopen(self) -> None:
        """Discard what a restart of the service forgets."""
        reading = FeedReading(
            self.blog.store,
            self.blog.clock,
            SimDice("weeks"),
            FeedFetching(self.site, parse_in_line(InLineWork())).look,
        )
        blog = self.blog
        self.logged_again += len(that_stand(self.standing, AlarmKind.ARTICLES_HELD))
        self.standing = logged_alarms(blog.lines, blog.clock.now_ms)
        self.publisher = Publisher(
            reading, blog.store, blog.clock, blog.ids, blog.composed, blog.log, self.standing
        )

    async def lives(self) -> None:
        for day, steps in groupby(self.weeks.steps, key=lambda step: step.day):
            until_ms = START_MS + int(day * DAY_MS)
            while self.blog.clock.ms + TURN_MS < until_ms:
                self.blog.clock.ms += TURN_MS
                await self.turns()
            self.blog.clock.ms = self.site.now_ms = until_ms
            for step in steps:
                await self.does(step)
            await self.turns()

    async def turns(self) -> None:
        self.site.now_ms = self.blog.clock.ms
        if not self.is_looked_at:
            self.past = set(self.site.written)
            self.is_looked_at = True
        leader = await self.blog.leader()
        await self.publisher.look(self.blog.newsletter)
        await self.publisher.turn(self.blog.newsletter, leader)
        for _ in range(2):
            await self.publisher.go_on([self.blog.newsletter], leader)
            self.blog.clock.ms += self.blog.newsletter.undo_ms
        await self.blog.delivers()
        await self.publisher.go_on([self.blog.newsletter], leader)

    async def does(self, step: Step) -> None:
        site, words = self.site, step.words
        match step.verb, words:
            case "write", (posts, *rest):
                site.writes(numbers(posts), *_dates_and_category(numbers(posts), rest))
            case "site", settings:
                site.becomes(**settings_of(settings))
            case "edit", (post, *what):
                for each in what:
                    site.edits(int(post), each)
            case "delete", (posts,):
                for n in numbers(posts):
                    del site.posts[n]
            case "restore", (posts,):
                site.posts |= {n: site.written[n] for n in numbers(posts)}
            case "feed", (answer,):
                if answer in ("stale", "alternating") and len(site.copies) == 0:
                    site.keeps_copies()
                site.answer = answer
            case "copy", ():
                site.keeps_copies()
            case "owner", (verb, posts):
                await self.decides(verb, posts)
            case "restart", ():
                self.reopen()
            case "end", ():
                pass
            case _:
                raise ValueError(f"unknown: {step}")

    async def decides(self, verb: str, posts: str) -> None:
        by_hand = ByHand(self.blog.store, "weekly")
        if posts == "all":
            chosen: Sequence[LedgerEntry] = await by_hand.held()
        else:
            wanted = set(numbers(posts))
            known = [entry for state in ArticleState for entry in await self.entries(state)]
            chosen = [
                entry
                for entry in known
                if post_of(entry.article.title) in wanted and entry.state is not ArticleState.TAKEN
            ]
            assert {post_of(entry.article.title) for entry in chosen} == wanted
        await (by_hand.take(chosen) if verb == "take" else by_hand.skip(chosen))

    async def entries(self, state: ArticleState) -> list[LedgerEntry]:
        return await self.blog.store.entries("weekly", state, 1_000)

    async def posts(self, state: ArticleState) -> list[int]:
        return [post_of(entry.article.title) for entry in await self.entries(state)]

    async def issues(self) -> list[list[int]]:
        made = (await self.blog.store.issues("weekly", None, 100))[::-1]
        return [
            [post_of(entry.article.title) for entry in await self.blog.store.entries_of_issue(issue.id)]
            for issue in made
        ]


def _dates_and_category(posts: list[int], rest: list[str]) -> tuple[dict[int, float], str]:
    days: dict[int, float] = {}
    category = "post"
    match rest:
        case ["dated", dates, *more]:
            first, _, last = dates.rpartition("..")
            begin, end = float(first or last), float(last)
            pace = (end - begin) / max(1, len(posts) - 1)
            days = {n: begin + pace * place for place, n in enumerate(posts)}
            category = more[1] if len(more) == 2 else category
        case ["in", category]:
            pass
    return days, category


@pytest.mark.parametrize("name", WEEKS)
def test_no_article_is_lost_and_none_comes_twice(name: str, bench: Bench) -> None:
    weeks = WEEKS[name]
    blog = bench.blog(newsletter_of(weeks))
    life = Life(weeks, blog)
    bench.run(life.lives())

    issues = bench.run(life.issues())
    sent = Counter(n for issue in issues for n in issue)
    assert [n for n, times in sent.items() if times > 1] == [], "came twice"
    standing = {state: bench.run(life.posts(ArticleState(state))) for state in weeks.states}
    accounted = {*sent, *standing["waiting"], *standing["held"], *standing["skipped"]}
    assert set(life.site.written) - life.past - accounted == set(weeks.never), "lost"

    assert issues == weeks.issues
    for state, posts in weeks.states.items():
        if state != "seen" or len(posts) > 0:
            assert sorted(standing[state]) == sorted(posts), state
    told = bench.run(life.publisher.outlook(blog.newsletter)).reason
    for entry in bench.run(life.entries(ArticleState.HELD)):
        assert entry.reason in told
        assert weeks.because in entry.reason
    alarms = [line for line in blog.alarms if "about=articles-held" in line]
    assert len(alarms) - life.logged_again == weeks.alarms, blog.alarms
    if len(weeks.because) > 0:
        assert any(weeks.because in line for line in alarms)
