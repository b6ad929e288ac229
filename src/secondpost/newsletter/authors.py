"""Author names, from what feeds write as the author. Mail addresses are never printed: a feed gives
them for its own readers' programs, not to be mailed to everyone.
"""

import re
from collections.abc import Sequence
from html import unescape

from secondpost.compose.html_words import text_of
from secondpost.newsletter.words import plain

AUTHOR_CHARACTERS_MAX = 200
AUTHORS_MAX = 10  # per article
_WRITTEN_CHARACTERS_MAX = 1_000
# Deliberately loose: losing a word too many is better than printing part of an address.
_ADDRESS = re.compile(
    r"""(?:mailto:)?(?:"[^"@]*+"|[^\s<>()\[\],;:"@]++)"""
    r"""(?:@+[^\s<>()\[\],;"@]+|\s?@+\s?(?:\[[^\[\]]*\]|[^\s<>()\[\],;"@]+\.[^\s<>()\[\],;"@]+))""",
    re.IGNORECASE,
)
_SPELT = re.compile("\N{FULLWIDTH COMMERCIAL AT}|\N{SMALL COMMERCIAL AT}|%40")  # spellings of @
_EMPTY = re.compile(r"<\s*>|\(\s*\)|\[\s*\]|@(?!\S)")
# Blogger writes "Unknown" for a hidden profile, Bear "hidden" instead of an address, Lemmy a URL.
_NOT_A_NAME = re.compile(r"(?:unknown|hidden|no-?reply|https?://\S*)", re.IGNORECASE)
_NO_ADDRESS = re.compile(r"(?:hidden|no-?reply)\s+(?=\()", re.IGNORECASE)
_EDGES = " \t,;:-–—|<>\"'&"


def names_of(authors: Sequence[str]) -> str:
    """The names in one line, without repeats; "" if there are none."""
    names = [name_of(author) for author in authors[:AUTHORS_MAX]]
    return plain(", ".join(name for name in dict.fromkeys(names) if len(name) > 0), AUTHOR_CHARACTERS_MAX)


def name_of(author: str) -> str:
    """The name in an author's text: Ann in "ann@example.org (Ann)", "Ann <ann@example.org>" and
    "Ann"; "" for a bare address.
    """
    written = _SPELT.sub("@", unescape(author[:_WRITTEN_CHARACTERS_MAX]))
    without = _EMPTY.sub(" ", _ADDRESS.sub(" ", written))
    words = plain(_ADDRESS.sub(" ", text_of(without)), AUTHOR_CHARACTERS_MAX)
    hidden = _NO_ADDRESS.match(words)
    if hidden is not None:
        words = words[hidden.end() :]
    if "@" in written or hidden is not None:
        words = ", ".join(_without_brackets(part.strip(_EDGES)) for part in words.split(","))
    name = " ".join(_EMPTY.sub(" ", words).split()).strip(_EDGES)
    return "" if _NOT_A_NAME.fullmatch(name) is not None else name


def _without_brackets(part: str) -> str:
    """The name that stands in brackets after an address (RSS 2.0)."""
    return part[1:-1].strip(_EDGES) if part.startswith("(") and part.endswith(")") else part
