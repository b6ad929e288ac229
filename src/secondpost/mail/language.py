"""Languages as BCP 47 tags, and the direction of their text."""

import re
from enum import StrEnum
from unicodedata import bidirectional

LANGUAGE_CHARACTERS_MAX = 35  # RFC 5646 §4.4.1
_TAG = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*")
_SCRIPT = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{3})*-([A-Za-z]{4})(?:-|$)")
# Languages commonly written from right to left, for tags that name no script.
_RIGHT_TO_LEFT = frozenset(
    ("ar", "arc", "azb", "ckb", "dv", "fa", "glk", "he", "iw", "ji", "ks", "lrc", "mzn", "nqo", "pnb", "ps",
     "sd", "skr", "syr", "ug", "ur", "yi")
)  # fmt: skip
_RIGHT_TO_LEFT_SCRIPTS = frozenset(
    ("adlm", "arab", "aran", "hebr", "mand", "nkoo", "rohg", "samr", "syrc", "thaa")
)


class Direction(StrEnum):
    """As in HTML's `dir`."""

    LEFT_TO_RIGHT = "ltr"
    RIGHT_TO_LEFT = "rtl"


def language_tag(text: str) -> str:
    """Normalise an untrusted language tag; "" if it is none."""
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
    """The direction of most of the text's letters; that of `language` if undecided."""
    kinds = [bidirectional(character) for character in text]
    right_to_left = sum(kind in ("R", "AL") for kind in kinds)
    left_to_right = kinds.count("L")
    if right_to_left == left_to_right:
        return direction_of_language(language)
    return Direction.RIGHT_TO_LEFT if right_to_left > left_to_right else Direction.LEFT_TO_RIGHT
