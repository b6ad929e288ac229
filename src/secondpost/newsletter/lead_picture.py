"""The picture of an article: its own where the feed names one, else the first that a reader sees in it."""

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

IMAGES_MAX = 100  # of an article that are looked at
# Faces, as WordPress.com and GitHub add them; buttons to share with, as FeedBurner did.
_NO_PICTURE = re.compile(
    r"https?://(?:(?:[a-z0-9-]+\.)?gravatar\.com/avatar/|avatars\.githubusercontent\.com/|feeds\.feedburner\.com/~)",
    re.IGNORECASE,
)
_IMAGE = re.compile(r"<img\b([^<>]*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""(?<![\w-])(?P<name>[a-zA-Z-]++)\s*+=\s*+(?:"(?P<two>[^"]*)"|'(?P<one>[^']*)'|(?P<bare>[^\s"'<>]++))"""
)


def picture_of(entry: FeedEntry, html: str, home: str) -> str:
    """An absolute address, or "". `html`: of the article, with absolute links; `home`: what those of the feed
    refer to.
    """
    for addresses in (entry.pictures, _shown_in(html), entry.thumbnails):
        for address in addresses:
            found = absolute(address, home) if len(address.strip()) > 0 else ""
            if len(found) > 0 and _NO_PICTURE.match(found) is None:
                return found
    return ""


def _shown_in(html: str) -> Iterator[str]:
    """Those in whose place a script puts another come last."""
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
