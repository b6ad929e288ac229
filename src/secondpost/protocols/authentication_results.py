"""Reads Authentication-Results (RFC 8601), ARC-Authentication-Results (RFC 8617) and Received-SPF
(RFC 7208 §9.1).

Read leniently, because it serves to explain what servers really write: Microsoft leaves out the
name of the server, others the blank before a comment. What cannot be read is left out; nothing is
raised. Who wrote a field is not said here: that follows from its place in the header.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from secondpost.protocols.comments import Lexeme, Piece, pieces_of

RESULTS_MAX = 200  # of one field
PROPERTIES_MAX = 100  # of one result
_KEYWORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")  # RFC 5321's Keyword, and `_`
_METHOD = re.compile(rf"({_KEYWORD.pattern})(?:/(\d{{1,9}}))?")
_INSTANCE = re.compile(r"i=(\d{1,9})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Property:
    """`smtp.mailfrom=…`. The type is "" where a server left it out (Microsoft's `action=none`)."""

    type: str  # in lower case: smtp, header, body, policy, or one of the server's own
    name: str  # in lower case
    value: str


@dataclass(frozen=True, slots=True)
class MethodResult:
    """What one method found, such as `spf=pass`; a field may have several of one method."""

    method: str  # in lower case
    result: str  # in lower case
    version: int = 1  # of the method (RFC 8601 §2.2)
    reason: str = ""
    comments: tuple[str, ...] = ()
    properties: tuple[Property, ...] = ()

    def value_of(self, *names: str) -> str:
        """The first of these properties, each as "type.name" or "name", that has a value; or ""."""
        for wanted in names:
            type_, _, name = wanted.rpartition(".")
            for found in self.properties:
                if (found.type, found.name) == (type_, name) and len(found.value) > 0:
                    return found.value
        return ""


@dataclass(frozen=True, slots=True)
class AuthenticationResults:
    """One field. `results` is empty after `none`: the server tried no method (RFC 8601 §2.2)."""

    server: str  # the authserv-id, in lower case; "" where the server left it out
    results: tuple[MethodResult, ...]
    version: int = 1
    instance: int | None = None  # of an ARC set


@dataclass(frozen=True, slots=True)
class ReceivedSpf:
    result: str  # in lower case
    comment: str
    values: tuple[tuple[str, str], ...]  # such as ("client-ip", "192.0.2.1"); keys in lower case

    def value_of(self, key: str) -> str:
        return next((value for found, value in self.values if found == key), "")


def parse_authentication_results(value: str) -> AuthenticationResults:
    """Read the value of an Authentication-Results or ARC-Authentication-Results field."""
    segments = _segments(pieces_of(value))
    instance = None
    first = _words(segments[0])
    if len(first) == 1 and (numbered := _INSTANCE.fullmatch(first[0])) is not None:
        instance, segments = int(numbered[1]), segments[1:] or [[]]
        first = _words(segments[0])
    server, version = "", 1
    # A first segment with "=" is a result already: there is no authserv-id.
    if len(first) > 0 and "=" not in "".join(first):
        server = next(piece.text for piece in segments[0] if piece.lexeme is not Lexeme.COMMENT).lower()
        version = int(first[-1]) if len(first) > 1 and _is_number(first[-1]) else 1
        segments = segments[1:]
    results = [found for segment in segments if (found := _result(segment)) is not None]
    return AuthenticationResults(server, tuple(results[:RESULTS_MAX]), version, instance)


def parse_received_spf(value: str) -> ReceivedSpf:
    result, comment = "", ""
    values: list[tuple[str, str]] = []
    for segment in _segments(pieces_of(value)):
        for piece in segment:
            if piece.lexeme is Lexeme.COMMENT and len(comment) == 0:
                comment = piece.text
            elif piece.lexeme is Lexeme.WORD and len(result) == 0:
                result = piece.text.lower()
        values += [(name.lower(), text) for name, text in _pairs(segment)]
    return ReceivedSpf(result, comment, tuple(values[:PROPERTIES_MAX]))


def _segments(pieces: Iterable[Piece]) -> list[list[Piece]]:
    """The pieces between the semicolons; at least one segment."""
    segments: list[list[Piece]] = [[]]
    for piece in pieces:
        if piece.lexeme is Lexeme.SEMICOLON:
            segments.append([])
        else:
            segments[-1].append(piece)
    return segments


def _words(segment: list[Piece]) -> list[str]:
    return [piece.text for piece in segment if piece.lexeme is not Lexeme.COMMENT]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def _result(segment: list[Piece]) -> MethodResult | None:
    """The result in a segment; None for `none`, an empty one, and what is no result."""
    pairs = list(_pairs(segment))
    if len(pairs) == 0:
        return None
    method = _METHOD.fullmatch(pairs[0][0])
    result = _KEYWORD.match(pairs[0][1])
    if method is None or result is None:
        return None
    properties, reason = [], ""
    for name, value in pairs[1:]:
        if name.lower() == "reason" and len(reason) == 0:
            reason = value
        else:
            type_, _, last = name.lower().rpartition(".")
            properties.append(Property(type_, last, value))
    return MethodResult(
        method[1].lower(),
        result[0].lower(),
        1 if method[2] is None else int(method[2]),
        reason,
        tuple(piece.text for piece in segment if piece.lexeme is Lexeme.COMMENT),
        tuple(properties[:PROPERTIES_MAX]),
    )


def _pairs(segment: list[Piece]) -> Iterator[tuple[str, str]]:
    """The NAME=VALUE of a segment, in order. Blanks and comments may stand around the "="."""
    name: str | None = None  # of a pair whose value may still come
    value = ""
    before = ""  # the word before, which is the name if "=" follows
    for piece in segment:
        if piece.lexeme is Lexeme.COMMENT:
            continue
        text = piece.text
        is_word = piece.lexeme is Lexeme.WORD
        if name is not None and (piece.adjoins or (len(value) == 0 and not (is_word and "=" in text))):
            value += text  # `b="ab"cd`, or a value after blanks
            continue
        if name is not None:
            yield name, value
            name, value = None, ""
        head, equals, rest = text.partition("=") if is_word else (text, "", "")
        if len(equals) > 0:
            name, value = head if len(head) > 0 else before, rest
        # A name may come in parts: `dkim / 1`, `policy . expired`.
        goes_on = text in ("/", ".") or before.endswith(("/", "."))
        before = before + text if goes_on else text
    if name is not None:
        yield name, value
