"""Read Atom and RSS: turn feedparser's result (newsletter/feed_parser) into a Document."""

import calendar
import re
from collections.abc import Iterator
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import cast

from secondpost.compose.picture import SIDE_PIXELS_MIN, is_file_of_a_picture, pixels
from secondpost.newsletter.feed_document import NO_TEXT, FeedDocument, FeedEntry, Text, Unreadable
from secondpost.newsletter.feed_parser import parse
from secondpost.newsletter.response_times import refresh_of

FORMS_MAX = 20  # variants of a text; also links, captions and pictures per entry
THUMBNAIL_WIDTH_MIN = 200  # CSS pixels; smaller ones rank below a picture in the text
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9._:-]{1,40})", re.IGNORECASE)
_MARKUP_TYPES = frozenset(("text/html", "application/xhtml+xml"))
_TAG_LIKE = re.compile(r"</?[a-zA-Z][^<>]*>")
SECONDS_MAX = 253_402_300_800  # the year 10000
# Seconds since 1970, or a year followed by other letters: feedparser would take the first four
# digits as the year and assume the current month.
_NO_DATE = re.compile(r"\s*(?:\d{9,13}|\d{4}[^\W\d_].*)\s*", re.DOTALL)
_DAY_OF_THE_WEEK = re.compile(r"\s*[^\W\d_]{1,12}\.?,?\s+(?=\d)")  # in any language; ignored


def read_markup_feed(body: bytes, content_type: str, url: str) -> FeedDocument:
    """Parse a document that passed check_xml. Raises Unreadable."""
    headers = {"content-type": _declared(body, content_type), "content-location": url}
    try:
        parsed = parse(body, headers)
    except Exception as error:
        raise Unreadable(f"It cannot be read as a feed: {type(error).__name__}.") from error
    if len(_word(parsed, "version")) == 0:
        raise Unreadable("It is XML, but neither Atom nor RSS.")
    feed = _mapping(parsed, "feed")
    entries = dict.get(parsed, "entries")
    return FeedDocument(
        title=_text(feed, "title"),
        identity=_word(feed, "id") or _feed_link(feed, "self"),
        home=_word(feed, "link") or _permalink(feed),
        generator=_word(feed, "generator"),
        entries=tuple(
            replace(_entry(each), language=_language(each) or _word(feed, "language")) for each in entries
        )
        if isinstance(entries, list)
        else (),
        # An archived feed's link is preferred: an archive document does not change (RFC 5005 §4).
        older=_feed_link(feed, "prev-archive") or _feed_link(feed, "next"),
        hub=_feed_link(feed, "hub"),
        self_link=_feed_link(feed, "self"),
        refresh_ms=refresh_of(
            _word(feed, "ttl"), _word(feed, "sy_updateperiod"), _word(feed, "sy_updatefrequency")
        ),
    )


def _declared(body: bytes, content_type: str) -> str:
    """The content type to tell the parser: without the server's charset if the body is valid UTF-8.

    Servers add a charset to everything, true or not.
    """
    charset = _CHARSET.search(content_type)
    if charset is None:
        return "application/xml"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return f"application/xml; charset={charset[1]}"
    return "application/xml"


def _entry(found: dict[str, object]) -> FeedEntry:
    large, small = _thumbnails(found)
    return FeedEntry(
        guid=_word(found, "id"),
        links=tuple(_links(found)),
        title=_title(found),
        summary=_text(found, "summary"),
        contents=_contents(found),
        captions=_captions(found),
        authors=_authors(found),
        published_ms=_moment(found, "published") or _moment(found, "updated"),
        categories=_categories(found),
        pictures=(*_pictures(found), *large),
        thumbnails=small,
    )


def _language(found: dict[str, object]) -> str:
    """The xml:lang of the entry's content, summary or title."""
    details = (
        *_mappings(found, "content"),
        _mapping(found, "summary_detail"),
        _mapping(found, "title_detail"),
    )
    return next((said for detail in details if len(said := _word(detail, "language")) > 0), "")


def _title(found: dict[str, object]) -> Text:
    """The entry's title, else the title of its film, sound or episode."""
    own = _text(found, "title")
    if len(own.value) > 0:
        return own
    other = _word(found, "media_title") or _word(found, "itunes_title")
    return Text(other, is_markup=False) if len(other) > 0 else NO_TEXT


def _contents(found: dict[str, object]) -> tuple[Text, ...]:
    """The variants of the entry's text, HTML first.

    Content that is not text, such as a picture in base64 (RFC 4287 §4.1.3.3), is left out.
    """
    contents = [each for each in _mappings(found, "content") if _is_text(_word(each, "type"))]
    rich_first = sorted(contents, key=lambda each: _word(each, "type") not in _MARKUP_TYPES)
    return tuple(_detail(each) for each in rich_first)


def _is_text(type: str) -> bool:
    return type in _MARKUP_TYPES or type.startswith("text/")


def _captions(found: dict[str, object]) -> tuple[Text, ...]:
    names = ("media_description", "itunes_summary", "itunes_subtitle")
    words = [_word(found, name) for name in names]
    return tuple(Text(word, _TAG_LIKE.search(word) is not None) for word in words if len(word) > 0)


def _authors(found: dict[str, object]) -> tuple[str, ...]:
    own = tuple(name for each in _mappings(found, "authors") if len(name := _word(each, "name")) > 0)
    show = _word(found, "itunes_author")
    return own if len(own) > 0 or len(show) == 0 else (show,)


def _links(found: dict[str, object]) -> Iterator[str]:
    """Possible links of the entry: its page, a guid that is a permalink (RSS 2.0), then its files."""
    yield _word(found, "link")
    related = _mappings(found, "links")
    yield from (_word(each, "href") for each in related if _word(each, "rel") == "alternate")
    yield _permalink(found)
    yield from (_word(each, "href") for each in related if _word(each, "rel") == "enclosure")
    yield from (_word(each, "url") for each in _mappings(found, "media_content"))
    yield _word(_mapping(found, "media_player"), "url")


def _permalink(found: dict[str, object]) -> str:
    """The guid if it is a URL or a path; a tag:, urn: or bare number leads nowhere."""
    permalink = _word(found, "permalink")
    return permalink if permalink.startswith(("http://", "https://", "/")) else ""


def _pictures(found: dict[str, object]) -> Iterator[str]:
    for link in _mappings(found, "links"):
        if _word(link, "rel") == "enclosure" and _is_picture(link, _word(link, "href")):
            yield _word(link, "href")
    for media in _mappings(found, "media_content"):
        if _is_picture(media, _word(media, "url")):
            yield _word(media, "url")
    episode = _word(_mapping(found, "image"), "href")
    if len(episode) > 0:
        yield episode


def _is_picture(media: dict[str, object], address: str) -> bool:
    """Whether a file is a picture, by its declared type, else by its name."""
    medium, type = _word(media, "medium"), _word(media, "type")
    if len(medium) > 0 or type.startswith(("image/", "audio/", "video/")):
        return medium == "image" or type.startswith("image/")
    return is_file_of_a_picture(address)


def _thumbnails(found: dict[str, object]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Thumbnails, large and small ones apart; those smaller than SIDE_PIXELS_MIN are avatars and
    left out.

    A thumbnail without a width is taken for the article's picture.
    """
    large: list[str] = []
    small: list[str] = []
    for each in _mappings(found, "media_thumbnail"):
        width = pixels(_word(each, "width"))
        if width is None or width >= THUMBNAIL_WIDTH_MIN:
            large.append(_word(each, "url"))
        elif width >= SIDE_PIXELS_MIN:
            small.append(_word(each, "url"))
    return tuple(large), tuple(small)


def _categories(found: dict[str, object]) -> tuple[str, ...]:
    tags = dict.get(found, "tags")
    named = [_word(tag, "label") or _word(tag, "term") for tag in tags] if isinstance(tags, list) else []
    return tuple(name for name in named if len(name) > 0)


def _feed_link(feed: dict[str, object], relation: str) -> str:
    """The feed's first link of a relation."""
    links = dict.get(feed, "links")
    for link in links if isinstance(links, list) else []:
        if _word(link, "rel") == relation:
            return _word(link, "href")
    return ""


def _text(found: dict[str, object], name: str) -> Text:
    # A text with its details. feedparser gives none for a summary that it copied from the content.
    detail = _mapping(found, f"{name}_detail")
    return _detail(detail) if len(detail) > 0 else NO_TEXT


def _detail(detail: dict[str, object]) -> Text:
    return Text(_word(detail, "value"), _word(detail, "type") in _MARKUP_TYPES, _word(detail, "base"))


def _word(found: dict[str, object], name: str) -> str:
    """Bypasses feedparser's own `get`, which guesses and warns."""
    value = dict.get(found, name)
    return value if isinstance(value, str) else ""


def _mapping(found: dict[str, object], name: str) -> dict[str, object]:
    value = dict.get(found, name)
    return cast(dict[str, object], value) if isinstance(value, dict) else {}


def _mappings(found: dict[str, object], name: str) -> list[dict[str, object]]:
    """The mappings among the first FORMS_MAX items of a list."""
    values = dict.get(found, name)
    kept = values[:FORMS_MAX] if isinstance(values, list) else []
    return [cast(dict[str, object], value) for value in kept if isinstance(value, dict)]


def _moment(found: dict[str, object], name: str) -> int | None:
    written = _word(found, name)
    if _NO_DATE.fullmatch(written) is not None:
        return None
    value = dict.get(found, f"{name}_parsed")  # a struct_time in UTC
    day = _DAY_OF_THE_WEEK.match(written)
    if value is None and day is not None:
        return _milliseconds_written(written[day.end() :])
    return _milliseconds(value)


def _milliseconds(value: object) -> int | None:
    try:
        seconds = calendar.timegm(cast(tuple[int, ...], value)) if isinstance(value, tuple) else None
    except (ValueError, OverflowError, TypeError):
        return None
    return seconds * 1000 if seconds is not None and abs(seconds) < SECONDS_MAX else None


def _milliseconds_written(text: str) -> int | None:
    """Parse a date as RSS 2.0 writes it; UTC if it has no zone."""
    try:
        moment = parsedate_to_datetime(text)
        return _milliseconds(moment.utctimetuple())
    except (ValueError, OverflowError):
        return None
