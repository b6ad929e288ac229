"""The alarms about newsletters: each rings once and ends when its reason is mended."""

from dataclasses import replace
from datetime import UTC, datetime

from secondpost.config.records import Start
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.article import FeedUnreadable
from secondpost.mail.article_states import ArticleState
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.newsletter.decisions import Ready
from secondpost.newsletter.novelty import BACKDATED, FAR_AHEAD
from secondpost.newsletter.rhythm import CLOSE_MS
from secondpost.store.newsletter_ports import ArticleMove
from tests.alarms import that_stand
from tests.newsletter.blog import URL, WEEKLY, Bench, Blog, article, articles

FRIDAYS = replace(WEEKLY, every="friday 09:00")
BAD = FeedUnreadable("It is an HTML page.")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


async def turns(blog: Blog, ms: int) -> None:
    """Five turns, as the publish role takes them, beginning then."""
    blog.clock.ms = ms
    for _ in range(5):
        await blog.turn()
        await blog.publisher.go_on([blog.newsletter], await blog.leader())
        blog.clock.ms += 2_000


def rung(blog: Blog, kind: AlarmKind) -> int:
    return sum(line.startswith(f"alarm about={kind.word} ") for line in blog.lines)


def test_a_feed_in_doubt_rings_at_its_slot_and_not_at_each_turn(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        blog.found[URL] = articles(1)
        await turns(blog, at("2029-01-05T08:30:00"))
        blog.found[URL] = BAD
        await turns(blog, at("2029-01-05T08:45:00"))
        assert rung(blog, AlarmKind.FEED_IN_DOUBT) == 0, "a web server was restarted"
        blog.found[URL] = articles(2, 1)
        await turns(blog, at("2029-01-05T08:56:00"))
        blog.found[URL] = BAD
        await turns(blog, at("2029-01-05T09:00:00"))
        assert that_stand(blog.standing, AlarmKind.FEED_IN_DOUBT) == [f"weekly: {URL}"]
        await turns(blog, at("2029-01-05T09:30:00"))
        assert rung(blog, AlarmKind.FEED_IN_DOUBT) == 1
        blog.found[URL] = articles(2, 1)
        await turns(blog, at("2029-01-05T09:45:00"))
        assert that_stand(blog.standing, AlarmKind.FEED_IN_DOUBT) == []

    bench.run(story())


def test_an_issue_that_waits_for_approval_rings_until_it_is_sent(bench: Bench) -> None:
    blog = bench.blog(replace(FRIDAYS, approve=True))

    async def story() -> None:
        blog.found[URL] = articles(2, 1)
        await turns(blog, at("2029-01-05T08:50:00"))
        assert rung(blog, AlarmKind.ISSUE_WAITS) == 0
        await turns(blog, at("2029-01-05T09:00:00"))
        await turns(blog, at("2029-01-05T09:20:00"))
        assert that_stand(blog.standing, AlarmKind.ISSUE_WAITS) == ["weekly"]
        assert rung(blog, AlarmKind.ISSUE_WAITS) == 1
        made = await blog.publisher.send_now(blog.newsletter, await blog.leader())
        assert isinstance(made.decision, Ready)
        await turns(blog, at("2029-01-05T09:21:00"))
        assert that_stand(blog.standing, AlarmKind.ISSUE_WAITS) == []

    bench.run(story())


def test_an_issue_that_was_not_approved_in_time_waits_no_more(bench: Bench) -> None:
    blog = bench.blog(replace(FRIDAYS, approve=True))

    async def story() -> None:
        blog.found[URL] = articles(2, 1)
        await turns(blog, at("2029-01-05T08:50:00"))
        await turns(blog, at("2029-01-05T09:00:00"))
        assert that_stand(blog.standing, AlarmKind.ISSUE_WAITS) == ["weekly"]
        await turns(blog, at("2029-01-05T21:00:01"))
        assert that_stand(blog.standing, AlarmKind.ISSUE_WAITS) == []

    bench.run(story())


def test_held_articles_ring_for_each_further_cause_and_end_when_none_are_held(bench: Bench) -> None:
    blog = bench.blog(replace(FRIDAYS, start=Start.NEW))

    async def story() -> None:
        now_ms = blog.clock.ms
        blog.found[URL] = articles(1)
        await turns(blog, now_ms)
        old = article(2, published_ms=now_ms - 300 * DAY_MS)
        far = article(3, published_ms=now_ms + 300 * DAY_MS)
        blog.found[URL] = replace(articles(1), articles=(article(1), old))
        await turns(blog, now_ms + CLOSE_MS)
        assert rung(blog, AlarmKind.ARTICLES_HELD) == 0
        await turns(blog, now_ms + 2 * CLOSE_MS)
        assert that_stand(blog.standing, AlarmKind.ARTICLES_HELD) == ["weekly"]
        blog.found[URL] = replace(articles(1), articles=(far, article(1), old))
        for look in range(3, 7):
            await turns(blog, now_ms + look * CLOSE_MS)
        assert rung(blog, AlarmKind.ARTICLES_HELD) == 2
        (alarm,) = blog.standing.standing()
        assert BACKDATED in alarm.detail
        assert FAR_AHEAD in alarm.detail
        held = await blog.store.entries("weekly", ArticleState.HELD, 10)
        skips = [ArticleMove(entry.id, ArticleState.SKIPPED, "by hand") for entry in held]
        await blog.store.move_articles("weekly", skips)
        await turns(blog, now_ms + 8 * CLOSE_MS)
        assert blog.standing.standing() == ()

    bench.run(story())


def test_an_issue_that_cannot_be_made_rings_until_it_is_made_or_stopped(bench: Bench) -> None:
    blog = bench.blog()
    blog.is_template_broken = True

    async def story() -> None:
        blog.found[URL] = articles(2, 1)
        for hour in range(4):
            await turns(blog, blog.clock.ms + hour * HOUR_MS)
        assert that_stand(blog.standing, AlarmKind.ISSUE_HELD) == ["weekly"]
        assert rung(blog, AlarmKind.ISSUE_HELD) == 1
        blog.is_template_broken = False
        await turns(blog, blog.clock.ms + HOUR_MS)
        await turns(blog, blog.clock.ms)
        assert that_stand(blog.standing, AlarmKind.ISSUE_HELD) == []
        blog.is_template_broken = True
        await blog.sees_through()
        blog.found[URL] = articles(4, 3, 2, 1)
        await turns(blog, blog.clock.ms + CLOSE_MS)
        assert that_stand(blog.standing, AlarmKind.ISSUE_HELD) == ["weekly"]
        (issue,) = await blog.store.issues_under_way()
        await blog.store.stop(issue.id, blog.clock.ms, "by hand")
        await turns(blog, blog.clock.ms)
        assert that_stand(blog.standing, AlarmKind.ISSUE_HELD) == []

    bench.run(story())
