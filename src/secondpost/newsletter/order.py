"""The order of the articles in an issue. The first of them leads it: its title is the subject."""

from collections.abc import Sequence

from secondpost.config.records import ArticleOrder
from secondpost.mail.issue import ArticleId
from secondpost.store.newsletter_ports import LedgerEntry


def in_order(entries: Sequence[LedgerEntry], order: ArticleOrder, feeds: Sequence[str]) -> list[LedgerEntry]:
    """`entries` in the order first seen, `feeds` as configured."""
    match order:
        case ArticleOrder.NEWEST:
            return sorted(entries, key=_dated, reverse=True)
        case ArticleOrder.OLDEST:
            return sorted(entries, key=_dated)
        case ArticleOrder.FEED:
            places = {url: place for place, url in enumerate(feeds)}
            return sorted(entries, key=lambda entry: (places.get(entry.feed, len(places)), *_listed(entry)))


def _dated(entry: LedgerEntry) -> tuple[int, ArticleId]:
    """Of two with the same date, the one that was seen later is the newer."""
    published_ms = entry.article.published_ms
    return (entry.first_seen_ms if published_ms is None else published_ms), entry.id


def _listed(entry: LedgerEntry) -> tuple[int, int]:
    """What slid out of its feed comes after what still stands in it."""
    return -entry.last_seen_ms, entry.article.place
