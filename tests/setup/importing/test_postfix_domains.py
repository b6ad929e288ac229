"""Which domains a Postfix's configuration becomes: never one that it refused."""

import pytest

from secondpost.setup.importing.carried import Fate, ImportedServer
from tests.setup.importing.postfix_world import LEAST, completed, imported, line_of

OPEN = "compatibility_level = 3.6\nmyhostname = mx2.example.net\n"


def domains(found: ImportedServer) -> list[str]:
    completed(found)  # the new file is without fault
    return [backup.domain for backup in found.answers.backups]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("a.example, b.example", ["a.example", "b.example"]),
        ("a.example\n  # none\n  b.example", ["a.example", "b.example"]),
        ("!b.example, a.example, b.example", ["a.example"]),
        ("a.example !a.example", ["a.example"]),
        (".a.example", []),
        ("$mydomain", ["example.net"]),
        ("$mydestination a.example", ["a.example"]),  # localhost and our own name are delivered here
        ("/etc/postfix/names", ["a.example", "c.example"]),
        ("!/etc/postfix/names, a.example, d.example", ["b.example", "d.example"]),
        ("hash:/etc/postfix/table", ["a.example", "b.example"]),
        ("texthash:/etc/postfix/table", ["a.example", "b.example"]),
        ("proxy:lmdb:$config_directory/table", ["a.example", "b.example"]),
        ("inline:{ { a.example = x }, b.example=y }", ["a.example", "b.example"]),
        ("regexp:/etc/postfix/patterns", ["a.example", "b.example"]),
        ("unionmap:{hash:/etc/postfix/table, inline:{c.example=x}}", ["a.example", "b.example", "c.example"]),
        ("static:all", []),  # any domain: none can be listed
        ("mysql:/etc/postfix/sql.cf, a.example", ["a.example"]),
        (
            "a.example b_c.example [192.0.2.1] a.example/24 ünïcode.example",
            ["a.example", "xn--ncode-cta3g.example"],
        ),
        ("mx2.example.net", []),
        ("localhost", []),
        ("", []),
    ],
)
def test_relay_domains_are_carried(written: str, expected: list[str]) -> None:
    files = {
        "names": "# ours\na.example\n!b.example, c.example\n",
        "table": "A.example x\nb.example\ty\na.example twice\nno-value.example\n",
        "patterns": "/^(a|b)\\.example$/ OK\n/\\.c\\.example$/ OK\n",
        "master.cf": "smtp inet n - y - - smtpd\n",
    }
    found = imported(f"{OPEN}relay_domains = {written}\n", files)
    assert sorted(domains(found)) == sorted(expected)


def test_what_a_table_in_a_database_has_is_said_to_be_missing() -> None:
    line = line_of(imported(f"{OPEN}relay_domains = mysql:/etc/postfix/sql.cf\n"), "relay_domains")
    assert line.fate is Fate.NOT_CARRIED
    assert "texthash:" in line.why


def test_subdomains_are_said_to_be_left_out_unless_they_were_not_taken() -> None:
    assert "subdomain" in line_of(imported(LEAST), "relay_domains").why
    exact = f"{LEAST}parent_domain_matches_subdomains =\n"
    assert "subdomain" not in line_of(imported(exact), "relay_domains").why


def test_a_subdomain_that_other_tables_name_is_carried() -> None:
    main = f"{LEAST}transport_maps = inline:{{ {{ sub.example.org = smtp:[192.0.2.9] }} }}\n"
    assert domains(imported(main)) == ["example.org", "sub.example.org"]


@pytest.mark.parametrize("other", ["mydestination", "virtual_alias_domains", "virtual_mailbox_domains"])
def test_a_domain_that_is_not_only_relayed_is_not_carried(other: str) -> None:
    found = imported(f"{LEAST}{other} = example.org, more.example\n")
    assert domains(found) == []
    assert "not relayed" in line_of(found, "relay_domains").why
    assert line_of(found, other).fate is Fate.NOT_CARRIED


@pytest.mark.parametrize(
    "restrictions",
    [
        "smtpd_client_restrictions = permit_mynetworks, reject",
        "smtpd_client_restrictions = check_client_access static:REJECT",
        "smtpd_client_restrictions = check_client_access cidr:/etc/postfix/all",
        "smtpd_helo_restrictions = permit_sasl_authenticated, defer",
        "smtpd_sender_restrictions = check_sender_access hash:/etc/postfix/ours, reject",
        "smtpd_recipient_restrictions = check_recipient_access inline:{example.org=REJECT}",
        "smtpd_recipient_restrictions = check_recipient_access inline:{example.org=DISCARD}",
        "smtpd_recipient_restrictions = inline:{{example.org = 550 5.1.1 gone}}",
        "smtpd_relay_restrictions = permit_mynetworks, reject",
        "smtpd_data_restrictions = reject",
        "smtpd_restriction_classes = mine\nmine = permit_mynetworks reject\n"
        "smtpd_recipient_restrictions = check_recipient_access inline:{example.org=mine}",
        "transport_maps = inline:{ {example.org = error:5.1.2 moved} }",
        "transport_maps = inline:{ {example.org = discard:} }",
        "transport_maps = inline:{ {example.org = dovecot:} }",
        "relay_transport = lmtp:unix:private/dovecot",
        "relay_transport = smtp:[127.0.0.1]",
        "relay_transport = smtp:[mx2.example.net]",
        "virtual_alias_maps = inline:{ {@example.org = @elsewhere.example} }",
        "relay_recipient_maps = inline:{ {x@other.example = OK} }",
    ],
)
def test_a_domain_for_which_strangers_could_send_nothing_is_not_carried(restrictions: str) -> None:
    found = imported(f"{LEAST}{restrictions}\n", {"all": "0.0.0.0/0 REJECT\n", "ours": "example.com OK\n"})
    assert domains(found) == []
    assert "example.org" in line_of(found, "relay_domains").why


@pytest.mark.parametrize(
    "access",
    [
        "hash:/etc/postfix/some",
        "cidr:/etc/postfix/bogons",
        "regexp:/etc/postfix/names",
        "mysql:/etc/postfix/sql.cf",
        "static:DUNNO",
        "static:OK",
    ],
)
@pytest.mark.parametrize("kind", ["client", "helo", "sender"])
def test_what_only_some_clients_and_senders_get_refuses_no_domain(kind: str, access: str) -> None:
    files = {
        "some": "unknown REJECT\n192.0.2 REJECT\nspam.example REJECT\n91 450 later\n",
        "bogons": "198.18.0.0/15 REJECT\n10.0.0.0/8 REJECT\n91.0.0.0/8 REJECT\n",
        "names": "/dialup/ REJECT\n/\\.invalid$/ REJECT\n",
    }
    found = imported(f"{LEAST}smtpd_{kind}_restrictions = check_{kind}_access {access}\n", files)
    assert domains(found) == ["example.org"]
    assert line_of(found, f"smtpd_{kind}_restrictions").fate is Fate.NOT_CARRIED


def test_a_server_that_no_one_reaches_carries_nothing() -> None:
    master = "127.0.0.1:smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n"
    assert domains(imported(LEAST, {"master.cf": master})) == []


def test_the_strictest_of_two_doors_counts() -> None:
    master = (
        "192.0.2.1:smtp inet n - y - - smtpd\n192.0.2.2:25 inet n - y - - smtpd\n"
        " -o smtpd_client_restrictions=permit_mynetworks,reject\n"
    )
    assert domains(imported(LEAST, {"master.cf": master})) == []
    one = master.partition("192.0.2.2")[0]
    found = imported(LEAST, {"master.cf": one})
    assert (domains(found), found.answers.listen) == (["example.org"], ("192.0.2.1:25",))


def test_behind_postscreen_the_parameters_of_smtpd_count() -> None:
    master = (
        "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n -o smtpd_data_restrictions=reject\n"
    )
    assert domains(imported(LEAST, {"master.cf": master})) == []
    assert domains(imported(LEAST, {"master.cf": master.partition(" -o")[0]})) == ["example.org"]


@pytest.mark.parametrize(
    "restrictions",
    [
        "smtpd_relay_restrictions = permit",
        "smtpd_relay_restrictions = check_client_access static:OK, reject_unauth_destination",
        "smtpd_relay_restrictions =",
        "relay_domains = static:yes",
    ],
)
def test_an_open_relay_is_not_carried(restrictions: str) -> None:
    found = imported(f"{LEAST}{restrictions}\n")
    assert set(domains(found)) <= {"example.org"}
    if "relay_domains" not in restrictions:
        assert "open relay" in line_of(found, "smtpd_relay_restrictions").why


@pytest.mark.parametrize("written", ["!/etc/postfix/gone, example.org", "!/etc/postfix/loop, example.org"])
def test_a_list_that_cannot_be_read_opens_no_domain_that_it_may_exclude(written: str) -> None:
    found = imported(f"{OPEN}relay_domains = {written}\n", {"loop": "/etc/postfix/loop\n"})
    assert domains(found) == []
    line = line_of(found, "relay_domains")
    assert "example.org" in line.why
    assert "/etc/postfix/" in line.why


def test_a_name_in_a_table_that_postfix_does_not_find_there_is_said() -> None:
    found = imported(
        f"{OPEN}relay_domains = hash:/etc/postfix/table\n", {"table": ".a.example x\nB.example. x\n"}
    )
    assert domains(found) == []
    why = line_of(found, "relay_domains").why
    assert "a.example" in why
    assert "b.example" in why


@pytest.mark.parametrize(
    "networks",
    [
        "0.0.0.0/1 REJECT one\n128.0.0.0/1 550 another\n",
        "10.0.0.0/8 OK\n!10.0.0.0/8 REJECT\n",
        "0.0.0.0/0 REJECT\n!10.0.0.0/8 OK\n",  # a client's name is not outside of 10.0.0.0/8
        "!2001:db8::/32 OK\n0.0.0.0/0 REJECT\n",  # and an address of IPv4 not outside of one of IPv6
    ],
)
def test_networks_that_together_refuse_every_stranger_refuse_the_domain(networks: str) -> None:
    main = f"{LEAST}smtpd_client_restrictions = check_client_access cidr:/etc/postfix/networks\n"
    assert domains(imported(main, {"networks": networks})) == []


@pytest.mark.parametrize(
    "restriction",
    [
        "no_such_thing",
        "check_recipient_access inline:{example.org=no_such_class}",
        "check_reverse_client_hostname_access static:REJECT",
    ],
)
def test_what_refuses_all_mail_refuses_the_domain(restriction: str) -> None:
    found = imported(f"{LEAST}smtpd_recipient_restrictions = {restriction}\n")
    assert domains(found) == []
    assert restriction.split()[0] in line_of(found, "relay_domains").why


@pytest.mark.parametrize("networks", ["0.0.0.0/0", "127.0.0.0/8, 0.0.0.0/1 128.0.0.0/1"])
def test_networks_of_all_make_an_open_relay(networks: str) -> None:
    found = imported(
        f"{LEAST}mynetworks = {networks}\nsmtpd_client_restrictions = permit_mynetworks, reject\n"
    )
    assert domains(found) == ["example.org"]
    assert "open relay" in line_of(found, "smtpd_relay_restrictions").why


def test_the_name_of_the_machine_itself_needs_no_backup_and_other_local_domains_need_a_server() -> None:
    found = imported(LEAST + "mydestination = $myhostname, localhost, kept.example\n")
    why = line_of(found, "mydestination").why
    assert "mx2.example.net is a name of the machine itself and needs no [[backup]]" in why
    assert "localhost is a name of the machine itself" in why
    assert "Mail for these domains (kept.example) was delivered on that machine" in why


def test_recipients_of_domains_that_cannot_be_known_are_not_said_to_be_carried() -> None:
    main = "myhostname = mx2.example.net\nrelay_domains = hash:/etc/postfix/relays\n"
    main += "relay_recipient_maps = hash:/etc/postfix/people\ntransport_maps = hash:/etc/postfix/ways\n"
    found = imported("", {"-": main}, "-")
    for name in ("relay_domains", "relay_recipient_maps", "transport_maps"):
        assert line_of(found, name).fate is Fate.NOT_CARRIED
