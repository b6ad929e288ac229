"""One plain line out of a text of a feed: nothing that hides or reorders, NFC, bounded.

It may stand in a subject line, on a screen and in a log. One pass over the text, so that no text is slow.
"""

import hashlib
import unicodedata
from collections.abc import Iterator

MARKS_MAX = 30  # on one letter (UAX 15 §13): to put more in order takes as many steps as their square
_TWO_MARKS = frozenset("\u0344\u0f73\u0f75\u0f81")  # in one character, taken apart when they are put in order

# Format characters that scripts and emoji need: joiners, and the Arabic number signs.
_NEEDED = frozenset("\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2\U000110bd")


def plain(text: str, characters_max: int) -> str:
    """One line of visible characters, NFC, cut at a word with an ellipsis."""
    visible = "".join(_visible(unicodedata.normalize("NFC", _few_marks(text))))
    line = " ".join(visible.split())
    if len(line) <= characters_max:
        return line
    cut = line[: characters_max - 1]
    at_word = cut.rpartition(" ")[0]
    return (at_word if len(at_word) > characters_max // 2 else cut).rstrip() + "…"


def _few_marks(text: str) -> str:
    """The text, with no more than MARKS_MAX combining marks on a letter."""
    if text.isascii():
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        if character in _TWO_MARKS:
            marks += 2
        else:
            marks = marks + 1 if unicodedata.combining(character) > 0 else 0
        if marks <= MARKS_MAX:
            kept.append(character)
    return "".join(kept)


def _visible(text: str) -> Iterator[str]:
    for character in text:
        if character.isprintable():
            yield character
            continue
        match unicodedata.category(character):
            case "Cc" | "Zl" | "Zp" | "Zs":
                yield " "
            case "Cf" if character not in _NEEDED:
                pass  # bidi overrides, zero-width spaces, tags: seen by nobody, obeyed by screens
            case "Cs":
                pass  # half a character
            case "Cn" if _is_noncharacter(ord(character)):
                pass  # marks places in our own mail, and must come from nobody else
            case _:
                yield character


def _is_noncharacter(code: int) -> bool:
    return 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE


def fingerprint(title: str, text: str) -> str:
    """The same for the same words, whatever the markup, the case and the spaces."""
    words = " ".join(unicodedata.normalize("NFKC", f"{title} {text}").casefold().split())
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:32]
