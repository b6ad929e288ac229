"""Authentication-Results as the standard and as real servers write it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.protocols.authentication_results import (
    AuthenticationResults,
    parse_authentication_results,
    parse_received_spf,
)

# From the appendices of RFC 8601, unfolded; each with its server and results.
STANDARD = {
    "example.org 1; none": ("example.org", {}),
    "example.com; spf=pass smtp.mailfrom=example.net": ("example.com", {"spf": "pass"}),
    "example.com; auth=pass (cram-md5) smtp.auth=sender@example.net; spf=fail smtp.mailfrom=example.net": (
        "example.com",
        {"auth": "pass", "spf": "fail"},
    ),
    "foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = (wait for it) fail policy "
    "(A dot can go here) . (like that) expired (this surprised me) = (as I wasn't expecting it) 1362471462": (
        "foo.example.net",
        {"dkim": "fail"},
    ),
}
REAL = {
    "google": (
        "mx.google.com; dkim=pass header.i=@a.example header.s=s header.b=ab+/; "
        "spf=softfail (google.com: domain of b@a.example does not designate 192.0.2.1 as permitted sender) "
        'smtp.mailfrom="b=c@a.example"; '
        "dmarc=fail (p=REJECT sp=REJECT dis=NONE) header.from=a.example",
        "mx.google.com",
        {"dkim": "pass", "spf": "softfail", "dmarc": "fail"},
    ),
    "microsoft": (
        "spf=fail (sender IP is 192.0.2.1) smtp.mailfrom=a.example; dkim=none (message not signed) "
        "header.d=none;dmarc=fail action=oreject header.from=a.example;compauth=fail reason=000",
        "",
        {"spf": "fail", "dkim": "none", "dmarc": "fail", "compauth": "fail"},
    ),
    "zoho": (
        "mx.zohomail.com;\tdkim=pass;\tdmarc=pass(p=none dis=none)  header.from=a.example",
        "mx.zohomail.com",
        {"dkim": "pass", "dmarc": "pass"},
    ),
    "opendkim": (
        'lists.example; dkim=fail reason="signature; \\"bad\\"" (2048-bit key; unprotected) header.b="l+0z=";'
        "\tdkim-atps=neutral",
        "lists.example",
        {"dkim": "fail", "dkim-atps": "neutral"},
    ),
    "exim": (
        "mail.example; iprev=pass (out.a.example) smtp.remote-ip=2001:db8::1; "
        "spf=none smtp.mailfrom= smtp.helo=x; arc=none",
        "mail.example",
        {"iprev": "pass", "spf": "none", "arc": "none"},
    ),
}


def results(read: AuthenticationResults) -> dict[str, str]:
    return {one.method: one.result for one in read.results}


@pytest.mark.parametrize("value", STANDARD)
def test_the_examples_of_the_standard_are_read(value: str) -> None:
    read = parse_authentication_results(value)
    assert (read.server, results(read)) == STANDARD[value]


def test_comments_and_blanks_may_stand_in_any_place() -> None:
    [dkim] = parse_authentication_results(list(STANDARD)[-1]).results
    assert (dkim.version, dkim.value_of("policy.expired")) == (1, "1362471462")


@pytest.mark.parametrize("name", REAL)
def test_what_real_servers_write_is_read(name: str) -> None:
    value, server, expected = REAL[name]
    read = parse_authentication_results(value)
    assert (read.server, results(read)) == (server, expected)


def test_properties_reasons_and_comments_are_kept() -> None:
    dkim = parse_authentication_results(REAL["opendkim"][0]).results[0]
    assert (dkim.reason, dkim.comments) == ('signature; "bad"', ("2048-bit key; unprotected",))
    assert dkim.value_of("header.b") == "l+0z="
    spf = parse_authentication_results(REAL["exim"][0]).results[1]
    assert (spf.value_of("smtp.mailfrom"), spf.value_of("smtp.mailfrom", "smtp.helo")) == ("", "x")


def test_the_instance_of_an_arc_set_is_read() -> None:
    read = parse_authentication_results("i=2; mx.example; arc=pass; spf=pass")
    assert (read.instance, read.server, results(read)) == (2, "mx.example", {"arc": "pass", "spf": "pass"})


def test_received_spf_is_read_with_and_without_semicolons() -> None:
    read = parse_received_spf(
        "Fail (mailfrom) identity=mailfrom; client-ip=192.0.2.1; helo=x; receiver=<UNKNOWN>"
    )
    assert (read.result, read.comment, read.value_of("client-ip")) == ("fail", "mailfrom", "192.0.2.1")
    spaced = parse_received_spf('none (x) client-ip=2001:db8::1; envelope-from="a b@c" helo=y')
    assert (spaced.value_of("client-ip"), spaced.value_of("envelope-from")) == ("2001:db8::1", "a b@c")


@given(st.text(st.sampled_from('ab1=;/."()\\ \t-_@:'), max_size=80))
def test_any_text_is_read_without_an_error(text: str) -> None:
    for result in parse_authentication_results(text).results:
        assert len(result.method) > 0
        assert len(result.result) > 0
    parse_received_spf(text)
