"""The name of an author, out of what feeds write for one. Mail addresses are never printed: a feed that names
one does so for its own readers' programs, and not to have it mailed to everybody.
"""

import re
from collections.abc import Sequence

from secondpost.newsletter.words import plain, text_of

AUTHOR_CHARACTERS_MAX = 200
AUTHORS_MAX = 10  # of an article
_WRITTEN_CHARACTERS_MAX = 1_000
# As loose as can be: what is left of an address that was half recognised is worse than a word too few.
_ADDRESS = re.compile(r"""(?:mailto:)?(?:"[^"@]*+"|[^\s<>()\[\],;:"@]++)@[^\s<>()\[\],;"@]+""", re.IGNORECASE)
_EMPTY = re.compile(r"<\s*>|\(\s*\)|\[\s*\]|&lt;\s*&gt;|@(?!\S)")
_AROUND = re.compile(r"\(([^()]*)\)")
_NOT_A_NAME = frozenset(("unknown", "noreply", "no-reply"))  # the first: Blogger, for a hidden profile
_EDGES = " \t,;:-–—|/<>\"'&"


def names_of(authors: Sequence[str]) -> str:
    """The names in one line, each once; "" when none of them is named."""
    names = [name_of(author) for author in authors[:AUTHORS_MAX]]
    return plain(", ".join(name for name in dict.fromkeys(names) if len(name) > 0), AUTHOR_CHARACTERS_MAX)


def name_of(author: str) -> str:
    """Such as Ann for "ann@example.org (Ann)", "Ann <ann@example.org>" and "Ann"; "" for a mere address."""
    written = author[:_WRITTEN_CHARACTERS_MAX]
    without = _EMPTY.sub(" ", _ADDRESS.sub(" ", written))
    words = plain(_ADDRESS.sub(" ", text_of(without)), AUTHOR_CHARACTERS_MAX)
    if "@" in written:
        # "(Ann)" behind an address is the name (RSS 2.0); several are told apart by their commas.
        words = ", ".join(part.strip(_EDGES) for part in _AROUND.sub(r" \1 ", words).split(","))
    name = " ".join(_EMPTY.sub(" ", words).split()).strip(_EDGES)
    return "" if name.casefold() in _NOT_A_NAME else name
