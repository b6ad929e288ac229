"""Tokens: readable only with our keys, and valid for one purpose only."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from secondpost.protocols.tokens import (
    ID_BITS_MAX,
    TOKEN_CHARACTERS_MAX,
    KeyRing,
    Purpose,
    Ring,
    Token,
    base32_text,
)

RINGS = {ring: KeyRing(ring, {1: ring.encode().ljust(32, b".")}) for ring in Ring}
IDS = some.integers(0, (1 << ID_BITS_MAX) - 1)
PURPOSES = some.sampled_from(Purpose)


@given(PURPOSES, IDS, IDS)
def test_a_token_is_read_as_it_was_written(purpose: Purpose, subscriber: int, number: int) -> None:
    token = Token(purpose, subscriber, number)
    text = RINGS[purpose.ring].write(token)
    assert re.fullmatch(r"[a-z2-7]+", text) is not None
    assert len(text) <= TOKEN_CHARACTERS_MAX
    assert RINGS[purpose.ring].read(text, purpose) == token
    assert RINGS[purpose.ring].read(text.upper(), purpose) == token


@given(PURPOSES, PURPOSES, IDS)
def test_a_token_for_one_purpose_is_none_for_another(one: Purpose, other: Purpose, subscriber: int) -> None:
    text = RINGS[one.ring].write(Token(one, subscriber, 1))
    for ring in RINGS.values():
        assert (ring.read(text, other) is not None) == (one is other and ring.ring is one.ring)


def test_each_character_counts() -> None:
    ring, token = RINGS[Ring.LINKS], Token(Purpose.LEAVE, 70_000, 12)
    text = ring.write(token)
    for at, was in enumerate(text):
        for other in "abcdefghijklmnopqrstuvwxyz234567":
            changed = text[:at] + other + text[at + 1 :]
            assert (ring.read(changed, Purpose.LEAVE) is not None) == (other == was)
    for changed in (text[:-1], text + "a", "a" + text, text + "=", text + "\n", " " + text, ""):
        assert ring.read(changed, Purpose.LEAVE) is None


@given(some.text(max_size=80) | some.text(alphabet="abcdefghijklmnopqrstuvwxyz234567", max_size=80))
def test_any_text_can_be_read(text: str) -> None:
    assert RINGS[Ring.LINKS].read(text, Purpose.LEAVE) is None


def test_letters_that_lower_to_ascii_are_none_of_ours() -> None:
    """The Kelvin sign becomes a k when lowered."""
    ring = RINGS[Ring.LINKS]
    for number in range(200):
        text = ring.write(Token(Purpose.ME, number, 0))
        if "k" in text:
            assert ring.read(text.replace("k", "\u212a"), Purpose.ME) is None


def test_an_old_key_still_reads_and_the_newest_writes() -> None:
    old = KeyRing(Ring.LINKS, {1: b"a" * 32})
    both = KeyRing(Ring.LINKS, {1: b"a" * 32, 2: b"b" * 32})
    new = KeyRing(Ring.LINKS, {2: b"b" * 32})
    token = Token(Purpose.LEAVE, 7, 1)
    assert both.read(old.write(token), Purpose.LEAVE) == token
    assert new.read(both.write(token), Purpose.LEAVE) == token
    assert new.read(old.write(token), Purpose.LEAVE) is None


def test_the_number_of_a_key_proves_nothing() -> None:
    forger = KeyRing(Ring.LINKS, {1: b"f" * 32})
    assert RINGS[Ring.LINKS].read(forger.write(Token(Purpose.LEAVE, 7, 1)), Purpose.LEAVE) is None


def test_the_wrong_ring_writes_nothing() -> None:
    with pytest.raises(ValueError, match="not made with the keys of links"):
        RINGS[Ring.LINKS].write(Token(Purpose.BOUNCE, 1, 1))


def test_a_ring_shows_no_key() -> None:
    assert "aaaa" not in repr(KeyRing(Ring.LINKS, {1: b"a" * 32}))


@pytest.mark.parametrize("keys", [{}, {1: b"short"}, {256: b"a" * 32}, {-1: b"a" * 32}])
def test_a_bad_ring_is_refused(keys: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match="the key ring of links"):
        KeyRing(Ring.LINKS, keys)


@pytest.mark.parametrize(("subscriber", "number"), [(-1, 0), (0, -1), (1 << ID_BITS_MAX, 0)])
def test_a_number_out_of_bounds_is_refused(subscriber: int, number: int) -> None:
    with pytest.raises(ValueError, match="48 bits"):
        Token(Purpose.ME, subscriber, number)


def test_base32_as_the_rfc_has_it() -> None:
    """RFC 4648 §10, in lower case and without padding."""
    for plain, text in (("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foobar", "mzxw6ytboi")):
        assert base32_text(plain.encode()) == text
