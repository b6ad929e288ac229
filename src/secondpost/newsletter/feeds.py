"""Makes articles of what the blog's address answered, or says in one sentence why it is no feed (R13).

This is where hostile documents are read, in a role that has no database. Whatever the octets are, the
answer is one of two values; how long it takes is bounded by their number.
"""

import hashlib
import html
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from secondpost.mail.article import (
    ARTICLES_MAX,
    CATEGORIES_MAX,
    CATEGORY_CHARACTERS_MAX,
    GUID_CHARACTERS_MAX,
    HTML_CHARACTERS_MAX,
    SUMMARY_CHARACTERS_MAX,
    TITLE_CHARACTERS_MAX,
    Article,
    FeedRead,
    FeedUnreadable,
)
from secondpost.mail.language import language_tag
from secondpost.newsletter.feed_document import Document, Entry, Text, Unreadable
from secondpost.newsletter.feed_gate import check_xml
from secondpost.newsletter.feed_json import read_json_feed
from secondpost.newsletter.feed_markup import read_markup_feed
from secondpost.newsletter.links import absolute, canonical, with_absolute_links
from secondpost.newsletter.words import fingerprint, plain, text_of

DOCUMENT_OCTETS_MAX = 10_000_000
AUTHOR_CHARACTERS_MAX = 200
FINGERPRINT_CHARACTERS_MAX = 20_000  # of the text that are compared
# Controls, halves of characters and noncharacters: the first break parsers, the last mark places in our mail.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def read_feed(body: bytes, content_type: str, url: str) -> FeedRead | FeedUnreadable:
    """`url` is the one that answered, behind all redirects. Never raises."""
    try:
        return _read(_document(body, content_type, url), url)
    except Unreadable as unreadable:
        return FeedUnreadable(str(unreadable))


def _document(body: bytes, content_type: str, url: str) -> Document:
    if len(body) > DOCUMENT_OCTETS_MAX:
        raise Unreadable(f"It has {len(body)} octets, at most {DOCUMENT_OCTETS_MAX}.")
    # Blank lines before the declaration are the commonest fault of all, and no danger.
    trimmed = body.lstrip(b" \t\r\n")
    if len(trimmed) == 0:
        raise Unreadable("It is empty.")
    if trimmed.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
        return read_json_feed(trimmed)
    check_xml(trimmed)
    return read_markup_feed(trimmed, content_type, url)


def _read(document: Document, url: str) -> FeedRead:
    home = absolute(document.home, url) if len(document.home) > 0 else ""
    kept = _newest(document.entries)
    told = [article for article in (_article(entry, home, url) for entry in kept) if article is not None]
    articles = _once_each(told)
    guids = Counter(article.guid for article in articles if len(article.guid) > 0)
    repeated = frozenset(guid for guid, times in guids.items() if times > 1)
    return FeedRead(
        title=plain(_words(document.title), TITLE_CHARACTERS_MAX),
        identity=plain(document.identity, GUID_CHARACTERS_MAX),
        articles=tuple(replace(each, guid="") if each.guid in repeated else each for each in articles),
        home=home,
        generator=plain(document.generator, AUTHOR_CHARACTERS_MAX),
        repeated_guids=repeated,
    )


def _newest(entries: Sequence[Entry]) -> Sequence[Entry]:
    """A document with too many is cut at its older end, wherever that is."""
    if len(entries) <= ARTICLES_MAX:
        return entries
    first, last = entries[0].published_ms, entries[-1].published_ms
    oldest_first = first is not None and last is not None and first < last
    return entries[-ARTICLES_MAX:] if oldest_first else entries[:ARTICLES_MAX]


def _article(entry: Entry, home: str, url: str) -> Article | None:
    """None: without a link that a reader can follow, or without any words, it is no article."""
    link = absolute(entry.link, home or url) if len(entry.link.strip()) > 0 else ""
    title = plain(_words(entry.title), TITLE_CHARACTERS_MAX)
    full = entry.content if len(entry.content.value.strip()) > 0 else entry.summary
    text = plain(_words(full), FINGERPRINT_CHARACTERS_MAX)
    short = plain(_words(entry.summary), SUMMARY_CHARACTERS_MAX) or plain(text, SUMMARY_CHARACTERS_MAX)
    if len(link) == 0 or link == url or len(title) + len(text) == 0:
        return None
    # Where xml:base says nothing, what stands in an article refers to the article.
    base = entry.base if len(entry.base) > 0 and entry.base != url else link
    return Article(
        guid=_guid(entry.guid),
        link=link,
        title=title,
        summary=short,
        html=_html(full, base),
        author=plain(entry.author, AUTHOR_CHARACTERS_MAX),
        published_ms=entry.published_ms,
        language=language_tag(entry.language),
        fingerprint=fingerprint(title, text),
        categories=tuple(plain(each, CATEGORY_CHARACTERS_MAX) for each in entry.categories[:CATEGORIES_MAX]),
    )


def _words(text: Text) -> str:
    value = text.value[:HTML_CHARACTERS_MAX]
    return text_of(value) if text.is_markup else html.unescape(value)


def _html(text: Text, base: str) -> str:
    value = _FORBIDDEN.sub("", text.value)[:HTML_CHARACTERS_MAX]
    if text.is_markup:
        return with_absolute_links(value, base)[:HTML_CHARACTERS_MAX]
    blocks = [html.escape(block.strip()) for block in re.split(r"\n\s*\n", value)]
    whole = "".join(f"<p>{block.replace(chr(10), '<br>')}</p>" for block in blocks if len(block) > 0)
    return whole[:HTML_CHARACTERS_MAX]


def _guid(guid: str) -> str:
    """As it is, but bounded: a longer one is still told from another."""
    visible = _FORBIDDEN.sub("", guid).strip()
    if len(visible) <= GUID_CHARACTERS_MAX:
        return visible
    return "sha256:" + hashlib.sha256(visible.encode("utf-8", "replace")).hexdigest()


def _once_each(articles: Sequence[Article]) -> list[Article]:
    """An article that stands twice in a document is one, the first: the same by guid and link, or the same
    under two guids with its link, its words and all that is shown.
    """
    seen: set[tuple[str, str, str]] = set()
    shown: set[tuple[str, str, str]] = set()
    kept: list[Article] = []
    for article in articles:
        # Without a guid or a link of its own only the words tell one from another.
        place = canonical(article.link)
        own = len(article.guid) > 0 and len(place) > 0
        key = (article.guid, place, "" if own else article.fingerprint)
        look = (place, article.fingerprint, article.html)
        if key not in seen and look not in shown:
            kept.append(article)
        seen.add(key)
        shown.add(look)
    return kept
