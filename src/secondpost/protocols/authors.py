"""Finds the domains of a message's authors: what DMARC judges (RFC 9989 §4.4, RFC 5322 §3.6.2).

Mail programs read a From field that is not well formed in different ways. So all that any of them
could take for an author's address is found, and one whose domain cannot be read counts as well: a
message has one author domain only if there is no doubt. Words without an address do not count, since
many programs write names with a comma and without quotes.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from secondpost.mail.address import AddressError
from secondpost.protocols.comments import Lexeme, pieces_of
from secondpost.protocols.dkim.canonical import REST, Field
from secondpost.protocols.smtp.international import written_domain

AUTHORS_MAX = 100  # further ones are one without a readable domain
FROM_OCTETS_MAX = 16 * 1024
FIELDS_KEPT = 200  # values of From, for senders who come again
UNREADABLE = ""
_OF_OTHER_WIDTHS = str.maketrans("\uff20\ufe6b\u3002\uff0e\uff61", "@@...")

_END = "end"
_AROUND_SIGNS = re.compile(r"\s*([@.])\s*")
_IN_BRACKETS = re.compile(r"<([^<>]*)>")


def author_domains(fields: Sequence[Field]) -> tuple[str, ...]:
    """Each domain once, in A-labels; UNREADABLE stands for authors whose domain cannot be read.

    It stands for a second From field too, whatever is in it: a signature of one covers no other
    (RFC 6376 §8.15), and programs differ in which they show.
    """
    values = [field.raw.partition(b":")[2] for field in fields if field.name == b"from"]
    read = [_domains(value) if len(value) <= FROM_OCTETS_MAX else (UNREADABLE,) for value in values]
    found = dict.fromkeys(domain for domains in read for domain in domains)
    if len(values) > 1 or any(field.name == REST for field in fields):
        found[UNREADABLE] = None
    return tuple(found)


@lru_cache(FIELDS_KEPT)
def _domains(value: bytes) -> tuple[str, ...]:
    return tuple(_domain(address) for address in _addresses(value))


def _addresses(value: bytes) -> list[str]:
    text = value.decode("utf-8", "replace").translate(_OF_OTHER_WIDTHS).rstrip()
    authors = _authors(text)
    addresses = [address for author in authors[:AUTHORS_MAX] for address in _addresses_of(author)]
    # A quote or comment that is never closed hides what follows, but not from every program.
    is_closed = _authors(f"{text},{_END}") == [*authors, _END]
    is_doubtful = not is_closed or (len(addresses) == 0 and "@" in text)
    return [*addresses, "@"] if is_doubtful or len(authors) > AUTHORS_MAX else addresses


def _authors(text: str) -> list[str]:
    """Split at commas and at the signs of groups, outside of quotes and comments.

    A quoted string becomes a quote, so that no sign in it is read as one of an address; in a domain it
    makes that unreadable.
    """
    plain = ""
    for piece in pieces_of(text):
        match piece.lexeme:
            case Lexeme.COMMENT:
                plain += " "
            case Lexeme.QUOTED:
                plain += '"' if piece.adjoins else ' "'
            case Lexeme.SEMICOLON:
                plain += ","
            case Lexeme.WORD:
                plain += piece.text if piece.adjoins else " " + piece.text
    return [author for author in plain.split(",") if len(author.strip()) > 0]


def _addresses_of(author: str) -> list[str]:
    """One as a rule; several if programs may disagree which; none in words alone."""
    bracketed = _IN_BRACKETS.findall(author)
    outside = _IN_BRACKETS.sub("", author)
    if len(bracketed) == 0 or "<" in outside or ">" in outside:
        bracketed.append(outside)
    return [address for address in bracketed if "@" in address]


def _domain(address: str) -> str:
    local, _, domain = _AROUND_SIGNS.sub(r"\1", address).strip().removesuffix(".").rpartition("@")
    try:
        return written_domain(domain).name if len(local) > 0 else UNREADABLE
    except AddressError:
        return UNREADABLE
