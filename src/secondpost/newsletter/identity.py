"""Which two articles are the same one (R2): by guid within a feed, else by link, else by their words; and
of those that stood in the feed at its last reading, by title and date, or by their path on a new host.

Feeds change their guids with a new theme and their links with a new host, and readers must not get the
old articles again. Any rung of the ladder that leads to a known article makes it the same.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import TypeVar

from secondpost.mail.article import Article, FeedRead
from secondpost.mail.issue import ArticleId
from secondpost.newsletter.links import canonical
from secondpost.store.newsletter_ports import LedgerEntry

K = TypeVar("K")
V = TypeVar("V")
WORDS_CHARACTERS_MIN = 80  # of a text that can be nobody else's; "New photo" is not such a text
_HOST = re.compile(r"[^/?#]*")  # of a canonical link


@dataclass(frozen=True, slots=True)
class Marks:
    """What an article can be recognised by; "" where it has nothing of its own."""

    guid: str
    link: str  # canonical
    words: str  # fingerprint


def marks_of(read: FeedRead, distrusted: frozenset[str]) -> tuple[Marks, ...]:
    """For each article of the document, in its order. A guid that was ever given to two articles, a link
    that several share and the page of the feed itself are no marks.
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
    # Who has nothing else is known by the words, however few they are.
    has_words = len(article.summary) >= WORDS_CHARACTERS_MIN or (len(guid) == 0 and len(link) == 0)
    return Marks(guid, link, article.fingerprint if has_words else "")


@dataclass(frozen=True, slots=True)
class KnownMarks:
    """What the ledger has of the marks of a document. Guids of its feed; links and words of all feeds."""

    by_guid: Mapping[str, LedgerEntry]
    by_link: Mapping[str, LedgerEntry]
    by_words: Mapping[str, LedgerEntry]
    standing: tuple[LedgerEntry, ...] = ()  # in the feed at its last reading, in the order first seen


def recognised(
    url: str, articles: Sequence[Article], marks: Sequence[Marks], known: KnownMarks
) -> tuple[LedgerEntry | None, ...]:
    """The ledger's entry of each article, None for one that was never seen. `url`: of the feed."""
    by_guid = [known.by_guid.get(each.guid) if len(each.guid) > 0 else None for each in marks]
    present = {entry.id for entry in by_guid if entry is not None}
    found = [
        entry if entry is not None else _by_other_marks(url, each, known, present)
        for entry, each in zip(by_guid, marks, strict=True)
    ]
    for rung in (_by_title_and_date, _by_path):
        taken = {entry.id for entry in found if entry is not None}
        left = [entry for entry in known.standing if entry.id not in taken]
        open_ = [place for place, entry in enumerate(found) if entry is None]
        for place, entry in rung(open_, articles, marks, left).items():
            found[place] = entry
    return tuple(found)


def reused_guids(articles: Sequence[Article], marks: Sequence[Marks], known: KnownMarks) -> frozenset[str]:
    """Guids that the feed gives to an article which has nothing else of the one that had it before: neither
    link, title, date nor words. That one has left the feed; a blog whose numbers began anew does so.
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
    # Two articles of one feed that stand beside each other with guids of their own are two, though both
    # lead to the same page.
    if linked is not None and not (linked.feed == url and linked.id in present and len(marks.guid) > 0):
        return linked
    return known.by_words.get(marks.words) if len(marks.words) > 0 else None


def _by_title_and_date(
    places: Sequence[int], articles: Sequence[Article], _marks: Sequence[Marks], left: Sequence[LedgerEntry]
) -> dict[int, LedgerEntry]:
    """An edited slug, or a blog that moved: a title and a moment that nothing else has, here and there."""
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
    """A blog that moved to another host as a whole, and kept its paths."""
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
    """What each key leads to, of those keys that come once."""
    times: Counter[K] = Counter()
    found: dict[K, V] = {}
    for key, value in pairs:
        if key is not None:
            times[key] += 1
            found[key] = value
    return {key: value for key, value in found.items() if times[key] == 1}
