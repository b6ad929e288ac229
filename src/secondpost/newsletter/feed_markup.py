"""Reads Atom and RSS, by feedparser: the one module that touches it, because it has no types.

It is given octets in a stream and nothing else: a text might name a URL or a file, and it would go there.
Two of its steps that take the square of what a feed says are bounded.
"""

import calendar
import io
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol, cast

import feedparser  # type: ignore[import-untyped]

from secondpost.newsletter.feed_document import NO_TEXT, Document, Entry, Text, Unreadable

AUTHOR_CHARACTERS_MAX = 200
TAGS_MAX = 1_000  # of an entry, or of the feed
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_MARKUP_TYPES = frozenset(("text/html", "application/xhtml+xml"))
SECONDS_MAX = 253_402_300_800  # the year 10000


def read_markup_feed(body: bytes, content_type: str, url: str) -> Document:
    """`body` passed the gate. Raises Unreadable."""
    headers = {"content-type": _declared(body, content_type), "content-location": url}
    try:
        parsed: dict[str, object] = feedparser.parse(
            io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
        )
    except Exception as error:
        raise Unreadable(f"It cannot be read as a feed: {type(error).__name__}.") from error
    if len(_word(parsed, "version")) == 0:
        raise Unreadable("It is XML, but neither Atom nor RSS.")
    feed = _mapping(parsed, "feed")
    entries = dict.get(parsed, "entries")
    return Document(
        title=_text(feed, "title"),
        identity=_word(feed, "id") or _self_link(feed),
        home=_word(feed, "link"),
        generator=_word(feed, "generator"),
        entries=tuple(
            replace(_entry(each), language=_language(each) or _word(feed, "language")) for each in entries
        )
        if isinstance(entries, list)
        else (),
    )


class _Parser(Protocol):
    """What both of feedparser's own parsers are; the context is the feed, or the entry that is being read."""

    def _get_context(self) -> dict[str, object]: ...


def _with_short_author(sync: Callable[[_Parser, str], None]) -> Callable[[_Parser, str], None]:
    """It looks for an address in an author by an expression that takes the square of the author's length."""

    def bounded(parser: _Parser, key: str = "author") -> None:
        context = parser._get_context()
        author = dict.get(context, key)
        if isinstance(author, str):
            context[key] = author[:AUTHOR_CHARACTERS_MAX]
        sync(parser, key)

    return bounded


def _with_few_tags(
    add: Callable[[_Parser, object, object, object], None],
) -> Callable[[_Parser, object, object, object], None]:
    """It looks for each tag among all before."""

    def bounded(parser: _Parser, term: object, scheme: object, label: object) -> None:
        tags = dict.get(parser._get_context(), "tags")
        if not isinstance(tags, list) or len(tags) < TAGS_MAX:
            add(parser, term, scheme, label)

    return bounded


for _kind in (feedparser.api.StrictFeedParser, feedparser.api.LooseFeedParser):
    _kind._sync_author_detail = _with_short_author(_kind._sync_author_detail)
    _kind._add_tag = _with_few_tags(_kind._add_tag)


def _declared(body: bytes, content_type: str) -> str:
    """Servers add a charset to everything they have, true or not: octets that are UTF-8 are UTF-8."""
    charset = _CHARSET.search(content_type)
    if charset is None:
        return "application/xml"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return f"application/xml; charset={charset[1]}"
    return "application/xml"


def _entry(found: dict[str, object]) -> Entry:
    contents = dict.get(found, "content")
    content, base = NO_TEXT, ""
    if isinstance(contents, list) and len(contents) > 0:
        # Several contents are several forms of the same words: HTML is the richer one.
        best = next((each for each in contents if _word(each, "type") in _MARKUP_TYPES), contents[0])
        content, base = _detail(best), _word(best, "base")
    return Entry(
        guid=_word(found, "id"),
        link=_word(found, "link"),
        base=base or _word(_mapping(found, "summary_detail"), "base"),
        title=_text(found, "title"),
        summary=_text(found, "summary"),
        content=content,
        author=_word(found, "author"),
        published_ms=_milliseconds(found, "published_parsed") or _milliseconds(found, "updated_parsed"),
        categories=_categories(found),
    )


def _language(found: dict[str, object]) -> str:
    """What xml:lang says of its content, its summary or its title."""
    contents = dict.get(found, "content")
    details = [*(contents if isinstance(contents, list) else []), _mapping(found, "summary_detail")]
    said = [_word(detail, "language") for detail in (*details, _mapping(found, "title_detail"))]
    return next((language for language in said if len(language) > 0), "")


def _categories(found: dict[str, object]) -> tuple[str, ...]:
    tags = dict.get(found, "tags")
    named = [_word(tag, "label") or _word(tag, "term") for tag in tags] if isinstance(tags, list) else []
    return tuple(name for name in named if len(name) > 0)


def _self_link(feed: dict[str, object]) -> str:
    links = dict.get(feed, "links")
    for link in links if isinstance(links, list) else []:
        if _word(link, "rel") == "self":
            return _word(link, "href")
    return ""


def _text(found: dict[str, object], name: str) -> Text:
    # A summary without its detail is feedparser's copy of the content.
    detail = _mapping(found, f"{name}_detail")
    return _detail(detail) if len(detail) > 0 else NO_TEXT


def _detail(detail: dict[str, object]) -> Text:
    return Text(_word(detail, "value"), is_markup=_word(detail, "type") in _MARKUP_TYPES)


def _word(found: dict[str, object], name: str) -> str:
    """Past feedparser's own `get`, which guesses and warns."""
    value = dict.get(found, name)
    return value if isinstance(value, str) else ""


def _mapping(found: dict[str, object], name: str) -> dict[str, object]:
    value = dict.get(found, name)
    return cast(dict[str, object], value) if isinstance(value, dict) else {}


def _milliseconds(found: dict[str, object], name: str) -> int | None:
    value = dict.get(found, name)  # a struct_time in UTC
    try:
        seconds = calendar.timegm(cast(tuple[int, ...], value)) if isinstance(value, tuple) else None
    except (ValueError, OverflowError, TypeError):
        return None
    return seconds * 1000 if seconds is not None and abs(seconds) < SECONDS_MAX else None
