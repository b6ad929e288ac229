"""Make articles of the response from a feed's URL, or say in one sentence why it is not a feed
(R13).

Hostile documents are read here, in a role without access to the database. Any input gives one of
two results, in time bounded by its length.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import Enum

from secondpost.mail.article import (
    ARTICLES_MAX,
    CATEGORIES_MAX,
    CATEGORY_CHARACTERS_MAX,
    GUID_CHARACTERS_MAX,
    SUMMARY_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    Article,
    FeedRead,
    FeedUnreadable,
)
from secondpost.mail.language import language_tag
from secondpost.newsletter.article_footer import without_footer
from secondpost.newsletter.article_text import FORBIDDEN, html_of, whole_text, words_of
from secondpost.newsletter.authors import names_of
from secondpost.newsletter.feed_document import FeedDocument, FeedEntry, Unreadable
from secondpost.newsletter.feed_gate import check_xml
from secondpost.newsletter.feed_json import read_json_feed
from secondpost.newsletter.feed_markup import read_markup_feed
from secondpost.newsletter.lead_picture import picture_of
from secondpost.newsletter.links import absolute, canonical
from secondpost.newsletter.words import fingerprint, plain

DOCUMENT_OCTETS_MAX = 10_000_000
GENERATOR_CHARACTERS_MAX = 200
FINGERPRINT_CHARACTERS_MAX = 20_000  # of the text, included in the fingerprint
# Dates from the year 1000, so that Hugo's year 1 of a page without a date is none, to 9998: each of them
# has a local time in every zone.
DATE_MS_MIN, DATE_MS_MAX = -30_610_224_000_000, 253_370_764_800_000


class LeftOut(Enum):
    """Why an entry is not an article; worded for one and for several."""

    WITHOUT_LINK = ("has neither a link nor a file", "have neither a link nor a file")
    WITHOUT_WORDS = ("has neither a title nor a text", "have neither a title nor a text")
    BROKEN = ("cannot be read", "cannot be read")

    def __init__(self, one: str, several: str) -> None:
        self.one = one
        self.several = several


def read_feed(body: bytes, content_type: str, url: str) -> FeedRead | FeedUnreadable:
    """Read a feed. `url` is the one that answered, after all redirects. Never raises."""
    try:
        return _read(_document(body, content_type, url), url)
    except Unreadable as unreadable:
        return FeedUnreadable(str(unreadable))


def _document(body: bytes, content_type: str, url: str) -> FeedDocument:
    if len(body) > DOCUMENT_OCTETS_MAX:
        raise Unreadable(f"It is {len(body)} bytes long; at most {DOCUMENT_OCTETS_MAX} are read.")
    # Blank lines before the XML declaration are the most common fault, and harmless.
    trimmed = body.lstrip(b" \t\r\n")
    if len(trimmed) == 0:
        raise Unreadable("It is empty.")
    if trimmed.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return read_json_feed(trimmed)
    check_xml(trimmed)
    return read_markup_feed(trimmed, content_type, url)


def _read(document: FeedDocument, url: str) -> FeedRead:
    home = absolute(document.home, url) if len(document.home) > 0 else ""
    read = [_article(entry, home, url) for entry in _newest(document.entries)]
    articles = _once_each([each for each in read if isinstance(each, Article)])
    left_out = Counter(each for each in read if isinstance(each, LeftOut))
    left_out[LeftOut.BROKEN] = document.broken
    guids = Counter(article.guid for article in articles if len(article.guid) > 0)
    repeated = frozenset(guid for guid, times in guids.items() if times > 1)
    return FeedRead(
        title=plain(words_of(document.title), TITLE_CHARACTERS_MAX),
        identity=plain(document.identity, GUID_CHARACTERS_MAX),
        articles=tuple(replace(each, guid="") if each.guid in repeated else each for each in articles),
        home=home,
        generator=plain(document.generator, GENERATOR_CHARACTERS_MAX),
        repeated_guids=repeated,
        left_out=_left_out(left_out),
        older=_elsewhere(document.older, url),
        refresh_ms=document.refresh_ms,
        hub=_elsewhere(document.hub, url),
        topic=absolute(document.self_link, url) if len(document.self_link) > 0 else "",
    )


def _elsewhere(written: str, url: str) -> str:
    """An absolute link to something other than the feed itself; "" if it is none."""
    link = absolute(written, url) if len(written.strip()) > 0 else ""
    return "" if link == url else link


def _newest(entries: Sequence[FeedEntry]) -> Sequence[FeedEntry]:
    """The newest ARTICLES_MAX entries, whichever end of the document they are at."""
    if len(entries) <= ARTICLES_MAX:
        return entries
    first, last = entries[0].published_ms, entries[-1].published_ms
    oldest_first = first is not None and last is not None and first < last
    return entries[-ARTICLES_MAX:] if oldest_first else entries[:ARTICLES_MAX]


def _article(entry: FeedEntry, home: str, url: str) -> Article | LeftOut:
    link = next(_followable(entry, home or url, url), "")
    if len(link) == 0:
        return LeftOut.WITHOUT_LINK
    title = plain(words_of(entry.title), TITLE_CHARACTERS_MAX)
    full = whole_text(entry)
    text = plain(words_of(full), FINGERPRINT_CHARACTERS_MAX)
    if len(title) + len(text) == 0:
        return LeftOut.WITHOUT_WORDS
    # Taken before the footer is removed: a fingerprint must not depend on recognising the footer.
    mark = fingerprint(title, text)
    full, teaser = (without_footer(each, link, home) for each in (full, entry.summary))
    short = plain(words_of(teaser), SUMMARY_CHARACTERS_MAX) or plain(words_of(full), SUMMARY_CHARACTERS_MAX)
    # Without xml:base, relative links in an article refer to the article.
    base = full.base if len(full.base) > 0 and full.base != url else link
    html = html_of(full, base)
    return Article(
        guid=_guid(entry.guid),
        link=link,
        title=title,
        summary=short,
        html=html,
        author=names_of(entry.authors),
        published_ms=_date(entry.published_ms),
        language=language_tag(entry.language),
        fingerprint=mark,
        categories=tuple(plain(each, CATEGORY_CHARACTERS_MAX) for each in entry.categories[:CATEGORIES_MAX]),
        picture=picture_of(entry, html, home or url),
    )


def _followable(entry: FeedEntry, base: str, url: str) -> Iterator[str]:
    """Absolute web links of the entry, except to the feed itself."""
    for written in entry.links:
        link = absolute(written, base) if len(written.strip()) > 0 else ""
        if len(link) > 0 and link != url:
            yield link


def _left_out(reasons: Counter[LeftOut]) -> str:
    """For example "2 entries are not articles: they have neither a link nor a file"."""
    return "; ".join(
        f"1 entry is not an article: it {reason.one}"
        if reasons[reason] == 1
        else f"{reasons[reason]} entries are not articles: they {reason.several}"
        for reason in LeftOut
        if reasons[reason] > 0
    )


def _date(at_ms: int | None) -> int | None:
    """The date of an article; None if it has none that every zone can show."""
    return at_ms if at_ms is not None and DATE_MS_MIN <= at_ms < DATE_MS_MAX else None


def _guid(guid: str) -> str:
    """The guid, or a hash of it if it is too long, so that long guids still differ."""
    visible = FORBIDDEN.sub("", guid).strip()
    if len(visible) <= GUID_CHARACTERS_MAX:
        return visible
    return "sha256:" + hashlib.sha256(visible.encode("utf-8", "replace")).hexdigest()


def _once_each(articles: Sequence[Article]) -> list[Article]:
    """Drop repeated articles, keeping the first.

    Two are the same if guid and link agree, or if link, words and HTML agree under different guids.
    """
    seen: set[tuple[str, str, str]] = set()
    shown: set[tuple[str, str, str]] = set()
    kept: list[Article] = []
    for article in articles:
        # Without a guid or link, only the words distinguish articles.
        place = canonical(article.link)
        own = len(article.guid) > 0 and len(place) > 0
        key = (article.guid, place, "" if own else article.fingerprint)
        look = (place, article.fingerprint, article.html)
        if key not in seen and look not in shown:
            kept.append(article)
        seen.add(key)
        shown.add(look)
    return kept
