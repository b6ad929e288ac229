"""dkimpy verifies our signatures, we verify dkimpy's, and what ours must cover."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from secondpost.mail.address import Domain
from secondpost.mail.authentication import AuthResult
from secondpost.protocols.dkim.signing import OVERSIGNED, signed
from simulation.signatures import dkim_results
from tests.protocols import dkimpy_says
from tests.protocols.dkim_keys import keys

DOMAIN = Domain("example.net")
SIGNED_S = 1_700_000_000
HEADER = (
    b"From: The Blog <newsletter@example.net>\r\n"
    b"To: reader@example.org\r\n"
    b"Subject: Two articles,\r\n folded\r\n"
    b"Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
    b"Message-ID: <1@example.net>\r\n"
    b"MIME-Version: 1.0\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\n"
)
MESSAGE = HEADER + b"\r\nHello,  reader.\t\r\n\r\n.\r\n\r\n"
BODIES = some.lists(some.text(alphabet=" \t.aä", max_size=90), max_size=6).map(
    lambda lines: "\r\n".join(lines).encode()
)


def findings(message: bytes) -> list[AuthResult]:
    return dkim_results(message, keys().records_of, SIGNED_S)


def dkimpy_accepts(message: bytes, which: int) -> bool:
    return dkimpy_says.accepts(message, which, keys().txt)


def test_dkimpy_accepts_both_signatures() -> None:
    message = signed(MESSAGE, keys().signing, DOMAIN, SIGNED_S)
    assert message.endswith(MESSAGE)
    assert dkimpy_accepts(message, 0)
    assert dkimpy_accepts(message, 1)
    assert findings(message) == [AuthResult.PASS, AuthResult.PASS]


@settings(max_examples=40)
@given(BODIES)
def test_dkimpy_accepts_them_whatever_the_body(body: bytes) -> None:
    message = signed(HEADER + b"\r\n" + body + b"\r\n", keys().signing, DOMAIN, SIGNED_S)
    assert dkimpy_accepts(message, 0)
    assert dkimpy_accepts(message, 1)


@pytest.mark.parametrize("header_form", ["relaxed", "simple"])
@pytest.mark.parametrize("body_form", ["relaxed", "simple"])
@settings(max_examples=20)
@given(body=BODIES)
def test_we_accept_what_dkimpy_signs(header_form: str, body_form: str, body: bytes) -> None:
    message = HEADER + b"\r\n" + body + b"\r\n"
    signatures = b"".join(
        dkimpy_says.signature_of(message, selector, "example.net", key, algorithm, (header_form, body_form))
        for selector, key, algorithm in (
            ("sp-rsa", keys().rsa_pem, "rsa-sha256"),
            ("sp-ed", keys().ed25519_seed, "ed25519-sha256"),
        )
    )
    assert findings(signatures + message) == [AuthResult.PASS, AuthResult.PASS]


@pytest.mark.parametrize("name", OVERSIGNED)
def test_a_second_field_breaks_the_signature(name: str) -> None:
    """In any position: verifiers count from below, many mail programs from above."""
    message = signed(MESSAGE, keys().signing, DOMAIN, SIGNED_S)
    another = f"{name}: something else\r\n".encode()
    assert findings(another + message) == [AuthResult.FAIL, AuthResult.FAIL]
    assert findings(message.replace(b"\r\n\r\n", b"\r\n" + another + b"\r\n", 1)) == [
        AuthResult.FAIL,
        AuthResult.FAIL,
    ]
    assert findings(b"X-Other: 1\r\n" + message) == [AuthResult.PASS, AuthResult.PASS]


def test_every_bit_that_readers_see_is_covered() -> None:
    message = signed(MESSAGE, keys().signing, DOMAIN, SIGNED_S)
    for old, new in (
        (b"Hello", b"hello"),
        (b"newsletter@", b"newsletters@"),
        (b"reader@", b"leader@"),
        (b"folded", b"Folded"),
        (b"22:13", b"22:14"),
        (b"<1@", b"<2@"),
        (b"text/plain", b"text/html"),
        (b"MIME-Version: 1.0", b"MIME-Version: 1.1"),
    ):
        assert message.count(old) == 1
        assert findings(message.replace(old, new)) == [AuthResult.FAIL, AuthResult.FAIL], old


def test_a_list_has_its_fields_signed() -> None:
    fields = b"List-Unsubscribe: <https://a.example/x>\r\n"
    fields += b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
    message = signed(fields + b"List-Id: <a.example>\r\n" + MESSAGE, keys().signing, DOMAIN, SIGNED_S)
    for names in re.findall(rb"\sh=([^;]*);", message):
        listed = [name.strip() for name in names.split(b":")]
        assert {b"list-unsubscribe", b"list-unsubscribe-post", b"list-id"} <= set(listed)


def test_nothing_says_that_a_part_of_the_body_is_enough() -> None:
    assert re.search(rb"[;\s]l=", signed(MESSAGE, keys().signing, DOMAIN, SIGNED_S)) is None


def test_lines_are_short_and_the_same_input_gives_the_same_output() -> None:
    message = signed(MESSAGE, keys().signing, DOMAIN, SIGNED_S)
    assert message == signed(MESSAGE, keys().signing, DOMAIN, SIGNED_S)
    assert max(map(len, message.split(b"\r\n"))) <= 78


@given(some.binary(max_size=300))
def test_any_bytes_can_be_verified(noise: bytes) -> None:
    for message in (noise, b"DKIM-Signature: " + noise, b"DKIM-Signature: v=1; a=" + noise + b"\r\n\r\n"):
        assert AuthResult.PASS not in findings(message)
