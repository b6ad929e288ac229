"""SPF records: what is understood, what is a mistake, and that nothing else can happen."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.authentication import AuthResult
from secondpost.protocols.spf import SpfMechanism, is_spf, parse_spf
from secondpost.protocols.spf_macros import SpfFault


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("v=spf1", True),
        ("V=SPF1 -all", True),
        ("v=spf10 -all", False),
        ("v=spf1-all", False),
        (" v=spf1 -all", False),
        ("spf2.0/pra -all", False),
    ],
)
def test_only_the_version_makes_it_spf(text: str, answer: bool) -> None:
    assert is_spf(text) is answer


def test_a_record_with_everything() -> None:
    record = parse_spf(
        "v=spf1 a MX:Example.NET./24//64 a/16 ip4:192.0.2.1/28 ip6:2001:db8::1/32 include:%{d}.example "
        "exists:%{i}.x.example ptr redirect=_spf.example exp=why.example other=x:/y ~all"
    )
    shown = [(it.mechanism, it.result, it.domain) for it in record.directives]
    assert shown == [
        (SpfMechanism.A, AuthResult.PASS, ""),
        (SpfMechanism.MX, AuthResult.PASS, "Example.NET."),
        (SpfMechanism.A, AuthResult.PASS, ""),
        (SpfMechanism.IP4, AuthResult.PASS, ""),
        (SpfMechanism.IP6, AuthResult.PASS, ""),
        (SpfMechanism.INCLUDE, AuthResult.PASS, "%{d}.example"),
        (SpfMechanism.EXISTS, AuthResult.PASS, "%{i}.x.example"),
        (SpfMechanism.PTR, AuthResult.PASS, ""),
        (SpfMechanism.ALL, AuthResult.SOFTFAIL, ""),
    ]
    mx, a, four, six = record.directives[1:5]
    assert (mx.prefix_of_four, mx.prefix_of_six) == (24, 64)
    assert (a.prefix_of_four, a.prefix_of_six) == (16, 128)
    assert (str(four.network), str(six.network)) == ("192.0.2.0/28", "2001:db8::/32")
    assert (record.redirect, record.explanation) == ("_spf.example", "why.example")
    assert record.all is AuthResult.SOFTFAIL
    assert record.names_others


@pytest.mark.parametrize("text", ["v=spf1 a mx -all", "v=spf1", "v=spf1 ?all"])
def test_its_own_hosts_are_no_others(text: str) -> None:
    assert not parse_spf(text).names_others


@pytest.mark.parametrize(
    ("term", "reason"),
    [
        ("ipv4:192.0.2.1", "no mechanism"),
        ("ip4:192.0.2.256", "no IPv4 address"),
        ("ip4:2001:db8::1", "no IPv4 address"),
        ("ip6:192.0.2.1", "no IPv6 address"),
        ("ip4", "no IPv4 address"),
        ("ip4:192.0.2.1/255.255.255.0", "no IPv4 address"),
        ("ip6:fe80::1%eth0", "no IPv6 address"),
        ("include", "names no domain"),
        ("include:", "names no domain"),
        ("include:museum", "no domain"),
        ("include:example.123", "no domain"),
        ("include:%{c}.example", "a macro of explanations"),
        ("include:%{x}.example", "no macro"),
        ("include:%{d0}", "keeps nothing"),
        ("exists:%.example", "no macro"),
        ("a:exa\tmple.net", "no macro"),
        ("a/24/8", "no prefix"),
        ("a/032", "no prefix"),
        ("unknown=%{x}", "no macro"),
        ("all:example", "all has no value"),
        ("a/33", "too long"),
        ("a//129", "too long"),
        ("-", "no mechanism"),
        ("redirect=", "names no domain"),
        ("redirect=a.example redirect=b.example", "redirect= twice"),
        ("exp=a.example EXP=a.example", "exp= twice"),
        ("x" * 5000, "characters"),
    ],
)
def test_mistakes_are_named(term: str, reason: str) -> None:
    with pytest.raises(SpfFault, match=reason):
        parse_spf(f"v=spf1 {term} -all")


PIECES = st.sampled_from(
    ["a", "mx", "ip4:", "ip6:", ":", "/", "//", "24", "-", "all", "=", "redirect", " ", "%{i}"]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=12))
def test_any_text_is_a_record_or_a_fault(pieces: list[str]) -> None:
    with suppress(SpfFault):
        parse_spf("v=spf1 " + "".join(pieces))
