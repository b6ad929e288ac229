"""ARC: dkimpy accepts our seals, we accept dkimpy's, and what breaks a chain."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from secondpost.mail.address import Domain
from secondpost.mail.authentication import ArcFound, AuthResult
from secondpost.protocols.dkim.arc import INSTANCE_MAX, OLDER_JUDGED_MAX
from secondpost.protocols.dkim.arc_seal import arc_set
from secondpost.protocols.dkim.arrival import SignatureCheck
from secondpost.protocols.dkim.verifying import DkimFault
from simulation.signatures import answered, header_and_body, verified
from tests.protocols import dkimpy_says
from tests.protocols.dkim_keys import keys

SEALED_S = 1_700_000_000
RESULTS = "mx.example.net;\r\n spf=pass smtp.mailfrom=a@example.org;\r\n arc=none"
MESSAGE = (
    b"From: A <a@example.org>\r\n"
    b"To: b@example.net\r\n"
    b"Subject: An example,\r\n folded\r\n"
    b"Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n"
    b"Message-ID: <1@example.org>\r\n"
    b"\r\n"
    b"Hello,  reader.\t\r\n\r\n"
)


def chain_of(message: bytes) -> ArcFound:
    return verified(message, keys().records_of, SEALED_S).arc


def sealed(message: bytes, domain: str = "example.net", which: int = 0) -> bytes:
    """As it leaves, sealed with one of the keys; as it is, if no set may be added."""
    header, body = header_and_body(message)
    check = SignatureCheck(header, SEALED_S, is_sealed=True)
    check.add_body(body)
    material = check.seal_material(answered(check, keys().records_of).arc, RESULTS)
    if material is None:
        return message
    return arc_set(material, header, keys().signing[which], Domain(domain), SEALED_S) + message


def sealed_by_both(ours: str) -> bytes:
    """`ours` says of each set from the oldest on whether we sealed it: "ox" means we, then dkimpy."""
    message = MESSAGE
    for place, who in enumerate(ours):
        domain = f"{place}.example.net"
        message = sealed(message, domain) if who == "o" else dkimpy_sealed(message, domain)
    return message


def dkimpy_sealed(message: bytes, domain: str) -> bytes:
    status = chain_of(message).result
    results = f"Authentication-Results: {domain}; arc={status}; spf=pass\r\n".encode()
    return dkimpy_says.arc_set_of(results + message, "sp-rsa", domain, keys().rsa_pem) + results + message


@pytest.mark.parametrize("sets", ["o", "x", "oo", "xx", "ox", "xo", "oxoxoxo"])
def test_either_side_accepts_what_the_other_sealed(sets: str) -> None:
    message = sealed_by_both(sets)
    found = chain_of(message)
    assert (found.result, found.sets, found.reason) == (AuthResult.PASS, len(sets), "")
    assert found.sealers == tuple(f"{place}.example.net" for place in range(len(sets)))
    assert found.oldest_pass == 0
    assert dkimpy_says.arc_status(message, keys().txt) == "pass"


def test_a_seal_may_be_made_with_ed25519_too() -> None:
    assert chain_of(sealed(sealed(MESSAGE, which=1), which=1)).result is AuthResult.PASS


def test_without_a_chain_there_is_none() -> None:
    assert chain_of(MESSAGE) == ArcFound(AuthResult.NONE)


def test_what_was_changed_before_the_newest_seal_is_known() -> None:
    message = sealed(sealed(MESSAGE).replace(b"Hello", b"[list] Hello"))
    found = chain_of(sealed(message))
    assert (found.result, found.sets) == (AuthResult.FAIL, 2)  # the second seal says so

    changed = sealed_by_both("oo").replace(b"Hello", b"[list] Hello")
    assert chain_of(changed).reason == "the newest message signature: the body was changed"


def test_the_oldest_instance_since_which_nothing_changed_is_found() -> None:
    """A list that breaks the first message signature, and then seals what it found before."""
    header, body = header_and_body(sealed(MESSAGE))
    check = SignatureCheck(header, SEALED_S, is_sealed=True)
    check.add_body(body)
    arc = answered(check, keys().records_of).arc
    changed = SignatureCheck(header, SEALED_S, is_sealed=True)
    changed.add_body(b"Other\r\n")
    material = changed.seal_material(arc, RESULTS)
    assert material is not None
    new = arc_set(material, header, keys().signing[0], Domain("example.net"), SEALED_S)
    found = chain_of(sealed(new + header + b"\r\nOther\r\n"))
    assert (found.result, found.sets, found.oldest_pass) == (AuthResult.PASS, 3, 2)


def test_a_broken_chain_gets_one_last_seal_over_itself_alone() -> None:
    broken = sealed(sealed(MESSAGE)).replace(b"i=1; mx", b"i=1; my")
    found = chain_of(broken)
    assert (found.result, found.reason) == (
        AuthResult.FAIL,
        "seal 2: the header was changed, or the key is another",
    )
    last = sealed(broken)
    assert b"ARC-Seal: i=3; a=rsa-sha256; t=1700000000; cv=fail;" in last
    assert chain_of(last).reason == "it was broken already at the newest seal"
    assert sealed(last) == last


def test_the_last_seal_of_a_broken_chain_verifies_alone() -> None:
    """Its own set, numbered and named as the only one of a chain, is a chain that passes but for cv=."""
    last = sealed(sealed(MESSAGE).replace(b"spf=pass", b"spf=fail"))
    alone = re.sub(rb"ARC-[^:]+: i=1;(?s:.)*?\r\n(?! )", b"", last)
    assert alone.count(b"ARC-") == 3
    dkimpy = dkimpy_says.arc_seal_verifies(alone, 2, keys().txt)
    assert dkimpy


def test_a_set_covers_no_seal_and_no_results_field() -> None:
    message = sealed(b"Authentication-Results: mx.example.net; spf=pass\r\n" + sealed(MESSAGE))
    for names in re.findall(rb"\sh=([^;]*);", message):
        listed = {name.strip() for name in names.split(b":")}
        assert {b"from", b"to", b"subject"} <= listed
        assert not any(name.startswith((b"arc-", b"authentication-results")) for name in listed)


def test_a_second_from_breaks_the_chain() -> None:
    for message in (sealed_by_both("o"), sealed_by_both("oo")):
        assert chain_of(b"From: c@example.com\r\n" + message).result is AuthResult.FAIL


def test_the_same_is_sealed_alike_and_lines_are_short() -> None:
    message = sealed(MESSAGE)
    assert message == sealed(MESSAGE)
    assert max(map(len, message.split(b"\r\n"))) <= 78


def test_nothing_is_sealed_after_a_temporary_error_or_beyond_the_last_instance() -> None:
    message = MESSAGE
    for _ in range(INSTANCE_MAX):
        message = sealed(message)
    found = chain_of(message)
    assert (found.result, found.sets) == (AuthResult.PASS, INSTANCE_MAX)
    assert found.oldest_pass == INSTANCE_MAX - OLDER_JUDGED_MAX  # older ones are not looked at
    assert sealed(message) == message
    check = SignatureCheck(header_and_body(MESSAGE)[0], SEALED_S, is_sealed=True)
    assert check.seal_material(ArcFound(AuthResult.TEMPERROR), RESULTS) is None


def test_other_sets_than_on_arrival_are_not_sealed() -> None:
    header, body = header_and_body(MESSAGE)
    check = SignatureCheck(header, SEALED_S, is_sealed=True)
    check.add_body(body)
    material = check.seal_material(ArcFound(AuthResult.NONE), RESULTS)
    assert material is not None
    other = header_and_body(sealed(MESSAGE))[0]
    with pytest.raises(DkimFault):
        arc_set(material, other, keys().signing[0], Domain("example.net"), SEALED_S)


def test_the_example_of_the_rfc_is_a_chain_of_three_whose_keys_are_not_published() -> None:
    """RFC 8617 appendix B: its body and structure are right."""
    path = Path(__file__).parent / "arc" / "rfc8617-appendix-b.msg"
    found = chain_of(path.read_text(encoding="utf-8").replace("\n", "\r\n").encode())
    assert found == ArcFound(
        AuthResult.FAIL,
        3,
        ("lists.example.org", "gmail.example", "clochette.example.org"),
        "the newest message signature: there is no such key",
    )


VALUES = some.lists(some.text(alphabet=" \tab:;=é", max_size=12), min_size=1, max_size=3).map("\r\n ".join)
FIELDS = some.lists(
    some.tuples(some.sampled_from(["To", "CC", "Subject", "Received", "dkim-signature", "X-A"]), VALUES),
    max_size=8,
).map(lambda fields: "".join(f"{name}: {value}x\r\n" for name, value in fields).encode())


@settings(max_examples=15)
@given(FIELDS, some.lists(some.text(alphabet=" \t.aé", max_size=20), max_size=5))
def test_any_header_and_body_can_be_sealed(fields: bytes, lines: list[str]) -> None:
    body = "".join(f"{line}\r\n" for line in lines).encode()
    message = sealed(sealed(fields + b"From: a@example.org\r\n" + fields + b"\r\n" + body))
    assert chain_of(message).result is AuthResult.PASS
    assert dkimpy_says.arc_status(message, keys().txt) == "pass"
