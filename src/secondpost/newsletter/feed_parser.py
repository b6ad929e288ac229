"""feedparser, patched and bounded; the only module that uses it, because it has no types.

It is given octets in a stream and nothing else: given a text, it would open it as a URL or file.
The patches tell it which elements are an article's own: unpatched it takes a picture's or film's
description for the article's text, an image's title for the article's title, and any guid for a
link. They also replace its search for an address in an author, which takes time quadratic in the
author's length, and bound the tags, each of which it compares with all before.
"""

import io
from collections.abc import Callable, Mapping
from typing import Protocol

import feedparser  # type: ignore[import-untyped]

AUTHOR_CHARACTERS_MAX = 1_000
AUTHORS_MAX = 100
TAGS_MAX = 1_000  # per entry, and for the feed

_Attributes = dict[str, str]
# Elements about an entry's picture, film, sound or episode, each kept under its own name.
_ASIDE = (
    "media_description",
    "media_title",
    "itunes_summary",
    "itunes_subtitle",
    "itunes_title",
    "itunes_author",
)
_IN_IMAGE = "of_the_image"  # marks title and description inside an item's image


class _Parser(Protocol):
    """The common part of feedparser's two parsers; the context is the feed, or the entry being
    read.
    """

    elementstack: list[list[object]]
    inauthor: int
    inentry: int
    inimage: int
    guidislink: bool
    entries: list[dict[str, object]]

    def _get_context(self) -> dict[str, object]: ...

    def push(self, element: str, expecting_text: int) -> None: ...

    def pop(self, element: str) -> str | None: ...


_Starts = Callable[[_Parser, _Attributes], None]
_Ends = Callable[[_Parser], None]


def parse(body: bytes, headers: Mapping[str, str]) -> dict[str, object]:
    """Parse a document with feedparser; its exceptions are not caught here. `headers` are those of
    the response that affect parsing.
    """
    parsed: dict[str, object] = feedparser.parse(
        io.BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    )
    return parsed


def _teach() -> None:
    for kind in (feedparser.api.StrictFeedParser, feedparser.api.LooseFeedParser):
        for name in _ASIDE:
            setattr(kind, f"_start_{name}", _aside_begins(name))
            setattr(kind, f"_end_{name}", _aside_ends(name))
        for name in ("title", "description"):
            setattr(kind, f"_start_{name}", _begins_outside_images(getattr(kind, f"_start_{name}")))
            setattr(kind, f"_end_{name}", _ends_outside_images(getattr(kind, f"_end_{name}")))
        kind._end_url = _ends_url(kind._end_url)
        kind._end_image = _end_image
        kind._end_author = kind._end_managingeditor = _end_author
        kind._end_guid = kind._end_id = _end_guid
        kind._sync_author_detail = _no_author_detail
        kind._add_tag = _with_few_tags(kind._add_tag)


def _aside_begins(name: str) -> _Starts:
    def begins(parser: _Parser, attributes: _Attributes) -> None:
        parser.push(name, 0)

    return begins


def _aside_ends(name: str) -> _Ends:
    def ends(parser: _Parser) -> None:
        words = parser.pop(name)
        if words is not None and len(words) > 0:
            parser._get_context().setdefault(name, words)  # the first of several

    return ends


def _begins_outside_images(original: _Starts) -> _Starts:
    def begins(parser: _Parser, attributes: _Attributes) -> None:
        if parser.inentry and parser.inimage:
            parser.push(_IN_IMAGE, 0)
        else:
            original(parser, attributes)

    return begins


def _ends_outside_images(original: _Ends) -> _Ends:
    def ends(parser: _Parser) -> None:
        if len(parser.elementstack) > 0 and parser.elementstack[-1][0] == _IN_IMAGE:
            parser.pop(_IN_IMAGE)
        else:
            original(parser)

    return ends


def _ends_url(original: _Ends) -> _Ends:
    """Keep the URL of an image inside an item."""

    def ends(parser: _Parser) -> None:
        if parser.inentry and parser.inimage:
            _keep_image(parser, parser.pop("href"))
        else:
            original(parser)

    return ends


def _end_image(parser: _Parser) -> None:
    address = parser.pop("image")  # some feeds write the URL itself into <image>
    parser.inimage = 0
    if parser.inentry:
        _keep_image(parser, address)


def _keep_image(parser: _Parser, address: str | None) -> None:
    if address is not None and len(address) > 0 and len(parser.entries) > 0:
        parser.entries[-1].setdefault("image", {"href": address})


def _end_author(parser: _Parser) -> None:
    """Keep an author without child elements as written (RSS, Dublin Core)."""
    written = parser.pop("author")
    parser.inauthor = 0
    authors = dict.get(parser._get_context(), "authors")
    if not isinstance(authors, list) or len(authors) == 0:
        return
    if written is not None and len(written) > 0:
        authors[-1].setdefault("name", written[:AUTHOR_CHARACTERS_MAX])
    del authors[AUTHORS_MAX:]


def _end_guid(parser: _Parser) -> None:
    """Keep a guid as written if it is a permalink, before feedparser resolves it."""
    top = parser.elementstack[-1] if len(parser.elementstack) > 0 else ["", 0, []]
    pieces = top[2]
    written = "".join(map(str, pieces)).strip() if top[0] == "id" and isinstance(pieces, list) else ""
    parser.pop("id")
    if parser.guidislink:
        parser._get_context()["permalink"] = written


def _no_author_detail(parser: _Parser, key: str = "author") -> None:
    """Does nothing: newsletter/authors separates names from addresses."""


def _with_few_tags(
    add: Callable[[_Parser, object, object, object], None],
) -> Callable[[_Parser, object, object, object], None]:
    def bounded(parser: _Parser, term: object, scheme: object, label: object) -> None:
        tags = dict.get(parser._get_context(), "tags")
        if not isinstance(tags, list) or len(tags) < TAGS_MAX:
            add(parser, term, scheme, label)

    return bounded


_teach()
