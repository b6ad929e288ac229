"""Make one plain line of a feed's text: NFC, bounded, without characters that hide or reorder
others.

The result may stand in a subject line, on a screen and in a log. Takes time linear in the text.
"""

import hashlib
import unicodedata
from collections.abc import Iterator

MARKS_MAX = 30  # combining marks per letter (UAX 15 §13); ordering more takes quadratic time
_TWO_MARKS = frozenset("\u0344\u0f73\u0f75\u0f81")  # characters that decompose into two marks

# Format characters that scripts and emoji need: joiners, and Arabic number signs.
_NEEDED = frozenset("\u200c\u200d\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2\U000110bd")


def plain(text: str, characters_max: int) -> str:
    """One line of visible characters, NFC; if too long, cut at a word and ended by an ellipsis."""
    words = unicodedata.normalize("NFC", _few_marks(text)).split()
    visible = (word if word.isprintable() else "".join(_visible(word)) for word in words)
    line = " ".join(" ".join(visible).split())  # again: a control within a word becomes a space
    if len(line) <= characters_max:
        return line
    cut = line[: characters_max - 1]
    at_word = cut.rpartition(" ")[0]
    return (at_word if len(at_word) > characters_max // 2 else cut).rstrip() + "…"


def _few_marks(text: str) -> str:
    """The text with at most MARKS_MAX combining marks per letter."""
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
                pass  # bidi overrides, zero-width spaces, tags: invisible, yet obeyed by screens
            case "Cs":
                pass  # an unpaired surrogate
            case "Cn" if _is_noncharacter(ord(character)):
                pass  # our mails use these as place marks, so none may come from a feed
            case _:
                yield character


def _is_noncharacter(code: int) -> bool:
    return 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE


def fingerprint(title: str, text: str) -> str:
    """A hash of the words, independent of markup, case and spaces."""
    words = " ".join(unicodedata.normalize("NFKC", f"{title} {text}").casefold().split())
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()[:32]
