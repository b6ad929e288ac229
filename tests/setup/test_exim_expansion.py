"""Texts that Exim expands, and lists: what is exact, and what is left unsaid."""

import pytest

from secondpost.setup.importing.carried import OldPlace
from secondpost.setup.importing.exim.expansion import (
    About,
    ForcedFailure,
    NotExact,
    Truth,
    Unsaid,
)
from secondpost.setup.importing.exim.matching import Lists, Recipient
from secondpost.setup.importing.exim.splitting import split_list
from secondpost.setup.importing.exim.statements import NamedList
from secondpost.setup.importing.exim.tables import Search, Tables, matches, parse_search
from tests.setup.exim_world import Files

FILES = Files(
    {
        "/t": 'anna: her : self\n# no\nben him\n  and more\n"with space": x\n*.example.net: wild\n*: all\n',
        "/w": "*.example.net: a\n^club: b\n",
        "/d/one.example": "",
        "/l": "a.example # one\n!b.example\n*.example\n",
    }
)
RECIPIENT = Recipient("anna", "example.net")


def lists(**named: str) -> Lists:
    found = {
        ("domainlist", name): NamedList(OldPlace("", 0), "", "domainlist", name, value)
        for name, value in named.items()
    }
    return Lists(found, Tables(FILES), "mx2.example.net", "example.net")


def expanded(text: str) -> str:
    return lists().expander(RECIPIENT, {}).expand(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("$domain and ${domain}", "example.net and example.net"),
        ("$local_part@$primary_hostname", "anna@mx2.example.net"),
        (r"\N^[$a]\N\n\$x", "^[$a]\n$x"),
        ("${lc:ANNA}${uc:x}", "annaX"),
        ("${domain:me@a.example}/${local_part:me@a.example}", "a.example/me"),
        ("${if eq{$domain}{example.net}{yes}{no}}", "yes"),
        ("${if !eq{a}{b}}", "true"),
        ("${if and{{eq{a}{a}}{eqi{B}{b}}}{1}{0}}", "1"),
        ("${if or{{eq{a}{b}}{def:local_part}}{1}{0}}", "1"),
        ("${if or{{eq{$tls_cipher}{x}}{eq{a}{a}}}{1}{0}}", "1"),  # the first part does not matter
        ("${if exists{/t}{yes}{no}}${if exists{/none}{yes}{no}}${if exists{/d}{yes}}", "yesnoyes"),
        (r"${if match{$domain}{\N^ex\N}{y}{n}}", "y"),
        ("${if >{5}{4}{y}{n}}${if <= {2}{1}{y}{n}}", "yn"),
        ("${if match_domain{$domain}{*.net}{y}{n}}", "y"),
        ("${if bool{no}{y}{n}}", "n"),
        ("${lookup{anna}lsearch{/t}}", "her : self"),
        ("${lookup{ANNA}lsearch{/t}{<$value>}{none}}", "<her : self>"),
        ("${lookup{ben}lsearch{/t}}", "him and more"),
        ("${lookup{with space}lsearch{/t}}", "x"),
        ("${lookup{carl}lsearch{/t}{yes}{no}}", "no"),
        ("${lookup{carl}lsearch*{/t}}", "all"),
        ("${lookup{a.b.example.net}partial-lsearch{/t}}", "wild"),
        ("${lookup{club.example}nwildlsearch{/w}}", "b"),
        ("${extract{2}{:}{a:b:c}}${extract{-1}{:}{a:b:c}}${extract{9}{:}{a}{y}{n}}", "bcn"),
        (r"${sg{a.b}{\N\.\N}{-}}", "a-b"),
    ],
)
def test_what_is_exact(text: str, value: str) -> None:
    assert expanded(text) == value


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("$sender_host_address", About.CLIENT),
        ("${if eq{$sender_helo_name}{x}{1}{0}}", About.CLIENT),
        ("${if >{$message_size}{1M}{1}{0}}", About.CLIENT),
        ("$nonsense", About.RECIPIENT),
        ("${run{/bin/true $domain}}", About.RECIPIENT),
        ("${readfile{/etc/passwd}}", About.RECIPIENT),
        ("${lookup mysql{select 1}}", About.RECIPIENT),
        ("${lookup{x}cdb{/t.cdb}}", About.RECIPIENT),
        ("${lookup{x}lsearch{/none}}", About.RECIPIENT),
        ("${if match{a}{(}}", About.RECIPIENT),
        ("${if match{a}{[[:alpha:]]}}", About.RECIPIENT),
        ("${if", About.RECIPIENT),
        ("${if eq{a}}", About.RECIPIENT),
        ("${extract{--1}{:}{a}}", About.RECIPIENT),
        ("${" * 100, About.RECIPIENT),
        ("${if !" + "${lc:" * 100 + "}" * 101, About.RECIPIENT),
    ],
)
def test_what_is_not(text: str, about: About) -> None:
    with pytest.raises(NotExact) as caught:
        expanded(text)
    assert caught.value.unsaid.about is about


def test_a_forced_failure() -> None:
    for text in ("${if eq{a}{b}{x}fail}", "${lookup{carl}lsearch{/t}{$value}fail}"):
        with pytest.raises(ForcedFailure):
            expanded(text)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("a : b", ["a", "b"]),
        ("<; a:b ; c", ["a:b", "c"]),
        ("::1 : x", [":1", "x"]),
        ("::::1", ["::1"]),
        ("", [""]),
    ],
)
def test_lists_are_split(text: str, items: list[str]) -> None:
    assert split_list(text) == items


@pytest.mark.parametrize(
    ("items", "truth"),
    [
        ("example.net", True),
        ("EXAMPLE.net : x", True),
        ("*.net", True),
        ("*.example.net", False),
        ("! example.net : *", False),
        ("! other.example", True),  # after a last item with ! everything else is in the list
        ("^ex.*net$", True),
        ("@ : localhost", False),
        ("+a", True),
        ("+b", False),
        ("! +b : !+a", False),
        ("+missing", None),
        ("+missing : example.net", True),
        ("! +missing : example.net", None),
        ("+circle", None),
        ("@mx_any", None),
        ("@mx_any : ! example.net", None),
        ("lsearch;/t", False),
        ("lsearch*;/t", True),
        ("dsearch;/d", False),
        ("/l", False),
        ("/none", None),
        ("cdb;/x", None),
        ("${if eq{a}{a}{example.net}}", True),
        ("${if eq{a}{b}{x}fail}", False),
    ],
)
def test_a_domain_in_a_list(items: str, truth: bool | None) -> None:
    found = lists(a="example.net", b="! *", circle="+circle").holds("domain", items, RECIPIENT, {})
    assert (None if isinstance(found, Unsaid) else found) is truth


@pytest.mark.parametrize(
    ("items", "truth"),
    [
        ("anna@example.net", True),
        ("*@example.net", True),
        ("@example.net", True),
        ("example.net", True),
        ("ben@example.net : *.net", True),
        ("ann*@example.net", False),
        ("*na@example.net", True),
        ("^anna@", True),
        ("*@+a", True),
        ("+a", True),
        ("@@lsearch;/t", None),
        ("", False),
    ],
)
def test_an_address_in_a_list(items: str, truth: bool | None) -> None:
    found = lists(a="example.net").holds("address", items, RECIPIENT, {})
    assert (None if isinstance(found, Unsaid) else found) is truth


@pytest.mark.parametrize(
    ("items", "truth"),
    [
        ("*", True),
        (":", False),
        ("", False),
        ("192.0.2.0/24 : 2001:db8::/32", False),
        ("<; 2001:db8::/32 ; ::1", False),
        ("0.0.0.0/0", True),
        ("! 192.0.2.1 : *", True),
        ("! 192.0.2.1", True),
        ("*.partner.example : localhost : @[]", False),
        ("128.0.0.0/1", None),
        ("net-lsearch;/t", None),
        ("/none", None),
    ],
)
def test_a_stranger_in_a_list_of_hosts(items: str, truth: bool | None) -> None:
    found: Truth = lists().holds("host", items, None, {})
    assert (None if isinstance(found, Unsaid) else found) is truth


def test_searches() -> None:
    assert parse_search("partial3(.)-lsearch*@") == Search("lsearch", 3, ".", "*@")
    assert parse_search("partial-dbm") == Search("dbm", 2)
    assert parse_search("two words") is None


@pytest.mark.parametrize("pattern", ["(", "[[:alpha:]]", "[a--b]", r"\Qx\E", "(a+)+b", "x" * 3000, "*"])
def test_patterns_that_python_reads_otherwise_or_not(pattern: str) -> None:
    assert matches(pattern, "aaaa") is None
