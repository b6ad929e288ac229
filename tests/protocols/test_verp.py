"""Addresses at `bounces`: built, parsed in any case, and never too long."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from secondpost.mail.address import Domain, Mailbox
from secondpost.protocols.tokens import ID_BITS_MAX, KeyRing, Purpose, Ring, Token
from secondpost.protocols.verp import PREFIXES, Join, Signed, address_of, join_address, parse_local_part, read

RING = KeyRing(Ring.ADDRESSES, {1: b"k" * 32})
BOUNCES = Domain("mx2.example.net")
IDS = some.integers(0, (1 << ID_BITS_MAX) - 1)


@given(some.sampled_from(sorted(PREFIXES, key=lambda purpose: purpose.code)), IDS, IDS)
def test_an_address_leads_back(purpose: Purpose, subscriber: int, number: int) -> None:
    token = Token(purpose, subscriber, number)
    address = address_of(RING, token, BOUNCES)
    assert Mailbox.parse(str(address)) == address  # also checks the limit of 64 octets
    for local in (address.local, address.local.upper(), address.local.title()):
        signed = parse_local_part(local)
        assert isinstance(signed, Signed)
        assert signed.purpose is purpose
        assert read(RING, signed) == token


def test_the_longest_one_fits() -> None:
    last = (1 << ID_BITS_MAX) - 1
    ring = KeyRing(Ring.ADDRESSES, {255: b"k" * 32})
    assert len(address_of(ring, Token(Purpose.CONFIRM_BY_MAIL, last, last), BOUNCES).local) == 60


def test_joining_names_the_newsletter() -> None:
    assert str(join_address("weekly", BOUNCES)) == "join-weekly@mx2.example.net"
    assert parse_local_part("Join-Weekly") == Join("weekly")


def test_a_forged_address_has_the_form_and_says_nothing() -> None:
    signed = parse_local_part("b-" + "a" * 40)
    assert signed == Signed(Purpose.BOUNCE, "a" * 40)
    assert read(RING, signed) is None


def test_a_bounce_address_cannot_be_turned_into_one_that_leaves() -> None:
    local = address_of(RING, Token(Purpose.BOUNCE, 1, 1), BOUNCES).local
    signed = parse_local_part(local.replace("b-", "leave-"))
    assert isinstance(signed, Signed)
    assert read(RING, signed) is None


@pytest.mark.parametrize(
    "local",
    ["", "b", "b-", "b-1", "bounce-abc", "postmaster", "leave-", "join-", "join-a_b", "b-" + "a" * 63],
)
def test_other_local_parts_are_none_of_ours(local: str) -> None:
    assert parse_local_part(local) is None


@given(some.text(max_size=70))
def test_any_text_can_be_parsed(local: str) -> None:
    parse_local_part(local)
