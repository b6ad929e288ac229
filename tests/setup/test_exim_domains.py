"""Which domains of an Exim become backup domains, and with which recipients."""

import pytest

from secondpost.config.records import AnyRecipient, Unknown
from secondpost.setup.importing.carried import Fate, OldConfigFaults
from tests.setup.exim_world import relaying

RELAY = "domainlist relay_to_domains = example.net : club.example\n"


@pytest.mark.parametrize(
    "acl",
    [
        "  accept domains = +relay_to_domains",
        "  require domains = +relay_to_domains\n  accept",
        "  deny !domains = +relay_to_domains\n  accept",
        "  deny domains = ! +relay_to_domains\n  accept",
        "  accept domains = +relay_to_domains\n         endpass\n         verify = recipient",
        "  deny !acl = ours\n  accept\nours:\n  accept domains = +relay_to_domains",
        "  accept condition = ${if match_domain{$domain}{+relay_to_domains}}",
        "  accept condition = ${if inlist{$domain}{example.net:club.example}}",
        "  deny dnslists = zen.dns-block.example\n  accept domains = +relay_to_domains",
        "  deny condition = ${if >{$rcpt_count}{10}}\n  accept domains = +relay_to_domains",
        "  defer condition = ${readsocket{/run/greylist}{$sender_host_address}}\n"
        "  accept domains = +relay_to_domains",
        "  warn !verify = recipient\n       set acl_c0 = ${eval: $acl_c0+1}\n"
        "  drop condition = ${if >{$acl_c0}{3}{yes}{no}}\n  accept domains = +relay_to_domains",
        "  warn set acl_m_domain = ${lc:$domain}\n"
        "  accept condition = ${if or{{eq{$acl_m_domain}{example.net}}{eq{$acl_m_domain}{club.example}}}}",
        "  accept domains = +relay_to_domains\n         !dnslists = zen.dns-block.example",
    ],
)
def test_a_domain_that_strangers_may_write_to_is_carried(acl: str) -> None:
    found = relaying(acl, RELAY)
    assert found.backups == {"example.net": ("any",), "club.example": ("any",)}
    assert found.config.backups[0].recipients == (AnyRecipient(),)


@pytest.mark.parametrize(
    "acl",
    [
        "  deny",
        "  accept hosts = 192.0.2.0/24",
        "  accept hosts = 192.0.2.0/24\n         domains = +relay_to_domains",
        "  accept authenticated = *",
        "  accept senders = friend@elsewhere.example",
        "  accept hosts = :",
        "  deny domains = +relay_to_domains\n  accept domains = +relay_to_domains",
        "  deny condition = ${run{/usr/bin/judge $domain}}\n  accept domains = +relay_to_domains",
        "  deny domains = cdb;/etc/exim4/given-up.cdb\n  accept domains = +relay_to_domains",
        "  drop domains = pgsql;select 1\n  accept domains = +relay_to_domains",
        "  discard domains = +relay_to_domains",
        "  accept acl = not_there",
        "  accept frobnicated = yes",
        "  accept encrypted = *\n         domains = +relay_to_domains",
        "  defer domains = +relay_to_domains\n  accept domains = +relay_to_domains",
    ],
)
def test_what_strangers_may_not_or_nobody_can_tell_is_not_carried(acl: str) -> None:
    assert relaying(acl, RELAY).backups == {}


def test_an_open_relay_is_not_carried_but_for_what_it_would_take_anyway() -> None:
    found = relaying(
        "  accept domains = +relay_to_domains\n  accept hosts = *\n",
        f"{RELAY}domainlist others = shop.example\nhostlist relay_from_hosts = *\n",
    )
    assert set(found.backups) == {"example.net", "club.example"}
    assert "open relay" in found.line("others").why
    line = found.line("accept hosts = *")
    assert (line.fate, "open relay" in line.why) == (Fate.NOT_CARRIED, True)


def test_a_domain_beside_a_star_is_not_carried_either() -> None:
    found = relaying("  deny domains = *.invalid\n  accept domains = example.net : *")
    assert found.backups == {}
    assert "open relay" in found.line("accept domains").why


def test_without_an_acl_everything_is_refused() -> None:
    found = relaying("  accept", RELAY.replace("domainlist", "acl_smtp_connect = none\ndomainlist"))
    assert found.backups == {}


def test_clients_that_are_turned_away_at_once_bring_no_mail() -> None:
    acl = "  accept domains = +relay_to_domains"
    assert relaying(acl, f"{RELAY}host_reject_connection = ! 192.0.2.0/24\n").backups == {}
    assert len(relaying(acl, f"{RELAY}host_reject_connection = 192.0.2.9\n").backups) == 2


def test_the_first_statement_that_applies_decides() -> None:
    acl = "  deny domains = club.example\n  accept domains = +relay_to_domains"
    found = relaying(acl, RELAY)
    assert set(found.backups) == {"example.net"}
    line = found.line("domainlist relay_to_domains")
    assert line.fate is Fate.CHANGED
    assert line.becomes == (("backup", 0, "domain"),)
    assert "club.example: the old server refuses its mail" in line.why


def test_patterns_are_named_in_the_report_and_not_carried() -> None:
    found = relaying(
        "  accept domains = +relay_to_domains",
        "domainlist relay_to_domains = ! x.example.net : example.net : *.example.net : ^club : @mx_any\n",
    )
    assert set(found.backups) == {"example.net"}
    why = found.line("domainlist").why
    assert "*.example.net: a pattern" in why
    assert "^club: a pattern" in why
    assert "@mx_any: it asks DNS" in why
    assert "x.example.net: the old server refuses" in why


def test_a_database_is_named_and_opens_nothing() -> None:
    main = "domainlist relayed = ${lookup mysql{SELECT name FROM domains}} : example.net\n"
    found = relaying("  require domains = +relayed\n  accept", main)
    assert found.backups == {}
    assert "It asks mysql" in found.line("domainlist").why


def test_domains_stand_in_tables_files_and_folders() -> None:
    files = {
        "/etc/exim4/table": "# a comment\nexample.net: 1\nclub.example\n",
        "/etc/exim4/file": "shop.example # ours\n! no.example\n",
        "/etc/exim4/folder/partner.example": "",
    }
    lists = "lsearch;/etc/exim4/table : /etc/exim4/file : dsearch;/etc/exim4/folder"
    found = relaying("  accept domains = +relayed", f"domainlist relayed = {lists}\n", files=files)
    assert set(found.backups) == {"example.net", "club.example", "shop.example", "partner.example"}
    line = next(one for one in found.imported.report if one.place.path == "/etc/exim4/table")
    assert (line.place.line, line.becomes) == (2, (("backup", 0, "domain"),))


# -- recipients


TABLE = {
    "/etc/exim4/users": "anna@example.net: x\nBen@example.net: x\nanna@club.example: x\n",
    "/etc/exim4/locals": "anna: x\nmary.ann:\n",
}


@pytest.mark.parametrize(
    "acl",
    [
        "  accept recipients = lsearch;/etc/exim4/users",
        "  require domains = +relay_to_domains\n  require recipients = lsearch;/etc/exim4/users\n  accept",
        "  deny !recipients = lsearch;/etc/exim4/users\n  accept domains = +relay_to_domains",
        "  accept domains = +relay_to_domains\n"
        "         condition = ${lookup{$local_part@$domain}lsearch{/etc/exim4/users}{yes}{no}}",
        "  deny condition = ${if eq{${lookup{$local_part@$domain}lsearch{/etc/exim4/users}}}{}}\n"
        "  accept domains = +relay_to_domains",
    ],
)
def test_recipients_of_a_table_become_lists(acl: str) -> None:
    found = relaying(acl, RELAY, files=TABLE)
    assert found.backups == {
        "example.net": ("file:recipients/example.net",),
        "club.example": ("file:recipients/club.example",),
    }
    assert found.imported.lists == {
        "recipients/example.net": "anna@example.net\nben@example.net\n",
        "recipients/club.example": "anna@club.example\n",
    }
    # Exim refuses me+tag@ where only me@ is listed.
    assert found.config.backups[0].delimiters == ""


def test_local_parts_of_a_table_or_a_list() -> None:
    acl = "  accept domains = example.net\n         local_parts = lsearch;/etc/exim4/locals : carl"
    found = relaying(acl, RELAY, files=TABLE)
    text = "anna@example.net\ncarl@example.net\nmary.ann@example.net\n"
    assert found.imported.lists == {"recipients/example.net": text}


def test_a_router_that_takes_only_some_local_parts_restricts_the_domain() -> None:
    routers = """
begin routers
known:
  driver = manualroute
  local_parts = lsearch;/etc/exim4/locals
  route_list = * 192.0.2.1
  transport = smtp
begin transports
smtp:
  driver = smtp
"""
    acl = "  require domains = example.net\n  require verify = recipient\n  accept"
    found = relaying(acl, RELAY, routers, TABLE)
    assert found.imported.lists == {"recipients/example.net": "anna@example.net\nmary.ann@example.net\n"}
    assert found.primaries == {"example.net": ("192.0.2.1",)}


def test_recipients_that_are_refused_while_others_are_not_are_named() -> None:
    found = relaying("  deny recipients = old@example.net\n  accept domains = example.net", RELAY)
    assert found.backups == {"example.net": ("any",)}
    line = next(one for one in found.imported.report if "old@example.net;" in one.why)
    assert line.fate is Fate.CHANGED


@pytest.mark.parametrize(
    ("callout", "unknown"),
    [
        ("callout", Unknown.DEFER),
        ("callout=30s,use_sender", Unknown.DEFER),
        ("callout=10s,defer_ok", Unknown.HOLD),
    ],
)
def test_a_callout_becomes_learning(callout: str, unknown: Unknown) -> None:
    acl = f"  require domains = example.net\n  require verify = recipient/{callout}\n  accept"
    found = relaying(acl, RELAY)
    assert found.backups == {"example.net": ("learn",)}
    assert found.config.backups[0].unknown is unknown
    assert found.line("verify = recipient").fate is Fate.CHANGED


def test_a_callout_for_some_domains_alone() -> None:
    acl = """\
  require domains = +relay_to_domains
  deny recipients = *@club.example
       !verify = recipient/callout
  accept"""
    assert relaying(acl, RELAY).backups == {"example.net": ("any",), "club.example": ("learn",)}


def test_a_postmaster_alone_makes_no_backup_domain() -> None:
    found = relaying("  accept local_parts = postmaster\n         domains = +relay_to_domains", RELAY)
    assert found.backups == {}
    assert "its postmaster alone" in found.line("domainlist").why


RELAYED = "accept domains = example.net"


@pytest.mark.parametrize(
    "refusal",
    [
        "deny senders = ^.*",
        "deny hosts = ^.+",
        "deny sender_domains = *",
        "deny !sender_domains = partner.example",
        "deny hosts = !/etc/filters",
        "deny hosts = !+filters",
        "deny !hosts = net-lsearch;/etc/filters",
        "deny senders = !lsearch;/etc/senders",
        "deny condition = ${if eq{$sender_host_address}{192.0.2.1}{no}{yes}}",
        "deny !condition = ${if match_ip{$sender_host_address}{192.0.2.0/24 : 2001::db8::::/32}}",
        "require condition = ${if match{$sender_host_name}{\\N\\.partner\\.example$\\N}}",
        "require condition = ${if match_ip{$sender_host_address}{<; 192.0.2.0/24}}",
    ],
)
def test_what_only_exempts_a_few_refuses_every_stranger(refusal: str) -> None:
    found = relaying(f"{refusal}\n{RELAYED}", main="hostlist filters = /etc/filters")
    assert found.backups == {}


@pytest.mark.parametrize(
    "refusal",
    [
        "deny senders = ^postmaster@",
        "deny hosts = /etc/blocked",
        "deny sender_domains = spam.example : lsearch;/etc/blocked",
        "deny condition = ${if eq{$sender_helo_name}{$primary_hostname}}",
        "deny condition = ${if match_ip{$sender_host_address}{10.0.0.0/8}}",
        "deny condition = ${lookup{$sender_address}lsearch{/etc/blocked}{yes}{no}}",
        "deny condition = ${if match_ip{$sender_host_address}{net-lsearch;/etc/blocked}}",
    ],
)
def test_what_refuses_a_few_refuses_no_domain(refusal: str) -> None:
    assert relaying(f"{refusal}\n{RELAYED}").backups == {"example.net": ("any",)}


@pytest.mark.parametrize(
    "marked",
    [
        "warn hosts = net-lsearch;/etc/filters\n  set acl_c_ok = 1\ndeny !condition = $acl_c_ok",
        "warn set acl_c_ok = ${if match_ip{$sender_host_address}{192.0.2.0/24}{1}{}}\n"
        "deny condition = ${if eq{$acl_c_ok}{}}",
    ],
)
def test_a_mark_that_only_a_few_clients_get_opens_no_domain(marked: str) -> None:
    assert relaying(f"{marked}\n{RELAYED}").backups == {}


def test_a_mark_that_differs_between_strangers_is_not_known() -> None:
    marked = "warn set acl_c_name = $sender_host_name\ndeny condition = ${if eq{$acl_c_name}{bad.example}}"
    assert relaying(f"{marked}\n{RELAYED}").backups == {"example.net": ("any",)}


def test_a_file_that_is_missing_ends_the_import_since_it_may_refuse_mail() -> None:
    with pytest.raises(OldConfigFaults) as faults:
        relaying(f".include /etc/refusals\n{RELAYED}")
    (fault,) = faults.value.faults
    assert "/etc/refusals" in fault.reason
    assert relaying(f".include_if_exists /etc/refusals\n{RELAYED}").backups == {"example.net": ("any",)}


def test_the_machines_own_name_is_not_said_to_need_a_primary() -> None:
    routers = """
begin routers
local:
  driver = accept
  domains = +local_domains
  transport = mail
begin transports
mail:
  driver = appendfile
"""
    main = "domainlist local_domains = mx2.example.net : localhost.localdomain : kept.example\n"
    found = relaying("  accept domains = +local_domains", main, routers)
    why = found.line("local_domains").why
    assert "mx2.example.net: it is a name of the machine itself and needs no [[backup]]" in why
    assert "localhost.localdomain: it is a name of the machine itself" in why
    assert "kept.example: its mail ends at the old server itself" in why
