"""Every attack that was seen is found, however it is written, and no ordinary mail is."""

import lzma
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from secondpost.protocols.attacks import rules
from secondpost.protocols.attacks.matching import (
    HEADER_OCTETS_MAX,
    AttackFound,
    found_at_first,
    found_in,
    found_in_address,
    found_in_header,
    found_in_line,
    found_in_server_name,
)
from secondpost.protocols.attacks.rule import AttackPlace, AttackRule
from secondpost.protocols.attacks.rules import RULES
from secondpost.protocols.attacks.smuggling import SmugglingLook
from tests.protocols.attack_strings import (
    ADDRESSES,
    BODIES,
    FIRSTS,
    HEADERS,
    LINES,
    REPLIES,
    SERVER_NAMES,
    Seen,
    address_variants,
    header_variants,
    line_variants,
)

CORPUS = Path(__file__).parent / "attacks"
Finder = Callable[[bytes], tuple[AttackFound, ...]]


def corpus(name: str) -> bytes:
    return lzma.decompress((CORPUS / f"{name}.txt.xz").read_bytes())


def found_by(finder: Finder, text: bytes) -> list[AttackRule]:
    return [found.rule for found in finder(text)]


@pytest.mark.parametrize("seen", ADDRESSES, ids=lambda seen: seen.text.decode())
def test_an_attack_in_an_address_is_found_however_it_is_written(seen: Seen) -> None:
    for path in address_variants(seen.text):
        assert seen.rule in found_by(found_in_address, path), path
        for verb in (b"MAIL FROM:", b"rcpt to: "):
            assert seen.rule in found_by(found_in_line, verb + path + b"\r\n"), path


@pytest.mark.parametrize("seen", LINES, ids=lambda seen: seen.text[:40].decode("latin-1"))
def test_an_attack_in_a_command_is_found(seen: Seen) -> None:
    for line in line_variants(seen.text):
        assert seen.rule in found_by(found_in_line, line), line[:60]


@pytest.mark.parametrize("seen", FIRSTS, ids=lambda seen: seen.text[:20].decode("latin-1"))
def test_another_protocol_is_found_by_its_first_octets(seen: Seen) -> None:
    assert seen.rule in found_by(found_at_first, seen.text)


@pytest.mark.parametrize("seen", HEADERS, ids=lambda seen: seen.text.decode())
def test_an_attack_in_a_header_is_found(seen: Seen) -> None:
    for header in header_variants(seen.text):
        assert seen.rule in found_by(found_in_header, header), header


@pytest.mark.parametrize("seen", BODIES, ids=lambda seen: repr(seen.text[5:12]))
def test_smuggling_is_found_wherever_the_body_is_cut(seen: Seen) -> None:
    has_odd_ends = b"\x00" not in seen.text
    for cut in range(len(seen.text) + 1):
        look = SmugglingLook()
        pieces = (seen.text[:cut], seen.text[cut:])
        assert any(look.find(piece, has_odd_ends=has_odd_ends) is not None for piece in pieces), cut


def test_a_quoted_dialogue_is_no_smuggling() -> None:
    look = SmugglingLook()
    quoted = b"As in RFC 5321:\r\n\r\nDATA\r\n..\r\nMAIL FROM:<a@x.example>\r\n\r\n.\r\n"
    assert look.find(quoted, has_odd_ends=True) is None


@pytest.mark.parametrize("seen", REPLIES, ids=lambda seen: seen.rule.id)
def test_a_hostile_reply_is_found(seen: Seen) -> None:
    assert seen.rule in [found.rule for found in found_in(AttackPlace.REPLY, seen.text)]


@pytest.mark.parametrize("seen", SERVER_NAMES, ids=lambda seen: seen.text.decode())
def test_a_hostile_server_name_is_found(seen: Seen) -> None:
    assert seen.rule in [found.rule for found in found_in_server_name(seen.text)]


@pytest.mark.parametrize(
    "name", [b"mx2.example.net", b"xn--a-1ga.example", b"192.0.2.1", b"a b", b"_mx.x", b""]
)
def test_an_ordinary_or_only_odd_server_name_is_no_attack(name: bytes) -> None:
    assert found_in_server_name(name) == ()


def test_every_rule_with_a_pattern_has_an_attack_that_it_finds() -> None:
    texts = (*ADDRESSES, *LINES, *FIRSTS, *HEADERS, *BODIES, *REPLIES, *SERVER_NAMES)
    tried = {seen.rule for seen in texts}
    assert {rule.id for rule in RULES if rule.pattern is not None} - {rule.id for rule in tried} == set()


def test_none_of_2000_ordinary_addresses_is_flagged() -> None:
    addresses = corpus("ordinary_addresses").splitlines()
    assert len(addresses) >= 2_000
    assert [address for address in addresses if len(found_in_address(address)) > 0] == []
    lines = (b"MAIL FROM:<%b> SIZE=4000\r\n" % address for address in addresses)
    assert [line for line in lines if len(found_in_line(line)) > 0] == []


def test_none_of_5000_ordinary_header_fields_is_flagged() -> None:
    fields = re.split(rb"\r\n(?![ \t])", corpus("ordinary_headers"))
    assert len(fields) >= 5_000
    assert [field for field in fields if len(found_in_header(field + b"\r\n")) > 0] == []


@pytest.mark.parametrize(
    "path",
    [
        b"<>",
        b"<o'brien@x.example>",
        b"<d'or@x.example>",
        b"<john&jane@x.example>",
        b"<AT&T@x.example>",
        b"<bounces+123-user=x.example@y.example>",
        b"<SRS0=abcd=XY=x.example=user@y.example>",
        b"<prvs=1234abcdef=user@x.example>",
        b"<b-mfzwizltoqxgk4tf@news.x.example>",
        b'<"john doe"@x.example>',
        b"<barcode-decode@x.example>",
        b"<script@x.example>",
        b"<sleep@x.example>",
        b"</o=Org/ou=Site/cn=Recipients/cn=user@x.example>",
        b"<user%x.example@y.example>",
        b"<#channel!user@x.example>",
        b"<jean-claude@x.example>",
        b"<j.-oq@x.example>",
    ],
)
def test_odd_but_honest_addresses_are_not_flagged(path: bytes) -> None:
    assert found_in_address(path) == ()


@pytest.mark.parametrize(
    "field",
    [
        b"Subject: function foo() { return 1; }\r\n",
        b"Subject: [PATCH] bash: () { is no function\r\n",
        b"Subject: Hello {{first_name}}, your order\r\n",
        b"Subject: JavaScript: the good parts\r\n",
        b"Subject: price $(USD) 100\r\n",
        b"Message-ID: <{4F2A-11}@x.example>\r\n",
        b"Subject: <object> and <body> in HTML\r\n",
        b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= =?utf-8?q?_aus_Wien?=\r\n",
        b"Subject: =?utf-8?b?broken\r\n",
        b"List-Unsubscribe: <https://x.example/u?a=1&b=%7Bx%7D>\r\n",
    ],
)
def test_odd_but_honest_fields_are_not_flagged(field: bytes) -> None:
    assert found_in_header(field) == ()


def test_the_table_is_complete_and_its_names_are_fit_for_a_command() -> None:
    written = {rule for rule in vars(rules).values() if isinstance(rule, AttackRule)}
    assert set(RULES) == written
    assert len({rule.id for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", rule.id) is not None
        assert rule.tries[0].isupper()
        assert rule.tries.endswith(".")
        assert all(re.fullmatch(r"CVE-\d{4}-\d{4,5}", cve) is not None for cve in rule.cves)
        assert (rule.pattern is None) == (rule.places == frozenset({AttackPlace.BEHAVIOUR}))


def test_what_is_looked_at_has_a_bound() -> None:
    attack = b"Subject: ${jndi:ldap://x}\r\n"
    assert found_in_header(b"X: y\r\n" * HEADER_OCTETS_MAX + attack) == ()
    (found, *_) = found_in_line(b"EHLO " + b"A" * 100_000)
    assert len(found.sample) <= 2_048


# Octets that make a pattern try again and again, if anything does. A pattern that takes more than
# linear time would not come to an end here.
HARD = (
    *(b" ", b"<", b'"', b"$", b"${", b"$(", b"(", b"() {", b"() { :", b"{{", b"{{ '", b"#{", b"'", b"'/*"),
    *(b"' ", b"'or", b";", b"; ", b"|", b"`", b"&", b"\\x41", b"\\", b"../", b"@", b"a@b(", b"a@b.", b"%0d"),
    *(b"\r", b"\r\n", b"\n.", b"\r\n.\r", b"\r\n.\x00", b"union ", b"for i in ", b"for i in do ", b"<img "),
    *(b"<img on", b"<svg", b"etrn ", b"A", b"a-", b'"-', b"' -", b"=?utf-8?q?", b"=?u?b?AAAA?= ", b"x2f"),
    *(b"javascript:", b"\n type", b"\x00", b"EHLO ", b"AUTH X ", b"BDAT  "),
)
HARD_OCTETS = 8_192


def test_no_pattern_can_be_made_slow() -> None:
    for rule in RULES:
        if rule.pattern is None:
            continue
        for hard in HARD:
            text = hard * (HARD_OCTETS // len(hard))
            for place in (
                text,
                b"<" + text,
                b'"' + text,
                b"MAIL FROM:<" + text,
                b"${run" + text,
                b"$(" + text,
            ):
                rule.pattern.search(place)
