"""Which two articles are the same one (R2): by guid within a feed, else by link, else by their words.

Feeds change their guids with a new theme and their links with a new host, and readers must not get the
old articles again. Any rung of the ladder that leads to a known article makes it the same.
"""

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from secondpost.mail.article import Article, FeedRead
from secondpost.mail.issue import ArticleId
from secondpost.newsletter.links import canonical
from secondpost.store.newsletter_ports import LedgerEntry

WORDS_CHARACTERS_MIN = 80  # of a text that can be nobody else's; "New photo" is not such a text


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
class Known:
    """What the ledger has of the marks of a document. Guids of its feed; links and words of all feeds."""

    by_guid: Mapping[str, LedgerEntry]
    by_link: Mapping[str, LedgerEntry]
    by_words: Mapping[str, LedgerEntry]


def recognised(url: str, marks: Sequence[Marks], known: Known) -> tuple[LedgerEntry | None, ...]:
    """The ledger's entry of each article, None for one that was never seen. `url`: of the feed."""
    by_guid = [known.by_guid.get(each.guid) if len(each.guid) > 0 else None for each in marks]
    present = {entry.id for entry in by_guid if entry is not None}
    return tuple(
        entry if entry is not None else _by_other_marks(url, each, known, present)
        for entry, each in zip(by_guid, marks, strict=True)
    )


def _by_other_marks(url: str, marks: Marks, known: Known, present: Set[ArticleId]) -> LedgerEntry | None:
    linked = known.by_link.get(marks.link) if len(marks.link) > 0 else None
    # Two articles of one feed that stand beside each other with guids of their own are two, though both
    # lead to the same page.
    if linked is not None and not (linked.feed == url and linked.id in present and len(marks.guid) > 0):
        return linked
    return known.by_words.get(marks.words) if len(marks.words) > 0 else None
