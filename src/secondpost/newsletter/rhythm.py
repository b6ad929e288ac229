"""When a feed is fetched next. Pure.

A blog that is written once a week need not be asked every ten minutes, and of a news site that shows
its last ten articles nothing must be missed. So the rhythm follows how often articles appeared, at
which hours of the day, and when the next issue is due. What the feed asks for is obeyed up to an
hour, what its server asks for (Retry-After) up to a day.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from secondpost.mail.article import Article
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.store.feed_ports import Feed

INTERVAL_MS_MIN, INTERVAL_MS_MAX = 5 * MINUTE_MS, 12 * HOUR_MS
# While an article settles, an issue is near, nothing is known of the feed, or it is its hour.
CLOSE_MS = 10 * MINUTE_MS
WHEN_READY_MS_MAX = HOUR_MS  # with `every = "when ready"` an article may make the issue at once
DEAD_MS = 7 * DAY_MS  # a feed that could not be read for longer is asked every DEAD_INTERVAL_MS
DEAD_INTERVAL_MS = HOUR_MS
GONE_MS = 7 * DAY_MS  # of a feed that was removed for good
OBEYED_MS_MAX = HOUR_MS  # of what the feed asks for
LOOKS_PER_ARTICLE = 8
LOOKS_UNTIL_ISSUE = 4  # each look halves, roughly, the time that is left
JITTER = 0.1  # an interval is shorter by up to this share, so that the readers of a blog spread

MOMENTS_MAX = 20  # articles whose times are considered
MOMENTS_MIN = 3  # fewer tell nothing
MOMENT_MS = MINUTE_MS  # articles closer together appeared at once

HOURS_MOMENTS_MIN = 5  # articles that make a habit
HOURS_SHARE = 0.8  # of them are in the window
HOURS_MS = 2 * HOUR_MS  # length of the window: it holds the same hour in summer and in winter
HOURS_GAP_MS_MIN = 12 * HOUR_MS  # of a feed that is written more often the hours tell nothing


@dataclass(frozen=True, slots=True)
class FeedPast:
    """What is known of a feed's writing."""

    moments: tuple[int, ...]  # at which its latest articles appeared, ascending
    window: int  # articles in the feed when it was last read


@dataclass(frozen=True, slots=True)
class FeedNeeds:
    """What the newsletter needs of its feed."""

    settles: bool  # an article must be seen once more before it can be sent
    # When an article must have been seen to be in the next issue; None: there are no fixed times.
    seen_until_ms: int | None
    refresh_ms: int = 0  # least time between two fetches, as asked for; 0: not stated


def past_of(articles: Iterable[tuple[Article, int]], window: int) -> FeedPast:
    """`articles`: with the time each was first seen, in milliseconds. A date counts if it can be true."""
    moments = sorted(
        seen_ms if article.published_ms is None else min(article.published_ms, seen_ms)
        for article, seen_ms in articles
    )
    apart = [at for at, after in pairwise(moments) if after - at >= MOMENT_MS]
    return FeedPast((*apart, *moments[-1:])[-MOMENTS_MAX:], window)


def next_fetch(past: FeedPast, needs: FeedNeeds, now_ms: int, fraction: float) -> int:
    """When a feed that was read well is fetched next. `fraction`: a random number, 0 <= x < 1."""
    interval = _usual(past, now_ms)
    if needs.seen_until_ms is None:
        interval = min(interval, WHEN_READY_MS_MAX)
    elif needs.seen_until_ms > now_ms:
        interval = min(interval, max((needs.seen_until_ms - now_ms) // LOOKS_UNTIL_ISSUE, CLOSE_MS))
    interval = min(interval, _until_hour(past, now_ms))
    if needs.settles:
        interval = min(interval, CLOSE_MS)  # without jitter: `issue next` names the time
    else:
        interval = max(interval - int(interval * JITTER * fraction), INTERVAL_MS_MIN)
    return now_ms + max(interval, min(needs.refresh_ms, OBEYED_MS_MAX))


def next_fetch_in_doubt(last_good_ms: int | None, now_ms: int) -> int:
    """When a feed that could not be read or believed is fetched next: soon, since an issue may wait."""
    is_dead = last_good_ms is not None and now_ms - last_good_ms > DEAD_MS
    return now_ms + (DEAD_INTERVAL_MS if is_dead else CLOSE_MS)


def may_be_asked(feed: Feed, now_ms: int) -> bool:
    """Whether its server permits a request. A time further ahead than any wait: the clock was set back."""
    before_ms = feed.not_before_ms
    return before_ms is None or not 0 < before_ms - now_ms <= GONE_MS


def is_due(feed: Feed, now_ms: int) -> bool:
    """Whether the feed is to be fetched by its rhythm."""
    next_ms = feed.next_fetch_ms
    waits = next_ms is not None and 0 < next_ms - now_ms <= INTERVAL_MS_MAX
    return not waits and may_be_asked(feed, now_ms)


def _usual(past: FeedPast, now_ms: int) -> int:
    """The interval by the rate of articles, and by how fast the feed's window fills with new ones."""
    moments = past.moments
    if len(moments) < MOMENTS_MIN:
        return CLOSE_MS
    # The silence since the newest article counts once it is longer than usual.
    span = max(moments[-1] - moments[0], (now_ms - moments[0]) * (len(moments) - 1) // len(moments))
    interval = min(span // (len(moments) - 1) // LOOKS_PER_ARTICLE, _turnover(past) // 2)
    return min(max(interval, INTERVAL_MS_MIN), INTERVAL_MS_MAX)


def _turnover(past: FeedPast) -> int:
    """The shortest time in which half of the window was written."""
    step = min(max(past.window // 2, 1), len(past.moments) - 1)
    return min(later - at for at, later in zip(past.moments, past.moments[step:], strict=False))


def _until_hour(past: FeedPast, now_ms: int) -> int:
    """How long to wait for the hours at which the feed is written; INTERVAL_MS_MAX if it has none."""
    begin = _habit(past.moments)
    if begin is None:
        return INTERVAL_MS_MAX
    into_ms = (now_ms - begin) % DAY_MS
    return CLOSE_MS if into_ms < HOURS_MS else min(DAY_MS - into_ms + CLOSE_MS, INTERVAL_MS_MAX)


def _habit(moments: Sequence[int]) -> int | None:
    """When the window begins in which most articles appear, in milliseconds after midnight UTC."""
    # A date without a time reads as midnight, and tells no hour.
    times = sorted(at % DAY_MS for at in moments if at % DAY_MS != 0)
    rare = len(moments) > 1 and (moments[-1] - moments[0]) // (len(moments) - 1) >= HOURS_GAP_MS_MIN
    if len(times) < HOURS_MOMENTS_MIN or not rare:
        return None
    twice = [*times, *(at + DAY_MS for at in times)]
    begin = max(times, key=lambda at: bisect_left(twice, at + HOURS_MS) - bisect_left(twice, at))
    inside = bisect_left(twice, begin + HOURS_MS) - bisect_left(twice, begin)
    return begin if inside >= HOURS_SHARE * len(times) else None
