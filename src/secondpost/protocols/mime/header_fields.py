"""Writes header fields that are safe against injection: checked, encoded if necessary, folded.

RFC 5322 §2.2 and §3.2.5, RFC 2047. Whatever a blog's title or a reader's address contains, a field
stays one field of ASCII lines. Values with control or invisible characters are refused, not
repaired.
"""

import base64
import re
from collections.abc import Iterator, Sequence

FIELD_LINE_CHARACTERS = 76  # RFC 2047 §2, for lines with encoded words; RFC 5322 §2.1.1 would allow 78
LINE_CHARACTERS_MAX = 998  # RFC 5322 §2.1.1, without CRLF
VALUE_CHARACTERS_MAX = 4_000  # anything longer is no subject or name
QUOTED_STRING_CHARACTERS_MAX = 60
ENCODED_WORD_OCTETS_MAX = 39  # 64 characters as base64 in its frame: "Subject: " fits before it

# C0, C1, the line ends that only Unicode knows, surrogates, and the noncharacters U+FDD0 to U+FDEF.
_BREAKS_OUT = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufdd0-\ufdef]")
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_ATOMS = re.compile(rf"{_ATOM}(?: {_ATOM})*")


class FieldFault(ValueError):
    """A value that must not stand in a header field. The text is fit for the owner."""


def text_field(name: str, value: str) -> str:
    """`Subject: …`, without the last CRLF like all fields here. Raises FieldFault."""
    words = checked(value).split(" ")
    if value.isascii() and "=?" not in value and "" not in words and _all_fit(name, words):
        return _folded(name, words)
    return _folded(name, _encoded(value))


def address_field(name: str, display: str, address: str) -> str:
    """`From: The Blog <newsletter@example.net>`; only the address if `display` is empty."""
    if len(display) == 0:
        return structured_field(name, (address,))
    return _folded(name, (*_phrase(display), f"<{checked(address)}>"))


def structured_field(name: str, values: Sequence[str]) -> str:
    """ASCII values unencoded and separated by commas; folded only after a comma."""
    for value in values:
        if not checked(value).isascii():
            raise FieldFault(f"{name} holds nothing but ASCII, not {value!r}")
    return _folded(name, [f"{value}," for value in values[:-1]] + list(values[-1:]))


def checked(value: str) -> str:
    """Return the value if it may stand in a header field. Raises FieldFault."""
    if len(value) == 0:
        raise FieldFault("a header field needs a value")
    if len(value) > VALUE_CHARACTERS_MAX:
        raise FieldFault(f"a header field has {len(value)} characters, more than {VALUE_CHARACTERS_MAX}")
    found = _BREAKS_OUT.search(value)
    if found is not None:
        raise FieldFault(f"a header field cannot hold the character U+{ord(found[0]):04X}")
    return value


def _phrase(display: str) -> Sequence[str]:
    """The display name as atoms, a quoted string, or encoded words (RFC 5322 §3.2.5)."""
    if not checked(display).isascii() or "=?" in display or len(display) > QUOTED_STRING_CHARACTERS_MAX:
        return _encoded(display)
    if _ATOMS.fullmatch(display) is not None:
        return display.split(" ")
    return ('"' + display.replace("\\", "\\\\").replace('"', '\\"') + '"',)


def _encoded(value: str) -> Sequence[str]:
    return [f"=?utf-8?b?{base64.b64encode(octets).decode('ascii')}?=" for octets in _octets_of_words(value)]


def _octets_of_words(value: str) -> Iterator[bytes]:
    """Octets for each encoded word; no character is split over two (RFC 2047 §5 (3))."""
    octets = b""
    for character in value:
        encoded = character.encode("utf-8")
        if len(octets) + len(encoded) > ENCODED_WORD_OCTETS_MAX:
            yield octets
            octets = b""
        octets += encoded
    yield octets


def _all_fit(name: str, words: Sequence[str]) -> bool:
    return max(map(len, (f"{name}: {words[0]}", *words))) <= FIELD_LINE_CHARACTERS


def _folded(name: str, words: Sequence[str]) -> str:
    """Fold a field (RFC 5322 §2.2.3). A word too long for a line gets its own line.

    The first word always stays on the line of the field name: some servers take such a field for
    empty otherwise.
    """
    lines, line = [], f"{name}: {words[0]}"
    for word in words[1:]:
        if len(line) + 1 + len(word) > FIELD_LINE_CHARACTERS:
            lines.append(line)
            line = ""
        line += f" {word}"
    lines.append(line)
    if max(len(each) for each in lines) > LINE_CHARACTERS_MAX:
        raise FieldFault(f"{name} has a word of more than {LINE_CHARACTERS_MAX} characters")
    return "\r\n".join(lines)
