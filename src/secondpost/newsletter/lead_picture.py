"""The picture of an article: its own where the feed names one, else the first that a reader sees in it."""

import re
from collections.abc import Iterator
from html import unescape

from secondpost.compose.picture import address_of, is_counter, is_emoji, pixels
from secondpost.newsletter.feed_document import Entry
from secondpost.newsletter.links import absolute

SIDE_PIXELS_MIN = 64  # an image that is smaller is a sign or a face
IMAGES_MAX = 100  # of an article that are looked at
_IMAGE = re.compile(r"<img\b([^<>]*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(
    r"""(?<![\w-])(?P<name>[a-zA-Z-]++)\s*+=\s*+(?:"(?P<two>[^"]*)"|'(?P<one>[^']*)'|(?P<bare>[^\s"'<>]++))"""
)


def picture_of(entry: Entry, html: str, base: str) -> str:
    """An absolute address, or "". `html`: of the article, with absolute links."""
    for addresses in (entry.pictures, _shown_in(html), entry.thumbnails):
        for address in addresses:
            found = absolute(address, base) if len(address.strip()) > 0 else ""
            if len(found) > 0:
                return found
    return ""


def _shown_in(html: str) -> Iterator[str]:
    for number, image in enumerate(_IMAGE.finditer(html)):
        if number == IMAGES_MAX:
            return
        values = {
            found["name"].lower(): unescape(found["two"] or found["one"] or found["bare"] or "")
            for found in _ATTRIBUTE.finditer(image[1])
        }
        if not is_counter(values) and not _is_sign(values):
            yield address_of(values)


def _is_sign(values: dict[str, str]) -> bool:
    sizes = (pixels(values.get("width")), pixels(values.get("height")))
    if any(size is not None and size < SIDE_PIXELS_MIN for size in sizes):
        return True
    return is_emoji(values.get("alt", "")) or "emoji" in values.get("class", "")
