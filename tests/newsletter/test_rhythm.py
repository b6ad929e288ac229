"""When a feed is fetched next; the blog is a list of moments."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.newsletter.rhythm import (
    CLOSE_MS,
    GONE_MS,
    INTERVAL_MS_MAX,
    INTERVAL_MS_MIN,
    OBEYED_MS_MAX,
    WHEN_READY_MS_MAX,
    FeedNeeds,
    FeedPast,
    is_due,
    may_be_asked,
    next_fetch,
    next_fetch_in_doubt,
    past_of,
)
from secondpost.store.feed_ports import Feed
from tests.newsletter.blog import START_MS, article

NOW_MS = START_MS + 12 * HOUR_MS
RARE_MS = 30 * DAY_MS + 5 * HOUR_MS  # at another hour each time
FAR = FeedNeeds(settles=False, seen_until_ms=NOW_MS + 30 * DAY_MS)


def every(gap_ms: int, articles: int = 10, last_ms: int = NOW_MS, window: int = 10) -> FeedPast:
    """A feed with an article at each interval, the last at `last_ms`."""
    return FeedPast(tuple(last_ms - gap_ms * back for back in reversed(range(articles))), window)


def wait(past: FeedPast, needs: FeedNeeds = FAR, now_ms: int = NOW_MS, fraction: float = 0.0) -> int:
    return next_fetch(past, needs, now_ms, fraction) - now_ms


@pytest.mark.parametrize(
    ("gap_ms", "wait_ms"),
    [
        (6 * MINUTE_MS, INTERVAL_MS_MIN),
        (2 * HOUR_MS, 15 * MINUTE_MS),
        (8 * HOUR_MS, HOUR_MS),
        (RARE_MS, INTERVAL_MS_MAX),
    ],
)
def test_a_feed_is_read_several_times_for_each_article(gap_ms: int, wait_ms: int) -> None:
    assert wait(every(gap_ms)) == pytest.approx(wait_ms, rel=0.1)


def test_a_feed_that_shows_few_articles_is_read_before_they_can_have_gone() -> None:
    """Catalogue row 25."""
    burst = FeedPast((*every(RARE_MS, last_ms=NOW_MS - DAY_MS).moments, NOW_MS - DAY_MS + HOUR_MS), 2)
    assert wait(burst) == 30 * MINUTE_MS
    assert wait(FeedPast(burst.moments, 10)) == INTERVAL_MS_MAX


def test_a_silence_longer_than_usual_slows_the_rhythm_down() -> None:
    usual = wait(every(8 * HOUR_MS))
    assert wait(every(8 * HOUR_MS, last_ms=NOW_MS - 40 * DAY_MS)) > 4 * usual


def test_on_the_first_day_nothing_is_known_and_the_feed_is_read_often() -> None:
    for articles in range(3):
        assert wait(every(DAY_MS, articles)) == CLOSE_MS
    at_once = past_of([(article(n), NOW_MS) for n in range(10)], 10)
    assert wait(at_once) == CLOSE_MS, "no dates, and all seen at the first reading"


def test_dates_tell_the_rhythm_at_the_first_reading_unless_they_are_ahead() -> None:
    dated = [(article(n, published_ms=NOW_MS - n * 8 * HOUR_MS), NOW_MS) for n in range(10)]
    assert past_of(dated, 10) == every(8 * HOUR_MS)
    ahead = [(article(n, published_ms=NOW_MS + n * DAY_MS), NOW_MS) for n in range(10)]
    assert past_of(ahead, 10).moments == (NOW_MS,)


def test_a_feed_that_is_written_at_fixed_hours_is_read_when_they_have_come() -> None:
    morning = [START_MS + 8 * HOUR_MS - day * DAY_MS + day * MINUTE_MS for day in range(10)]
    past = FeedPast(tuple(sorted(morning)), 10)
    inside = START_MS + 8 * HOUR_MS + 20 * MINUTE_MS
    assert wait(past, now_ms=inside) == CLOSE_MS
    # At midnight the usual wait would be three hours; before the hour it ends at the hour.
    assert wait(past, now_ms=START_MS + 6 * HOUR_MS) == 2 * HOUR_MS + CLOSE_MS
    assert wait(past, now_ms=START_MS + 12 * HOUR_MS) > 2 * HOUR_MS
    dates_alone = FeedPast(tuple(at // DAY_MS * DAY_MS for at in past.moments), 10)
    assert wait(dates_alone, now_ms=START_MS + MINUTE_MS) > HOUR_MS, "midnight is no hour"


def test_an_issue_that_is_near_brings_more_looks() -> None:
    for hours, expected_ms in ((12, 3 * HOUR_MS), (2, 30 * MINUTE_MS), (0.1, CLOSE_MS)):
        needs = FeedNeeds(settles=False, seen_until_ms=NOW_MS + int(hours * HOUR_MS))
        assert wait(every(RARE_MS), needs) == expected_ms
    assert wait(every(RARE_MS), FeedNeeds(settles=False, seen_until_ms=None)) == WHEN_READY_MS_MAX


def test_an_article_that_settles_is_looked_at_again_soon() -> None:
    assert wait(every(RARE_MS), FeedNeeds(settles=True, seen_until_ms=None), fraction=0.9) == CLOSE_MS


def test_what_a_feed_asks_for_is_obeyed_up_to_an_hour() -> None:
    for asked_ms, expected_ms in ((0, CLOSE_MS), (30 * MINUTE_MS, 30 * MINUTE_MS), (DAY_MS, OBEYED_MS_MAX)):
        needs = FeedNeeds(settles=True, seen_until_ms=None, refresh_ms=asked_ms)
        assert wait(every(DAY_MS), needs) == expected_ms


def test_a_feed_in_doubt_is_read_soon_and_a_dead_one_every_hour() -> None:
    assert next_fetch_in_doubt(None, NOW_MS) == NOW_MS + CLOSE_MS
    assert next_fetch_in_doubt(NOW_MS - DAY_MS, NOW_MS) == NOW_MS + CLOSE_MS
    assert next_fetch_in_doubt(NOW_MS - 8 * DAY_MS, NOW_MS) == NOW_MS + HOUR_MS


def test_a_clock_that_was_set_back_does_not_stop_the_looks() -> None:
    feed = Feed("weekly", "https://www.example.net/feed.xml")
    assert is_due(feed, NOW_MS)
    for ahead_ms, due in ((-1, True), (0, True), (1, False), (INTERVAL_MS_MAX, False), (DAY_MS, True)):
        later = Feed("weekly", feed.url, next_fetch_ms=NOW_MS + ahead_ms)
        assert is_due(later, NOW_MS) == due
    for ahead_ms, may in ((0, True), (1, False), (GONE_MS, False), (GONE_MS + 1, True)):
        busy = Feed("weekly", feed.url, not_before_ms=NOW_MS + ahead_ms)
        assert (is_due(busy, NOW_MS), may_be_asked(busy, NOW_MS)) == (may, may)


MOMENTS = st.lists(st.integers(NOW_MS - 400 * DAY_MS, NOW_MS), max_size=20).map(sorted).map(tuple)


@given(
    moments=MOMENTS,
    window=st.integers(0, 1_000),
    until_ms=st.none() | st.integers(NOW_MS - DAY_MS, NOW_MS + 400 * DAY_MS),
    refresh_ms=st.integers(0, DAY_MS),
    settles=st.booleans(),
    fraction=st.floats(0, 1, exclude_max=True),
)
def test_whatever_a_feed_is_like_its_next_look_is_within_the_bounds(
    moments: tuple[int, ...],
    window: int,
    until_ms: int | None,
    refresh_ms: int,
    settles: bool,
    fraction: float,
) -> None:
    needs = FeedNeeds(settles, until_ms, refresh_ms)
    waits = wait(FeedPast(moments, window), needs, fraction=fraction)
    assert INTERVAL_MS_MIN <= waits <= INTERVAL_MS_MAX
    assert waits >= min(refresh_ms, OBEYED_MS_MAX)
