"""smtpd.conf in both formats: how it is read, and which domains strangers could reach."""

import pytest

from secondpost.setup.answers import NOT_ANSWERED, BackupAnswer, SmartHostAnswer
from secondpost.setup.importing.carried import Fate, OldConfigFaults
from tests.setup.importing.old_world import imported, line

LISTEN = "listen on eth0 hostname mx2.example.net\n"
RELAY = 'action "a" relay host smtp://192.0.2.1\n'


def domains(conf: str, files: dict[str, str] | None = None, *, is_old: bool = False) -> list[str]:
    return [one.domain for one in imported(conf, files, is_old=is_old).answers.backups]


# -- how it is read


def test_quotes_comments_joined_lines_and_macros_are_read_as_smtpd_reads_them() -> None:
    conf = (
        'next = "smtp://192.0.2.1"   # where to\n'
        "# a comment goes on \\\nmatch from any for any action a\n"
        "action a relay \\\n  host $next\n"
        "match from any for domain 'example.net' action \\\n a # the end\n"
    )
    found = imported(LISTEN + conf)
    assert found.answers.backups == (BackupAnswer("example.net", ("any",), ("192.0.2.1:25",)),)
    assert line(found, 5).text == "action a relay host $next"


def test_a_macro_is_not_expanded_in_quotes() -> None:
    conf = 'where = "example.net"\nmatch from any for domain "$where" action "a"\n'
    assert domains(LISTEN + RELAY + conf) == []


def test_an_include_stands_for_its_lines_and_its_macros() -> None:
    conf = 'include "/etc/mail/more"\nmatch from any for domain $ours action "a"\n'
    found = imported(LISTEN + RELAY + conf, {"/etc/mail/more": "\nours = example.net\n"})
    assert [one.domain for one in found.answers.backups] == ["example.net"]
    assert line(found, 2, "/etc/mail/more").fate is Fate.CARRIED


@pytest.mark.parametrize(
    ("conf", "place", "reason"),
    [
        ('include "/etc/mail/gone"\n', 1, "/etc/mail/gone cannot be read: No such file or directory"),
        ('include "/etc/mail/smtpd.conf"\n', 1, "includes itself"),
        ("listen on $ext\n", 1, "the macro $ext is not defined above"),
        ('\nlisten on "eth0\n', 2, "the quotation marks that open here are not closed"),
        ("match from any for domain example.net action a\n", 1, "there is no action a above"),
        ("match from any for domain <gone> reject\n", 1, "there is no table gone above"),
        ("match from anywhere reject\n", 1, '"any" is missing, at "anywhere"'),
        ("deny all\n", 1, '"deny" begins no statement that is known here'),
    ],
)
def test_what_cannot_be_read_ends_the_import_with_its_place(conf: str, place: int, reason: str) -> None:
    with pytest.raises(OldConfigFaults) as faults:
        imported(conf)
    (fault,) = faults.value.faults
    assert fault.place.line == place
    assert reason in fault.text()


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(OldConfigFaults) as faults:
        imported("frobnicate\nlisten on $x\nmatch reject nothing\n")
    assert [fault.place.line for fault in faults.value.faults] == [2]  # the words
    with pytest.raises(OldConfigFaults) as faults:
        imported("frobnicate\nmatch reject nothing\n")
    assert [fault.place.line for fault in faults.value.faults] == [1, 2]  # then what they say


# -- which domains are open to strangers

NEVER = [
    "match for domain example.net action a",  # from local, as usual
    "match from local for domain example.net action a",
    "match from socket for domain example.net action a",
    "match from src 192.0.2.0/24 for domain example.net action a",
    "match from src { 127.0.0.1, local } for domain example.net action a",
    "match auth from any for domain example.net action a",
    "match from auth for domain example.net action a",
    'match from any mail-from "boss@sender.example" for domain example.net action a',
    'match from mail-from "boss@sender.example" for domain example.net action a',
    "match from any helo mx.sender.example for domain example.net action a",
    "match from rdns mx.sender.example for domain example.net action a",
    "match from any tag INSIDE for domain example.net action a",
    "match !from any for domain example.net action a",
    "match from any !for domain example.org action a",
    "match from any for any action a",
    "match from any for local action a",
    'match from any for domain "*.example.net" action a',
    'match from any for domain regex "example\\.net" action a',
    "match from any for domain mx2.example.net action a",  # its own name
    "match from any reject\nmatch from any for domain example.net reject\n"
    "match from any for domain example.net action a",
    'match from any for rcpt-to "@" action a',
    'match from any for domain "*" action a',
    'match from any for domain { "*.*" } action a',
    'match from any mail-from "@" reject\nmatch from any mail-from "@" for any reject\n'
    "match from any for domain example.net action a",
    'match from any for domain regex "net$" reject\nmatch from any for domain example.net action a',
    "match from src { 0.0.0.0/1, 128.0.0.0/1 } for any reject\n"
    "match from any for domain example.net action a",
    'match from any tag regex "^$" for any reject\nmatch from any for domain example.net action a',
    'match from any for domain example.net !rcpt-to "you@example.org" reject\n'
    "match from any for domain example.net action a",
    'match from any for domain example.net rcpt-to { "@@" } action a',
]


@pytest.mark.parametrize("rules", NEVER)
def test_what_is_not_open_to_strangers_becomes_no_backup_domain(rules: str) -> None:
    inside = "listen on lo port 10026 tag INSIDE\n"
    found = imported(inside + LISTEN + RELAY.replace('"a"', "a") + rules + "\n")
    assert found.answers.backups == ()
    assert line(found, 3 + rules.count("\n") + 1).fate is Fate.NOT_CARRIED


ALWAYS = [
    "match from any for domain example.net action a",
    "match !from local for domain example.net action a",
    "match from any !auth for domain example.net action a",
    "match from src 0.0.0.0/0 for domain example.net action a",
    "match !from src 192.0.2.0/24 for domain example.net action a",
    "match from any tag OUTSIDE for domain example.net action a",
    "match from any !tag INSIDE for domain { Example.NET } action a",
    'match from any !mail-from "@spam.example" for domain example.net action a',
    "match from any tls for domain example.net action a",
    'match from any for rcpt-to "@example.net" action a',
    "match from src 192.0.2.0/24 for any reject\nmatch from any for domain example.net action a",
    'match from any for domain example.net rcpt-to "gone@example.net" reject\n'
    "match from any for domain example.net action a",
    "match for domain example.net reject\nmatch from any for domain example.net action a",
]


@pytest.mark.parametrize("rules", ALWAYS)
def test_what_is_open_to_strangers_becomes_one(rules: str) -> None:
    outside = "listen on eth0 tag OUTSIDE\nlisten on lo tag INSIDE\n"
    assert domains(outside + RELAY.replace('"a"', "a") + rules + "\n") == ["example.net"]


@pytest.mark.parametrize(
    ("destination", "advice"),
    [
        ("any", "relays for no client: let these send"),
        ('domain "example.net"', "write a [[backup]] for the domain"),
    ],
)
def test_what_is_for_some_clients_only_gets_advice_that_can_be_followed(
    destination: str, advice: str
) -> None:
    found = imported(LISTEN + RELAY + f'match from src 192.0.2.0/24 for {destination} action "a"\n')
    assert advice in line(found, 3).why


def test_a_pattern_is_said_once_where_it_stands() -> None:
    found = imported(LISTEN + RELAY + 'match from any for domain "*.example.net" action "a"\n')
    assert line(found, 3).why.count("cannot be listed") == 1
    listed = LISTEN + RELAY + 'table d { "*.example.net" }\nmatch from any for domain <d> action "a"\n'
    found = imported(listed)
    assert [line(found, number).why.count("cannot be listed") for number in (3, 4)] == [1, 1]


def test_an_open_relay_is_named_and_the_domains_behind_it_are_not_lost() -> None:
    conf = "accept from any for any relay\naccept from any for domain example.net relay backup\n"
    found = imported(LISTEN + conf, is_old=True)
    assert "open relay" in line(found, 2).why
    assert [one.domain for one in found.answers.backups] == ["example.net"]


def test_mail_led_through_a_filter_goes_where_the_filter_brings_it_back() -> None:
    conf = (
        LISTEN + "listen on lo port 10026 tag Filtered\n"
        "accept tagged Filtered for domain <ours> relay backup\n"
        'accept from any for domain <ours> relay via "smtp://127.0.0.1:10025"\n'
    )
    found = imported("table ours { example.net }\n" + conf, is_old=True)
    assert found.answers.backups == (BackupAnswer("example.net", ("any",), ()),)
    away = conf.replace("relay backup", "deliver to maildir")
    assert domains("table ours { example.net }\n" + away, is_old=True) == []
    # Without a way back, it is only a program of the old machine.
    lost = imported("table ours { example.net }\n" + conf.replace("tag Filtered", ""), is_old=True)
    assert lost.answers.backups == ()


# -- recipients


def test_a_list_becomes_a_file_and_what_is_no_address_is_said_at_its_line() -> None:
    table = "# people\nme@example.net\n\npostmaster\nyou@example.org\nme@@example.net\n"
    conf = "table r file:/etc/mail/r\nmatch from any for domain example.net rcpt-to <r> action a\n"
    found = imported(LISTEN + RELAY.replace('"a"', "a") + conf, {"/etc/mail/r": table})
    assert found.answers.backups[0].recipients == ("file:recipients/example.net",)
    assert found.lists == {"recipients/example.net": "me\npostmaster\n"}
    assert line(found, 6, "/etc/mail/r").fate is Fate.NOT_CARRIED
    assert line(found, 4).fate is Fate.CARRIED


def test_a_refusal_of_all_others_is_a_list_too() -> None:
    conf = (
        "table r { me, postmaster }\n"
        "reject from any recipient ! <r> for domain example.net\n"
        "accept from any for domain example.net relay backup\n"
    )
    found = imported(LISTEN + conf, is_old=True)
    assert found.lists == {"recipients/example.net": "me\npostmaster\n"}
    assert found.answers.backups[0].recipients == ("file:recipients/example.net",)
    assert line(found, 3).fate is Fate.CARRIED


def test_recipients_that_cannot_be_listed_are_asked_of_the_primary() -> None:
    conf = "table r ldap:/etc/mail/ldap.conf\nmatch from any for domain example.net rcpt-to <r> action a\n"
    found = imported(LISTEN + RELAY.replace('"a"', "a") + conf)
    assert found.answers.backups[0].recipients == ("learn",)
    assert line(found, 4).fate is Fate.CHANGED


def test_aliases_of_a_domain_with_mailboxes_are_a_list_without_a_backup() -> None:
    conf = "table v file:/etc/mail/v\naccept from any for domain example.net virtual <v> deliver to mbox\n"
    aliases = "me@example.net  joe\nabuse@example.net: joe, jim\n\tjoan\n@example.org joe\n"
    found = imported(LISTEN + conf, {"/etc/mail/v": aliases}, is_old=True)
    assert found.answers.backups == ()
    assert found.lists == {"recipients/example.net": "me\nabuse\n"}
    assert line(found, 2).fate is Fate.CHANGED
    assert line(found, 3).fate is Fate.NOT_CARRIED


def test_what_an_earlier_line_refuses_or_keeps_is_not_in_the_list() -> None:
    conf = (
        'match from any for domain example.net rcpt-to { "gone@example.net", "old" } reject\n'
        'action box mbox\nmatch from any for domain example.net rcpt-to { "box@example.net" } action box\n'
        "match from any for domain example.net rcpt-to { me, gone, Box, old, postmaster } action a\n"
    )
    found = imported(LISTEN + RELAY.replace('"a"', "a") + conf)
    assert found.lists == {"recipients/example.net": "me\npostmaster\n"}
    assert line(found, 3).fate is Fate.CARRIED
    assert line(found, 5).fate is Fate.NOT_CARRIED


def test_who_is_left_by_a_refusal_that_cannot_be_read_is_asked_of_the_primary() -> None:
    conf = (
        "table r ldap:/etc/mail/ldap.conf\n"
        "match from any for domain example.net !rcpt-to <r> reject\n"
        "match from any for domain example.net action a\n"
    )
    found = imported(LISTEN + RELAY.replace('"a"', "a") + conf)
    assert found.answers.backups[0].recipients == ("learn",)
    assert line(found, 5).fate is Fate.CHANGED


def test_where_only_local_programs_can_connect_no_domain_is_open() -> None:
    conf = RELAY.replace('"a"', "a") + "match from any for domain example.net action a\n"
    assert domains("listen on lo\n" + conf) == []
    assert domains("listen on lo\nlisten on eth0\n" + conf) == ["example.net"]


# -- next hops, smart host, doors


def test_tls_and_logins_of_a_primary_are_a_route_with_the_password_in_a_file() -> None:
    conf = (
        'table s { isp = "bob:correct horse" }\n'
        "action a relay host smtps://isp@mx.example.org auth <s>\n"
        "match from any for domain example.net action a\n"
    )
    found = imported(LISTEN + conf)
    (route,) = found.answers.others
    assert {entry.key: entry.value for entry in route.entries} == {
        "domain": '"example.net"',
        "lane": '"relay"',
        "host": '"mx.example.org:465"',
        "username": '"bob"',
        "password_file": '"passwords/mx.example.org"',
        "tls": '"verify"',
    }
    assert found.secrets == {"passwords/mx.example.org": "correct horse\n"}
    assert "correct horse" not in repr(found)
    assert line(found, 2).text == 'table s { isp = "…" }'


@pytest.mark.parametrize(
    ("url", "option", "is_old", "tls"),
    [
        ("smtp+tls://isp@h.example", "", False, "verify"),
        ("smtp+tls://isp@h.example", "tls no-verify", False, "encrypt"),
        ("tls+auth://isp@h.example", "", True, "encrypt"),
        ("tls+auth://isp@h.example", "verify", True, "verify"),
        ("secure+auth://isp@h.example:465", "", True, "encrypt"),
    ],
)
def test_the_smart_host_is_for_our_own_mail(url: str, option: str, is_old: bool, tls: str) -> None:
    secrets = 'table s { isp = "bob:x" }\n'
    if is_old:
        conf = f"accept for any relay via {url} auth <s> {option}\n"
    else:
        conf = f"action o relay host {url} auth <s> {option}\nmatch from local for any action o\n"
    smart_host = imported(LISTEN + secrets + conf, is_old=is_old).answers.smart_host
    assert isinstance(smart_host, SmartHostAnswer)
    assert smart_host.username == "bob"
    assert [entry.value for entry in smart_host.more] == [f'"{tls}"']


def test_doors_name_and_certificate_are_those_of_the_listener_for_strangers() -> None:
    conf = (
        'pki other.example cert "/x.crt"\npki other.example key "/x.key"\n'
        'pki mx cert "/m.crt"\npki mx key "/m.key"\n'
        "listen on lo hostname localhost.example.net\n"
        "listen on 192.0.2.1 port 587 tls-require pki other.example auth hostname out.example.net\n"
        "listen on 192.0.2.1 tls pki mx hostname mx2.example.net\n"
        'listen on "2001:db8::1" port 2525 tls pki mx\n'
    )
    answers = imported(conf).answers
    assert answers.listen == ("192.0.2.1:25", "[2001:db8::1]:2525")
    assert answers.hostname == "mx2.example.net"
    assert (answers.certificate, answers.key) == ("/m.crt", "/m.key")


def test_the_name_of_the_machine_is_that_of_mailname_and_otherwise_not_known() -> None:
    assert (
        imported("listen on eth0\n", {"/etc/mailname": "mx.example.org\n"}).answers.hostname
        == "mx.example.org"
    )
    assert imported("listen on eth0\n").answers.hostname == NOT_ANSWERED.hostname


def test_limits_are_those_of_every_backup_and_an_own_time_wins() -> None:
    conf = (
        'expire 10d\nmax-message-size 20M\nsubaddressing-delimiter "-"\n'
        "accept from any for domain example.net relay backup\n"
        "accept from any for domain example.org relay backup expire 90m\n"
    )
    first, second = imported(LISTEN + conf, is_old=True).answers.backups
    assert {entry.key: entry.value for entry in first.more} == {
        "keep": '"10 days"',
        "max_size": '"20971520 B"',
        "delimiters": '"-"',
    }
    assert {entry.key: entry.value for entry in second.more}["keep"] == '"90 minutes"'


EVERYTHING = "match from any for domain example.net action a\n"


@pytest.mark.parametrize(
    "refusal",
    [
        'match from any for any rcpt-to regex "@example\\.net$" reject\n',
        'match from any for domain example.net rcpt-to regex ".*" reject\n',
        'match from any mail-from regex ".*" for any reject\n',
        'match from src regex "." for any reject\n',
        'match from any helo "*" for any reject\n',
    ],
)
def test_a_pattern_that_refuses_all_refuses_the_domain(refusal: str) -> None:
    assert domains(LISTEN + RELAY + refusal + EVERYTHING) == []


@pytest.mark.parametrize("some", ["!from rdns", 'from any !helo regex ".*"', 'from any !mail-from regex "^"'])
def test_what_only_few_or_no_strangers_are_opens_no_domain(some: str) -> None:
    assert domains(f"{LISTEN}{RELAY}match {some} for domain example.net action a\n") == []


def test_a_refusal_of_clients_without_a_name_refuses_no_domain() -> None:
    found = imported(f"{LISTEN}{RELAY}match !from rdns for any reject\n{EVERYTHING}")
    assert [one.domain for one in found.answers.backups] == ["example.net"]
    assert line(found, 3).fate is Fate.NOT_CARRIED


def test_addresses_refused_by_a_table_that_cannot_be_read_are_left_to_the_primary() -> None:
    refusal = "table no ldap:/etc/no\nmatch from any for any rcpt-to <no> reject\n"
    found = imported(LISTEN + RELAY + refusal + EVERYTHING)
    (backup,) = found.answers.backups
    assert backup.recipients == ("learn",)
    assert line(found, 5).fate is Fate.CHANGED


@pytest.mark.parametrize(
    ("aliases", "owner", "fate"),
    [
        ("postmaster: root\nroot: me@elsewhere.example\n", ("me@elsewhere.example",), Fate.CARRIED),
        ("root: me@example.net\n", NOT_ANSWERED.owner, Fate.NOT_CARRIED),
        ("root: joe\n", NOT_ANSWERED.owner, Fate.NOT_CARRIED),
    ],
)
def test_the_owner_gets_what_the_aliases_had_for_postmaster(
    aliases: str, owner: tuple[str, ...], fate: Fate
) -> None:
    conf = LISTEN + RELAY + "table aliases file:/etc/aliases\naction m mbox alias <aliases>\n"
    conf += 'match from any for domain example.net action "a"\nmatch for local action m\n'
    found = imported(conf, {"/etc/aliases": aliases})
    assert found.answers.owner == owner
    assert line(found, 3).fate is fate
