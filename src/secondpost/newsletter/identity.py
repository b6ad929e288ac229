"""Which articles are the same (R2): by guid within a feed, else by link, else by their words.

Articles that the feed had lately are also matched by title and date, those that it had at its last
reading also by their path on a new host. Feeds change guids with a new theme and links with a new
host, and readers must not get old articles again. Any match makes an article a known one.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeVar

from secondpost.mail.article import Article, FeedRead
from secondpost.mail.duration import DAY_MS
from secondpost.mail.issue import ArticleId
from secondpost.newsletter.links import canonical
from secondpost.store.newsletter_ports import LedgerEntry

K = TypeVar("K")
V = TypeVar("V")
LATELY_MS = 31 * DAY_MS
WORDS_CHARACTERS_MIN = 80  # shorter texts, such as "New photo", do not identify an article
_HOST = re.compile(r"[^/?#]*")  # host of a canonical link


@dataclass(frozen=True, slots=True)
class Marks:
    """What identifies an article; "" where it has no such mark."""

    guid: str
    link: str  # canonical
    words: str  # fingerprint


def marks_of(read: FeedRead, distrusted: frozenset[str]) -> tuple[Marks, ...]:
    """The marks of each article of the document, in its order.

    Ignored as marks: a guid that two articles ever had, a link that several articles share, and the
    page of the feed itself.
    """
    links = [canonical(article.link) for article in read.articles]
    times = Counter(links)
    home = canonical(read.home)
    return tuple(
        _marks(article, "" if times[link] > 1 or link == home else link, distrusted)
        for article, link in zip(read.articles, links, strict=True)
    )


def _marks(article: Article, link: str, distrusted: frozenset[str]) -> Marks:
    guid = "" if article.guid in distrusted else article.guid
    # Without guid and link, even a short text is used.
    has_words = len(article.summary) >= WORDS_CHARACTERS_MIN or (len(guid) == 0 and len(link) == 0)
    return Marks(guid, link, article.fingerprint if has_words else "")


@dataclass(frozen=True, slots=True)
class KnownMarks:
    """The ledger's entries for the marks of a document: guids within its feed, links and words in
    all feeds.
    """

    by_guid: Mapping[str, LedgerEntry]
    by_link: Mapping[str, LedgerEntry]
    by_words: Mapping[str, LedgerEntry]
    standing: tuple[LedgerEntry, ...] = ()  # in the feed when last read, in order first seen
    # In the feed within LATELY_MS before it was last read, and not then. A stale copy of a feed may
    # have been read in between.
    lately: tuple[LedgerEntry, ...] = ()


def recognised(
    url: str, articles: Sequence[Article], marks: Sequence[Marks], known: KnownMarks
) -> tuple[LedgerEntry | None, ...]:
    """The ledger's entry for each article, or None if it is new. `url` is the feed's."""
    by_guid = [known.by_guid.get(each.guid) if len(each.guid) > 0 else None for each in marks]
    present = {entry.id for entry in by_guid if entry is not None}
    found = [
        entry if entry is not None else _by_other_marks(url, each, known, present)
        for entry, each in zip(by_guid, marks, strict=True)
    ]
    rungs = ((_by_title_and_date, (*known.lately, *known.standing)), (_by_path, known.standing))
    for rung, entries in rungs:
        taken = {entry.id for entry in found if entry is not None}
        left = [entry for entry in entries if entry.id not in taken]
        open_ = [place for place, entry in enumerate(found) if entry is None]
        for place, entry in rung(open_, articles, marks, left).items():
            found[place] = entry
    return tuple(found)


def reused_guids(articles: Sequence[Article], marks: Sequence[Marks], known: KnownMarks) -> frozenset[str]:
    """Guids that the feed now gives to a different article.

    The article that had the guid was gone at the last reading, and differs in link, title, date and
    words. Blogs do so when their numbering starts again.
    """
    standing = {entry.id for entry in known.standing}
    reused: set[str] = set()
    for article, each in zip(articles, marks, strict=True):
        entry = known.by_guid.get(each.guid) if len(each.guid) > 0 else None
        if entry is None or entry.id in standing:
            continue
        before = entry.article
        if (
            each.link != entry.canonical_link
            and article.title != before.title
            and article.fingerprint != before.fingerprint
            and article.published_ms is not None
            and article.published_ms != before.published_ms
        ):
            reused.add(each.guid)
    return frozenset(reused)


def _by_other_marks(url: str, marks: Marks, known: KnownMarks, present: Set[ArticleId]) -> LedgerEntry | None:
    linked = known.by_link.get(marks.link) if len(marks.link) > 0 else None
    # Two articles of one feed with guids of their own are two, even if both link to the same page.
    if linked is not None and not (linked.feed == url and linked.id in present and len(marks.guid) > 0):
        return linked
    return known.by_words.get(marks.words) if len(marks.words) > 0 else None


def _by_title_and_date(
    places: Sequence[int], articles: Sequence[Article], _marks: Sequence[Marks], left: Sequence[LedgerEntry]
) -> dict[int, LedgerEntry]:
    """Match articles by a title and date unique on both sides: an edited slug, or a blog that
    moved.
    """
    here = _single((_title_and_date(articles[place]), place) for place in places)
    there = _single((_title_and_date(entry.article), entry) for entry in left)
    return {place: there[key] for key, place in here.items() if key in there}


def _title_and_date(article: Article) -> tuple[str, int] | None:
    if len(article.title) == 0 or article.published_ms is None:
        return None
    return article.title.casefold(), article.published_ms


def _by_path(
    places: Sequence[int], _articles: Sequence[Article], marks: Sequence[Marks], left: Sequence[LedgerEntry]
) -> dict[int, LedgerEntry]:
    """Match articles by path, if the whole blog moved to another host."""
    hosts_here = {_host(marks[place].link) for place in places}
    hosts_there = {_host(entry.canonical_link) for entry in left}
    if len(hosts_here) != 1 or len(hosts_there) != 1 or hosts_here == hosts_there:
        return {}
    here = _single((_path(marks[place].link), place) for place in places)
    there = _single((_path(entry.canonical_link), entry) for entry in left)
    return {place: there[key] for key, place in here.items() if key in there}


def _host(canonical_link: str) -> str:
    found = _HOST.match(canonical_link)
    return "" if found is None else found[0]


def _path(canonical_link: str) -> str | None:
    path = canonical_link.removeprefix(_host(canonical_link))
    return path if len(path) > 0 else None


def _single(pairs: Iterable[tuple[K | None, V]]) -> dict[K, V]:
    """The values of the keys that occur once."""
    times: Counter[K] = Counter()
    found: dict[K, V] = {}
    for key, value in pairs:
        if key is not None:
            times[key] += 1
            found[key] = value
    return {key: value for key, value in found.items() if times[key] == 1}
