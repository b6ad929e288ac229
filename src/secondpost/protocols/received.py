"""Reads Received fields as servers really write them (RFC 5321 §4.4).

Only the address in the `from` part is evidence: the receiving server saw it. The name before it is
what the client called itself.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from secondpost.mail.address import as_ip, without_zone
from secondpost.protocols.comments import Lexeme, Piece, pieces_of

_BRACKETED = re.compile(r"((?:HELO|EHLO)[ =])?\[(?:IPv6:)?([0-9A-Fa-f:.%a-z]+)\]", re.IGNORECASE)
_HELO = re.compile(r"\b(?:HELO|EHLO)[ =]\[?([^\s\])]+)", re.IGNORECASE)
_EDGES = "[]()<>.,"


@dataclass(frozen=True, slots=True)
class ReceivedHop:
    """One Received field. What it does not say is ""."""

    client: str  # the name by which the client called itself, in lower case
    address: str  # the client's IP address, as the server saw it
    by: str  # the server that wrote it, in lower case
    id: str
    has_from: bool  # without one, it tells of a step inside a server


def parse_received(value: str) -> ReceivedHop:
    """Read the value of a Received field; whatever cannot be read is left empty."""
    pieces = list(pieces_of(value))
    words = [piece.text.lower() if piece.lexeme is Lexeme.WORD else "" for piece in pieces]
    begins_with_from = len(words) > 0 and words[0] == "from"
    by = _index(words, "by", 2 if begins_with_from else 0)  # a client may call itself "by"
    has_from = begins_with_from and by > 1
    clause = pieces[1:by] if has_from else []
    return ReceivedHop(
        client=_client(clause),
        address=_address(clause),
        by=_name_after(pieces, by),
        id=_name_after(pieces, _index(words, "id", by)),
        has_from=has_from,
    )


def _index(words: Sequence[str], word: str, begin: int) -> int:
    """Where the word stands from `begin` on; after the end if it does not."""
    return next((at for at in range(begin, len(words)) if words[at] == word), len(words))


def _name_after(pieces: Sequence[Piece], at: int) -> str:
    if at + 1 >= len(pieces) or pieces[at + 1].lexeme is not Lexeme.WORD:
        return ""
    return pieces[at + 1].text.strip(_EDGES).lower()


def _client(clause: Sequence[Piece]) -> str:
    """The name given with HELO. Yahoo and Exim put the address first and the name in a comment."""
    name = "" if len(clause) == 0 else clause[0].text.strip(_EDGES).lower()
    if as_ip(name) is None:
        return name
    for piece in clause[1:]:
        found = _HELO.search(piece.text) if piece.lexeme is Lexeme.COMMENT else None
        if found is not None:
            return found[1].strip(_EDGES).lower()
    return name


def _address(clause: Sequence[Piece]) -> str:
    """The client's address. One outside of a comment is believed last: HELO can be an address too."""
    comments = [piece.text for piece in clause if piece.lexeme is Lexeme.COMMENT]
    for comment in comments:
        for helo, found in _BRACKETED.findall(comment):
            if len(helo) == 0 and (address := as_ip(without_zone(found))) is not None:
                return str(address)
    words = [piece.text for piece in clause if piece.lexeme is Lexeme.WORD]
    for text in (*comments, *words):  # Microsoft writes it in a comment of its own, without brackets
        address = as_ip(without_zone(text.strip("[]").removeprefix("IPv6:")))
        if address is not None:
            return str(address)
    return ""
