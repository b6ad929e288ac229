"""An issue that is still being sent when the next one is due: the next one waits, and no two go at once."""

from collections.abc import Sequence
from dataclasses import replace

from secondpost.config.records import Newsletter
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.issue import Issue, IssueState
from secondpost.mail.provider import OTHERS
from secondpost.newsletter.decisions import Missed, NotDue, Overtaken, Ready, SlotKeptBack, Unfinished
from secondpost.newsletter.forecast import Forecast, SlowedBy, forecast
from secondpost.newsletter.forecasting import forecast_text, overtaken_ms
from secondpost.newsletter.outlook import Outlook
from secondpost.store.newsletter_ports import SlotOutcome
from tests.alarms import that_stand
from tests.newsletter.blog import URL, WEEKLY, Bench, Blog, articles
from tests.newsletter.test_issues import at, outcomes, turn

FRIDAYS = replace(WEEKLY, every="friday 09:00", timezone="Europe/Oslo", undo_ms=0)
FRIDAY_MS = at("2029-01-05T08:00")  # 09:00 in Oslo
MANY = {"google": 12_000, OTHERS: 5_000}


async def first_issue_leaves(blog: Blog) -> Issue:
    """Make the issue of the first Friday, and begin to send it; none of its mail is delivered yet."""
    blog.found[URL] = articles(2, 1)
    await turn(blog, "2029-01-01T00:00")
    assert isinstance((await turn(blog, "2029-01-05T08:00")).decision, Ready)
    await blog.publisher.go_on([blog.newsletter], await blog.leader())
    [issue] = await blog.store.issues_under_way()
    assert issue.state is IssueState.SENDING
    return issue


async def second_friday_comes(blog: Blog) -> Outlook:
    blog.found[URL] = articles(4, 3, 2, 1)
    await turn(blog, "2029-01-12T07:00")
    return await turn(blog, "2029-01-12T08:00")


async def is_finished_at(blog: Blog, moment: str) -> None:
    blog.clock.ms = at(moment)
    await blog.delivers()
    await blog.publisher.go_on([blog.newsletter], await blog.leader())
    assert await blog.store.issues_under_way() == []


def slots_of(issues: Sequence[Issue]) -> list[tuple[int, str]]:
    return [(issue.number, issue.slot) for issue in issues]


def test_the_next_issue_waits_until_the_one_before_it_is_done_and_then_goes(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        issue = await first_issue_leaves(blog)
        waits = await second_friday_comes(blog)
        kept_back = SlotKeptBack(at("2029-01-12T08:00"), at("2029-01-12T20:00"), is_over=False)
        assert waits.decision == Unfinished(issue, kept_back)
        assert waits.reason.endswith(
            "The issue of Friday 09:00 (Europe/Oslo) waits until it is done, but no later than "
            "Friday 21:00 (Europe/Oslo)."
        )
        assert that_stand(blog.standing, AlarmKind.ISSUE_LATE) == ["weekly"]
        await is_finished_at(blog, "2029-01-12T15:00")
        assert isinstance((await turn(blog, "2029-01-12T15:01")).decision, Ready)
        assert that_stand(blog.standing, AlarmKind.ISSUE_LATE) == []
        assert slots_of(await blog.store.issues("weekly", None, 9)) == [(2, "2029-W02"), (1, "2029-W01")]

    bench.run(story())


def test_an_issue_that_would_be_too_late_is_left_out_with_the_reason_and_its_articles_wait(
    bench: Bench,
) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        await first_issue_leaves(blog)
        await second_friday_comes(blog)
        late = await turn(blog, "2029-01-12T20:00:01")
        assert isinstance(late.decision, Unfinished)
        assert late.reason.endswith(
            "The issue of Friday 09:00 (Europe/Oslo) is left out, since it would be too late; its articles "
            "wait for the next one."
        )
        assert that_stand(blog.standing, AlarmKind.ISSUE_LATE) == []
        await is_finished_at(blog, "2029-01-13T10:00")
        over = await turn(blog, "2029-01-13T10:01")
        assert isinstance(over.decision, Overtaken)
        assert "because issue 1 was not finished before Saturday 11:00 (Europe/Oslo)" in over.reason
        assert await outcomes(blog, "2029-W02") == [SlotOutcome.MISSED]
        assert [line for line in blog.lines if line.startswith("no-issue")] != []
        assert isinstance((await turn(blog, "2029-01-13T10:02")).decision, NotDue)
        made = await turn(blog, "2029-01-19T08:00")
        assert isinstance(made.decision, Ready)
        assert len(made.decision.draft.articles) == 2, "the articles of the slot left out"

    bench.run(story())


def test_a_service_that_was_down_is_not_excused_by_an_issue_that_was_done_in_time(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        await first_issue_leaves(blog)
        await second_friday_comes(blog)
        await is_finished_at(blog, "2029-01-12T19:00")
        assert isinstance((await turn(blog, "2029-01-12T20:00:01")).decision, Missed)

    bench.run(story())


def test_one_reader_never_has_two_issues_under_way_whoever_asks(bench: Bench) -> None:
    """Also for `issue send`, and while the first one is held."""
    blog = bench.blog(FRIDAYS)

    async def story() -> None:
        issue = await first_issue_leaves(blog)
        await second_friday_comes(blog)
        leader = await blog.leader()
        for _ in range(2):
            refused = await blog.publisher.send_now(blog.newsletter, leader)
            assert isinstance(refused.decision, Unfinished)
            assert [each.number for each in await blog.store.issues_under_way()] == [1]
            await blog.store.hold(issue.id, "a wrong picture")

    bench.run(story())


def test_before_an_issue_is_frozen_its_forecast_is_logged(bench: Bench) -> None:
    blog = bench.blog(FRIDAYS)

    async def foresee(newsletter: Newsletter) -> Forecast:
        assert await blog.store.issues_under_way() != []
        return found(SlowedBy(warm_up=True))

    async def story() -> None:
        blog.foresee = foresee
        blog.restart()
        await first_issue_leaves(blog)
        kinds = [line.split()[0] for line in blog.lines]
        assert kinds == ["issue-forecast", "issue-frozen", "issue-leaves"]
        assert blog.lines[0].startswith(
            "issue-forecast newsletter=weekly number=1 readers=17000 days=9 forecast="
            '"An issue to 17,000 readers takes about 9 days. Today it reaches 200 of 12,000 at Google.'
        )

    bench.run(story())


def found(days_of: SlowedBy) -> Forecast:
    return forecast(MANY, [], days_of, FRIDAY_MS)


def test_a_forecast_knows_whether_the_next_time_comes_before_the_end() -> None:
    slow = found(SlowedBy(warm_up=True))
    assert slow.days == 9
    assert overtaken_ms(slow, FRIDAYS, FRIDAY_MS) == FRIDAY_MS + 7 * DAY_MS
    assert "It may not be done by the next time, Friday 12 January 2029 09:00" in forecast_text(
        slow, FRIDAYS, FRIDAY_MS + HOUR_MS
    )
    monthly = replace(FRIDAYS, every="first friday 09:00")
    assert overtaken_ms(slow, monthly, FRIDAY_MS) is None
    assert overtaken_ms(slow, replace(FRIDAYS, every="when ready"), FRIDAY_MS) is None
    quick = found(SlowedBy(warm_up=False))
    assert overtaken_ms(quick, replace(FRIDAYS, every="daily 09:00"), FRIDAY_MS) is None
    endless = found(SlowedBy(warm_up=True, mails_per_day=1))
    assert endless.days is None
    assert overtaken_ms(endless, monthly, FRIDAY_MS) == at("2029-02-02T08:00")
    assert forecast_text(Forecast(0, 0, ()), FRIDAYS, FRIDAY_MS) == ""


def test_two_days_of_a_daily_newsletter_are_one_too_many() -> None:
    daily = replace(FRIDAYS, every="daily 09:00")
    two = forecast({"google": 300}, [], SlowedBy(warm_up=True), FRIDAY_MS)
    assert two.days == 2
    assert overtaken_ms(two, daily, FRIDAY_MS) == FRIDAY_MS + DAY_MS
