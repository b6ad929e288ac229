"""How Postfix's files are read: statements, expansion, services, lists, patterns."""

import pytest

from secondpost.setup.importing.carried import OldPlace
from secondpost.setup.importing.postfix.patterns import (
    RuleNotUnderstood,
    RuleResult,
    named_addresses,
    named_domains,
    network_table,
    pattern_table,
)
from secondpost.setup.importing.postfix.services import NotService, OldService, services
from secondpost.setup.importing.postfix.settings import ExpansionWrong, PostfixSettings
from secondpost.setup.importing.postfix.statements import MainStatement, NotMainStatement, statements
from secondpost.setup.importing.postfix.words import words

PLACE = OldPlace("main.cf", 1)


def settings(**values: str) -> PostfixSettings:
    main = {name: MainStatement(name, value, PLACE) for name, value in values.items()}
    return PostfixSettings(main, {"myhostname": "mx.example.net", "mydomain": "example.net"})


def test_a_line_that_begins_with_white_space_continues_the_one_before() -> None:
    text = "a = 1,\n  2\n# no line\n\n\t# nor this\n\t3\nb=4 # not a comment\n nothing\nwrong\n"
    assert list(statements(text, "main.cf")) == [
        MainStatement("a", "1, 2 3", OldPlace("main.cf", 1)),
        MainStatement("b", "4 # not a comment nothing", OldPlace("main.cf", 7)),
        NotMainStatement("wrong", OldPlace("main.cf", 9)),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("$a", "x"),
        ("${a}", "x"),
        ("$(a)", "x"),
        ("<$a.$a>", "<x.x>"),
        ("$$a", "$a"),
        ("${a?yes}", "yes"),
        ("${empty?yes}", ""),
        ("${a:no}", "x"),
        ("${empty:no}", "no"),
        ("${empty:{$a}}", "x"),
        ("${a?{1}:{2}}s", "1s"),
        ("${empty?{1}:{2}}s", "2s"),
        ("${stress?{10}:{300}}s", "300s"),
        ("${{$a} == {x} ? {same} : {other}}", "same"),
        ("${{$a} != {x} ? {same} : {other}}", "other"),
        ("${{9} < {10} ? {less} : {more}}", "less"),
        ("${{3.6} <level {3.10} ? {old} : {new}}", "old"),
        ("${{2} >=level {1} ? {new}}", "new"),
        ("$never_set", ""),
        ("$", "$"),
        ("${", ""),
        ("$myhostname $mydomain", "mx.example.net example.net"),
    ],
)
def test_names_are_expanded(value: str, expected: str) -> None:
    assert settings(a="x", empty="").expanded(value) == expected


@pytest.mark.parametrize(("level", "domains"), [("0", "mx.example.net"), ("3.6", "")])
def test_defaults_depend_on_the_compatibility_level(level: str, domains: str) -> None:
    found = settings(compatibility_level=level, mydestination="$myhostname").text("relay_domains")
    assert found == domains


@pytest.mark.parametrize(
    "values",
    [
        {"a": "$b", "b": "$a"},
        {"a": "${a}"},
        {f"a{n}": f"$a{n + 1}" * 40 for n in range(9)} | {"a": "$a0", "a9": "x" * 100},
        {"a": "${{1} =~ {2} ? {3}}"},
    ],
)
def test_what_expands_without_end_is_a_fault(values: dict[str, str]) -> None:
    with pytest.raises(ExpansionWrong):
        settings(**values).text("a")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a, b\tc,,d", ("a", "b", "c", "d")),
        ("{ a, b } c", ("{ a, b }", "c")),
        ("inline:{ {a = b}, {c=d} } x", ("inline:{ {a = b}, {c=d} }", "x")),
        ("{ not closed, a", ("{ not closed, a",)),
        ("", ()),
    ],
)
def test_words_in_braces_stay_together(text: str, expected: tuple[str, ...]) -> None:
    assert words(text) == expected


def test_services_have_parameters_of_their_own() -> None:
    text = """\
smtp inet n - y - - smtpd
  -o a=1 -o { b = 2, 3 } -oc=4
  -v -o
[2001:db8::1]:submission inet n - y - - smtpd -o relay=$a,reject
short inet n
"""
    first, second, third = services(text, "master.cf")
    assert isinstance(first, OldService)
    assert isinstance(second, OldService)
    assert first.own == {"a": "1", "b": "2, 3", "c": "4"}
    assert (first.port, first.address, first.place.line) == (25, "", 1)
    assert (second.port, second.address, second.own) == (587, "2001:db8::1", {"relay": "$a,reject"})
    assert isinstance(third, NotService)


def test_the_first_pattern_that_applies_counts() -> None:
    table = pattern_table(
        "/^(.*)@a\\.example$/  $1 ${1}x\n!/@b\\.example$/  not b\n/B/i cased\n"
        "if /b/\n/^x@/ x\nendif\n/./ rest\n"
    )
    assert table.lookup("ME@A.example") == RuleResult("ME MEx", 1)
    assert table.lookup("me@c.example") == RuleResult("not b", 2)
    assert table.lookup("B@b.example") == RuleResult("cased", 3)
    assert table.lookup("x@b.example") == RuleResult("x", 5)
    assert table.lookup("y@b.example") == RuleResult("rest", 7)


@pytest.mark.parametrize("pattern", ["(", "(a+)+$", "[[x]", "a{99999999999}", "\\<a"])
def test_a_pattern_that_is_not_understood_leaves_the_answer_open(pattern: str) -> None:
    assert pattern_table(f"/{pattern}/ OK\n").lookup("aaa") == RuleNotUnderstood(1)


def test_networks_are_searched_for_addresses() -> None:
    table = network_table("192.0.2.0/24 REJECT\n!203.0.113.0/24 far\n2001:db8::/32 OK\n[2001:db9::]/32 x\n")
    assert table.lookup("192.0.2.7") == RuleResult("REJECT", 1)
    assert table.lookup("198.51.100.1") == RuleResult("far", 2)
    assert table.lookup("203.0.113.1") is None
    assert network_table("x y\n").lookup("192.0.2.7") == RuleNotUnderstood(1)


@pytest.mark.parametrize(
    ("pattern", "addresses", "domains"),
    [
        ("^(anna|bert)@a\\.example$", ("anna@a.example", "bert@a.example"), ("a.example",)),
        ("^a(b|c(d|e))@x[.]example$", ("ab@x.example", "acd@x.example", "ace@x.example"), ("x.example",)),
        ("@a\\.(net|org)$", (), ("a.net", "a.org")),
        ("(^|\\.)a\\.example$", (), ("a.example",)),
        ("^(.*\\.)?a\\.example$", (), ("a.example",)),
        ("^.*@a\\.example$", (), ("a.example",)),
        ("^[a-z]+@", (), ()),
        ("^a+@b\\.example$", (), ("b.example",)),
    ],
)
def test_what_a_pattern_names(pattern: str, addresses: tuple[str, ...], domains: tuple[str, ...]) -> None:
    assert named_addresses(pattern) == addresses
    found = [name for name in named_domains(pattern) if len(name) > 0]
    assert tuple(found) == domains
