"""Which waiting articles may be sent now (R15, R16), and when the others may."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from secondpost.mail.issue import ArticleId
from secondpost.store.feed_ports import Feed
from secondpost.store.newsletter_ports import GIVEN_BACK, TAKEN_BY_HAND, LedgerEntry

GOOD_FETCHES_MIN = 2  # fetches that must have shown an article, if it has to settle at all


@dataclass(frozen=True, slots=True)
class Unripe:
    """An article that is not ready yet: too new, or dated in the future."""

    article: ArticleId
    until_ms: int


@dataclass(frozen=True, slots=True)
class Ripeness:
    """The waiting articles, by whether they can be sent."""

    ripe: tuple[ArticleId, ...]  # ready, in the order first seen
    doubtful: tuple[ArticleId, ...]  # ready, but their feed is in doubt
    unripe: tuple[Unripe, ...]
    doubts: tuple[Feed, ...]  # feeds that could not be read or believed at the last fetch
    given_back: frozenset[ArticleId]  # those of `ripe` that a stopped issue gave back

    @property
    def count(self) -> int:
        """Articles that could be sent if no feed were in doubt."""
        return len(self.ripe) + len(self.doubtful)


def ripeness(
    waiting: Sequence[LedgerEntry], feeds: Mapping[str, Feed], settle_ms: int, now_ms: int
) -> Ripeness:
    """Sort the waiting articles. `feeds` are the configured ones, by URL.

    Articles of other feeds do not count, except those that the owner took, which are ripe at once.
    """
    ripe: list[ArticleId] = []
    doubtful: list[ArticleId] = []
    unripe: list[Unripe] = []
    given_back: set[ArticleId] = set()
    for entry in waiting:
        if entry.reason == TAKEN_BY_HAND:
            ripe.append(entry.id)
            continue
        feed = feeds.get(entry.feed)
        if feed is None:
            continue
        until = _ripe_ms(entry, feed, settle_ms, max(feed.next_fetch_ms or 0, now_ms + 1))
        if until <= now_ms:
            (doubtful if is_in_doubt(feed) else ripe).append(entry.id)
            if entry.reason == GIVEN_BACK:
                given_back.add(entry.id)
        else:
            unripe.append(Unripe(entry.id, until))
    return Ripeness(
        tuple(ripe),
        tuple(doubtful),
        tuple(unripe),
        doubts=tuple(feed for feed in feeds.values() if is_in_doubt(feed)),
        given_back=frozenset(given_back),
    )


def _ripe_ms(entry: LedgerEntry, feed: Feed, settle_ms: int, next_look_ms: int) -> int:
    until = entry.article.published_ms or 0  # a future date was set on purpose
    if settle_ms > 0:
        until = max(until, entry.first_seen_ms + settle_ms)
        # Articles gone from the feed skip the second-fetch rule.
        is_there = entry.last_seen_ms >= (feed.last_good_ms or 0)
        if entry.good_fetches < GOOD_FETCHES_MIN and is_there:
            until = max(until, next_look_ms)
    return until


def is_in_doubt(feed: Feed) -> bool:
    """Whether the last fetch found something that cannot be read or believed."""
    return len(feed.finding) > 0
