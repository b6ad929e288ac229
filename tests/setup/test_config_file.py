"""The file that `init` writes is read back as what was answered, whatever was answered."""

import tomllib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpost.config.keys import KEYS, TOP
from secondpost.config.reading import parse_config
from secondpost.config.records import LearnedRecipients
from secondpost.config.warnings import warnings
from secondpost.mail.address import Domain, Endpoint
from secondpost.mail.envelope import Lane
from secondpost.setup.answers import (
    Answers,
    BackupAnswer,
    Entry,
    NewsletterAnswer,
    OtherTable,
    SmartHostAnswer,
    answers_of,
    toml_text,
)
from secondpost.setup.config_file import config_text

PATH = "/etc/secondpost/secondpost.toml"
SHORTEST = Answers("mx2.example.net", "/var/lib/secondpost", ("me@elsewhere.example",))
NEWSLETTER = NewsletterAnswer(
    "weekly", "The Blog <b@example.net>", ("https://example.net/f",), "daily", "UTC"
)

CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029"
KEY_NAME = (Entry("rsa", '"a"'),)
RESERVED = ("approve", "confirm", "leave", "static", "health", "metrics")

labels = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
domains = st.builds("{}.{}.example".format, labels, labels)
mailboxes = st.builds("{}@{}".format, st.from_regex(r"[a-zæøåß0-9+]{1,12}", fullmatch=True), domains)
paths = st.from_regex(rf"/[^/{CONTROL}]{{1,12}}/[^/.{CONTROL}]{{1,9}}", fullmatch=True)
ports = st.integers(1, 65_535)
doors = st.builds("127.0.0.1:{}".format, ports)
letters = st.characters(categories=["L", "Nd", "P", "S"], exclude_characters="<>")
hosts = st.builds("{}:{}".format, domains, ports)
backups = st.builds(
    BackupAnswer,
    domain=domains,
    recipients=st.sampled_from([("learn",), ("any",)]),
    primary=st.lists(hosts, max_size=2, unique=True).map(tuple),
    more=st.sampled_from([(), (Entry("keep", '"90 days"'), Entry("max_size", '"5 MB"'))]),
)
feeds = st.builds("https://{}/feed,all.xml?a=b#c".format, domains)
newsletters = st.builds(
    NewsletterAnswer,
    name=st.from_regex(r"[b-z][a-z0-9-]{2,9}", fullmatch=True).filter(lambda name: name not in RESERVED),
    sender=st.builds("{} <b@{}>".format, st.text(letters, min_size=1, max_size=9), domains),
    feeds=st.lists(feeds, min_size=1, max_size=3, unique=True).map(tuple),
    every=st.sampled_from(["friday 09:00", "daily", "when ready", "first monday 07:30"]),
    timezone=st.sampled_from(["UTC", "Europe/Oslo"]),
    more=st.sampled_from([(), (Entry("approve", "true"), Entry("skip", '["ad", "æ"]'))]),
)
smart_hosts = st.builds(
    SmartHostAnswer,
    host=st.builds("{}:587".format, domains),
    relays=st.booleans(),
    more=st.sampled_from([(), (Entry("tls", '"verify"'),)]),
)
others = st.sampled_from(
    [
        (),
        (OtherTable("[send]", (Entry("only_to", '["*@example.net"]'),)),),
        (
            OtherTable("[receive]", (Entry("recipients", "200"),)),
            OtherTable("[dkim]", (Entry("rsa", '"a"'),)),
        ),
    ]
)
answers = st.builds(
    Answers,
    hostname=domains.map(lambda name: f"host.{name}"),
    store=paths,
    owner=st.lists(mailboxes.map(lambda one: f"{one}.elsewhere"), min_size=1, max_size=3, unique=True).map(
        tuple
    ),
    backups=st.lists(backups, max_size=4, unique_by=lambda one: one.domain).map(tuple),
    newsletter=st.none() | newsletters,
    addresses=st.lists(st.ip_addresses(v=4, network="192.0.2.0/24").map(str), max_size=2, unique=True).map(
        tuple
    ),
    smart_host=st.none() | smart_hosts,
    pages_listen=st.just(("127.0.0.1:8025",)),
    proxies=st.sampled_from([(), ("127.0.0.1", "10.0.0.0/8")]),
    listen=st.lists(doors, max_size=1).map(tuple),
    dns_servers=st.sampled_from([(), ("127.0.0.1:53", "[::1]:5300")]),
    more=st.sampled_from([(), (Entry("reserve", '"5 GB"'),)]),
    others=others,
)


@given(answers)
@settings(max_examples=60, deadline=None)
def test_what_was_answered_is_read_back(answered: Answers) -> None:
    text = config_text(answered)
    assert answers_of(tomllib.loads(text)) == answered
    config = parse_config(text.encode(), PATH)
    assert [one.domain.name for one in config.backups] == [one.domain for one in answered.backups]
    assert config.hostname.name == answered.hostname
    assert config.store == answered.store
    assert [str(one) for one in config.owner] == list(answered.owner)
    if answered.newsletter is not None:
        assert config.newsletters[0].sender == answered.newsletter.sender
        assert config.newsletters[0].feeds == answered.newsletter.feeds


@given(answers)
@settings(max_examples=60, deadline=None)
def test_writing_what_was_read_changes_nothing(answered: Answers) -> None:
    text = config_text(answered)
    assert config_text(answers_of(tomllib.loads(text))) == text


def test_the_shortest_file() -> None:
    text = config_text(replace(SHORTEST, backups=(BackupAnswer("example.net"),)))
    assert (
        text
        == """\
# Secondpost. docs/settings.md explains every key; `secondpost check config` checks this file.
version   = 3
hostname  = "mx2.example.net"         # this server's own name, as the world sees it
store     = "/var/lib/secondpost"     # where mail, keys and sockets are kept
owner     = ["me@elsewhere.example"]  # who gets postmaster's mail, and hears of alarms

[tls]
# certificate = "/etc/letsencrypt/live/mx2.example.net/fullchain.pem"  # encrypts mail that comes in
# key         = "/etc/letsencrypt/live/mx2.example.net/privkey.pem"

[[backup]]
domain     = "example.net"
recipients = ["learn"]
# keep       = "31 days"              # how long mail waits for the primary, up to a year
"""
    )


def test_the_file_means_what_was_answered() -> None:
    config = parse_config(
        config_text(
            replace(
                SHORTEST,
                backups=(BackupAnswer("example.net", primary=("mx1.provider.example",)),),
                newsletter=NEWSLETTER,
                smart_host=SmartHostAnswer("smtp.example.com:587", relays=True),
                pages="none",
            )
        ).encode(),
        PATH,
    )
    assert config.backups[0].recipients == (LearnedRecipients(),)
    assert config.backups[0].primary == (Endpoint("mx1.provider.example", 25),)
    assert [(route.domain, route.lane) for route in config.routes] == [(None, None), (None, Lane.RELAY)]
    assert config.web.url is None
    assert config.newsletters[0].min_articles == 2
    assert config.hostname == Domain("mx2.example.net")


def test_what_is_only_proposed_is_the_default() -> None:
    """The hints are comments: with or without them, the configuration is the same."""
    text = config_text(replace(SHORTEST, backups=(BackupAnswer("example.net"),), newsletter=NEWSLETTER))
    bare = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    assert parse_config(text.encode(), PATH) == parse_config(bare.encode(), PATH)


def test_a_server_as_proposed_has_no_warning_but_that_of_its_certificate() -> None:
    config = parse_config(
        config_text(
            replace(
                SHORTEST,
                backups=(BackupAnswer("example.net"),),
                newsletter=NEWSLETTER,
                pages_listen=("127.0.0.1:8025",),
                proxies=("127.0.0.1",),
            )
        ).encode(),
        PATH,
    )
    assert [one.key for one in warnings(config, lambda user: True, lambda path: False)] == ["tls"]


def test_every_other_key_of_an_earlier_file_stays() -> None:
    """A file with keys in every table, and two newsletters."""
    earlier = """
version = 3
hostname = "mx2.example.net"
store = "/var/lib/secondpost"
owner = ["me@elsewhere.example"]
bounces = "bounces.example.net"
reserve = "2 GB"
[web]
url = "https://news.example.net"
[receive]
bare_newlines = "refuse"
connections = 300
[deliver]
probe = "1 minute"
[fetch]
allow_private = true
[dkim]
rsa = "a"
[[route]]
domain = "example.org"
host = "smtp.example:25"
[[backup]]
domain = "example.net"
quota = "5 GB"
delimiters = "+-"
[[newsletter]]
name = "one"
from = "one@example.net"
feeds = ["https://example.net/one"]
postal_address = \"\"\"
The "Blog"
1 Main St\\\\
\"\"\"
[[newsletter]]
name = "two"
from = "two@example.net"
feeds = ["https://example.net/two"]
images = false
"""
    written = config_text(answers_of(tomllib.loads(earlier)))
    assert parse_config(written.encode(), PATH) == parse_config(earlier.encode(), PATH)


@pytest.mark.parametrize("value", [True, 3, 'a"b\\c', ["a", "æ"], "𝔘\x7f", [], "a\nb"])
def test_values_are_written_as_toml_reads_them(value: object) -> None:
    assert tomllib.loads(f"key = {toml_text(value)}") == {"key": value}


ASKED = {TOP, "web", "tls", "receive", "dns", "backup", "route", "newsletter"}


@pytest.mark.parametrize("table", sorted(KEYS.keys() - ASKED))
def test_a_table_about_which_nothing_is_asked_stays(table: str) -> None:
    kept = answers_of({table: {"key": "value"}}).others
    assert kept == (OtherTable(f"[{table}]", (Entry("key", '"value"'),)),)
