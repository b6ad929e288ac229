"""Authentication-Results as we write it, and forged ones that claim to be ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from secondpost.mail.authentication import (
    ArcFound,
    Authentication,
    AuthResult,
    DkimFound,
    DmarcFound,
    DmarcPolicy,
    SpfFound,
    SpfIdentity,
)
from secondpost.protocols.authentication_results import (
    CLAIMS_READ_MAX,
    MethodResult,
    authentication_results_field,
    claims_one_of,
    parse_authentication_results,
    without_claims,
)
from tests.protocols import authres_says

SERVER = "mx.example.net"
SPF = SpfFound(AuthResult.PASS, SpfIdentity.MAILFROM, "a@example.org", "example.org")
DKIM = DkimFound(AuthResult.PASS, "example.org", "sel", "rsa-sha256", "abc+/123")
DMARC = DmarcFound(AuthResult.PASS, "example.org", DmarcPolicy.REJECT)
ARC = ArcFound(AuthResult.PASS, 2, ("a.example", "b.example"))
FOUND = Authentication(SPF, (DKIM,), DMARC, ARC)
HOSTILE = some.text(alphabet=' \t\r\n"\\();=@,.:/<>[]ab\x00\x7f\u2028\ud800ä', max_size=40)
RESULT = some.sampled_from(AuthResult)


def written(found: Authentication) -> str:
    return authentication_results_field(SERVER, found).decode()


def read_back(found: Authentication) -> list[MethodResult]:
    name, _, value = written(found).replace("\r\n", "").partition(": ")
    assert name == "Authentication-Results"
    read = parse_authentication_results(value)
    assert read.server == SERVER
    return list(read.results)


def test_all_that_was_found_is_written() -> None:
    assert written(FOUND) == (
        "Authentication-Results: mx.example.net;\r\n"
        " spf=pass smtp.mailfrom=example.org;\r\n"
        " dkim=pass header.d=example.org header.s=sel header.a=rsa-sha256\r\n"
        '  header.b="abc+/123";\r\n'
        " dmarc=pass (p=reject) header.from=example.org;\r\n"
        " arc=pass (i=2 b.example a.example) header.oldest-pass=0\r\n"
    )


def test_without_anything_found_each_method_says_none() -> None:
    found = Authentication(
        SpfFound(AuthResult.NONE, SpfIdentity.HELO, "host.example", "host.example"),
        (),
        DmarcFound(AuthResult.NONE, ""),
        ArcFound(AuthResult.NONE),
    )
    assert written(found) == (
        "Authentication-Results: mx.example.net;\r\n"
        " spf=none smtp.helo=host.example;\r\n"
        " dkim=none;\r\n"
        " dmarc=none;\r\n"
        " arc=none\r\n"
    )


def test_a_policy_is_written_only_where_one_was_found() -> None:
    for result in (AuthResult.TEMPERROR, AuthResult.PERMERROR, AuthResult.NONE):
        found = Authentication(SPF, (), DmarcFound(result, "example.org"), ArcFound(AuthResult.NONE))
        assert f" dmarc={result} header.from=example.org;\r\n" in written(found)


@pytest.mark.parametrize(
    "sender", ["a@example.org", "b=c/d@example.org", '"a b;\\"c"@example.org', "a;dmarc=pass@example.org"]
)
def test_another_reader_reads_what_we_write(sender: str) -> None:
    spf = SpfFound(AuthResult.SOFTFAIL, SpfIdentity.MAILFROM, sender, "example.org", "not a host of it")
    failed = DkimFound(AuthResult.FAIL, "example.com", "s", "ed25519-sha256", "", "the body was changed")
    field = written(Authentication(spf, (DKIM, failed), DMARC, ARC))
    assert authres_says.results(field) == [
        ("spf", "softfail"),
        ("dkim", "pass"),
        ("dkim", "fail"),
        ("dmarc", "pass"),
        ("arc", "pass"),
    ]
    assert read_back(Authentication(spf, (), DMARC, ARC))[0].value_of("smtp.mailfrom") == "example.org"


@given(
    some.builds(
        Authentication,
        some.builds(SpfFound, RESULT, some.sampled_from(SpfIdentity), HOSTILE, HOSTILE, HOSTILE),
        some.lists(some.builds(DkimFound, RESULT, *[HOSTILE] * 5), max_size=3).map(tuple),
        some.builds(DmarcFound, RESULT, HOSTILE, some.sampled_from(DmarcPolicy), HOSTILE),
        some.builds(
            ArcFound, RESULT, some.integers(0, 50), some.lists(HOSTILE, max_size=3).map(tuple), HOSTILE
        ),
    )
)
def test_nothing_breaks_out_of_its_value(found: Authentication) -> None:
    field = written(found)
    assert all(line[:1] == " " for line in field.split("\r\n")[1:-1])
    assert field.count("\n") == field.count("\r") == field.count("\r\n")
    expected = [("spf", found.spf.result), *[("dkim", each.result) for each in found.dkim]]
    expected += [("dkim", AuthResult.NONE)] * (len(found.dkim) == 0)
    expected += [("dmarc", found.dmarc.result), ("arc", found.arc.result)]
    read = read_back(found)
    assert [(each.method, each.result) for each in read] == expected
    names = {"smtp.mailfrom", "smtp.helo", "header.d", "header.s", "header.a", "header.b", "header.from"}
    names.add("header.oldest-pass")
    assert {f"{each.type}.{each.name}" for one in read for each in one.properties} <= names


def test_nothing_is_written_in_utf8() -> None:
    """A message need not have come by SMTPUTF8 for a hostile selector to be in it."""
    spf = SpfFound(AuthResult.PASS, SpfIdentity.MAILFROM, "jürgen@bücher.example", "xn--bcher-kva.example")
    hostile = DkimFound(AuthResult.NEUTRAL, "ä.example", "s", "a", "b")
    results = read_back(Authentication(spf, (hostile,), DMARC, ARC))
    assert results[0].value_of("smtp.mailfrom") == "xn--bcher-kva.example"
    assert results[1].value_of("header.d") == "?.example"


def test_lines_are_short_where_values_are() -> None:
    ten = (DKIM,) * 10
    field = written(Authentication(SPF, ten, DMARC, ArcFound(AuthResult.FAIL, 9, ("a.example",) * 9, "no")))
    assert max(map(len, field.split("\r\n"))) <= 78


OURS = (
    "mx.example.net; spf=pass",
    "mx.example.net;",
    "mx.example.net",
    "MX.Example.NET.; spf=pass",
    "mx.example.net 1; spf=pass",
    "mx.example.net spf=pass",
    '"mx.example.net"; spf=pass',
    '"mx.exam"ple.net; spf=pass',
    "mx(a).example(b).net; spf=pass",
    "(a (b) c)mx.example.net(d); spf=pass",
    "\r\n mx.example.net\r\n\t;spf=pass",
    "; mx.example.net; spf=pass",
    "i=1; mx.example.net; spf=pass",
    "ｍx.example。net; spf=pass",
    "m\u200bx.example.net; spf=pass",
    "mx.example.net\x00; spf=pass",
    "(" + "a" * 2_000 + ") mx.example.net; spf=pass",
    "a " * 50 + "; spf=pass",
)
NOT_OURS = (
    "mx.example.com; spf=pass smtp.helo=mx.example.net",
    "mx.example.network; spf=pass",
    "amx.example.net; spf=pass",
    "example.net; spf=pass (mx.example.net)",
    "spf=pass (sender IP is 192.0.2.1) smtp.helo = mx.example.net; dkim=none",
    "mx.example.com; spf=pass; mx.example.net",
    "",
)


@pytest.mark.parametrize("value", OURS)
def test_a_field_that_claims_to_be_ours_is_known(value: str) -> None:
    assert claims_one_of(value, (SERVER,))


@pytest.mark.parametrize("value", NOT_OURS)
def test_the_field_of_another_server_stays(value: str) -> None:
    assert not claims_one_of(value, (SERVER,))


@pytest.mark.parametrize("value", ["bücher.example; spf=pass", "XN--BCHER-KVA.example; spf=pass"])
def test_an_international_name_is_ours_in_either_form(value: str) -> None:
    assert claims_one_of(value, ("xn--bcher-kva.example",))
    assert claims_one_of(value, ("bücher.example",))


def test_forged_fields_are_removed_and_nothing_else() -> None:
    kept = (
        b"Authentication-Results: mx.example.com; spf=pass\r\n",
        b"ARC-Authentication-Results: i=1; mx.example.net; spf=pass\r\n",
        b"X-Authentication-Results: mx.example.net; spf=pass\r\n",
        b"Subject: a\r\n Authentication-Results: mx.example.net; spf=pass\r\n",
        b"From: a@example.org\r\n",
    )
    forged = (
        b" AUTHENTICATION-results \t:\r\n mx.example.net;\r\n\tspf=pass\r\n",
        b"Authentication-Results: mx.example.net; dkim=pass\r\n",
        b"Authentication-Results:mx.example.net; dmarc=pass",
    )
    header = forged[0] + kept[0] + kept[1] + forged[1] + b"".join(kept[2:]) + forged[2]
    found = without_claims(header, (SERVER,))
    assert found.octets == b"".join(kept)
    assert found.removed == forged
    assert without_claims(found.octets, (SERVER,)).octets == found.octets


def test_a_flood_of_results_is_cut() -> None:
    """Reading them all would take minutes."""
    one = b"Authentication-Results: a a a a a; spf=pass\r\n"
    found = without_claims(one * 100_000, (SERVER,))
    assert found.octets == one * CLAIMS_READ_MAX


@given(some.binary(max_size=300))
def test_any_octets_may_be_in_the_header(noise: bytes) -> None:
    field = b"Authentication-Results: " + noise
    found = without_claims(field, (SERVER,))
    assert len(found.octets) + sum(map(len, found.removed)) == len(field)
