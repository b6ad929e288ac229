"""Finds the rules that octets from outside fit: a quick look first, the patterns only where it finds
something.

The quick looks are the whole cost for ordinary mail: one pass over an address, and a few over the
header of a message.
"""

import base64
import binascii
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from secondpost.protocols.attacks.rule import AttackPlace, AttackRule
from secondpost.protocols.attacks.rules import RULES, SCANNER_NAMES

LINE_OCTETS_MAX = 2_048  # of a command that are looked at; longer ones are refused anyway
FIELD_OCTETS_MAX = 2_048  # of a header field's value
HEADER_OCTETS_MAX = 65_536
ENCODED_WORDS_MAX = 64  # decoded in one header

BY_PLACE: dict[AttackPlace, tuple[tuple[AttackRule, re.Pattern[bytes]], ...]] = {
    place: tuple((rule, rule.pattern) for rule in RULES if place in rule.places and rule.pattern is not None)
    for place in AttackPlace
}

_PIPE_ALIASES = frozenset({"decode", "uudecode"})
# Nearly all addresses are made of these octets alone, and none of them can be one of the attacks,
# but for the one alias that some systems once piped into a program.
_ODD_ADDRESS = re.compile(rb"[^A-Za-z0-9._+=@#!~*?^,\[\]<>-]|decode@", re.IGNORECASE)


def _any_case(word: bytes) -> bytes:
    return b"".join(b"[%c%c]" % (letter, letter ^ 0x20) for letter in word)


# What a header has if one of the rules for headers fits: braces, "$(", or one of these. Without
# IGNORECASE the first octet is sought at once, which takes a twentieth of the time.
_TAGS = (b"script", b"style", b"svg", b"iframe", b"img", b"input", b"object", b"embed", b"math")
_MORE_TAGS = (b"marquee", b"body", b"video", b"audio", b"details", b"a ")
_ANY_TAG = b"|".join(map(_any_case, _TAGS + _MORE_TAGS))
# The octet after the "<" is looked at once, before each tag is tried.
_ODD_TEXT = re.compile(
    b"<(?:%=|(?=["
    + b"".join(_any_case(tag[:1])[1:3] for tag in _TAGS + _MORE_TAGS)
    + b"])(?:"
    + _ANY_TAG
    + b"))"
)
# Within an encoded word in base64, its text; within a quoted one, a line end, $, <, or {.
_BASE64_WORD = re.compile(rb"\?[bB]\?([^? \t\r\n]{0,400})\?=")
_ODD_QUOTED_WORD = re.compile(rb"\?[qQ]\?[^? \t\r\n]{0,400}?=(?:0[aAdD]|24|3[cC]|7[bB])")
_ODD_HELLO = re.compile(rb"[^A-Za-z0-9._:\[\]-]")
_SCANNER = re.compile(SCANNER_NAMES, re.IGNORECASE)
_PATH = re.compile(
    rb"\s{0,64}(?:MAIL|RCPT)\s{1,64}(?:FROM|TO)\s{0,64}:\s{0,64}(.*)", re.IGNORECASE | re.DOTALL
)
_HELLO = re.compile(rb"\s{0,64}(?:EHLO|HELO)\s{1,64}(.*)", re.IGNORECASE | re.DOTALL)
_FOLD = re.compile(rb"\r?\n[ \t]")
_ENCODED_WORD = re.compile(
    rb"=\?[\w.*-]{1,40}\?([bq])\?([^? \t\r\n]{0,400})\?=(?:\s{1,8}(?==\?))?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class AttackFound:
    """`sample`: what the rule was found in, as it came, of bounded length."""

    rule: AttackRule
    place: AttackPlace
    sample: bytes


def did(rule: AttackRule, octets: bytes = b"") -> AttackFound:
    """A behaviour, with the octets that show it, if there are any."""
    return AttackFound(rule, AttackPlace.BEHAVIOUR, octets)


def found_in(place: AttackPlace, data: bytes) -> tuple[AttackFound, ...]:
    """The rules of a place that `data` fits, the most telling first."""
    return tuple(
        AttackFound(rule, place, data)
        for rule, pattern in BY_PLACE[place]
        if pattern.search(data) is not None
    )


def is_plain(local: str) -> bool:
    """Whether a local part cannot fit any rule: the quickest of looks, at most addresses."""
    return local.isalnum() and local.lower() not in _PIPE_ALIASES


def found_in_address(path: bytes) -> tuple[AttackFound, ...]:
    """`path`: as in MAIL or RCPT, with or without its brackets."""
    if _ODD_ADDRESS.search(path) is None:
        return ()
    return found_in(AttackPlace.ADDRESS, path[:LINE_OCTETS_MAX])


def found_at_first(octets: bytes) -> tuple[AttackFound, ...]:
    """`octets`: the first of a connection."""
    return found_in(AttackPlace.FIRST, octets[:LINE_OCTETS_MAX])


def found_in_line(line: bytes) -> tuple[AttackFound, ...]:
    """`line`: a command, with or without its line end. Looks also at the address or name in it."""
    line = line[:LINE_OCTETS_MAX].rstrip(b"\r\n")
    path, hello = _PATH.match(line), _HELLO.match(line)
    inside: tuple[AttackFound, ...] = ()
    if path is not None:
        inside = found_in(AttackPlace.ADDRESS, path[1])
    elif hello is not None:
        inside = found_in_hello(hello[1])
    rules = {found.rule for found in inside}
    return inside + tuple(found for found in found_in(AttackPlace.LINE, line) if found.rule not in rules)


def found_in_hello(name: bytes) -> tuple[AttackFound, ...]:
    """`name`: as given in EHLO or HELO."""
    if _ODD_HELLO.search(name) is None and _SCANNER.match(name) is None:
        return ()
    return found_in(AttackPlace.HELLO, name[:LINE_OCTETS_MAX])


def found_in_server_name(name: bytes) -> tuple[AttackFound, ...]:
    """`name`: of the server that a TLS client asks for (SNI)."""
    if _ODD_HELLO.search(name) is None:
        return ()
    return found_in(AttackPlace.SERVER_NAME, name[:LINE_OCTETS_MAX])


def found_in_reply(octets: bytes) -> tuple[AttackFound, ...]:
    """`octets`: from the begin of a line, of a server that broke the protocol. The sample begins with
    the line before what is found.
    """
    found: list[AttackFound] = []
    for rule, pattern in BY_PLACE[AttackPlace.REPLY]:
        match = pattern.search(octets)
        if match is not None:
            before = octets.rfind(b"\n", 0, match.start()) + 1
            found.append(AttackFound(rule, AttackPlace.REPLY, octets[before:]))
    return tuple(found)


def found_in_header(header: bytes) -> tuple[AttackFound, ...]:
    """`header`: the fields of a message, or the beginning of them. A rule is found once."""
    header = header[:HEADER_OCTETS_MAX]
    if not _is_odd(header):
        return ()
    found: dict[str, AttackFound] = {}
    for value in _values(header):
        for each in found_in(AttackPlace.HEADER, value):
            found.setdefault(each.rule.id, each)
    return tuple(found.values())


def _is_odd(header: bytes) -> bool:
    """Whether a rule may fit. Single octets are sought first: that takes almost no time."""
    if b"{" in header or (b"$" in header and b"$(" in header) or _ODD_TEXT.search(header) is not None:
        return True
    if b"?" in header and _ODD_QUOTED_WORD.search(header) is not None:
        return True
    return (b"?B?" in header or b"?b?" in header) and _has_odd_base64(header)


def _has_odd_base64(header: bytes) -> bool:
    """Whether encoded words have anything that is sought, or a line end."""
    for word in islice(_BASE64_WORD.finditer(header), ENCODED_WORDS_MAX):
        text = _decoded_base64(word[1])
        if b"\n" in text or b"\r" in text or b"{" in text or b"$" in text or b"<" in text:
            return True
    return False


def _values(header: bytes) -> Iterator[bytes]:
    """The values of the fields, unfolded; those with encoded words once more, decoded."""
    for line in _FOLD.sub(b" ", header).split(b"\n"):
        _, colon, value = line.partition(b":")
        if len(colon) == 0:
            continue
        value = value[:FIELD_OCTETS_MAX].strip()
        yield value
        if b"=?" in value:
            yield _ENCODED_WORD.sub(_decoded, value)


def _decoded(word: re.Match[bytes]) -> bytes:
    """The octets of an encoded word (RFC 2047 §4); as written if it is malformed."""
    if word[1] in b"qQ":
        return quopri.decodestring(word[2], header=True)
    return _decoded_base64(word[2])


def _decoded_base64(text: bytes) -> bytes:
    try:
        return base64.b64decode(text + b"==")
    except binascii.Error:
        return text
