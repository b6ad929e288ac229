"""What the ledger knows of the articles in a document, by each of their marks."""

from collections.abc import Sequence

from secondpost.mail.article import ARTICLES_MAX
from secondpost.mail.article_states import ArticleState
from secondpost.newsletter.identity import LATELY_MS, KnownMarks, Marks
from secondpost.newsletter.ledger import Before
from secondpost.newsletter.novelty import is_strange
from secondpost.store.feed_ports import Feed
from secondpost.store.newsletter_ports import Ledger, LedgerEntry

WAITING_MAX = 1_000  # articles considered together


async def what_is_known(ledger: Ledger, feed: Feed, marks: Sequence[Marks]) -> Before:
    """What the ledger knows of a document's articles and of their feed."""
    name = feed.newsletter
    guids, links, words = (
        tuple({mark: None for mark in column if len(mark) > 0})
        for column in (
            [each.guid for each in marks],
            [each.link for each in marks],
            [each.words for each in marks],
        )
    )
    by_guid = await ledger.entries_by_guid(name, feed.url, guids)
    by_link = await ledger.entries_by_link(name, links)
    by_words = await ledger.entries_by_fingerprint(name, words)
    lately = await _seen_lately(ledger, feed)
    read_ms = 0 if feed.last_read_ms is None else feed.last_read_ms
    # Of several entries with one mark this feed's come first, then the one seen first.
    known = KnownMarks(
        {entry.article.guid: entry for entry in reversed(by_guid)},
        {entry.canonical_link: entry for entry in _own_last(by_link, feed.url)},
        {entry.article.fingerprint: entry for entry in _own_last(by_words, feed.url)},
        tuple(entry for entry in lately if entry.last_seen_ms >= read_ms),
        tuple(entry for entry in lately if entry.last_seen_ms < read_ms),
    )
    kept = [
        *await ledger.entries(name, ArticleState.WAITING, WAITING_MAX),
        *await ledger.entries(name, ArticleState.HELD, WAITING_MAX),
    ]
    waiting = tuple(entry for entry in kept if entry.feed == feed.url)
    familiar = (*waiting, *by_guid, *by_link, *by_words)
    had_articles = any(entry.feed == feed.url for entry in familiar) or await _had_articles(ledger, feed)
    return Before(feed, known, waiting, had_articles)


async def _seen_lately(ledger: Ledger, feed: Feed) -> list[LedgerEntry]:
    if feed.last_read_ms is None:
        return []
    since_ms = feed.last_read_ms - LATELY_MS
    found = await ledger.standing(feed.newsletter, feed.url, since_ms, ARTICLES_MAX)
    return [entry for entry in found if not is_strange(entry)]


async def _had_articles(ledger: Ledger, feed: Feed) -> bool:
    """Whether the feed ever had articles; asked only if nothing in the document is known.

    A feed that never had a good look had none. If there are too many entries to check, it is
    taken to have had some: doubting a feed is the lesser mistake.
    """
    if feed.last_good_ms is None and not feed.baseline_done:
        return False
    for state in (ArticleState.SEEN, ArticleState.TAKEN, ArticleState.SKIPPED):
        entries = await ledger.entries(feed.newsletter, state, WAITING_MAX)
        if len(entries) == WAITING_MAX or any(entry.feed == feed.url for entry in entries):
            return True
    return False


def _own_last(entries: Sequence[LedgerEntry], url: str) -> list[LedgerEntry]:
    """Sort for a mapping in which the last entry of a key wins: this feed's own entries last,
    oldest at the end.
    """
    newest_first = list(reversed(entries))
    return sorted(newest_first, key=lambda entry: entry.feed == url)
