"""Cases of the ARC test suite of ValiMail (github.com/ValiMail/arc_test_suite, validation tests).

The messages in tests/protocols/arc are five of its passing ones. Under its own names stand the cases
that change one of them without a new signature, and those with signatures of the suite that must
pass. Cases whose faulty field is signed are made with keys of our own, or a mistake in copying their
signature would pass for the fault.

We differ from it in three cases, where later or stricter rules stand in RFCs: `a=rsa-sha1` does not
pass (RFC 8301 §3.1), nor does a message signature without From (RFC 6376 §6.1.1), nor a set that is
there twice (RFC 8617 §5.2).
"""

from pathlib import Path

import pytest

from secondpost.mail.authentication import AuthResult
from secondpost.protocols.dkim.arc import seal_digests
from secondpost.protocols.dkim.canonical import CanonicalForm, fields_of, relaxed_body
from secondpost.protocols.dkim.verifying import SignedHeader
from simulation.signatures import header_and_body, records_by_selector, verified
from tests.protocols.dkim_keys import body_hash, keys, signature_text

FOLDER = Path(__file__).parent / "arc"
NOW_S = 1_500_000_000
KEY = (
    "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3id"
    " Y6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lx"
    " j+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
)
PASS, FAIL = AuthResult.PASS, AuthResult.FAIL
TIMED = "i=1; s=dummy; t=12345"  # the end of a message signature

# name: (message, what is replaced by what, result)
CHANGED: dict[str, tuple[str, list[tuple[str, str]], AuthResult]] = {
    "cv_fail_i1_ams_na": ("i1-base1", [("ARC-Message-Signature", "X-A")], FAIL),
    "cv_fail_i1_as_na": ("i1-base1", [("ARC-Seal", "X-A")], FAIL),
    "cv_fail_i1_as_pass": ("i1-base1", [("cv=none", "cv=pass")], FAIL),
    "cv_fail_i1_as_fail": ("i1-base1", [("cv=none", "cv=fail")], FAIL),
    "cv_fail_i2_as2_none": ("i2-base1", [("cv=pass", "cv=none")], FAIL),
    "cv_fail_i2_as2_fail": ("i2-base1", [("cv=pass", "cv=fail")], FAIL),
    "cv_fail_i2_as1_pass": ("i2-base1", [("cv=none", "cv=pass")], FAIL),
    "ams_format_tags_key_case": ("i1-base1", [(" h=from", " H=from")], FAIL),
    "ams_format_tags_val_case": ("i1-base1", [(" h=from", " h=From")], FAIL),
    "ams_format_tags_wsp": ("i1-base1", [(TIMED, "i=1; s=dummy; t=1 2345")], FAIL),
    "ams_format_tags_sc": ("i1-base1", [(TIMED, "i=1; s=dummy;; t=12345")], FAIL),
    "ams_format_tags_dup": ("i1-base1", [(TIMED, f"{TIMED}; s=dummy")], FAIL),
    "ams_fields_b_head_case": ("i1-base1", [("From: John", "FROM: John")], PASS),
    "ams_fields_b_head_unfold": ("i1-base1", [("Doe <jqd", "Doe\n  <jqd")], PASS),
    "ams_fields_b_eol_wsp": (
        "i1-base1",
        [("<jqd@d1.example.org>\nTo", "<jqd@d1.example.org>    \nTo")],
        PASS,
    ),
    "ams_fields_b_inl_wsp": ("i1-base1", [("John Q Doe <", "John   Q    Doe     <")], PASS),
    "ams_fields_b_col_wsp": ("i1-base1", [("From: ", "From:  "), ("To: ", "To:   ")], PASS),
    "ams_fields_b_mod_headers": ("i1-base1", [("Subject: Example 1", "Subject: Example 2")], FAIL),
    "ams_fields_bh_rel_eol_wsp": ("i1-base1", [("test message.\n", "test message. \t\n")], PASS),
    "ams_fields_bh_rel_inl_wsp": ("i1-base1", [("test message", "test \t message")], PASS),
    "ams_fields_bh_rel_end_lines": ("i1-base1", [("--J.\n", "--J.\n\n\n")], PASS),
    "ams_fields_bh_rel_trail_crlf": ("i1-base1", [("--J.\n", "--J.")], PASS),
    "ams_fields_bh_mod_body": ("i1-base1", [("a test", "a modified test")], FAIL),
    "as_fields_b_ignores_wsp": ("i1-base2", [("v6NVE6J", "v6NV E6J"), ("T65S0+vo", "T6 5S0+ vo")], PASS),
    "as_fields_b_head_case": ("i1-base2", [("ARC-Seal", "ARC-SEAL")], PASS),
    "as_fields_b_head_unfold": ("i1-base2", [("qcSgwr\n    QKpt", "qcSgwr QKpt")], PASS),
    "as_fields_b_eol_wsp": ("i1-base2", [("qcSgwr\n", "qcSgwr    \n")], PASS),
    "as_fields_b_aar1": ("i1-base1", [("i=1; lists", "i=1; mists")], FAIL),
    "as_fields_b_ams1": ("i2-base1", [("bh=KWSe46TZKCcDbH4klJPo+tjk5LWJnVRlP5pvjXFZYLQ=; c=", "c=")], FAIL),
    "aar_i_missing": ("i1-base2", [("Results: i=1; lists", "Results: lists")], FAIL),
    "aar_i_wrong": ("i1-base2", [("Results: i=1; lists", "Results: i=2; lists")], FAIL),
    "aar_i_not_prefixed": ("i1-base2", [("i=1; lists.example.org;", "lists.example.org; i=1;")], FAIL),
    "aar_i_no_semi": ("i1-base2", [("i=1; lists", "i=1 lists")], FAIL),
    "aar2_missing": ("i2-base2", [("ARC-Authentication-Results: i=2", "X-A: i=2")], FAIL),
    "public_key_na": ("i1-base1", [("i=1; s=dummy;\n", "i=1; s=na;\n")], FAIL),
}

# name: (seal, message signature, what else is replaced)
SIGNED_ANEW: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "ams_fields_b_ignores_wsp": (
        "L8GsQ6v/7miEWKMGu16QVCPF6IT8j9+DV/ZHzgm86gi5m2JYAq+BlkmiIDofRPW+QzAq85"
        "2UlxwI2NZrhyAKgtM4FKO7+84P1eYwJKh57DZfCyUpqRx1Je2+vzT8ZggXQWYjFEu36MTDFX"
        "fRKVqPV3omyP+CFBzjJFFDLehJaPk=",
        "QsRzR /UqwRfVLBc1TnoQomlVw5qi6jp08q8lHpBSl4RehWyHQtY3uOIAGdghDk/mO+/Xpm "
        "9JA5UVrPyDV0f+2q/YAHuwvP11iCkBQkocmFvgTSxN8H+DwFFPrVVUudQYZV7UDDycXoM6UE "
        "cdfzLLzVNPOAHEDIi/uzoV4sUqZ18=",
        [],
    ),
    "ams_fields_h_cws1": (
        "0+WA3Dpt9Y1lJ5wkoOZsh6KXEQFv0YE+ykvXAdS5t1toEui1UWzLyKWxSD/H/Xc6eCaQZM "
        "ji4IxybZ4OrIdV0yRe1fGqYN/bJ3KnkuzrHpaikXRWxXdX8tiIu5+I+HmERxuGzGqHdNv2zj "
        "5L8PNAsGs4LDg3xQXEe3FQAvis9OA=",
        "Lq5Sy1R3C0RaTxKWfggKBJ2MOdgAHeFy1nELK1c+CFnxdvSL+OxuvSxk8HYv7YMJDTR4Na "
        "1D5GaFedB1uYVQsz1T5e3p9B+54W4bObByD14WvTGKV3ys8FlOf4MdRIlD4o6N3INfHrNbYX "
        "zwPKjkoYbteAEQ/kTpjESOpm131io=",
        [
            (
                "from:to:date:subject:mime-version:arc-authentication-results",
                "from : to : date : subject : mime-version :\n    arc-authentication-results",
            )
        ],
    ),
    "ams_fields_h_case": (
        "me1uYrnpt5Cdjkfj+bqK8X6abs8TET4r5Wp6e6ZuZ2FAtSzfx8WdnHCnBLUj7t/PR+EGne "
        "h4auyljzkm2gz09I0MbaYkd+xDmkRoN2WrFotceq+iROoDLf2NgZJb3SfDcVFp8emRMyyaGL "
        "WAtshPjJWnjoNfm+3clEpXzPw4WM4=",
        "OCzwOGeJy6YL07Rh1A970C9pAK2YJeXr0rDVVbsd/aOxTeKbrIxOfQsJ5hYaze0aeE5U0p "
        "y/45cz4Jg07Ch61xZ0G3R3ne4eXxPauAU6QKPwr45HxO2gDywmNruiJP0JPTzcC9SVV/YjyL "
        "OGobZNIwUWR1hEkd5/UuAXHk23Q4g=",
        [
            (
                "from:to:date:subject:mime-version:arc-authentication-results",
                "From:To:Date:Subject:Mime-version:Arc-authentication-results",
            )
        ],
    ),
    "ams_fields_h_dup1": (
        "tv8fgth8OQw5DylJlW253wBM12VcMvjFLj+TwonVXPiSPJ1hV7F24q0rgmYeVhSBK/+4Ou "
        "kPW3e9oqILXx95sXrE4fiiz46//FtZK7z0YVzy/B3QpR7fGxzzA5uVoUh4WNd0oQEejwDKss "
        "ILrzkyu6fDUZ1kLeKyk3clE7b/NJo=",
        "rGZpmx8nA8Fe0yQ319Ns+DPmwx9ToC7Z5Ba5NNGYtmXF87xboR0Cy7yxlJ2ek6j8WqCRXI "
        "jKV32tgZBXu5upoveTLBGzSe+NPTL2SkU2nFnktJjjPwTiPAYyXVBY1Uy7uSv9dT+wfB4Hvg "
        "Hm/nSrzqTBOxPsND1F1b2rzE1elQo=",
        [
            ("from:to:date", "from:to:to:date"),
            ("To: arc@dmarc.org\n", "To: morty@dmarc.org\nTo: evil_morty@dmarc.org\n"),
        ],
    ),
    "ams_fields_h_non_existant": (
        "cEfCkdG3zAUpq2XMYEvcI8e+nD53NUuUr/NQ74UBTzSVJBOsNQKADtUWqYirSlB9AFeEIq "
        "VGstwfXqh5TiMv1Uk9O04vM7WxrmMsqZI+GiRQvtaanfZQMcaYME1pCURdkDbMK/MOUGV+W2 "
        "j9anSPB91SOQruKUDtqgwq8z87Ajc=",
        "QHma3KzZiiP6Yq5jWp+mLznldNAMpK9ffvI87mbvEFFd1YSfoJu9JrxtBgv3/MEBFHLPm9 "
        "qTii8g+94xOLgp/LEC/dM2E/u7yPAKKMz5fMzJfwqSGAGyBg2f12Mkyaqs3dzv97nZTZFkj8 "
        "mHCV6SHNfnC+lkIs5XpJNRtddvolQ=",
        [("MIME-Version: 1.0\n", "")],
    ),
    "ams_fields_h_mis_hdr": (
        "FCq5UA4xGNozfvMgZkQ0Wpu4Q0dkGbrNvMKc0SNQnbObHCA84DNwUUp+I41h5ZvwQBAGxf "
        "hvUfjmsMFHBtsYj/aQ5kkehVPkOZ/6hengnO0IJs78Ab/5eivdD7MRLuShcTWd9qx32dVFJD "
        "yx8qIaRZplvJYl30ry7sOJQu4qSZk=",
        "4TbROXpBlHvYUMMvecTyaEqk0DtgISmfrz9L7QEizbAaI6vgDPu1xD8LSj4CfHpak6GMde "
        "zpqtfiITgVTBKbkZi2kuFQwmu5xWsReExZEiNq7Tr6L5iObGjL0A27RIBj4znEmO6mk2Umnl "
        "+c6LR5XzyE65FGLZ+9nSH2U12klzI=",
        [("from:to:date", "from:to::date")],
    ),
}


def text_of(name: str) -> str:
    return (FOLDER / f"{name}.msg").read_text(encoding="utf-8")


def status(text: str, records: dict[str, str]) -> AuthResult:
    message = text.replace("\n", "\r\n").encode()
    return verified(message, records_by_selector(records), NOW_S).arc.result


def replaced(text: str, changes: list[tuple[str, str]]) -> str:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


@pytest.mark.parametrize("name", ["i1-base1", "i1-base2", "i2-base1", "i2-base2", "i2-changed-between"])
def test_a_chain_passes(name: str) -> None:
    assert status(text_of(name), {"dummy": KEY}) is PASS


@pytest.mark.parametrize("name", CHANGED)
def test_a_change_is_judged_as_the_suite_does(name: str) -> None:
    base, changes, expected = CHANGED[name]
    assert status(replaced(text_of(base), changes), {"dummy": KEY}) is expected


@pytest.mark.parametrize("name", SIGNED_ANEW)
def test_a_form_that_is_allowed_passes(name: str) -> None:
    seal, signature, changes = SIGNED_ANEW[name]
    text = replaced(text_of("i1-base1"), changes)
    for field, value in (("ARC-Seal:", seal), ("ARC-Message-Signature:", signature)):
        before, _, rest = text.partition(field)
        start, _, end = rest.partition(" b=")
        text = f"{before}{field}{start} b={value};{end.partition(';')[2]}"
    assert status(text, {"dummy": KEY}) is PASS


@pytest.mark.parametrize(
    "names", [("ARC-Seal",), ("ARC-Message-Signature",), ("ARC-Seal", "ARC-Mes", "ARC-Aut")]
)
def test_a_field_that_is_there_twice_breaks_the_chain(names: tuple[str, ...]) -> None:
    """as_fields_i_dup, ams_fields_i_dup1; and arc_set_duplicate, which the suite lets pass."""
    text = text_of("i1-base2")
    fields = [raw for name in names for raw in fields_in(text, name)]
    assert len(fields) == len(names)
    assert status("".join(fields) + text, {"dummy": KEY}) is FAIL


def fields_in(text: str, name: str) -> list[str]:
    header, _ = header_and_body(text.replace("\n", "\r\n").encode())
    raws = [field.raw.decode().replace("\r\n", "\n") for field in fields_of(header)]
    return [raw for raw in raws if raw.startswith(name)]


# What stands in the fields of a set of our own: (message signature, seal, result).
AMS = "i=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=sp-rsa; t=12345; h=from:to; bh=BODY; b="
SEAL = "i=1; a=rsa-sha256; t=12345; cv=none; d=example.org; s=sp-rsa; b="
OWN = {
    "as they should be": (AMS, SEAL, PASS),
    "sc_wsp, eq_wsp": (AMS.replace("; ", " ;\n  "), SEAL.replace("=", " = "), PASS),
    "tags_trail_sc": (f"{AMS};", f"{SEAL};", PASS),
    "tags_unknown": (f"w=catparty; {AMS}", f"w=catparty; {SEAL}", PASS),
    "t_na": (AMS.replace("t=12345; ", ""), SEAL.replace("t=12345; ", ""), PASS),
    "ams_fields_h_includes_ams": (AMS.replace("to;", "to:arc-message-signature;"), SEAL, PASS),
    "ams_fields_h_includes_as": (AMS.replace("to;", "to:arc-seal;"), SEAL, FAIL),
    "ams_fields_h_empty": (AMS.replace("from:to", ""), SEAL, FAIL),
    "ams_fields_h_na": (AMS.replace("h=from:to; ", ""), SEAL, FAIL),
    "ams_fields_h_order": (AMS.replace("from:to", "from:to:subject:subject"), SEAL, PASS),
    "ams without from": (AMS.replace("from:to", "to"), SEAL, FAIL),
    "ams_fields_a_unknown": (AMS.replace("rsa-sha256", "rsa-poptart"), SEAL, FAIL),
    "ams_fields_a_empty": (AMS.replace("rsa-sha256", ""), SEAL, FAIL),
    "ams_fields_a_na": (AMS.replace("a=rsa-sha256; ", ""), SEAL, FAIL),
    "ams_fields_a_sha1": (AMS.replace("rsa-sha256", "rsa-sha1"), SEAL, FAIL),
    "ams_fields_bh_na": (AMS.replace("bh=BODY; ", ""), SEAL, FAIL),
    "ams_fields_bh_empty": (AMS.replace("bh=BODY", "bh="), SEAL, FAIL),
    "ams_fields_bh_base64": (AMS.replace("bh=BODY", "bh=%BODY"), SEAL, FAIL),
    "ams_fields_c_invalid": (AMS.replace("relaxed/relaxed", "pancake/waffle"), SEAL, FAIL),
    "ams_fields_c_empty": (AMS.replace("relaxed/relaxed", ""), SEAL, FAIL),
    "ams_fields_d_invalid": (AMS.replace("example.org", "example..."), SEAL, FAIL),
    "ams_fields_d_empty": (AMS.replace("example.org", ""), SEAL, FAIL),
    "ams_fields_s_empty": (AMS.replace("sp-rsa", ""), SEAL, FAIL),
    "ams_fields_t_empty": (AMS.replace("12345", ""), SEAL, FAIL),
    "ams_fields_t_invalid": (AMS.replace("12345", "wolf"), SEAL, FAIL),
    "ams_format_inv_tag_key": (f"!!=x; {AMS}", SEAL, FAIL),
    "ams l=, a part": (f"l=3; {AMS}", SEAL, FAIL),
    "ams expired": (f"x=12346; {AMS}", SEAL, FAIL),
    "as_fields_h": (AMS, f"h=from; {SEAL}", FAIL),
    "as_fields_a_sha1": (AMS, SEAL.replace("rsa-sha256", "rsa-sha1"), FAIL),
    "as_fields_a_na": (AMS, SEAL.replace("a=rsa-sha256; ", ""), FAIL),
    "as_fields_cv_na": (AMS, SEAL.replace("cv=none; ", ""), FAIL),
    "as_fields_cv_empty": (AMS, SEAL.replace("none", ""), FAIL),
    "as_fields_cv_invalid": (AMS, SEAL.replace("none", "woo"), FAIL),
    "as_fields_d_invalid": (AMS, SEAL.replace("example.org", "example..."), FAIL),
    "as_fields_s_empty": (AMS, SEAL.replace("sp-rsa", ""), FAIL),
    "as_fields_t_empty": (AMS, SEAL.replace("12345", ""), FAIL),
    "as_fields_t_invalid": (AMS, SEAL.replace("12345", "wolf"), FAIL),
    "as_fields_i_missing": (AMS, SEAL.replace("i=1; ", ""), FAIL),
    "as_fields_i_malformed1": (AMS.replace("i=1", "i=0"), SEAL.replace("i=1", "i=0"), FAIL),
    "as_fields_i_malformed2": (AMS.replace("i=1", "i=a"), SEAL.replace("i=1", "i=a"), FAIL),
    "public_key_invalid": (AMS, SEAL.replace("sp-rsa", "invalid"), FAIL),
}


@pytest.mark.parametrize("name", OWN)
def test_a_field_that_is_signed_is_judged_by_its_form(name: str) -> None:
    message_signature, seal, expected = OWN[name]
    header = "From: a@example.org\r\nTo: b@example.net\r\nSubject: x\r\n"
    body = "Hello, reader.\r\n"
    results = "ARC-Authentication-Results: i=1; example.org; arc=none\r\n"
    covered = [each.strip() for each in message_signature.partition("h=")[2].partition(";")[0].split(":")]
    ams = f"ARC-Message-Signature: {message_signature}\r\n".replace("\n  ", "\r\n  ")
    ams = ams.replace("BODY", body_hash(relaxed_body(body.encode())))
    digest = SignedHeader(fields_of(header.encode())).digest(
        CanonicalForm.RELAXED, [each.encode() for each in covered], ams.encode()
    )
    ams = with_value(ams, digest)
    as_ = f"ARC-Seal: {seal}\r\n"
    *_, digest = seal_digests([(results.encode(), ams.encode(), as_.encode())])
    message = f"{with_value(as_, digest)}{ams}{results}{header}\r\n{body}".encode()
    records = records_by_selector({**keys().records, "invalid": "v=DKIM1; k=rsa; omgwhatsgoingon"})
    found = verified(message, records, 12_400 if "expired" not in name else NOW_S).arc
    assert found.result is expected, found
    assert "changed" not in found.reason  # the signatures are right: it failed for what it is


def with_value(field: str, digest: bytes) -> str:
    """The field with the signature in its b=, the last tag."""
    start, b, end = field.rpartition("b =" if "b =" in field else "b=")
    return f"{start}{b}{signature_text(digest)}{end}"
