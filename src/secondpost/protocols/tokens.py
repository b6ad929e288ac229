"""Signed tokens in our links and addresses, which only we can make.

A token is lower-case base32, read in any case, of: purpose, key number, subscriber, number, MAC.
The number is that of an issue or a sign-up. A token has no expiry: a leave link stays valid for
ever, and other uses check the age of the object that the token names. There are two key rings, so
that the web role, which holds the one of links, cannot forge bounces. A key is never removed from
its ring, only followed by a newer one. Tokens are never logged: a token is as good as the reader's
own request.
"""

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

ID_BITS_MAX = 48
KEY_NUMBER_MAX = 255
KEY_OCTETS = 32
MAC_OCTETS = 16  # 128 bits: HMAC-SHA-256 truncated as RFC 2104 §5 allows
TOKEN_CHARACTERS_MAX = 52  # of 2 + 7 + 7 + 16 octets; with "confirm-" it stays below 64
_CONTEXT = b"secondpost token 1\0"  # separates this use of the keys from any later one
_BASE32 = re.compile(r"[a-z2-7]+")
_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"  # RFC 4648 §6
_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)


class Ring(StrEnum):
    LINKS = "links"  # web pages
    ADDRESSES = "addresses"  # envelope senders and mailto links


class Purpose(Enum):
    """What a token permits. A token for one purpose is invalid for any other."""

    CONFIRM = (1, Ring.LINKS)
    LEAVE = (2, Ring.LINKS)
    ME = (3, Ring.LINKS)
    BOUNCE = (4, Ring.ADDRESSES)
    LEAVE_BY_MAIL = (5, Ring.ADDRESSES)
    CONFIRM_BY_MAIL = (6, Ring.ADDRESSES)
    FEEDBACK = (7, Ring.ADDRESSES)

    def __init__(self, code: int, ring: Ring) -> None:
        self.code = code
        self.ring = ring


@dataclass(frozen=True, slots=True)
class Token:
    """The content of a valid token."""

    purpose: Purpose
    subscriber: int
    number: int

    def __post_init__(self) -> None:
        if not (0 <= self.subscriber < 1 << ID_BITS_MAX and 0 <= self.number < 1 << ID_BITS_MAX):
            raise ValueError(f"a token holds numbers of {ID_BITS_MAX} bits at most")


@dataclass(frozen=True, slots=True)
class KeyRing:
    """All keys ever used, by number. The highest number makes new tokens."""

    ring: Ring
    keys: Mapping[int, bytes] = field(repr=False)
    # Keyed once and copied for each token. hmac.digest releases the GIL, and getting it back takes
    # long beside a busy loop.
    _begun: Mapping[int, hmac.HMAC] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.keys) == 0:
            raise ValueError(f"the key ring of {self.ring} is empty")
        for number, key in self.keys.items():
            if not 0 <= number <= KEY_NUMBER_MAX or len(key) < KEY_OCTETS:
                raise ValueError(f"the key ring of {self.ring} has a bad key, number {number}")
        begun = {number: hmac.new(key, _CONTEXT, "sha256") for number, key in self.keys.items()}
        object.__setattr__(self, "_begun", begun)

    def write(self, token: Token) -> str:
        """The text of a token. Raises ValueError if its purpose belongs to the other ring."""
        if token.purpose.ring is not self.ring:
            raise ValueError(f"{token.purpose} is not made with the keys of {self.ring}")
        number = max(self.keys)
        said = bytes((token.purpose.code, number)) + _varint(token.subscriber) + _varint(token.number)
        return base32_text(said + self._mac(number, said))

    def read(self, text: str, purpose: Purpose) -> Token | None:
        """The token in `text`; None unless one of our keys made it for this purpose."""
        octets = _octets(text)
        if octets is None or len(octets) < 4 + MAC_OCTETS or purpose.ring is not self.ring:
            return None
        said, mac = octets[:-MAC_OCTETS], octets[-MAC_OCTETS:]
        if said[1] not in self.keys or said[0] != purpose.code:
            return None
        if not hmac.compare_digest(self._mac(said[1], said), mac):
            return None
        subscriber, at = _read_varint(said, 2)
        number, _ = _read_varint(said, at)
        return Token(purpose, subscriber, number)

    def _mac(self, number: int, said: bytes) -> bytes:
        mac = self._begun[number].copy()
        mac.update(said)
        return mac.digest()[:MAC_OCTETS]


def base32_text(octets: bytes) -> str:
    """RFC 4648 §6, lower case, without padding: characters that survive every mail system.

    Implemented here because base64.b32encode takes twice as long, and a reader's mail holds four
    tokens.
    """
    bits = 8 * len(octets)
    bits_of_pairs = -(-bits // 10) * 10
    number = int.from_bytes(octets) << (bits_of_pairs - bits)
    pairs = [_PAIRS[number >> shift & 1023] for shift in range(bits_of_pairs - 10, -1, -10)]
    return "".join(pairs)[: -(-bits // 5)]


def _octets(text: str) -> bytes | None:
    lower = text.lower()
    # The Kelvin sign becomes an ASCII k when lowered.
    if len(text) > TOKEN_CHARACTERS_MAX or not text.isascii() or _BASE32.fullmatch(lower) is None:
        return None
    try:
        octets = base64.b32decode(lower.upper() + "=" * (-len(lower) % 8))
    except ValueError:
        return None
    return octets if base32_text(octets) == lower else None  # one spelling per token


def _varint(number: int) -> bytes:
    """Seven bits per octet, lowest first; the top bit is set except in the last octet."""
    octets = []
    while number >= 0x80:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*octets, number))


def _read_varint(said: bytes, at: int) -> tuple[int, int]:
    """Return the number and the position after it. The MAC was checked: it is well formed."""
    number = shift = 0
    while said[at] >= 0x80:
        number |= (said[at] & 0x7F) << shift
        shift += 7
        at += 1
    return number | said[at] << shift, at + 1
