"""Addresses: which texts are valid, and when two spellings mean the same mailbox."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.address import (
    NULL_PATH,
    AddressError,
    Domain,
    Endpoint,
    Mailbox,
    as_ip,
    parse_reverse_path,
    unquoted,
    without_zone,
)

GOOD = [
    "a@b.example",
    "first.last+tag@example.net",
    "!#$%&'*+/=?^_`{|}~-@example.net",
    '"quoted string"@example.net',
    '"with \\" quote"@example.net',
    '"at@inside"@example.net',
    "x" * 64 + "@example.net",
    "a@[192.0.2.1]",
    "a@[IPv6:2001:db8::1]",
    "a@under_score.example",
    "a@xn--bcher-kva.example",
    "a@localhost",
]
BAD = [
    "",
    "a",
    "@example.net",
    "a@",
    "a@@example.net",
    "a b@example.net",
    ".a@example.net",
    "a.@example.net",
    "a..b@example.net",
    "a@-example.net",
    "a@example-.net",
    "a@example..net",
    "a@.example.net",
    "a@example.net.",
    "x" * 65 + "@example.net",
    "a@" + "x" * 64 + ".example",
    "a@" + ".".join(["x" * 60] * 5),
    'a"b@example.net',
    '"unclosed@example.net',
    '"a"b@example.net',
    "a@[192.0.2.256]",
    "a@[192.0.2.1",
    "a@[IPv6:zz::1]",
    "ä@example.net",
    "a@exämple.net",
    "alice@example.org)bob@example.net",
    "a@example.net\r\nRCPT TO:<x@y>",
    "a\x00@example.net",
    "a@b c.example",
    "a@[IPv6:fe80::1%eth0]",
    "a@[fe80::1%25]",
    "a@[IPv6:::1%> x]",
]


@pytest.mark.parametrize("text", GOOD)
def test_an_address_reads_back_as_it_was_written(text: str) -> None:
    mailbox = Mailbox.parse(text)
    assert str(mailbox) == text
    assert Mailbox.parse(str(mailbox)) == mailbox


@pytest.mark.parametrize("text", BAD)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        Mailbox.parse(text)


def test_domains_are_compared_in_lower_case_and_local_parts_kept() -> None:
    mailbox = Mailbox.parse("Anna.B@EXAMPLE.Net")
    assert str(mailbox) == "Anna.B@example.net"
    assert mailbox.key == Mailbox.parse('"anna.b"@example.net').key


def test_quoting_means_nothing() -> None:
    assert unquoted('"a\\"b\\\\c"') == 'a"b\\c'
    assert unquoted("plain") == "plain"


def test_the_null_path_is_a_value_of_its_own() -> None:
    assert parse_reverse_path("") is NULL_PATH
    assert str(NULL_PATH) == ""


def test_a_source_route_is_ignored() -> None:
    assert parse_reverse_path("@a.example,@b.example:anna@example.net") == Mailbox.parse("anna@example.net")
    with pytest.raises(AddressError):
        parse_reverse_path("@a.example anna@example.net")


@pytest.mark.parametrize("text", ["fe80::1%eth0", "::1%", "::ffff:192.0.2.1%1", "192.0.2.1%1"])
def test_an_address_with_a_zone_is_none(text: str) -> None:
    """A zone has a meaning on one machine only, and Python accepts anything after the %."""
    assert as_ip(text) is None
    assert str(as_ip(without_zone(text))) in ("fe80::1", "::1", "192.0.2.1")
    for written in (f"[{text}]:25", text):
        with pytest.raises(AddressError):
            Endpoint.parse(written, 25)


@given(st.text(max_size=300))
def test_no_text_does_more_than_be_refused(text: str) -> None:
    try:
        mailbox = Mailbox.parse(text)
    except AddressError:
        return
    assert mailbox.key.count("@") >= 1
    assert str(mailbox).isascii()
    assert str(mailbox).isprintable()


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1:2525", Endpoint("127.0.0.1", 2525)),
        ("[::1]:25", Endpoint("::1", 25)),
        ("[::]:443", Endpoint("::", 443)),
        ("mx1.Provider.example", Endpoint("mx1.provider.example", 25)),
        ("2001:db8::1", Endpoint("2001:db8::1", 25)),
    ],
)
def test_endpoints(text: str, endpoint: Endpoint) -> None:
    assert Endpoint.parse(text, default_port=25) == endpoint


@pytest.mark.parametrize(
    "text", ["", ":25", "host:", "host:0", "host:65536", "host:²", "[::1", "a b:25", "1.2.3:25"]
)
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        Endpoint.parse(text, default_port=25)


def test_a_port_is_needed_when_none_is_usual() -> None:
    with pytest.raises(AddressError, match="no port"):
        Endpoint.parse("host.example")


def test_an_endpoint_reads_back_as_it_was_written() -> None:
    for text in ("127.0.0.1:2525", "[::1]:25", "mx.example:587"):
        assert str(Endpoint.parse(text)) == text


def test_a_domain_literal_has_one_spelling() -> None:
    assert Domain.parse("[IPv6:2001:DB8:0::1]") == Domain("[IPv6:2001:db8::1]")


def test_local_parts_in_utf8_are_kept_as_written_and_known_by_one_key() -> None:
    composed, apart = (
        Mailbox.parse_utf8("Jos\u00e9@example.net"),
        Mailbox.parse_utf8("jose\u0301@example.net"),
    )
    assert composed.key == apart.key == "jos\u00e9@example.net"
    assert (str(apart), apart.needs_utf8) == ("jose\u0301@example.net", True)
    assert Mailbox.parse_utf8('"Jos\u00e9"@example.net').key == composed.key
    assert not Mailbox.parse_utf8("jose@example.net").needs_utf8


@pytest.mark.parametrize(
    "text",
    [
        "и" * 33 + "@example.net",  # 66 octets, 33 characters
        "и" * 100 + "@" + "a" * 60 + ".example",
        "a\u202eb@example.net",
        "a\u00adb@example.net",
        "a\u2028b@example.net",
        "a\u3000b@example.net",
        "a\ue000b@example.net",
        "иван@пример.example",  # domains are in A-labels here
        "иван",
    ],
)
def test_what_is_no_address_in_utf8_is_refused(text: str) -> None:
    with pytest.raises(AddressError):
        Mailbox.parse_utf8(text)


def test_the_joiners_of_persian_and_indic_scripts_are_letters_of_an_address() -> None:
    assert Mailbox.parse_utf8("\u0646\u0627\u0645\u0647\u200c\u0647\u0627@example.net").needs_utf8


def test_a_domain_is_the_same_however_it_was_written() -> None:
    written = Domain("xn--bcher-kva.example", "bücher.example")
    assert written == Domain("xn--bcher-kva.example")
    assert len({written, Domain("xn--bcher-kva.example")}) == 1
    assert Mailbox("bert", written).written == "bert@bücher.example"
    assert str(Mailbox("bert", written)) == "bert@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("other", "ascii"), [("\u017fales", "sales"), ("mar\u212a", "mark"), ("stra\u00dfe", "strasse")]
)
def test_no_address_in_utf8_has_the_key_of_one_in_ascii(other: str, ascii: str) -> None:
    domain = Domain("example.net")
    assert Mailbox(other, domain).key != Mailbox(ascii, domain).key
    assert Mailbox("B\u00dcRO", domain).key == Mailbox("bu\u0308ro", domain).key


def test_a_mailbox_whose_plain_form_would_be_too_long_has_none() -> None:
    domain = Domain("example.net")
    assert Mailbox("a" * 61 + ".+b", domain).without_detail("+") == Mailbox(f'"{"a" * 61}."', domain)
    assert Mailbox("a" * 62 + ".+", domain).without_detail("+") is None


@given(st.from_regex(r"[a-z.+]{1,40}", fullmatch=True), st.sampled_from(["+", "+-", "."]))
def test_the_plain_form_of_an_address_is_an_address(local: str, delimiters: str) -> None:
    plain = Mailbox(local, Domain("example.net")).without_detail(delimiters)
    if plain is not None:
        assert Mailbox.parse(str(plain)) == plain
