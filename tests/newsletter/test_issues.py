"""When an issue is made, and the stated reason when it is not: calendar and ledger together."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from secondpost.compose.issue import HTML_OCTETS_MAX, IssueComposer
from secondpost.config.records import ArticleOrder, Start
from secondpost.mail.address import Mailbox
from secondpost.mail.article import FeedNotLookedAt, FeedRead, FeedUnchanged, FeedUnreadable
from secondpost.mail.article_states import ArticleState
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.mail.issue import ArticleId, DigestDraft, IssueState, LetterDraft
from secondpost.mail.subscriber import Consent, SubscriberState
from secondpost.newsletter.decisions import (
    ClockSetBack,
    GivenBack,
    InDoubt,
    Missed,
    NoReaders,
    NotApproved,
    NotDue,
    Ready,
    Settling,
    ToApprove,
    TooFew,
    Unfinished,
)
from secondpost.newsletter.issues import ARTICLES_OF_AN_ISSUE_MAX
from secondpost.newsletter.order import in_order
from secondpost.newsletter.outlook import Outlook
from secondpost.newsletter.rhythm import CLOSE_MS
from secondpost.store.approval_ports import ApprovalOutcome
from secondpost.store.newsletter_ports import ArticleMove, SlotOutcome
from secondpost.store.subscriber_ports import BATCH_READERS_MAX, Imported
from tests.compose.articles import DATED_S, MASTHEAD
from tests.newsletter.blog import (
    READER,
    URL,
    WEEKLY,
    Bench,
    Blog,
    Found,
    article,
    articles,
)

FRIDAYS = replace(WEEKLY, every="friday 09:00", timezone="Europe/Oslo")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


async def turn(blog: Blog, when: str) -> Outlook:
    """A turn of the publish role at that moment (UTC)."""
    blog.clock.ms = at(when)
    return await blog.turn()


async def outcomes(blog: Blog, *keys: str) -> list[SlotOutcome | None]:
    found = [await blog.store.slot("weekly", key) for key in keys]
    return [None if slot is None else slot.outcome for slot in found]


def test_before_its_time_an_issue_waits_and_at_its_time_it_goes_once(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        blog.found[FRIDAYS.feeds[0]] = articles(2, 1)
        early = await turn(blog, "2029-01-01T00:00")
        assert isinstance(early.decision, NotDue)
        assert early.reason == "2 articles, and 2 are enough; next time: Friday 09:00 (Europe/Oslo)."
        assert isinstance((await turn(blog, "2029-01-05T07:59:59")).decision, NotDue)
        assert isinstance((await turn(blog, "2029-01-05T08:00")).decision, Ready)
        assert isinstance((await turn(blog, "2029-01-05T08:00:01")).decision, Unfinished)
        assert await outcomes(blog, "2029-W01") == [SlotOutcome.ISSUED]
        issues = await blog.store.issues("weekly", None, 10)
        assert [(issue.article_count, issue.state) for issue in issues] == [(2, IssueState.FROZEN)]
        assert issues[0].start_ms == at("2029-01-05T08:00") + FRIDAYS.undo_ms

    bench.run(story())


def test_entries_that_are_no_articles_are_named_until_a_good_look_finds_none(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)
    left_out = "2 entries are not articles: they have neither a link nor a file"

    async def story() -> None:
        await blog.reads(READER)
        said = f"In the feed {URL}, {left_out}."
        told = await blog.says(replace(articles(2, 1), left_out=left_out))
        assert told.reason == f"2 articles, and 2 are enough; next time: Friday 09:00 (Europe/Oslo). {said}"
        for no_news in (FeedUnreadable("It is incomplete."), FeedUnchanged()):
            assert said in (await blog.says(no_news)).reason
        assert said not in (await blog.says(articles(2, 1))).reason

    bench.run(story())


def test_a_slot_with_too_few_is_over_once_and_the_article_waits(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        blog.found[FRIDAYS.feeds[0]] = articles(1)
        await turn(blog, "2029-01-01T00:00")
        told = await turn(blog, "2029-01-05T08:00")
        assert told.reason == "1 of 2 articles; next time: Friday 12 January 2029 09:00 (Europe/Oslo)."
        assert await outcomes(blog, "2029-W01") == [SlotOutcome.SKIPPED]
        assert blog.lines == [
            f'no-issue newsletter=weekly slot=2029-W01 outcome=skipped reason="{told.reason}"'
        ]
        # The second article comes an hour later: it is for the next week.
        blog.found[FRIDAYS.feeds[0]] = articles(2, 1)
        assert isinstance((await turn(blog, "2029-01-05T09:00")).decision, NotDue)
        assert isinstance((await turn(blog, "2029-01-12T08:00")).decision, Ready)
        assert await outcomes(blog, "2029-W01", "2029-W02") == [SlotOutcome.SKIPPED, SlotOutcome.ISSUED]

    bench.run(story())


def test_one_more_day_of_the_week_brings_no_second_try_in_it(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        blog.found[FRIDAYS.feeds[0]] = articles(1)
        await turn(blog, "2029-01-01T00:00")
        await turn(blog, "2029-01-05T08:00")
        blog.found[FRIDAYS.feeds[0]] = articles(2, 1)
        blog.newsletter = replace(FRIDAYS, every="wednesday, friday 09:00")
        assert isinstance((await turn(blog, "2029-01-05T09:00")).decision, NotDue)
        assert await outcomes(blog, "2029-W01", "2029-W01-2") == [SlotOutcome.SKIPPED, None]
        assert isinstance((await turn(blog, "2029-01-10T08:00")).decision, Ready)
        assert await outcomes(blog, "2029-W02-1") == [SlotOutcome.ISSUED]

    bench.run(story())


def test_a_time_before_the_beginning_is_not_late(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        blog.found[FRIDAYS.feeds[0]] = articles(2, 1)
        assert isinstance((await turn(blog, "2029-01-05T09:00")).decision, NotDue)

    bench.run(story())


def test_a_service_that_was_down_is_late_by_half_a_day_and_no_more(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        blog.found[FRIDAYS.feeds[0]] = articles(2, 1)
        await turn(blog, "2029-01-01T00:00")
        assert isinstance((await turn(blog, "2029-01-05T20:00:01")).decision, Missed)
        assert await outcomes(blog, "2029-W01") == [SlotOutcome.MISSED]
        assert isinstance((await turn(blog, "2029-01-12T19:59")).decision, Ready)

    bench.run(story())


def test_a_feed_in_doubt_holds_the_issue_up_but_the_slot_is_not_lost(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        blog.found[FRIDAYS.feeds[0]] = articles(2, 1)
        await turn(blog, "2029-01-01T00:00")
        blog.found[FRIDAYS.feeds[0]] = FeedUnreadable("It is an HTML page, not a feed.")
        told = await turn(blog, "2029-01-05T08:00")
        assert isinstance(told.decision, InDoubt)
        assert told.reason.endswith("It is an HTML page, not a feed.")
        assert await outcomes(blog, "2029-W01") == [None]
        blog.found[FRIDAYS.feeds[0]] = articles(2, 1)
        assert isinstance((await turn(blog, "2029-01-05T08:10")).decision, Ready)

    bench.run(story())


def test_a_dead_feed_does_not_hold_up_what_another_has_to_say(bench: Bench) -> None:
    other = "https://other.example/feed.xml"
    blog = bench.blog(replace(WEEKLY, feeds=(*WEEKLY.feeds, other)))

    async def story() -> None:
        blog.found[other] = FeedUnreadable("There is no feed at this address (HTTP 404).")
        told = await blog.says(articles(1))
        assert isinstance(told.decision, InDoubt)
        told = await blog.says(articles(2, 1))
        assert isinstance(told.decision, Ready)
        assert told.reason.startswith(
            "2 articles: the issue can go out. There is a problem with the feed https://other.example/feed.xml:"
        )

    bench.run(story())


def test_an_article_withdrawn_just_before_does_not_go(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        blog.found[FRIDAYS.feeds[0]] = articles(2, 1)
        await turn(blog, "2029-01-05T07:58")
        blog.found[FRIDAYS.feeds[0]] = articles(1)
        assert isinstance((await turn(blog, "2029-01-05T08:00")).decision, NotDue | TooFew)
        assert await blog.store.issues("weekly", None, 10) == []

    bench.run(story())


def test_feeds_are_not_asked_more_often_than_agreed(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        for minute in range(30):
            await turn(blog, f"2029-01-01T00:{minute:02}")
        assert len(blog.asked) == 30 * MINUTE_MS // CLOSE_MS

    bench.run(story())


def test_where_nobody_was_there_to_look_it_is_looked_again_at_once(bench: Bench) -> None:
    """The fetch role may start at the same time as the publish role, or be restarted."""
    blog = bench.blog()

    async def story() -> None:
        blog.found[URL] = FeedNotLookedAt("The fetch role is not there.")
        early = await turn(blog, "2029-01-01T00:00")
        assert isinstance(early.decision, InDoubt)
        assert "The fetch role is not there." in early.reason
        blog.found[URL] = articles(1)
        assert isinstance((await turn(blog, "2029-01-01T00:00:02")).decision, TooFew)
        asked = len(blog.asked)
        blog.found[URL] = FeedUnreadable("It cannot be fetched.")
        await turn(blog, "2029-01-01T01:00")
        await turn(blog, "2029-01-01T01:00:02")
        assert len(blog.asked) == asked + 1

    bench.run(story())


def test_with_approve_the_owner_has_the_last_word(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, approve=True))

    async def story() -> None:
        told = await blog.says(articles(2, 1))
        assert isinstance(told.decision, ToApprove)
        await blog.turn()
        assert await blog.store.issues("weekly", None, 10) == []
        sent = await blog.publisher.send_now(blog.newsletter, await blog.leader())
        assert isinstance(sent.decision, Ready)
        assert (await blog.store.issues("weekly", None, 1))[
            0
        ].start_ms == blog.clock.ms  # no undo time for an approved issue

    bench.run(story())


def test_a_forced_issue_is_never_below_the_minimum_and_leaves_the_slot_alone(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        await blog.says(articles(1))
        refused = await blog.publisher.send_now(blog.newsletter, await blog.leader())
        assert refused.decision == TooFew(1, 2, at("2029-01-05T08:00"))
        await blog.says(articles(2, 1))
        assert isinstance(
            (await blog.publisher.send_now(blog.newsletter, await blog.leader())).decision, Ready
        )
        assert await outcomes(blog, "forced-1", "2029-W01") == [SlotOutcome.ISSUED, None]

    bench.run(story())


def test_a_clock_that_was_set_back_brings_no_issue(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        blog.found[FRIDAYS.feeds[0]] = articles(1)
        await turn(blog, "2029-01-01T00:00")
        await turn(blog, "2029-01-12T08:00")
        blog.found[FRIDAYS.feeds[0]] = articles(2, 1)
        told = await turn(blog, "2029-01-05T08:00")
        assert isinstance(told.decision, ClockSetBack)
        assert await blog.store.issues("weekly", None, 10) == []

    bench.run(story())


def test_what_a_crash_left_open_is_frozen_by_whoever_leads_next(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        told = await blog.says(articles(2, 1))
        assert isinstance(told.decision, Ready)
        draft = told.decision.draft
        await blog.store.create_digest(draft, blog.ids.next(blog.clock.ms), blog.clock.ms)
        leader = await blog.leader()
        await blog.publisher.go_on([blog.newsletter], leader)
        assert [issue.state for issue in await blog.store.issues_under_way()] == [IssueState.FROZEN]
        await blog.sees_through()
        assert [issue.state for issue in await blog.store.issues("weekly", None, 1)] == [IssueState.DONE]
        readers = await blog.store.active_readers("weekly")
        assert blog.lines == [
            f"issue-frozen newsletter=weekly number=1 articles=2 readers={readers} subject=subject",
            f"issue-leaves newsletter=weekly number=1 readers={readers}",
            f"issue-done newsletter=weekly number=1 readers={readers} delivered={readers} "
            "suppressed=0 failed=0 expired=0 stopped=0 unknown=0",
        ]
        # The next issue has its own key and number.
        assert isinstance((await blog.says(articles(4, 3, 2, 1))).decision, Ready)

    bench.run(story())


def test_an_issue_that_cannot_be_made_is_held_and_the_owner_told(bench: Bench) -> None:
    blog = bench.blog()
    blog.is_template_broken = True

    async def story() -> None:
        leader = await blog.leader()
        blog.found[WEEKLY.feeds[0]] = articles(2, 1)
        await blog.turn()
        for _ in range(5):  # retried after a while, not all the time
            await blog.publisher.go_on([blog.newsletter], leader)
        assert blog.alarms == ['alarm about=issue-held detail="weekly: there is no subject"']
        assert isinstance((await blog.turn()).decision, Unfinished)
        assert [issue.state for issue in await blog.store.issues("weekly", None, 9)] == [IssueState.OPEN]
        blog.is_template_broken = False
        blog.clock.ms += HOUR_MS
        await blog.publisher.go_on([blog.newsletter], leader)
        assert [issue.state for issue in await blog.store.issues("weekly", None, 9)] == [IssueState.FROZEN]

    bench.run(story())


def test_the_owner_is_told_once_of_a_feed_that_stays_in_doubt(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        await blog.says(articles(1))
        await blog.says(FeedUnreadable("It is an HTML page."))
        assert blog.alarms == []
        await blog.later(HOUR_MS)
        await blog.later(HOUR_MS)
        told = f'alarm about=feed-in-doubt detail="weekly: {URL}: It is an HTML page."'
        assert blog.alarms == [told]
        await blog.says(articles(2, 1))
        await blog.says(FeedUnreadable("It is an HTML page."))
        assert blog.alarms == [told]
        await blog.later(HOUR_MS)
        assert blog.alarms == [told, told]

    bench.run(story())


def test_another_issue_that_freezes_first_is_waited_for(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        leader = await blog.leader()
        letter = LetterDraft("weekly", "letter-1", "Hello", "Words by hand.")
        first = await blog.store.create_letter(letter, blog.ids.next(blog.clock.ms), blog.clock.ms)
        await blog.says(articles(2, 1))
        told = await blog.publisher.outlook_forced(blog.newsletter)
        assert told.decision == Unfinished(first)
        draft = DigestDraft("weekly", "forced-2", await blog.waiting_ids(), 2)
        second = await blog.store.create_digest(draft, blog.ids.next(blog.clock.ms), blog.clock.ms)
        await blog.publisher.freeze(blog.newsletter, second, leader)
        await blog.publisher.go_on([blog.newsletter], leader)
        assert len(blog.alarms) == 1
        assert [issue.state for issue in await blog.store.issues("weekly", None, 9)][1] is IssueState.OPEN

    bench.run(story())


def test_no_run_of_weeks_makes_an_empty_issue_or_tells_an_article_twice(bench: Bench) -> None:
    blog = bench.blog(replace(FRIDAYS, undo_ms=0))
    written = 0

    async def story() -> None:
        nonlocal written
        blog.clock.ms = at("2029-01-01T10:00")
        for day in range(120):
            if day % 11 in (0, 3, 4, 8):
                written += 1
            blog.found[FRIDAYS.feeds[0]] = articles(*range(written, max(written - 10, 0), -1))
            blog.clock.ms += DAY_MS - HOUR_MS if day % 2 == 0 else DAY_MS + HOUR_MS
            await blog.turn()
            if len(await blog.store.issues_under_way()) > 0:
                await blog.sees_through()
        issues = await blog.store.issues("weekly", None, 100)
        entries = [entry for issue in issues for entry in await blog.store.entries_of_issue(issue.id)]
        assert len(issues) > 8
        assert all(issue.article_count >= 2 for issue in issues)
        assert len({entry.article.title for entry in entries}) == len(entries)
        assert len(entries) + len(await blog.titles(ArticleState.WAITING)) == written

    bench.run(story())


def test_a_stopped_issue_does_not_make_itself_again(bench: Bench) -> None:
    blog = bench.blog()  # when ready

    async def story() -> None:
        blog.found[WEEKLY.feeds[0]] = articles(2, 1)
        await blog.turn()
        [issue] = await blog.store.issues("weekly", None, 9)
        told = await blog.publisher.outlook(blog.newsletter)
        assert told.decision == Unfinished(issue)
        assert "secondpost issue stop weekly 1" in told.reason
        await blog.store.stop(issue.id, blog.clock.ms, "wrong picture")
        assert await blog.titles(ArticleState.WAITING) == ["Article 1", "Article 2"]
        for _ in range(5):
            blog.clock.ms += 2 * CLOSE_MS
            told = await blog.turn()
            assert told.decision == GivenBack("weekly", 2)
        assert "in an issue that you stopped" in told.reason
        assert len(await blog.store.issues("weekly", None, 9)) == 1
        # With another article all three are sent.
        blog.found[WEEKLY.feeds[0]] = articles(3, 2, 1)
        blog.clock.ms += CLOSE_MS
        assert isinstance((await blog.turn()).decision, Ready)
        assert (await blog.store.issues("weekly", None, 1))[0].article_count == 3

    bench.run(story())


def test_the_owner_may_send_again_what_was_stopped_and_the_calendar_waits_for_its_next_time(
    bench: Bench,
) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        leader = await blog.leader()
        blog.found[FRIDAYS.feeds[0]] = articles(2, 1)
        await turn(blog, "2029-01-01T00:00")
        await turn(blog, "2029-01-05T08:00")
        await blog.store.stop((await blog.store.issues("weekly", None, 1))[0].id, blog.clock.ms, "")
        assert isinstance((await turn(blog, "2029-01-05T08:00:02")).decision, NotDue)
        assert isinstance((await blog.publisher.outlook_forced(blog.newsletter)).decision, Ready)
        assert isinstance((await turn(blog, "2029-01-12T08:00")).decision, Ready)
        await blog.store.stop((await blog.store.issues("weekly", None, 1))[0].id, blog.clock.ms, "")
        sent = await blog.publisher.send_now(blog.newsletter, leader)
        assert isinstance(sent.decision, Ready)

    bench.run(story())


def test_an_issue_to_nobody_uses_nothing_up(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS, reads=False)

    async def story() -> None:
        blog.found[FRIDAYS.feeds[0]] = articles(2, 1)
        await turn(blog, "2029-01-01T00:00")
        told = await turn(blog, "2029-01-05T08:00")
        assert "no readers yet" in told.reason
        assert await outcomes(blog, "2029-W01") == [SlotOutcome.SKIPPED]
        refused = await blog.publisher.send_now(blog.newsletter, await blog.leader())
        assert isinstance(refused.decision, NoReaders)
        assert await blog.store.issues("weekly", None, 9) == []
        assert await blog.titles(ArticleState.WAITING) == ["Article 1", "Article 2"]
        await blog.reads(READER)
        assert isinstance((await turn(blog, "2029-01-12T08:00")).decision, Ready)

    bench.run(story())


def test_when_ready_waits_for_the_first_reader(bench: Bench) -> None:
    blog = bench.blog(reads=False)

    async def story() -> None:
        told = await blog.says(articles(2, 1))
        assert told.decision == NoReaders("weekly", 2, None)
        await blog.reads(READER)
        assert isinstance((await blog.publisher.outlook(blog.newsletter)).decision, Ready)

    bench.run(story())


def test_what_nobody_approved_in_time_is_over_and_can_still_be_sent(bench: Bench) -> None:
    blog = bench.blog(replace(FRIDAYS, approve=True))

    async def story() -> None:
        blog.found[FRIDAYS.feeds[0]] = articles(2, 1)
        await turn(blog, "2029-01-01T00:00")
        asked = await turn(blog, "2029-01-05T08:00")
        assert asked.reason == (
            "2 articles wait for your approval until Friday 21:00 (Europe/Oslo). "
            "To approve: secondpost issue approve weekly."
        )
        told = await turn(blog, "2029-01-05T20:00:01")
        assert isinstance(told.decision, NotApproved)
        assert await outcomes(blog, "2029-W01") == [SlotOutcome.HELD]
        assert "secondpost issue send weekly" in told.reason
        assert isinstance((await turn(blog, "2029-01-05T20:00:02")).decision, NotDue)
        assert isinstance((await blog.publisher.outlook_forced(blog.newsletter)).decision, Ready)

    bench.run(story())


def test_an_issue_that_has_to_wait_for_another_is_not_tried_all_the_time(bench: Bench) -> None:
    blog = bench.blog()

    async def story() -> None:
        leader = await blog.leader()
        await blog.says(articles(4, 3, 2, 1))
        ids, now_ms = await blog.waiting_ids(), blog.clock.ms
        one = await blog.store.create_digest(
            DigestDraft("weekly", "by-hand-1", ids[:2], 2), blog.ids.next(now_ms), now_ms
        )
        two = await blog.store.create_digest(
            DigestDraft("weekly", "by-hand-2", ids[2:], 2), blog.ids.next(now_ms), now_ms
        )
        await blog.publisher.freeze(blog.newsletter, one, leader)
        for _ in range(5):
            await blog.publisher.go_on([blog.newsletter], leader)
        assert len(blog.alarms) == 1
        await blog.sees_through()
        blog.clock.ms += HOUR_MS
        await blog.publisher.go_on([blog.newsletter], leader)
        found = await blog.store.issue(two.id)
        assert found is not None
        assert found.state is IssueState.FROZEN

    bench.run(story())


def test_the_owner_is_told_what_else_stands_in_the_way(bench: Bench) -> None:
    blog = bench.blog(replace(FRIDAYS, start=Start.NEW))

    async def story() -> None:
        told = await blog.publisher.outlook(blog.newsletter)
        assert f"The feed {FRIDAYS.feeds[0]} has not been read yet." in told.reason
        told = await blog.says(articles(3, 2, 1))
        assert told.reason.startswith("0 of 2 articles; next time: ")
        assert "Articles that were in the feed when it was first read are not sent" in told.reason
        told = await blog.says(articles(4, 3, 2, 1))
        assert "first look" not in told.reason
        told = await blog.says(articles(*range(14, 0, -1)))
        assert "10 articles are held: much of the feed was new at once" in told.reason
        for finding, words in (
            (articles(), "It is empty, and it was not before."),
            (FeedUnreadable("It is an HTML page, not a feed."), "It is an HTML page, not a feed."),
            (articles(*range(120, 100, -1)), "All 20 articles in it are new at once"),
        ):
            assert words in (await blog.says(finding)).reason

    bench.run(story())


def test_an_issue_leaves_whole_however_many_read_it(bench: Bench) -> None:
    """One batch per turn would limit every campaign to a few hundred mails a second."""
    blog = bench.blog()

    async def story() -> int:
        agreed = Consent("/weekly/", "confirmed", "Yes.", blog.clock.ms)
        for start in range(0, 1_200, BATCH_READERS_MAX):
            more = range(start, min(start + BATCH_READERS_MAX, 1_200))
            lines = [Imported(Mailbox.parse(f"reader{n}@reader.example")) for n in more]
            await blog.store.import_batch("weekly", lines, SubscriberState.ACTIVE, agreed, blog.clock.ms)
        await blog.says(articles(2, 1))
        leader = await blog.leader()
        await blog.publisher.send_now(blog.newsletter, leader)
        await blog.publisher.go_on([blog.newsletter], leader)
        delivered = 0
        while (more_delivered := await blog.delivers()) > 0:
            delivered += more_delivered
        return delivered

    assert bench.run(story()) == 1_201


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (ArticleOrder.NEWEST, [4, 2, 3, 1]),
        (ArticleOrder.OLDEST, [1, 3, 2, 4]),
        (ArticleOrder.FEED, [3, 1, 4, 2]),
    ],
)
def test_the_order_of_an_issue_and_its_lead_are_the_owners(
    order: ArticleOrder, expected: list[int], bench: Bench
) -> None:
    """Article 4 has no date: the time when it was first seen counts."""
    blog = bench.blog(replace(WEEKLY, order=order, min_articles=4))
    dates = {1: at("2028-12-01T00:00"), 3: at("2028-12-02T00:00"), 2: at("2028-12-03T00:00"), 4: None}

    async def story() -> None:
        listed = tuple(article(n, published_ms=dates[n]) for n in (3, 1, 4, 2))
        await blog.says(FeedRead("The Blog", "urn:blog", listed))
        assert isinstance((await blog.turn()).decision, Ready)
        issue = (await blog.store.issues("weekly", None, 1))[0]
        told = [entry.article.title for entry in await blog.store.entries_of_issue(issue.id)]
        assert told == [f"Article {n}" for n in expected]

    bench.run(story())


def test_what_the_feed_lists_now_comes_before_what_slid_out_of_it(bench: Bench) -> None:
    other = "https://other.example/feed.xml"
    blog = bench.blog(replace(WEEKLY, order=ArticleOrder.FEED, feeds=(URL, other), min_articles=9))

    async def story() -> None:
        blog.found[other] = replace(articles(22, 21), identity="urn:other")
        await blog.says(articles(4, 3, 2, 1))
        blog.clock.ms += HOUR_MS
        await blog.says(articles(6, 5, 4, 3))
        entries = await blog.store.entries("weekly", ArticleState.WAITING, 100)
        told = [entry.article.title for entry in in_order(entries, ArticleOrder.FEED, blog.newsletter.feeds)]
        assert told == [f"Article {n}" for n in (6, 5, 4, 3, 2, 1, 22, 21)]

    bench.run(story())


def test_more_articles_than_an_issue_holds_are_told_oldest_first_whatever_the_order(bench: Bench) -> None:
    """Otherwise an article could wait for ever behind newer ones."""
    blog = bench.blog(replace(WEEKLY, order=ArticleOrder.NEWEST))
    many = ARTICLES_OF_AN_ISSUE_MAX + 20

    async def story() -> None:
        await blog.says(articles(*range(many, 0, -1)))
        await blog.turn()
        first = await blog.store.entries_of_issue((await blog.store.issues("weekly", None, 1))[0].id)
        assert [entry.article.title for entry in first] == [
            f"Article {n}" for n in range(ARTICLES_OF_AN_ISSUE_MAX, 0, -1)
        ]
        await blog.sees_through()
        await blog.turn()
        rest = await blog.store.entries_of_issue((await blog.store.issues("weekly", None, 1))[0].id)
        assert rest[0].article.title == f"Article {many}"
        assert len(rest) == 20

    bench.run(story())


@pytest.mark.parametrize(
    "first", [articles(2, 1), FeedUnreadable("It cannot be fetched.")], ids=["read", "unreachable"]
)
def test_a_newsletter_added_on_a_friday_night_has_missed_nothing(first: Found, bench: Bench) -> None:
    """Even if its feed cannot be read at first, and before any fetch."""
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        blog.clock.ms = at("2029-01-05T22:00")
        blog.found[URL] = first
        before = await blog.publisher.outlook(blog.newsletter)
        assert before.reason.startswith("0 of 2 articles; next time: Friday 12 January 2029 09:00")
        for when in ("2029-01-05T22:00", "2029-01-05T22:20", "2029-01-06T10:00"):
            assert isinstance((await turn(blog, when)).decision, NotDue)
        blog.found[URL] = articles(2, 1)
        assert isinstance((await turn(blog, "2029-01-06T11:00")).decision, NotDue)
        assert await blog.store.last_slot(blog.newsletter.name) is None
        assert not any(line.startswith("no-issue") for line in blog.lines)
        assert isinstance((await turn(blog, "2029-01-12T08:00")).decision, Ready)

    bench.run(story())


def test_the_week_that_had_its_issue_is_not_promised_another(bench: Bench) -> None:
    blog = bench.blog(replace(FRIDAYS, every="tuesday 09:00", undo_ms=0))

    async def story() -> None:
        blog.found[URL] = articles(2, 1)
        await turn(blog, "2029-01-01T00:00")
        assert isinstance((await turn(blog, "2029-01-02T08:00")).decision, Ready)
        await blog.sees_through()
        blog.newsletter = FRIDAYS
        told = await turn(blog, "2029-01-03T10:00")
        assert told.decision == NotDue(0, 2, at("2029-01-12T08:00"))
        assert isinstance((await turn(blog, "2029-01-05T08:00")).decision, NotDue)
        assert isinstance((await turn(blog, "2029-01-12T08:00")).decision, TooFew)

    bench.run(story())


def test_a_calendar_changed_to_a_time_that_is_over_neither_sends_nor_misses_it(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        blog.found[URL] = articles(2, 1)
        await turn(blog, "2029-01-01T00:00")
        for every, when in (
            ("thursday 09:00", "2029-01-04T10:00"),  # an hour late
            ("tuesday 09:00", "2029-01-04T11:00"),  # days late
            ("when ready", "2029-01-04T11:30"),
        ):
            blog.newsletter = replace(FRIDAYS, every=every, approve=True)
            assert isinstance((await turn(blog, when)).decision, NotDue | ToApprove)
        blog.newsletter = FRIDAYS
        assert isinstance((await turn(blog, "2029-01-05T09:00")).decision, NotDue)
        assert await blog.store.last_slot("weekly") is None
        # The same times in other words are the same calendar.
        await turn(blog, "2029-01-12T07:00")
        blog.newsletter = replace(FRIDAYS, every="Friday  9:00")
        assert isinstance((await turn(blog, "2029-01-12T08:01")).decision, Ready)

    bench.run(story())


def test_a_command_says_which_calendar_the_service_still_goes_by(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        await turn(blog, "2029-01-01T00:00")
        changed = replace(FRIDAYS, every="thursday 09:00")
        told = await blog.publisher.outlook(changed)
        assert told.reason.endswith(
            'The service still uses "friday 09:00" (Europe/Oslo): '
            "restart it, so that it reads the file again."
        )
        await blog.publisher.fetch(changed)  # a fetch by a command changes nothing for the service
        assert "still uses" not in (await blog.publisher.outlook(FRIDAYS)).reason
        await blog.turn(changed)
        assert "still uses" not in (await blog.publisher.outlook(changed)).reason

    bench.run(story())


def test_an_article_that_cannot_settle_in_time_ends_the_slot_at_once(bench: Bench) -> None:
    blog = bench.blog(replace(FRIDAYS, settle_ms=DAY_MS))

    async def story() -> None:
        await turn(blog, "2029-01-01T00:00")
        blog.found[URL] = articles(2, 1)
        told = await turn(blog, "2029-01-05T08:00")
        assert told.reason == (
            "0 of 2 articles; next time: Friday 12 January 2029 09:00 (Europe/Oslo). "
            "2 more articles are too new, or dated in the future."
        )
        assert await outcomes(blog, "2029-W01") == [SlotOutcome.SKIPPED]

    bench.run(story())


def test_what_was_approved_is_not_asked_for_again(bench: Bench) -> None:
    blog = bench.blog(replace(FRIDAYS, approve=True))

    async def story() -> None:
        blog.found[URL] = articles(2, 1)
        await turn(blog, "2029-01-01T00:00")
        assert isinstance((await turn(blog, "2029-01-05T08:00")).decision, ToApprove)
        await blog.publisher.send_now(blog.newsletter, await blog.leader())
        await blog.sees_through()
        blog.found[URL] = articles(4, 3, 2, 1)
        told = await turn(blog, "2029-01-05T10:00")
        assert told.decision == NotDue(2, 2, at("2029-01-12T08:00"))
        assert await outcomes(blog, "forced-1", "2029-W01") == [SlotOutcome.ISSUED, SlotOutcome.HELD]
        assert not any(line.startswith("no-issue") for line in blog.lines)

    bench.run(story())


def test_with_approve_an_issue_is_not_promised_to_go_by_itself(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, approve=True), reads=False)

    async def story() -> None:
        told = await blog.says(articles(1))
        waits = "as soon as there are enough, the issue waits for your approval."
        assert told.reason == f"1 of 2 articles; {waits}"
        told = await blog.says(articles(2, 1))
        assert "; the issue waits for your approval once it has one. To add one: " in told.reason

    bench.run(story())


def test_what_must_stand_through_a_second_look_is_promised_for_that_look(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, settle_ms=MINUTE_MS))

    async def story() -> None:
        told = await blog.says(articles(2, 1))
        assert told.decision == Settling(0, 2, blog.clock.ms + CLOSE_MS)

    bench.run(story())


def test_no_feed_is_waited_for_while_the_service_leads(bench: Bench) -> None:
    """An owner's command that needs the lead waits some seconds, but a feed may take a minute."""
    blog = bench.blog()

    async def story() -> None:
        await blog.says(articles(2, 1))
        blog.clock.ms += DAY_MS
        asked = len(blog.asked)
        await blog.publisher.turn(blog.newsletter, await blog.leader())
        assert len(blog.asked) == asked
        assert await blog.store.issues("weekly", None, 9) == [], "of an old look no issue is made"
        assert isinstance((await blog.turn()).decision, Ready)
        assert len(blog.asked) == asked + 1

    bench.run(story())


def test_long_links_make_no_issue_that_is_too_large_to_be_made(bench: Bench) -> None:
    """Together they would block the newsletter and every issue after it."""
    blog = bench.blog()
    long = [
        article(n, link=f"https://www.example.net/{n}/{'a' * 1_900}", title=f"{n} {'& ' * 90}")
        for n in range(ARTICLES_OF_AN_ISSUE_MAX, 0, -1)
    ]

    async def story() -> None:
        await blog.says(replace(articles(), articles=tuple(long)))
        told = await blog.publisher.outlook(blog.newsletter)
        assert isinstance(told.decision, Ready)
        told_of = [
            found for id in told.decision.draft.articles if (found := await blog.store.entry(id)) is not None
        ]
        assert len(told_of) < ARTICLES_OF_AN_ISSUE_MAX
        composed = IssueComposer().compose(MASTHEAD, 1, DATED_S, [each.article for each in told_of])
        assert len(composed.html.encode()) <= HTML_OCTETS_MAX
        await blog.turn()
        await blog.sees_through()
        waiting = await blog.store.count("weekly", ArticleState.WAITING)
        assert waiting == ARTICLES_OF_AN_ISSUE_MAX - len(told_of)

    bench.run(story())


def test_an_approved_issue_goes_out_with_the_articles_that_were_approved(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, approve=True))

    async def story() -> None:
        await blog.says(articles(2, 1))
        await blog.turn()
        assert await blog.store.issues("weekly", None, 10) == []
        [asked] = await blog.store.approvals_to_mail()
        assert len(asked.articles) == 2
        approved = await blog.store.approve(asked.id, asked.articles, blog.clock.ms)
        assert approved is ApprovalOutcome.APPROVED
        # What comes after the approval waits for the next issue.
        await blog.says(articles(3, 2, 1))
        assert isinstance((await blog.turn()).decision, Ready)
        [issue] = await blog.store.issues("weekly", None, 10)
        sent = [entry.id for entry in await blog.store.entries_of_issue(issue.id)]
        assert tuple(sent) == asked.articles
        assert issue.start_ms == blog.clock.ms + blog.newsletter.undo_ms
        await blog.turn()
        assert len(await blog.store.issues("weekly", None, 10)) == 1
        assert await blog.store.is_approval_over(asked.id, blog.clock.ms)

    bench.run(story())


def test_an_approval_of_articles_that_were_skipped_since_is_asked_for_anew(bench: Bench) -> None:
    blog = bench.blog(replace(WEEKLY, approve=True))

    async def story() -> None:
        await blog.says(articles(2, 1))
        await blog.turn()
        [asked] = await blog.store.approvals_to_mail()
        await blog.store.approve(asked.id, asked.articles, blog.clock.ms)
        moves = [ArticleMove(asked.articles[0], ArticleState.SKIPPED, "by hand")]
        assert await blog.store.move_articles("weekly", moves) == 1
        await blog.says(articles(4, 3, 2, 1))
        assert isinstance((await blog.turn()).decision, ToApprove)
        assert await blog.store.issues("weekly", None, 10) == []
        [again] = await blog.store.approvals_to_mail()
        assert again.approved_ms is None
        assert asked.articles[0] not in again.articles

    bench.run(story())


def test_the_order_by_hand_holds_for_one_issue(bench: Bench) -> None:
    blog = bench.blog(WEEKLY)

    async def story() -> None:
        await blog.says(articles(3, 2, 1))
        waiting = await blog.waiting_ids()
        before = (await blog.publisher.outlook(blog.newsletter)).decision
        assert isinstance(before, Ready)
        last = before.draft.articles[-1]
        await blog.store.set_next_order("weekly", [last, ArticleId(max(waiting) + 9)])
        ordered = (await blog.publisher.outlook(blog.newsletter)).decision
        assert isinstance(ordered, Ready)
        assert ordered.draft.articles == (last, *before.draft.articles[:-1])
        await blog.turn()
        [issue] = await blog.store.issues("weekly", None, 10)
        sent = await blog.store.entries_of_issue(issue.id)
        assert sent[0].id == last
        assert await blog.store.next_order("weekly") == ()

    bench.run(story())
