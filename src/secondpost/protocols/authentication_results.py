"""Reads and writes Authentication-Results (RFC 8601) and ARC-Authentication-Results (RFC 8617); reads
Received-SPF (RFC 7208 §9.1).

Read leniently, because it serves to explain what servers really write: Microsoft leaves out the
name of the server, others the blank before a comment. What cannot be read is left out; nothing is
raised. Who wrote a field is not said here: that follows from its place in the header.

Written strictly: a value from the message or its sender is a token, an address or a quoted string.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from secondpost.mail.address import DOMAIN_OCTETS_MAX, AddressError, is_readable
from secondpost.mail.authentication import (
    ArcFound,
    Authentication,
    AuthResult,
    DkimFound,
    DmarcFound,
    SpfFound,
)
from secondpost.protocols.comments import Lexeme, Piece, pieces_of
from secondpost.protocols.smtp.international import written_domain

RESULTS_MAX = 200  # of one field
PROPERTIES_MAX = 100  # of one result
_KEYWORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?")  # RFC 5321's Keyword, and `_`
_METHOD = re.compile(rf"({_KEYWORD.pattern})(?:/(\d{{1,9}}))?")
_INSTANCE = re.compile(r"i=(\d{1,9})", re.IGNORECASE)

LINE_CHARACTERS = 78  # RFC 5322 §2.1.1
VALUE_CHARACTERS_MAX = 255  # of a value that is written
SEALERS_MAX = 5  # that are named, newest first
SERVER_CHARACTERS_MAX = 1_000  # of a field, before its first result
SERVER_PIECES_MAX = 12  # likewise: a name, a version and a few comments
CLAIMS_READ_MAX = 50  # fields of one header; further ones count as claims
_IN_TOKEN = r"!#$%&'*+.0-9A-Z^_`a-z{|}~-"  # RFC 2045 §5.1
_NO_TOKEN = re.compile(rf"[^{_IN_TOKEN}]")
_PLAIN_VALUE = re.compile(rf"[{_IN_TOKEN}]+(?:@[{_IN_TOKEN}]+)?")
# Lines end with LF here, so that one with a bare LF before it is found as well, and so is a first line
# with a blank, which continues nothing. Linear: no part can match what the next one does.
_FIELD = re.compile(
    rb"(?:\A[ \t]*|^)authentication-results[ \t]*:((?:[^\n]*\n[ \t])*[^\n]*)(?:\n|\Z)", re.I | re.M
)


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


def authentication_results_field(server: str, found: Authentication) -> bytes:
    """The field with its CRLF. `server`: the authserv-id, our host name."""
    return f"Authentication-Results: {results_text(server, found)}\r\n".encode()


def results_text(server: str, found: Authentication) -> str:
    """The value of the field, folded; ARC-Authentication-Results has it after the instance."""
    dkim = [_dkim_words(each) for each in found.dkim] if len(found.dkim) > 0 else [["dkim=none"]]
    results = [_spf_words(found.spf), *dkim, _dmarc_words(found.dmarc), _arc_words(found.arc)]
    return ";".join([_written(server), *map(_line_of, results)])


def _spf_words(spf: SpfFound) -> list[str]:
    """The domain of the sender, without its local part: OpenDMARC 1.4 understands no more (RFC 8601 §2.7.2
    permits both).
    """
    properties = [f"{spf.identity}={_written(spf.domain)}"] if len(spf.domain) > 0 else []
    return [f"spf={spf.result}", *_reason(spf.reason), *properties]


def _dkim_words(dkim: DkimFound) -> list[str]:
    properties = {
        "header.d": dkim.domain,
        "header.s": dkim.selector,
        "header.a": dkim.algorithm,
        "header.b": dkim.value_start,  # RFC 6008
    }
    written = [f"{name}={_written(value)}" for name, value in properties.items() if len(value) > 0]
    return [f"dkim={dkim.result}", *_reason(dkim.reason), *written]


def _dmarc_words(dmarc: DmarcFound) -> list[str]:
    is_known = dmarc.result in (AuthResult.PASS, AuthResult.FAIL)
    policy = [f"(p={dmarc.policy})"] if is_known else []
    properties = [f"header.from={_written(dmarc.domain)}"] if len(dmarc.domain) > 0 else []
    return [f"dmarc={dmarc.result}", *policy, *_reason(dmarc.reason), *properties]


def _arc_words(arc: ArcFound) -> list[str]:
    """RFC 8617 §7.1 and §10.2. The sealers stand in a comment: no property is registered for them."""
    newest = [_NO_TOKEN.sub("?", sealer) for sealer in reversed(arc.sealers[-SEALERS_MAX:])]
    sets = [f"(i={arc.sets}", *newest[:-1], f"{newest[-1]})"] if len(newest) > 0 else []
    oldest = [f"header.oldest-pass={arc.oldest_pass}"] if arc.result is AuthResult.PASS else []
    return [f"arc={arc.result}", *sets, *_reason(arc.reason), *oldest]


def _reason(reason: str) -> list[str]:
    return [f"reason={_written(reason)}"] if len(reason) > 0 else []


def _written(value: str) -> str:
    """A token or an address as it is, all else as a quoted string without signs that break out of it."""
    shown = "".join(
        sign if is_readable(sign) and sign.isascii() else "?" for sign in value[:VALUE_CHARACTERS_MAX]
    )
    if _PLAIN_VALUE.fullmatch(shown) is not None:
        return shown
    return '"' + re.sub(r'(["\\])', r"\\\1", shown) + '"'


def _line_of(words: Sequence[str]) -> str:
    """One result on lines of its own, with a fold before each."""
    lines = [f" {words[0]}"]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) < LINE_CHARACTERS:  # a semicolon may follow
            lines[-1] += f" {word}"
        else:
            lines.append(f"  {word}")
    return "".join(f"\r\n{line}" for line in lines)


@dataclass(frozen=True, slots=True)
class UnclaimedHeader:
    """A header without the Authentication-Results that claimed to be ours (RFC 8601 §5)."""

    octets: bytes
    removed: tuple[bytes, ...]  # whole fields


def without_claims(header: bytes, servers: Collection[str]) -> UnclaimedHeader:
    """Remove the fields that a reader could take for those of one of these servers.

    ARC-Authentication-Results stay: a seal protects them, and a chain without one would be broken.
    """
    claims = [
        field
        for place, field in enumerate(_FIELD.finditer(header))
        if place >= CLAIMS_READ_MAX or claims_one_of(field[1].decode("utf-8", "replace"), servers)
    ]
    pieces, at = [], 0
    for field in claims:
        pieces.append(header[at : field.start()])
        at = field.end()
    return UnclaimedHeader(b"".join([*pieces, header[at:]]), tuple(field[0] for field in claims))


def claims_one_of(value: str, servers: Collection[str]) -> bool:
    """Whether a field's value names one of these servers as its author, however lenient its reader.

    It counts as well if no result follows near its beginning: a reader may look further than we do.
    """
    ours = {_comparable(server) for server in servers}
    named: set[str] = set()
    word = ""
    for place, piece in enumerate(pieces_of(value[:SERVER_CHARACTERS_MAX])):
        if place == SERVER_PIECES_MAX:
            return True
        is_name = piece.lexeme in (Lexeme.WORD, Lexeme.QUOTED)
        if is_name and "=" in piece.text and _INSTANCE.fullmatch(piece.text) is None:
            return not named.isdisjoint(ours)
        text = piece.text if is_name else ""
        word = word + text if piece.adjoins else text  # a comment may stand within a word
        named |= {_comparable(text), _comparable(word)}
    return len(value) > SERVER_CHARACTERS_MAX or not named.isdisjoint(ours)


def _comparable(name: str) -> str:
    """The same for all spellings of a host name that some reader may take for it."""
    plain = unicodedata.normalize("NFKC", name).casefold().replace("\u3002", ".")  # IDNA2003's other dot
    plain = "".join(sign for sign in plain if sign.isprintable() and not sign.isspace()).strip(".")
    try:
        return written_domain(plain).name if len(plain) <= DOMAIN_OCTETS_MAX else plain
    except AddressError:
        return plain
