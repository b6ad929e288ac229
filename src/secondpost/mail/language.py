"""Languages as BCP 47 writes them, and in which direction their text runs."""

import re
from enum import StrEnum
from unicodedata import bidirectional

LANGUAGE_CHARACTERS_MAX = 35  # RFC 5646 §4.4.1
_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_SCRIPT = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{3})*-([A-Za-z]{4})(?:-|$)")
# Those that are commonly written from right to left, where the tag names no script.
_RIGHT_TO_LEFT = frozenset(
    ("ar", "arc", "azb", "ckb", "dv", "fa", "glk", "he", "iw", "ji", "ks", "lrc", "mzn", "nqo", "pnb", "ps",
     "sd", "skr", "syr", "ug", "ur", "yi")
)  # fmt: skip
_RIGHT_TO_LEFT_SCRIPTS = frozenset(
    ("adlm", "arab", "aran", "hebr", "mand", "nkoo", "rohg", "samr", "syrc", "thaa")
)


class Direction(StrEnum):
    """As HTML writes it."""

    LEFT_TO_RIGHT = "ltr"
    RIGHT_TO_LEFT = "rtl"


def language_tag(text: str) -> str:
    """The tag that a stranger wrote, "" when it is none."""
    tag = text.strip().replace("_", "-")
    return tag if len(tag) <= LANGUAGE_CHARACTERS_MAX and _TAG.fullmatch(tag) is not None else ""


def direction_of_language(tag: str) -> Direction:
    script = _SCRIPT.match(tag)
    if script is not None:
        runs_left = script[1].lower() in _RIGHT_TO_LEFT_SCRIPTS
    else:
        runs_left = tag.partition("-")[0].lower() in _RIGHT_TO_LEFT
    return Direction.RIGHT_TO_LEFT if runs_left else Direction.LEFT_TO_RIGHT


def direction_of_text(text: str, language: str) -> Direction:
    """That of most of its letters; a text without letters runs as its `language` does."""
    kinds = [bidirectional(character) for character in text]
    right_to_left = sum(kind in ("R", "AL") for kind in kinds)
    left_to_right = kinds.count("L")
    if right_to_left == left_to_right:
        return direction_of_language(language)
    return Direction.RIGHT_TO_LEFT if right_to_left > left_to_right else Direction.LEFT_TO_RIGHT
