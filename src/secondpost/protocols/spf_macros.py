"""The macros of SPF (RFC 7208 §7): what a domain or an explanation may be written with, and their values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from secondpost.protocols.dns.names import NAME_CHARACTERS_MAX

EXPLANATION_LETTERS = frozenset("crt")  # §7.2: in the text of exp= alone

# An expansion, an escape, or literal text; blanks stand in explanations only.
_PIECE = re.compile(
    r"%\{(?P<letter>[slodiphvcrt])(?P<parts>\d{0,9})(?P<reverse>r?)(?P<delimiters>[.+,/_=-]*)\}"
    r"|%(?P<escape>[%_-])|(?P<literal>[ -$&-~]+)",
    re.IGNORECASE,
)
_ESCAPES = {"%": "%", "_": " ", "-": "%20"}
_RESERVED = re.compile(r"[^A-Za-z0-9._~-]")  # RFC 3986 §2.3
_TOP_LABEL = re.compile(r"[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?")


class SpfFault(ValueError):
    """A record that is malformed: receivers take it for a permanent error. The text is the reason."""


@dataclass(frozen=True, slots=True)
class SpfMacro:
    """`%{l2r-}`: a value, split at the delimiters, reversed, its last parts joined with dots."""

    letter: str  # lower case
    is_escaped: bool  # written in upper case: for a URL
    parts: int  # 0: all
    is_reversed: bool
    delimiters: str

    def expanded(self, value: str) -> str:
        if self.parts > 0 or self.is_reversed or self.delimiters != ".":
            parts = re.split(f"[{re.escape(self.delimiters)}]", value)
            parts = parts[::-1] if self.is_reversed else parts
            value = ".".join(parts[-self.parts :])
        # RFC 8616 §4: no form of a local part in UTF-8 is asked for; as it is, it makes no name.
        return _RESERVED.sub(_escaped, value) if self.is_escaped and value.isascii() else value


def _escaped(match: re.Match[str]) -> str:
    return f"%{ord(match[0]):02X}"


Pieces = tuple[str | SpfMacro, ...]


def pieces_of(text: str) -> Pieces:
    """The literal text and the macros of a macro-string or an explanation. Raises SpfFault."""
    return tuple(_piece(match) for match in _matches(text))


def _matches(text: str) -> list[re.Match[str]]:
    matches: list[re.Match[str]] = []
    at = 0
    while at < len(text):
        match = _PIECE.match(text, at)
        if match is None:
            raise SpfFault(f"{text[at : at + 20]!r} is no macro, and no text of SPF")
        matches.append(match)
        at = match.end()
    return matches


def _piece(match: re.Match[str]) -> str | SpfMacro:
    if match["literal"] is not None:
        return match["literal"]
    if match["escape"] is not None:
        return _ESCAPES[match["escape"]]
    letter, parts = match["letter"], match["parts"]
    if len(parts) > 0 and int(parts) == 0:  # §7.1
        raise SpfFault(f"{match[0]!r} keeps nothing")
    delimiters = match["delimiters"] or "."
    return SpfMacro(letter.lower(), letter.isupper(), int(parts or 0), len(match["reverse"]) > 0, delimiters)


def check_domain(text: str) -> None:
    """Check a domain-spec (§7.1): it ends with a macro, or with a top-level domain. Raises SpfFault."""
    matches = _matches(text)
    if not EXPLANATION_LETTERS.isdisjoint(letters_in(tuple(_piece(match) for match in matches))):
        raise SpfFault(f"{text[:60]!r} has a macro of explanations")
    if len(matches) > 0 and matches[-1]["literal"] is None:
        return
    _, dot, top = text.removesuffix(".").rpartition(".")
    if len(dot) == 0 or _TOP_LABEL.fullmatch(top) is None or top.isdigit():
        raise SpfFault(f"{text[:60]!r} is no domain")


def letters_in(pieces: Pieces) -> frozenset[str]:
    return frozenset(piece.letter for piece in pieces if isinstance(piece, SpfMacro))


def expanded(pieces: Pieces, values: Mapping[str, str]) -> str:
    """`values`: by letter, of all letters in `pieces`."""
    return "".join(
        piece.expanded(values[piece.letter]) if isinstance(piece, SpfMacro) else piece for piece in pieces
    )


def expanded_name(pieces: Pieces, values: Mapping[str, str]) -> str:
    """As `expanded` and `shortened`; only what stays is expanded, however many macros there are."""
    parts: list[str] = []
    size = 0
    for piece in reversed(pieces):
        parts.append(expanded((piece,), values))
        size += len(parts[-1])
        if size > NAME_CHARACTERS_MAX + 1:  # and the final dot
            break
    return shortened("".join(reversed(parts)))


def shortened(name: str) -> str:
    """A name in lower case, without its first labels if it is too long (§7.3), without a final dot."""
    name = name.lower().removesuffix(".")
    if len(name) <= NAME_CHARACTERS_MAX:
        return name
    return name[-NAME_CHARACTERS_MAX - 1 :].partition(".")[2]
