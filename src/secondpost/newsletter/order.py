"""The order of articles in an issue; the first one's title becomes the subject."""

from collections.abc import Sequence

from secondpost.config.records import ArticleOrder
from secondpost.mail.issue import ArticleId
from secondpost.store.newsletter_ports import LedgerEntry


def in_order(
    entries: Sequence[LedgerEntry],
    order: ArticleOrder,
    feeds: Sequence[str],
    first: Sequence[ArticleId] = (),
) -> list[LedgerEntry]:
    """Sort entries, which are given in the order first seen; `feeds` is in the configured order.

    The articles `first` come first, in that order; of those that are not here, nothing is left.
    """
    by_hand = {id: place for place, id in enumerate(first)}
    return sorted(_sorted(entries, order, feeds), key=lambda entry: by_hand.get(entry.id, len(by_hand)))


def _sorted(entries: Sequence[LedgerEntry], order: ArticleOrder, feeds: Sequence[str]) -> list[LedgerEntry]:
    match order:
        case ArticleOrder.NEWEST:
            return sorted(entries, key=_dated, reverse=True)
        case ArticleOrder.OLDEST:
            return sorted(entries, key=_dated)
        case ArticleOrder.FEED:
            places = {url: place for place, url in enumerate(feeds)}
            return sorted(entries, key=lambda entry: (places.get(entry.feed, len(places)), *_listed(entry)))


def _dated(entry: LedgerEntry) -> tuple[int, ArticleId]:
    """Of two with the same date, the one seen later counts as newer."""
    published_ms = entry.article.published_ms
    return (entry.first_seen_ms if published_ms is None else published_ms), entry.id


def _listed(entry: LedgerEntry) -> tuple[int, int]:
    """Articles that have left the feed come after those still in it."""
    return -entry.last_seen_ms, entry.article.place
