"""Read JSON Feed 1.x (jsonfeed.org), leniently: ids may be numbers, and a broken item does not
spoil the others.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from secondpost.newsletter.feed_document import NO_TEXT, FeedDocument, FeedEntry, Text, Unreadable

VERSION = "https://jsonfeed.org/version/1"


class _Author(msgspec.Struct):
    name: str | None = None


class _Attachment(msgspec.Struct):
    url: str | None = None
    mime_type: str | None = None


class _Item(msgspec.Struct):
    id: str | int | float | None = None
    url: str | None = None
    external_url: str | None = None
    title: str | None = None
    content_html: str | None = None
    content_text: str | None = None
    summary: str | None = None
    date_published: str | None = None
    date_modified: str | None = None
    author: _Author | None = None  # 1.0
    authors: list[_Author] | None = None  # 1.1
    tags: list[str] | None = None
    language: object = None  # 1.1: a string; anything else is ignored
    image: str | None = None
    banner_image: str | None = None
    attachments: list[_Attachment] | None = None


class _Feed(msgspec.Struct):
    version: str
    items: list[msgspec.Raw]
    title: str | None = None
    home_page_url: str | None = None
    feed_url: str | None = None
    next_url: object = None  # a string; anything else is ignored, here and below
    hubs: object = None  # of objects with type and url
    language: object = None


# An unpaired surrogate, written by programs that cut a text in the middle of a character.
_ESCAPES = re.compile(rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.DOTALL)
_REPLACEMENT = rb"\ufffd"


def read_json_feed(body: bytes) -> FeedDocument:
    """Parse a JSON Feed. Raises Unreadable."""
    try:
        feed = msgspec.json.decode(_whole_characters(body.removeprefix(b"\xef\xbb\xbf")), type=_Feed)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(f"It is not a valid JSON Feed: {error}.") from error
    if not feed.version.replace("http://", "https://", 1).startswith(VERSION):
        raise Unreadable("It is JSON, but not JSON Feed version 1.")
    read = [_entry(raw, feed.language) for raw in feed.items]
    whole = tuple(entry for entry in read if entry is not None)
    return FeedDocument(
        title=Text(feed.title or "", is_markup=False),
        identity=feed.feed_url or "",
        home=feed.home_page_url or "",
        generator="",
        entries=whole,
        broken=len(read) - len(whole),
        older=feed.next_url if isinstance(feed.next_url, str) else "",
        hub=_hub(feed.hubs),
        self_link=feed.feed_url or "",
    )


def _hub(hubs: object) -> str:
    """The first WebSub hub."""
    for hub in hubs if isinstance(hubs, list) else []:
        if isinstance(hub, dict) and str(hub.get("type", "")).lower() == "websub":
            url = hub.get("url")
            return url if isinstance(url, str) else ""
    return ""


def _whole_characters(body: bytes) -> bytes:
    """Replace unpaired surrogates, so that one bad article does not lose the others."""
    if b"\\ud" not in body and b"\\uD" not in body:
        return body
    return _ESCAPES.sub(lambda found: found[0] if found[1] is None else _REPLACEMENT, body)


def _entry(raw: msgspec.Raw, feed_language: object) -> FeedEntry | None:
    try:
        item = msgspec.json.decode(raw, type=_Item)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    guid = "" if item.id is None else str(item.id)
    authors = [item.author] if item.author is not None else (item.authors or [])
    files = [each for each in item.attachments or [] if each.url is not None]
    permalink = guid if guid.startswith(("http://", "https://")) else ""
    pages = (item.url or "", permalink, item.external_url or "")
    pictures = [each.url for each in files if (each.mime_type or "").startswith("image/")]
    return FeedEntry(
        guid=guid,
        links=(*pages, *(each.url or "" for each in files)),
        title=NO_TEXT if item.title is None else Text(item.title, is_markup=False),
        summary=NO_TEXT if item.summary is None else Text(item.summary, is_markup=False),
        contents=tuple(_contents(item)),
        captions=(),
        authors=tuple(each.name for each in authors if each.name is not None),
        published_ms=_milliseconds(item.date_published) or _milliseconds(item.date_modified),
        categories=tuple(item.tags or ()),
        pictures=tuple(each for each in (item.image, item.banner_image, *pictures) if each is not None),
        language=next((each for each in (item.language, feed_language) if isinstance(each, str)), ""),
    )


def _contents(item: _Item) -> Iterator[Text]:
    if item.content_html is not None:
        yield Text(item.content_html, is_markup=True)
    if item.content_text is not None:
        yield Text(item.content_text, is_markup=False)


def _milliseconds(text: str | None) -> int | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        return round((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None
