"""The picture of an article: the one the feed names, else the first visible one in its HTML."""

import re
from collections.abc import Iterator
from html import unescape

from secondpost.compose.picture import (
    SIDE_PIXELS_MIN,
    address_of,
    is_counter,
    is_emoji,
    is_stand_in,
    lazy_address,
    pixels,
)
from secondpost.newsletter.feed_document import FeedEntry
from secondpost.newsletter.links import absolute

IMAGES_MAX = 100  # looked at per article
# Avatars, as WordPress.com and GitHub add them; share buttons of FeedBurner.
_NO_PICTURE = re.compile(
    r"https?://(?:(?:[a-z0-9-]+\.)?gravatar\.com/avatar/|avatars\.githubusercontent\.com/|feeds\.feedburner\.com/~)",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"<img\b([^<>]*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""(?<![\w-])(?P<name>[a-zA-Z-]++)\s*+=\s*+(?:"(?P<two>[^"]*)"|'(?P<one>[^']*)'|(?P<bare>[^\s"'<>]++))"""
)


def picture_of(entry: FeedEntry, html: str, home: str) -> str:
    """An absolute URL, or "" if there is no picture.

    `html` is the article's, with absolute links; `home` is the base for links of the feed.
    """
    for addresses in (entry.pictures, _shown_in(html), entry.thumbnails):
        for address in addresses:
            found = absolute(address, home) if len(address.strip()) > 0 else ""
            if len(found) > 0 and _NO_PICTURE.match(found) is None:
                return found
    return ""


def _shown_in(html: str) -> Iterator[str]:
    """Picture URLs in the HTML; placeholders that a script would replace come last."""
    stand_ins: list[str] = []
    for number, image in enumerate(_IMAGE.finditer(html)):
        if number == IMAGES_MAX:
            break
        values = {
            found["name"].lower(): unescape(found["two"] or found["one"] or found["bare"] or "")
            for found in _ATTRIBUTE.finditer(image[1])
        }
        if is_counter(values) or _is_sign(values):
            continue
        if is_stand_in(values) and len(lazy_address(values)) == 0:
            stand_ins.append(address_of(values))
        else:
            yield address_of(values)
    yield from stand_ins


def _is_sign(values: dict[str, str]) -> bool:
    sizes = (pixels(values.get("width")), pixels(values.get("height")))
    if any(size is not None and size < SIDE_PIXELS_MIN for size in sizes):
        return True
    return is_emoji(values.get("alt", "")) or "emoji" in values.get("class", "")
