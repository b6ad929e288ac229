"""A message whose signatures are verified while it arrives, in whatever pieces, and by hostile senders."""

import base64
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as some

from secondpost.mail.authentication import ArcFound, AuthResult, DkimFound
from secondpost.mail.questions import Finding, TxtAnswer
from secondpost.protocols.dkim.arrival import SIGNATURES_MAX, SignatureCheck, SignaturesFound
from secondpost.protocols.dkim.canonical import FIELDS_MAX, BodyHash, CanonicalForm, relaxed_body, simple_body
from secondpost.protocols.dkim.signed_content import RECORDS_MAX
from secondpost.world.real.keys import proves
from simulation.signatures import (
    answered,
    dkim_results,
    header_and_body,
    txt_answer,
    verified,
)
from tests.protocols import dkimpy_says
from tests.protocols.dkim_keys import keys

NOW_S = 1_700_000_000
HEADER = b"From: A <a@example.net>\r\nTo: b@example.org\r\nSubject: x\r\n"
PASS, FAIL = AuthResult.PASS, AuthResult.FAIL
FORMS = [(header, body) for header in ("simple", "relaxed") for body in ("simple", "relaxed")]
OCTETS = some.lists(
    some.sampled_from([b"\r\n", b"\r", b"\n", b" ", b"\t", b"a", b".", b"\x00", b"\xe9", b"\r\n\r\n"]),
    max_size=30,
).map(b"".join)


def signed_by_dkimpy(message: bytes, forms: tuple[str, str], *, ed25519: bool = False) -> bytes:
    selector, key, algorithm = (
        ("sp-ed", keys().ed25519_seed, "ed25519-sha256")
        if ed25519
        else ("sp-rsa", keys().rsa_pem, "rsa-sha256")
    )
    return dkimpy_says.signature_of(message, selector, "example.net", key, algorithm, forms) + message


def in_pieces(message: bytes, sizes: list[int]) -> SignaturesFound:
    """The body in pieces of these sizes, the last one over and over."""
    header, body = header_and_body(message)
    check = SignatureCheck(header, NOW_S)
    at = 0
    for size in sizes:
        check.add_body(body[at : at + size])
        at += size
    while at < len(body):
        check.add_body(body[at : at + sizes[-1]])
        at += sizes[-1]
    return answered(check, keys().records_of)


@pytest.mark.parametrize("forms", FORMS)
@pytest.mark.parametrize("ed25519", [False, True])
def test_every_split_of_a_body_gives_the_same(forms: tuple[str, str], ed25519: bool) -> None:
    body = b" a \t b\r\n\r\n.\r\nc \r\n \r\n\r\n"
    message = signed_by_dkimpy(HEADER + b"\r\n" + body, forms, ed25519=ed25519)
    whole = verified(message, keys().records_of, NOW_S)
    assert [each.result for each in whole.dkim] == [PASS]
    for first in range(len(body) + 1):
        assert in_pieces(message, [first, len(body)]) == whole
    assert in_pieces(message, [1]) == whole


@given(OCTETS, some.lists(some.integers(0, 7), max_size=9).map(lambda sizes: [*sizes, 3]))
def test_a_body_in_pieces_has_the_hash_of_the_whole(body: bytes, sizes: list[int]) -> None:
    for form, whole in ((CanonicalForm.SIMPLE, simple_body), (CanonicalForm.RELAXED, relaxed_body)):
        hashed = BodyHash(form)
        at = 0
        for size in [*sizes, *[5] * len(body)]:
            hashed.add(body[at : at + size])
            at += size
        assert hashed.digest() == sha256(whole(body)).digest()
        assert hashed.octets == len(whole(body))


@given(some.binary(max_size=200), some.binary(max_size=100))
def test_any_octets_are_taken(noise: bytes, body: bytes) -> None:
    names = (b"DKIM-Signature", b"ARC-Seal", b"ARC-Message-Signature", b"ARC-Authentication-Results", b"From")
    for header in (noise, *(name + b": i=1; a=rsa-sha256; d=a; " + noise for name in names)):
        check = SignatureCheck(header, NOW_S, is_sealed=True)
        check.add_body(body)
        found = answered(check, keys().records_of)
        assert PASS not in {found.arc.result, *(each.result for each in found.dkim)}


@pytest.mark.parametrize("forms", FORMS)
@pytest.mark.parametrize(
    "body", [b"", b"\r\n", b"no line end", b"a\nbare\n", b"a\r\rb", b"\xff\xfe\x00 8-bit\r\n", b" \r\n\t"]
)
def test_odd_bodies_verify_as_they_were_signed(forms: tuple[str, str], body: bytes) -> None:
    """Signed by us, since dkimpy takes a bare LF for a line end."""
    canonical = {"simple": simple_body, "relaxed": relaxed_body}[forms[1]](body)
    fields = f"v=1; a=rsa-sha256; c={'/'.join(forms)}; d=example.net; s=sp-rsa; h=from"
    value = base64.b64encode(sha256(canonical).digest()).decode()
    own = f"dkim-signature:{fields}; bh={value}; b="
    signature = keys().signing[0].sign(sha256(b"from:a@example.net\r\n" + own.encode()).digest())
    field = f"{own}{base64.b64encode(signature).decode()}\r\n".encode()
    message = field + b"from:a@example.net\r\n\r\n" + body
    assert dkim_results(message, keys().records_of, NOW_S) == [PASS]


def test_a_header_without_a_body_is_verified() -> None:
    message = signed_by_dkimpy(HEADER + b"\r\n", ("relaxed", "simple"))
    check = SignatureCheck(header_and_body(message)[0], NOW_S)
    assert [each.result for each in answered(check, keys().records_of).dkim] == [PASS]


def test_nothing_is_hashed_or_asked_without_a_signature() -> None:
    check = SignatureCheck(HEADER, NOW_S)
    assert not check.wants_body
    check.add_body(b"Hello\r\n")
    with pytest.raises(StopIteration) as stop:
        next(check.found(proves))
    assert stop.value.value == SignaturesFound((), ArcFound(AuthResult.NONE))


def test_what_was_found_says_whose_signature_it_is() -> None:
    message = signed_by_dkimpy(HEADER + b"\r\nHello\r\n", ("relaxed", "relaxed"))
    value = message.partition(b" b=")[2][:8].decode()
    assert verified(message, keys().records_of, NOW_S).dkim == (
        DkimFound(PASS, "example.net", "sp-rsa", "rsa-sha256", value),
    )


def test_each_key_is_asked_once_and_only_for_bodies_that_fit() -> None:
    message = signed_by_dkimpy(HEADER + b"\r\nHello\r\n", ("relaxed", "relaxed"))
    message = signed_by_dkimpy(message, ("simple", "simple"))
    message = signed_by_dkimpy(message, ("simple", "relaxed"), ed25519=True)
    asked: list[str] = []

    def records_of(name: str) -> TxtAnswer:
        asked.append(name)
        return keys().records_of(name)

    assert dkim_results(message, records_of, NOW_S) == [PASS, PASS, PASS]
    assert asked == ["sp-ed._domainkey.example.net", "sp-rsa._domainkey.example.net"]
    assert dkim_results(message.replace(b"Hello", b"Goodbye"), records_of, NOW_S) == [FAIL, FAIL, FAIL]
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (TxtAnswer(Finding.FAILED), AuthResult.TEMPERROR),
        (TxtAnswer(Finding.NO_NAME), AuthResult.PERMERROR),
        (TxtAnswer(Finding.NO_DATA), AuthResult.PERMERROR),
        (txt_answer("v=DKIM1; p="), AuthResult.PERMERROR),
        (txt_answer("v=spf1 -all"), AuthResult.PERMERROR),
        (txt_answer(keys().records["sp-ed"]), AuthResult.PERMERROR),
        (txt_answer("v=DKIM1; p=AAAA"), AuthResult.PERMERROR),
        (TxtAnswer(Finding.FOUND, ("v=DKIM1; p=", keys().records["sp-rsa"])), PASS),
        (
            TxtAnswer(Finding.FOUND, ("v=DKIM1",) * RECORDS_MAX + (keys().records["sp-rsa"],)),
            AuthResult.PERMERROR,
        ),
    ],
)
def test_what_dns_says_of_the_key_decides(answer: TxtAnswer, expected: AuthResult) -> None:
    message = signed_by_dkimpy(HEADER + b"\r\nHello\r\n", ("relaxed", "relaxed"))
    assert dkim_results(message, lambda name: answer, NOW_S) == [expected]


def test_a_key_in_transition_has_two_records() -> None:
    old = (
        generate_private_key(65537, 2048)
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    records = (f"v=DKIM1; p={base64.b64encode(old).decode()}", keys().records["sp-rsa"])
    message = signed_by_dkimpy(HEADER + b"\r\nHello\r\n", ("relaxed", "relaxed"))
    assert dkim_results(message, lambda _: TxtAnswer(Finding.FOUND, records), NOW_S) == [PASS]
    assert dkim_results(message, lambda _: TxtAnswer(Finding.FOUND, records[::-1]), NOW_S) == [PASS]


def record_of(modulus_bits: int, exponent: int) -> str:
    """An RSAPublicKey in DER, put together here, since no library writes those that must not be."""
    numbers = integer((1 << modulus_bits - 1) + 1) + integer(exponent)
    return f"v=DKIM1; p={base64.b64encode(element(0x30, numbers)).decode()}"


def integer(value: int) -> bytes:
    return element(2, value.to_bytes(value.bit_length() // 8 + 1))


def element(tag: int, content: bytes) -> bytes:
    size = len(content)
    octets = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag]) + (octets if size < 128 else bytes([0x80 + len(octets)]) + octets) + content


@pytest.mark.parametrize(
    ("bits", "exponent", "expected"),
    [
        (512, 65537, AuthResult.POLICY),  # RFC 8301 §3.2
        (1023, 65537, AuthResult.POLICY),
        (1024, 65537, FAIL),
        (4096, 65537, FAIL),
        (4097, 65537, AuthResult.POLICY),
        (16384, 65537, AuthResult.POLICY),
        (2048, 1, AuthResult.PERMERROR),
        (2048, 2, AuthResult.PERMERROR),
        (2048, 0, AuthResult.PERMERROR),
        (2048, 2**2046 + 1, AuthResult.POLICY),  # verifying would take as long as signing
    ],
    ids=lambda value: str(value)[:8],
)
def test_keys_of_odd_sizes_prove_nothing(bits: int, exponent: int, expected: AuthResult) -> None:
    message = signed_by_dkimpy(HEADER + b"\r\nHello\r\n", ("relaxed", "relaxed"))
    record = record_of(bits, exponent)
    assert dkim_results(message, lambda name: txt_answer(record), NOW_S) == [expected]


def test_a_signature_of_all_the_body_may_say_how_long_it_is() -> None:
    """Nothing can have been appended. One of a part, or of more than there is, never passes."""
    for octets, expected in (
        (b"7", PASS),
        (b"6", AuthResult.POLICY),
        (b"8", FAIL),
        (b"x", AuthResult.NEUTRAL),
    ):
        message = with_tag(b"l=" + octets)
        assert dkim_results(message, keys().records_of, NOW_S) == [expected]


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        (b"x=1600000000", FAIL),
        (b"x=1800000000", PASS),
        (b"t=1700000001; x=1700000001", AuthResult.NEUTRAL),
        (b"t=1900000000", PASS),  # its clock is wrong
        (b"t=soon", AuthResult.NEUTRAL),
        (b"i=a@b.example.net", PASS),
        (b"i=@EXAMPLE.net", PASS),
        (b"i=@aexample.net", AuthResult.PERMERROR),
        (b"i=@net", AuthResult.PERMERROR),
        (b"q=dns/txt:x", PASS),
        (b"unknown=tag", PASS),
        (b"d=example.net", AuthResult.NEUTRAL),
    ],
)
def test_a_tag_decides(tag: bytes, expected: AuthResult) -> None:
    assert dkim_results(with_tag(tag), keys().records_of, NOW_S) == [expected]


def with_tag(tag: bytes) -> bytes:
    """A message with a signature of ours that has a tag more; its body has 7 octets."""
    value = base64.b64encode(sha256(b"Hello\r\n").digest())
    own = b"dkim-signature:v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=sp-rsa; h=from; "
    own += tag + b"; bh=" + value + b"; b="
    signature = keys().signing[0].sign(sha256(b"from:a@example.net\r\n" + own).digest())
    return own + base64.b64encode(signature) + b"\r\nFrom: a@example.net\r\n\r\nHello\r\n"


def test_a_domain_may_be_written_in_its_own_script() -> None:
    """RFC 8616 §5: the key is asked by A-labels."""
    own = "dkim-signature:v=1; a=rsa-sha256; c=relaxed/relaxed; d=bücher.example; s=sp-rsa; h=from; "
    own += f"bh={base64.b64encode(sha256(b'').digest()).decode()}; b="
    signature = keys().signing[0].sign(sha256(b"from:a@example.net\r\n" + own.encode()).digest())
    message = own.encode() + base64.b64encode(signature) + b"\r\nFrom: a@example.net\r\n\r\n"
    asked: list[str] = []

    def records_of(name: str) -> TxtAnswer:
        asked.append(name)
        return keys().records_of(name)

    [found] = verified(message, records_of, NOW_S).dkim
    assert (found.result, found.domain) == (PASS, "xn--bcher-kva.example")
    assert asked == ["sp-rsa._domainkey.xn--bcher-kva.example"]


@pytest.mark.parametrize(
    ("domain", "selector"),
    [
        ("a..b", "s"),
        ("[192.0.2.1]", "s"),
        ("example.net", "a b"),
        ("a" * 64, "s"),
        (".".join(["a" * 60] * 4), "s.t"),
    ],
)
def test_no_name_is_asked_that_is_none(domain: str, selector: str) -> None:
    message = with_tag(b"x-y=1").replace(b"d=example.net", f"d={domain}".encode())
    message = message.replace(b"s=sp-rsa", f"s={selector}".encode())
    check = SignatureCheck(header_and_body(message)[0], NOW_S)
    with pytest.raises(StopIteration):
        next(check.found(proves))


def asks_nothing(name: str) -> TxtAnswer:
    raise AssertionError(name)


ATTACKS = {
    "thousands of signatures": (
        b"DKIM-Signature: v=1; a=rsa-sha256; b=\r\n" * 1_900 + HEADER,
        SIGNATURES_MAX,
    ),
    "more fields than we read": (
        with_tag(b"x-y=1").partition(b"\r\n\r\n")[0] + b"\r\n" + b"a:\r\n" * FIELDS_MAX + b"From: c@d.e\r\n",
        1,
    ),
    "a million fields": (b"a:\r\n" * 1_000_000, 0),
    "a b= of megabytes": (b"DKIM-Signature: v=1; b=" + b"A" * 5_000_000 + b"\r\n" + HEADER, 1),
    "an h= of megabytes": (b"DKIM-Signature: v=1; h=" + b"from:" * 1_000_000 + b"\r\n" + HEADER, 1),
    "only semicolons": (b"DKIM-Signature: " + b";" * 8_000 + b"\r\n", 1),
    "only white space": (b"DKIM-Signature: " + b" \t\r\n" * 1_000_000 + b"\r\n", 1),
    "a d= of labels": (b"DKIM-Signature: v=1; a=rsa-sha256; s=s; b=; d=" + b"a." * 3_000 + b"\r\n", 1),
    "a From of megabytes": (b"From: " + b"a@b.c, (" * 500_000 + b"\r\n", 0),
    "many parentheses": (b"From: " + b"(" * 60_000 + b"\r\n", 0),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_a_hostile_header_costs_no_more_than_its_length(name: str) -> None:
    header, signatures = ATTACKS[name]
    found = answered(SignatureCheck(header, NOW_S), asks_nothing)
    assert len(found.dkim) == signatures
    assert PASS not in {each.result for each in found.dkim}


def test_a_second_from_beyond_what_we_read_does_not_pass() -> None:
    header, _ = ATTACKS["more fields than we read"]
    [found] = answered(SignatureCheck(header, NOW_S), asks_nothing).dkim
    assert found.reason == f"a header of more than {FIELDS_MAX} fields"


def test_a_huge_h_is_bounded_by_its_field() -> None:
    names = b":".join([b"subject"] * 900 + [b"from"])
    header = b"Subject: " + b"x" * 900_000 + b"\r\n"
    one = b"DKIM-Signature: v=1; a=rsa-sha256; d=a.example; s=sp-rsa; bh=AAAA; b=AAAA; h=" + names + b"\r\n"
    found = answered(SignatureCheck(one * 20 + header + HEADER, NOW_S), asks_nothing)
    assert [each.reason for each in found.dkim] == ["the body was changed"] * SIGNATURES_MAX


def test_chains_of_hostile_shapes_fail_at_once() -> None:
    def fields(*instances: int) -> bytes:
        return b"".join(
            b"ARC-Seal: i=%d; a=rsa-sha256; cv=pass; d=a.example; s=s; b=AAAA\r\n"
            b"ARC-Message-Signature: i=%d; a=rsa-sha256; d=a.example; s=s; h=from; bh=AAAA; b=AAAA\r\n"
            b"ARC-Authentication-Results: i=%d; a.example; none\r\n" % ((number,) * 3)
            for number in instances
        )

    for sets in (
        fields(*range(1, 52)),
        fields(1, 1),
        fields(2),
        fields(1, 3),
        fields(0),
        fields(51),
        fields(*[7] * 600),
    ):
        check = SignatureCheck(sets + HEADER, NOW_S, is_sealed=True)
        found = answered(check, asks_nothing).arc
        assert (found.result, found.sets) == (FAIL, 0)
