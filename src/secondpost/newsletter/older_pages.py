"""The older pages of a feed (RFC 5005), for a feed whose first page no longer shows what we know. Pure.

After an outage a feed may show only articles that are new, and those in between are on its next
pages. They are joined to the first page as far as the newest page with a known article. So old
articles never come from them: what stands below the oldest known article is left out, and an
article between counts only if its date shows that it was written since the last reading.
"""

from collections.abc import Sequence
from dataclasses import replace

from secondpost.mail.article import ARTICLES_MAX, Article, FeedRead
from secondpost.mail.duration import DAY_MS, MINUTE_MS
from secondpost.newsletter.links import site
from secondpost.store.feed_ports import Feed
from secondpost.store.newsletter_ports import LedgerEntry

PAGES_MAX = 10  # asked for at one look
PAGES_MS_MAX = 2 * MINUTE_MS  # no page is asked for later, after the first one
BLOGGER = "https://www.blogger.com/"  # where the feeds of blogs with domains of their own have their pages
PAGES_CHARACTERS_MAX = 10_000_000  # of the articles of all pages together: they are kept in memory


def has_gap(read: FeedRead, entries: Sequence[LedgerEntry | None], feed: Feed) -> bool:
    """Whether articles may be missing between this document and the last reading.

    Its last article is new, so what was known before begins further down. A feed in doubt is not
    asked again and again.
    """
    was_read = feed.baseline_done and len(feed.finding) == 0
    return was_read and len(read.older) > 0 and len(entries) > 0 and entries[-1] is None


def newest_date(standing: Sequence[LedgerEntry], now_ms: int) -> int | None:
    """The latest date of the articles that the feed had; None if none has one that can be true."""
    dates = [entry.article.published_ms for entry in standing]
    return max((date for date in dates if date is not None and date <= now_ms + DAY_MS), default=None)


def is_page_of(url: str, feed: Feed) -> bool:
    """Whether a page is on the feed's own site, or on BLOGGER. A feed may name no other: it could have us
    ask strangers, ten pages at each look.
    """
    return len(url) > 0 and site(url) in {site(feed.url), site(feed.location), site(BLOGGER)}


def are_large(pages: Sequence[FeedRead]) -> bool:
    """Whether pages have so much in them that no further one is asked for."""
    articles = [article for page in pages for article in page.articles]
    characters = sum(len(article.html) + len(article.summary) for article in articles)
    return len(articles) >= ARTICLES_MAX or characters >= PAGES_CHARACTERS_MAX


def joined(first: FeedRead, pages: Sequence[FeedRead], known: Sequence[bool], since_ms: int) -> FeedRead:
    """The first page with the articles of the older ones, down to the oldest known one; the first page
    alone if nothing in them is known.

    `known`: of each article of the older pages, in their order. `since_ms`: date of the newest article
    known before.
    """
    articles = [article for page in pages for article in page.articles]
    last = max((place for place, is_known in enumerate(known) if is_known), default=-1)
    kept = [
        article
        for article, is_known in zip(articles[: last + 1], known[: last + 1], strict=True)
        if is_known or _is_since(article, since_ms)
    ]
    guids = frozenset[str]().union(*(page.repeated_guids for page in pages))
    whole = (*first.articles, *kept)[:ARTICLES_MAX]
    return replace(first, articles=whole, repeated_guids=first.repeated_guids | guids)


def _is_since(article: Article, since_ms: int) -> bool:
    return article.published_ms is not None and article.published_ms > since_ms
