"""The real picture behind an img element.

Lazy-loading scripts keep its URL in attributes of their own and put a placeholder into `src`, which
no mail program replaces.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from secondpost.compose.unseen import is_unseen

WIDTH_WANTED = 1_120  # pixels: twice the digest's column, for high-resolution screens
PIXEL_MAX = 2  # images up to this size are tracking pixels
SIDE_PIXELS_MIN = 64  # smaller images are icons or avatars, not an article's picture
# Attributes of the lazy loaders of WordPress, Squarespace and Medium, in order of preference.
LAZY_ADDRESSES = (
    "data-lazy-src",
    "data-src",
    "data-original",
    "data-orig-src",
    "data-lazyload",
    "data-image",
)
LAZY_SETS = ("data-lazy-srcset", "data-srcset")
SETS = (*LAZY_SETS, "srcset")
_STAND_IN_CLASS = re.compile(r"lazy|progressive|placeholder", re.IGNORECASE)
_FILE_OF_A_PICTURE = re.compile(r"\.(?:avif|gif|jpe?g|png|svg|webp)$", re.IGNORECASE)
_EMOJI_CHARACTERS_MAX = 12
_EMOJI = re.compile(
    "[\u200d\u20e3\u2190-\u2bff\u3030\u303d\u3297\u3299\ufe0f\U0001f000-\U0001faff\U000e0020-\U000e007f]+"
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One URL of a srcset attribute (HTML §4.8.4.2.1)."""

    address: str
    descriptor: str  # such as "800w" or "2x"; may be ""

    @property
    def width(self) -> float:
        """In pixels, estimated if only a density is given."""
        try:
            number = float(self.descriptor[:-1])
        except ValueError:
            return WIDTH_WANTED / 2
        return number if self.descriptor.endswith("w") else number * WIDTH_WANTED / 2


def candidates(srcset: str) -> Iterator[Candidate]:
    """Parse a srcset. URLs may contain commas, and end at a space."""
    address = ""
    for token in srcset.split():
        if len(address) == 0:
            address, is_last = token.rstrip(","), token.endswith(",")
            if is_last and len(address) > 0:
                yield Candidate(address, "")
                address = ""
        else:
            descriptor, _, next_address = token.partition(",")
            yield Candidate(address, descriptor)
            address = next_address
    if len(address) > 0:
        yield Candidate(address, "")


def best_of(srcset: str) -> str:
    """The smallest picture that is wide enough, else the widest; "" if none has an http(s) URL."""
    found = [each for each in candidates(srcset) if is_web(each.address)]
    enough = [each for each in found if each.width >= WIDTH_WANTED]
    if len(enough) > 0:
        return min(enough, key=lambda each: each.width).address
    return max(found, key=lambda each: each.width).address if len(found) > 0 else ""


def lazy_address(values: Mapping[str, str]) -> str:
    """The URL that a script would put into `src`, or ""."""
    for name in LAZY_ADDRESSES:
        if is_web(values.get(name, "")):
            return values[name]
    return next((best for name in LAZY_SETS if len(best := best_of(values.get(name, ""))) > 0), "")


def address_of(values: Mapping[str, str]) -> str:
    """The absolute URL of the picture that the page shows, or ""."""
    lazy = lazy_address(values)
    if len(lazy) > 0:
        return lazy
    source = values.get("src", "")
    return source if is_web(source) else best_of(values.get("srcset", ""))


def is_stand_in(values: Mapping[str, str]) -> bool:
    """Whether the page replaces this image by another, or changes its URL."""
    return (
        not is_web(values.get("src", ""))
        or len(lazy_address(values)) > 0
        or _STAND_IN_CLASS.search(values.get("class", "")) is not None
    )


def is_counter(values: Mapping[str, str]) -> bool:
    """Whether the image is invisible. A style that hides it until it is loaded does not count."""
    sizes = (pixels(values.get("width")), pixels(values.get("height")))
    if any(size is not None and size <= PIXEL_MAX for size in sizes):
        return True
    return len(lazy_address(values)) == 0 and is_unseen(values.get("style", ""))


def is_file_of_a_picture(address: str) -> bool:
    path = address.partition("?")[0].partition("#")[0]
    return _FILE_OF_A_PICTURE.search(path[-10:]) is not None


def is_emoji(words: str) -> bool:
    """Whether a picture's description is an emoji, so that the picture stands for it."""
    return 0 < len(words) <= _EMOJI_CHARACTERS_MAX and _EMOJI.fullmatch(words) is not None


def is_web(address: str) -> bool:
    return address.startswith(("https://", "http://"))


def pixels(text: str | None) -> int | None:
    """A whole number of CSS pixels; None for anything else, such as a percentage."""
    digits = (text or "").strip().removesuffix("px").strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 6 else None
