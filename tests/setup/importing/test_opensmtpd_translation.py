"""A smtpd.conf from before 6.4 in the words of today: what each statement becomes."""

import pytest

from secondpost.setup.importing.carried import Fate
from secondpost.setup.importing.opensmtpd.translation import TranslatedConf, translated
from tests.setup.importing.old_world import CONF, OldWorld

LOGINS = "pki a certificate /c\npki a key /k\nlisten on eth0 port 587 tls-require pki a auth\n"


def made(conf: str, files: dict[str, str] | None = None) -> TranslatedConf:
    return translated(OldWorld({CONF: conf, **(files or {})}), CONF)


def lines(conf: str, files: dict[str, str] | None = None) -> list[str]:
    """Without the first, which says where it comes from."""
    return made(conf, files).text.split("\n")[1:-1]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("max-message-size 35M", "smtp max-message-size 35M"),
        ("expire 5d", "queue ttl 5d"),
        ("bounce-warn 1h, 6h", "bounce warn-interval 1h, 6h"),
        ('subaddressing-delimiter "-"', 'smtp sub-addr-delim "-"'),
        ("queue compression", "queue compression"),
        ("queue encryption key stdin", "queue encryption stdin"),
        ("limit mta for domain example.net inet4", "mta limit for domain example.net inet4"),
        ("limit session max-rcpt 100", "smtp limit max-rcpt 100"),
        ("max-mta-deferred 50", "mta max-deferred 50"),
        ("ciphers 'HIGH:!aNULL'", 'smtp ciphers "HIGH:!aNULL"'),
        ("pki mail certificate /c.pem", 'pki mail cert "/c.pem"'),
        ("ca mail certificate /c.pem", 'ca mail cert "/c.pem"'),
        ("table a db:/etc/mail/aliases.db", 'table a "db:/etc/mail/aliases.db"'),
        ("table a { b = c, d => e }", 'table a { "b" = "c", "d" = "e" }'),
        ("table src { 192.0.2.0/24 }", 'table "src" { "192.0.2.0/24" }'),
        ("listen on eth0 mask-source tag user", 'listen on eth0 tag "user" mask-src'),
        ("mail = example.net", 'mail = "example.net"'),
        ("# a remark\\\n that goes on", "# a remark\\\n that goes on"),
        ("reject from any for any", "match from any for any reject"),
        ("reject for domain example.net", "match from local for domain example.net reject"),
        (
            "reject from ! local sender ! x@y.example for local",
            "match !from local !mail-from x@y.example for local reject",
        ),
    ],
)
def test_a_statement_has_its_words_of_today(old: str, new: str) -> None:
    assert "\n".join(lines(f"{old}\n")) == new


@pytest.mark.parametrize(
    ("old", "action"),
    [
        ("relay", "relay"),
        ("relay backup", "relay backup"),
        ("relay backup mx2.example.net tls", "relay backup mx mx2.example.net tls no-verify"),
        ("relay tls verify", "relay tls"),
        ("relay via smtp://h.example:2525", 'relay host "smtp+notls://h.example:2525"'),
        ("relay via h.example", 'relay host "smtp://h.example"'),
        ("relay via smtp+tls://h.example", 'relay host "smtp://h.example"'),
        ("relay via tls://h.example", 'relay host "smtp+tls://h.example" tls no-verify'),
        ("relay via tls://h.example verify", 'relay host "smtp+tls://h.example" tls'),
        ("relay via smtps://h.example", 'relay host "smtps://h.example" tls no-verify'),
        ("relay via lmtp://h.example:24", 'relay host "lmtp://h.example:24"'),
        (
            "relay as news@example.net hostname mx.example.net",
            'relay helo mx.example.net mail-from "news@example.net"',
        ),
        ("relay source { 192.0.2.1 }", 'relay src { "192.0.2.1" }'),
        ("deliver to maildir", "maildir"),
        ('deliver to maildir "~/Mail" expire 2h', 'maildir "~/Mail" ttl 2h'),
        ("deliver to mbox", "mbox"),
        ('deliver to mda "procmail -f -" as joe', 'mda "procmail -f -" user joe'),
        ("deliver to lmtp /run/lmtp", 'lmtp "/run/lmtp"'),
        ("forward-only", "forward-only"),
    ],
)
def test_an_accept_is_an_action_and_a_match(old: str, action: str) -> None:
    action_line, match_line = lines(f"accept from any for domain example.net {old}\n")
    name = action_line.split('"')[1]
    assert action_line == f'action "{name}" {action}'
    assert match_line == f'match from any for domain example.net action "{name}"'


@pytest.mark.parametrize(
    ("source", "matches"),
    [
        ("from any", ["match from any"]),
        ("from local", ["match from local", "match auth from any"]),
        ("", ["match from local", "match auth from any"]),
        ("from ! local", ["match !from local !auth"]),
        ("from source 192.0.2.0/24", ["match from src 192.0.2.0/24 !auth"]),
        ("from ! source 192.0.2.0/24", ["match !from src 192.0.2.0/24", "match auth from any"]),
        (
            'from source { "local", "192.0.2.1" }',
            ['match from src { "local", "192.0.2.1" }', "match auth from any"],
        ),
    ],
)
def test_who_had_logged_in_is_said_apart(source: str, matches: list[str]) -> None:
    """In `from`, the address of who had logged in was `local` (ruleset_check_source in ruleset.c of 6.0)."""
    found = lines(f"{LOGINS}reject {source} for any\n")[3:]
    assert found == [f"{begin} for any reject" for begin in matches]


def test_equal_actions_are_declared_once_and_includes_are_written_where_they_stood() -> None:
    conf = 'include "/etc/mail/more" # rules\naccept from any for domain example.org relay backup\n'
    more = "accept from any for domain example.net relay backup\n"
    assert lines(conf, {"/etc/mail/more": more}) == [
        "# rules",
        '# include "/etc/mail/more": its lines follow',
        'action "backup_1" relay backup',
        'match from any for domain example.net action "backup_1"',
        'match from any for domain example.org action "backup_1"',
    ]


def test_expire_was_for_the_rules_behind_it() -> None:
    conf = "accept for domain a.example relay\nexpire 1d\naccept for domain b.example relay\n"
    assert lines(conf) == [
        'action "relay_1" relay ttl 4d',
        'match from local for domain a.example action "relay_1"',
        "queue ttl 1d",
        'action "relay_2" relay',
        'match from local for domain b.example action "relay_2"',
    ]


def test_what_has_no_equivalent_is_a_comment_with_the_reason_and_in_the_report() -> None:
    found = made('filter rspamd "filter-rspamd"\nlisten on eth0 filter rspamd\nhost = mx.example.net\n')
    fates = [one.line.fate for one in found.report]
    assert fates == [Fate.NOT_CARRIED, Fate.CHANGED, Fate.CHANGED]
    assert "# not carried over: filter rspamd" in found.text
    assert "listen on eth0\n" in found.text
    assert all(one.line.why in found.text for one in found.report)
