"""Whether a style attribute makes an image invisible, as for a tracking pixel.

Covers the usual ways to write sizes and hiding, not all of CSS. A style that cannot be read hides
nothing.
"""

import re
from collections.abc import Iterator

PIXELS_MAX = 2.0  # images up to this size are tracking pixels
OPACITY_MIN = 0.05

# Each unit in CSS pixels (CSS Values 4 §6); font units assume 16 pixels.
_UNITS = {
    "": 1.0,
    "px": 1.0,
    "pt": 4 / 3,
    "pc": 16.0,
    "in": 96.0,
    "cm": 96 / 2.54,
    "mm": 96 / 25.4,
    "q": 96 / 101.6,
    "em": 16.0,
    "rem": 16.0,
    "ex": 8.0,
    "ch": 8.0,
}
_SHARES = frozenset({"%", "vw", "vh", "vmin", "vmax"})  # relative to something unknown here
_COMMENT = re.compile(r"/\*.*?(?:\*/|$)", re.DOTALL)
_NUMBER = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)([a-z%]*)")
_SIZES = frozenset(
    f"{bound}{side}" for bound in ("", "max-") for side in ("width", "height", "inline-size", "block-size")
)
_HIDDEN = {
    "display": frozenset({"none"}),
    "visibility": frozenset({"hidden", "collapse"}),
    "content-visibility": frozenset({"hidden"}),
}


def is_unseen(style: str) -> bool:
    """Whether the style hides the image; of repeated properties the last wins, unless an earlier
    one is !important.
    """
    said: dict[str, tuple[bool, str]] = {}
    for name, value, important in _declarations(style):
        if name not in said or important or not said[name][0]:
            said[name] = (important, value)
    return any(_hides(name, value) for name, (_, value) in said.items())


def _declarations(style: str) -> Iterator[tuple[str, str, bool]]:
    for declaration in _COMMENT.sub(" ", style).lower().split(";"):
        name, _, value = declaration.partition(":")
        value, mark, important = value.partition("!")
        if len(mark) == 0 or important.strip() == "important":
            yield name.strip(), value.strip(), len(mark) > 0


def _hides(name: str, value: str) -> bool:
    if name in _HIDDEN:
        return value in _HIDDEN[name]
    if name == "opacity":
        number = _NUMBER.fullmatch(value)
        return number is not None and float(number[1]) / (100 if number[2] == "%" else 1) < OPACITY_MIN
    return name in _SIZES and _is_tiny(value)


def _is_tiny(length: str) -> bool:
    """Whether a length is tiny; a relative one only if it is zero."""
    number = _NUMBER.fullmatch(length)
    if number is None:
        return False
    size, unit = float(number[1]), number[2]
    if unit in _SHARES:
        return size <= 0
    return unit in _UNITS and size * _UNITS[unit] <= PIXELS_MAX
