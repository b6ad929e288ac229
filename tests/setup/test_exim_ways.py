"""Where an Exim's routers send the mail of a backup domain, its smart host, and its login there."""

import pytest

from secondpost.setup.importing.carried import Fate
from tests.setup.exim_world import Made, relaying

ACCEPT = "  accept domains = example.net : club.example"
TRANSPORTS = """
begin transports
smtp:
  driver = smtp
odd:
  driver = smtp
  port = 2525
lmtp:
  driver = smtp
  protocol = lmtp
box:
  driver = appendfile
"""


def routed(routers: str, more: str = "", **files: str) -> Made:
    texts = {f"/etc/exim4/{name}": text for name, text in files.items()}
    return relaying(ACCEPT, "", f"begin routers\n{routers}\n{TRANSPORTS}{more}", texts)


@pytest.mark.parametrize(
    ("hosts", "primary"),
    [
        ("192.0.2.1", ("192.0.2.1",)),
        ("mx1.provider.example : mx2.provider.example", ("mx1.provider.example", "mx2.provider.example")),
        (
            "mx1.provider.example:mx2.provider.example randomize byname",
            ("mx1.provider.example", "mx2.provider.example"),
        ),
        ("mx1.provider.example::2525", ("mx1.provider.example:2525",)),
        ('"<+ mx1.provider.example + [2001:db8::1]:26" bydns', ("mx1.provider.example", "[2001:db8::1]:26")),
        ("mail.$domain", ("mail.example.net",)),
        ("$0 byname", ("example.net",)),
        ("mx1.provider.example byname odd", ("mx1.provider.example:2525",)),
    ],
)
def test_the_hosts_of_a_route_list_are_the_primary(hosts: str, primary: tuple[str, ...]) -> None:
    found = routed(f"r:\n  driver = manualroute\n  transport = smtp\n  route_list = example.net {hosts}")
    assert found.primaries == {"example.net": primary}
    assert found.line("r: driver").becomes == (("backup", 0, "primary"),)


def test_rules_are_tried_in_order_and_tables_give_hosts() -> None:
    found = routed(
        "r:\n  driver = manualroute\n  transport = smtp\n"
        "  route_data = ${lookup{$domain}partial-lsearch{/etc/exim4/hubbed}}\n"
        "s:\n  driver = manualroute\n  transport = odd\n  domains = ! nowhere.example\n"
        "  route_list = *.example.net 192.0.2.1 ; club.example 192.0.2.2 ; *.example 192.0.2.3",
        hubbed="*.example.net: 192.0.2.9\n",
    )
    assert found.primaries == {"example.net": ("192.0.2.9",), "club.example": ("192.0.2.2:2525",)}


@pytest.mark.parametrize(
    "router",
    [
        "r:\n  driver = accept\n  transport = box",
        "r:\n  driver = manualroute\n  route_list = * 192.0.2.1\n  transport = lmtp",
        "r:\n  driver = redirect\n  data = someone@elsewhere.example",
        "r:\n  driver = redirect\n  allow_fail\n  data = :fail: gone",
        "r:\n  driver = redirect\n  data = ${lookup{$domain}cdb{/etc/exim4/x.cdb}}",
        "r:\n  driver = queryprogram\n  command = /usr/bin/router",
        "r:\n  driver = manualroute\n  transport = smtp\n  route_list = * ${run{/bin/hosts}}",
        "r:\n  driver = manualroute\n  transport = smtp\n  route_list = * ----",
        "r:\n  driver = dnslookup\n  domains = elsewhere.example\n  transport = smtp",
        "r:\n  driver = ipliteral\n  transport = smtp",
        "",
    ],
)
def test_mail_that_is_not_passed_on_as_it_came_makes_no_backup_domain(router: str) -> None:
    assert routed(router).primaries == {}


def test_a_router_that_declines_and_takes_no_more_ends_the_way() -> None:
    first = (
        "r:\n  driver = manualroute\n  route_data = ${lookup{$domain}lsearch{/etc/exim4/none}}\n  no_more\n"
    )
    second = "s:\n  driver = dnslookup\n  transport = smtp"
    assert routed(first + second, none="other.example: x\n").primaries == {}
    assert len(routed(first.replace("  no_more\n", "") + second, none="other.example: x\n").primaries) == 2


def test_routers_for_verification_copies_and_prefixes_do_not_count() -> None:
    found = routed(
        "v:\n  driver = accept\n  verify_only\n  transport = box\n"
        "c:\n  driver = accept\n  unseen\n  transport = box\n"
        "p:\n  driver = accept\n  local_part_prefix = real-\n  transport = box\n"
        "d:\n  driver = dnslookup\n  transport = smtp"
    )
    assert found.primaries == {"example.net": (), "club.example": ()}


# -- the smart host

SMART = "s:\n  driver = manualroute\n  transport = smart\n  route_list = * smtp.provider.example::587\n"
FOUND = "${lookup{$host}nwildlsearch{/etc/exim4/passwd.client}{$value}fail}"
AUTH = """
smart:
  driver = smtp
  hosts_require_auth = *
  hosts_require_tls = *
begin authenticators
a:
"""


@pytest.mark.parametrize(
    "login",
    [
        "  driver = plaintext\n  public_name = PLAIN\n  client_send = ^me@provider.example^open sesame",
        "  driver = plaintext\n  public_name = LOGIN\n  client_send = : me@provider.example : open sesame",
        "  driver = cram_md5\n  client_name = me@provider.example\n  client_secret = open sesame",
        f"  driver = cram_md5\n  client_name = ${{extract{{1}}{{:}}{{{FOUND}}}}}\n"
        f"  client_secret = ${{extract{{2}}{{:}}{{{FOUND}}}}}",
    ],
)
def test_a_smart_host_with_its_login(login: str) -> None:
    found = routed(
        SMART,
        AUTH + login,
        **{"passwd.client": "# a login\n*.provider.example:me@provider.example:open sesame\n"},
    )
    everything = [route for route in found.config.routes if route.domain is None]
    assert {str(route.host) for route in everything} == {"smtp.provider.example:587"}
    assert {route.username for route in everything} == {"me@provider.example"}
    assert found.imported.secrets == {"passwords/smart-host": "open sesame\n"}
    # Both domains are passed on by it too.
    assert found.imported.answers.smart_host is not None
    assert found.imported.answers.smart_host.relays
    assert "open sesame" not in repr(found.imported)


def test_a_smart_host_for_everything_but_one_domain() -> None:
    found = routed(
        "r:\n  driver = manualroute\n  transport = smtp\n  route_list = example.net 192.0.2.1\n" + SMART, AUTH
    )
    assert found.primaries == {"example.net": ("192.0.2.1",), "club.example": ()}
    named = [route for route in found.config.routes if route.domain is not None]
    assert [str(route.domain) for route in named] == ["club.example"]


def test_one_router_may_have_primaries_and_the_smart_host() -> None:
    found = routed(
        "r:\n  driver = manualroute\n  transport = smtp\n"
        "  route_list = example.net 192.0.2.1 ; club.example 192.0.2.2 ; * smtp.provider.example"
    )
    assert found.primaries == {"example.net": ("192.0.2.1",), "club.example": ("192.0.2.2",)}
    assert found.imported.answers.smart_host is not None
    assert not found.imported.answers.smart_host.relays
    keys = (("route", 0, "host"), ("backup", 0, "primary"), ("backup", 1, "primary"))
    assert found.line("r: driver").becomes == keys


def test_a_login_that_is_not_used_is_not_taken() -> None:
    more = AUTH.replace("  hosts_require_auth = *\n", "")
    found = routed(
        SMART, f"{more}  driver = plaintext\n  public_name = PLAIN\n  client_send = ^me^open sesame"
    )
    assert found.imported.secrets == {}


def test_no_password_is_shown() -> None:
    more = """
begin authenticators
server:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${if eq{$auth3}{open sesame}}
"""
    found = relaying(
        ACCEPT,
        "hide mysql_servers = localhost/mail/exim/open sesame\nDB_PASSWORD = open sesame\n",
        f"begin routers\nr:\n  driver = dnslookup\n  transport = smtp\n{TRANSPORTS}{more}",
    )
    assert "open sesame" not in repr(found.imported)
    assert found.line("server: driver").fate is Fate.NOT_CARRIED
