"""Days around both changes of clocks and the end of the year: no failure of groups A to D happens.

Each season is a week of the same blog, whose feed is empty, torn, a page or an old copy for hours, which
deletes, edits and postdates articles and gets new ids, and of a service that is down, restarted and
holds issues. Failures are those of docs/failures.md.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from secondpost.mail.issue import IssueState
from secondpost.store.newsletter_ports import SlotOutcome
from tests.days.season import LATE_MS, NEVER, READERS, TROUBLES, Days, Season, SeasonEvidence, newsletters
from tests.newsletter.blog import Bench

SEASONS = (
    Season("spring in Berlin", "Europe/Berlin", date(2029, 3, 22), 6, "spring"),
    Season("autumn in Berlin", "Europe/Berlin", date(2029, 10, 25), 6, "autumn"),
    Season("spring in New York", "America/New_York", date(2029, 3, 8), 6, "march"),
    Season("autumn in New York", "America/New_York", date(2029, 11, 1), 6, "november"),
    Season("a year of 53 weeks ends in Berlin", "Europe/Berlin", date(2026, 12, 28), 8, "week 53"),
    Season("a year ends in New York", "America/New_York", date(2029, 12, 28), 8, "new year"),
)
MINIMUMS = {each.name: each.min_articles for each in newsletters("UTC")}


@pytest.fixture(scope="module")
def evidence() -> Mapping[str, SeasonEvidence]:
    return dict(_lived())


def _lived() -> Iterator[tuple[str, SeasonEvidence]]:
    for season in SEASONS:
        with TemporaryDirectory(dir="/dev/shm") as folder, asyncio.Runner() as runner:
            bench = Bench(Path(folder), runner)
            first = bench.blog(reads=False)
            bench.run(first.leader())
            yield season.name, bench.run(Days(season, first).pass_by())
            bench.close()


of_each_season = pytest.mark.parametrize("name", [season.name for season in SEASONS])


@pytest.mark.parametrize(
    ("zone", "local", "utc"),
    [
        ("Europe/Berlin", "2029-03-25T02:30", "2029-03-25T01:00"),  # skipped: 03:00 summer time
        ("Europe/Berlin", "2029-10-28T02:30", "2029-10-28T00:30"),  # the first of two
        ("Europe/Berlin", "2029-10-28T09:00", "2029-10-28T08:00"),
        ("America/New_York", "2029-03-11T02:30", "2029-03-11T07:00"),
        ("America/New_York", "2029-11-04T01:30", "2029-11-04T05:30"),
        ("America/New_York", "2030-01-01T02:30", "2030-01-01T07:30"),
    ],
)
def test_the_moment_that_a_clock_on_the_wall_shows_is_known(zone: str, local: str, utc: str) -> None:
    wall = datetime.fromisoformat(local)
    moment = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    season = Season("any", zone, wall.date(), 1, "")
    assert season.instant(wall.date(), wall.time()) == moment.timestamp() * 1000


@of_each_season
def test_each_time_of_the_calendar_comes_once_and_at_its_moment(
    evidence: Mapping[str, SeasonEvidence], name: str
) -> None:
    """Catalogue rows 42, 44 and 45, and 30 and 31"""
    days = evidence[name]
    for newsletter, outcomes in days.slots.items():
        expected = days.season.slots(newsletter)
        assert [key for key, outcome in outcomes.items() if outcome is None] == []
        made = days.issues[newsletter]
        assert max(Counter(issue.slot for issue, _, _ in made).values(), default=1) == 1
        assert newsletter == "ready" or {issue.slot for issue, _, _ in made} <= set(expected)
        for issue, posts, _ in made:
            if (at_ms := expected.get(issue.slot)) is not None:
                assert at_ms <= issue.created_ms <= at_ms + LATE_MS
                waited_for = any(days.dated[post] > at_ms for post in posts)
                assert issue.created_ms == at_ms or at_ms not in days.undisturbed or waited_for, issue
        missed = [expected[key] for key, outcome in outcomes.items() if outcome is SlotOutcome.MISSED]
        assert days.undisturbed.isdisjoint(missed)


@of_each_season
def test_no_issue_is_thin_and_no_article_comes_twice_or_is_lost(
    evidence: Mapping[str, SeasonEvidence], name: str
) -> None:
    """Catalogue rows 1 to 3, 9, 11, 13, 16, 17, 20, 21, 24, 37 and 46 to 48"""
    days = evidence[name]
    for newsletter, issues in days.issues.items():
        assert [issue.slot for issue, posts, _ in issues if len(posts) < MINIMUMS[newsletter]] == []
        assert [issue.slot for issue, posts, _ in issues if len(posts) != issue.article_count] == []
        sent = Counter(post for _, posts, _ in issues for post in posts)
        assert [post for post, times in sent.items() if times > 1] == []
        assert days.drafts.isdisjoint(sent)
        assert days.past.isdisjoint(sent)
        assert days.shown[newsletter] - days.known[newsletter] == set()
    assert days.issues[NEVER] == []


@of_each_season
def test_each_reader_has_an_issue_once_and_all_are_accounted_for(
    evidence: Mapping[str, SeasonEvidence], name: str
) -> None:
    """Catalogue rows 28, 29 and 38 to 40"""
    days = evidence[name]
    assert max(days.accepted.values()) == 1
    for issues in days.issues.values():
        for issue, _, reckoning in issues:
            assert issue.state is IssueState.DONE
            assert reckoning.adds_up
            assert issue.planned == reckoning.planned == READERS
            taken = sum(id == issue.id for id, _ in days.accepted)
            assert reckoning.delivered <= taken <= reckoning.delivered + reckoning.unknown


def test_the_days_are_hard_enough_to_mean_something(evidence: Mapping[str, SeasonEvidence]) -> None:
    happened = sum((days.happened for days in evidence.values()), Counter())
    for what in ("held", "restart", "down", "delete", "new ids", "write draft", "write ahead", *TROUBLES):
        assert happened[what if what not in TROUBLES else f"feed {what}"] >= 4, what
    for state in ("delivered", "waiting", "failed", "unknown"):
        assert happened[state] >= 20, state
    outcomes = Counter(
        each for days in evidence.values() for slots in days.slots.values() for each in slots.values()
    )
    for outcome in (SlotOutcome.ISSUED, SlotOutcome.SKIPPED, SlotOutcome.MISSED):
        assert outcomes[outcome] >= 6, outcomes
    issues = sum(len(issues) for days in evidence.values() for issues in days.issues.values())
    assert issues >= 50
