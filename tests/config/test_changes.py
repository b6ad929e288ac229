"""What a changed file says of the one before it."""

from dataclasses import fields

import pytest

from secondpost.config.changes import RESTART, changes, only_at_start
from secondpost.config.keys import FIELDS, REPEATED, TABLES, TOP
from secondpost.config.reading import parse_config
from secondpost.config.records import Config

FILE = """\
version  = 3
hostname = "mx2.example.net"
store    = "/var/lib/secondpost"
owner    = ["me@elsewhere.example"]

[receive]
listen = ["127.0.0.1:2525"]

[[backup]]
domain = "example.net"

[[backup]]
domain = "example.org"

[[route]]
domain = "*"
lane   = "issues"
host   = "192.0.2.1"

[[newsletter]]
name  = "weekly"
from  = "newsletter@example.net"
feeds = ["https://www.example.net/feed.xml"]
"""


def config(*replaced: tuple[str, str]) -> Config:
    text = FILE
    for before, after in replaced:
        assert before in text
        text = text.replace(before, after)
    return parse_config(text.encode(), "/etc/secondpost/secondpost.toml")


def test_a_file_that_says_the_same_changes_nothing() -> None:
    assert changes(config(), config()) == ()
    assert changes(config(), config(("version  = 3", "# a comment\nversion = 3"))) == ()
    assert only_at_start(config(), config()) == ()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('"mx2.example.net"', '"mx3.example.net"', ["hostname", "bounces", "web.url"]),
        ("[receive]", '[receive]\ntimeout = "1 minute"', ["receive.timeout"]),
        ("127.0.0.1:2525", "127.0.0.1:2526", ["receive.listen"]),
        (
            "[receive]",
            '[reach]\ncountries = ["RU"]\nevery = "1 hour"\n[receive]',
            ["reach.countries", "reach.every"],
        ),
        ("[[backup]]\ndomain = \"example.org\"\n", "", ["backup example.org: gone"]),
        ('"example.org"', '"example.com"', ["backup example.org: gone", "backup example.com: new"]),
        ('"example.net"\n', '"example.net"\nkeep = "5 days"\n', ["backup example.net: keep"]),
        ('"192.0.2.1"', '"192.0.2.2"', ["route * issues: host"]),
        ('"newsletter@example.net"', '"news@example.net"', ["newsletter weekly: from"]),
        ("feeds =", 'undo = "1 hour"\nfeeds =', ["newsletter weekly: undo"]),
    ],
)  # fmt: skip
def test_each_change_is_named_by_its_key(before: str, after: str, said: list[str]) -> None:
    assert list(changes(config(), config((before, after)))) == said


def test_every_field_of_a_record_has_a_key_that_says_what_it_is() -> None:
    """What is said to have changed can be found in docs/settings.md."""
    whole = {"path", "version", "text", "backups", "routes", "newsletters"} | set(TABLES) - REPEATED
    for table, one in TABLES.items():
        described = {each.field for each in FIELDS[table]}
        undescribed = {field.name for field in fields(one.record)} - described
        assert undescribed == (whole - {TOP} if table == TOP else set()), table


def test_what_is_read_only_at_the_start_is_a_fault_with_its_line() -> None:
    new = config(("/var/lib/secondpost", "/srv/secondpost"), ("owner ", 'user = "mail"\nowner '))
    faults = only_at_start(config(), new)
    assert [(fault.key, fault.line, fault.hint) for fault in faults] == [
        ("store", 3, RESTART),
        ("user", 4, RESTART),
    ]
    gone = only_at_start(new, config())
    assert [(fault.key, fault.line) for fault in gone] == [("store", 3), ("user", 0)]
