"""What is about the machine of a Postfix: names, addresses, certificate, limits, owner."""

import pytest

from secondpost.setup.answers import NOT_ANSWERED, Entry, OtherTable
from secondpost.setup.importing.carried import Fate, ImportedServer
from tests.setup.importing.postfix_world import LEAST, completed, imported, line_of


def more(found: ImportedServer, key: str) -> str | None:
    completed(found)
    return {entry.key: entry.value for entry in found.answers.backups[0].more}.get(key)


@pytest.mark.parametrize(
    ("written", "listen"),
    [
        ("inet_interfaces = all", ()),
        ("inet_interfaces = all\ninet_protocols = ipv4", ("0.0.0.0:25",)),
        ("inet_interfaces = loopback-only", ("127.0.0.1:25", "[::1]:25")),
        ("inet_interfaces = 192.0.2.1, [2001:db8::1]", ("192.0.2.1:25", "[2001:db8::1]:25")),
        ("inet_interfaces = localhost, 192.0.2.1\ninet_protocols = ipv4", ("127.0.0.1:25", "192.0.2.1:25")),
        ("inet_interfaces = $myhostname", ()),
    ],
)
def test_interfaces_become_listen(written: str, listen: tuple[str, ...]) -> None:
    found = imported(f"{LEAST}{written}\n")
    completed(found)
    assert found.answers.listen == listen


def test_names_addresses_and_certificate() -> None:
    main = """\
mydomain = example.net
myhostname = mx2.$mydomain
proxy_interfaces = 192.0.2.1, [2001:db8::1]
smtpd_tls_security_level = may
smtpd_tls_cert_file = /etc/ssl/cert.pem
"""
    answers = imported(main).answers
    assert answers.hostname == "mx2.example.net"
    assert answers.addresses == ("192.0.2.1", "2001:db8::1")
    assert (answers.certificate, answers.key) == ("/etc/ssl/cert.pem", "/etc/ssl/cert.pem")
    chain = imported("smtpd_use_tls = yes\nsmtpd_tls_chain_files = /etc/a.pem, /etc/b.pem\n").answers
    assert (chain.certificate, chain.key) == ("/etc/a.pem", "/etc/a.pem")
    off = imported("smtpd_tls_cert_file = /etc/ssl/cert.pem\n")
    assert off.answers.certificate is None
    assert line_of(off, "smtpd_tls_cert_file").fate is Fate.NOT_CARRIED


@pytest.mark.parametrize(
    ("hostname_file", "main", "hostname"),
    [
        ("mx9.example.net\n", "relay_domains = a.example", "mx9.example.net"),
        ("mx9\n", "mydomain = example.net", "mx9.example.net"),
        ("mx9\n", "relay_domains = a.example", "mx9.localdomain"),
        ("", "relay_domains = a.example", NOT_ANSWERED.hostname),
        ("mx9.example.net\n", "myhostname = localhost", NOT_ANSWERED.hostname),
    ],
)
def test_the_name_of_the_machine(hostname_file: str, main: str, hostname: str) -> None:
    assert imported(main, {"/etc/hostname": hostname_file}).answers.hostname == hostname


@pytest.mark.parametrize(
    ("line", "key", "value", "fate"),
    [
        ("message_size_limit = 25600000", "max_size", '"25600 KB"', Fate.CARRIED),
        ("message_size_limit = 10485761", "max_size", '"10485761 B"', Fate.CARRIED),
        ("message_size_limit = 0", "max_size", '"1000 MB"', Fate.CHANGED),
        ("message_size_limit = 1000", "max_size", '"64 KB"', Fate.CHANGED),
        ("message_size_limit = big", "max_size", None, Fate.NOT_CARRIED),
        ("maximal_queue_lifetime = 10d", "keep", '"10 days"', Fate.CHANGED),
        ("maximal_queue_lifetime = 2w", "keep", '"14 days"', Fate.CHANGED),
        ("maximal_queue_lifetime = 0", "keep", '"1 hour"', Fate.CHANGED),
        ("maximal_queue_lifetime = 999d", "keep", '"366 days"', Fate.CHANGED),
        ("maximal_queue_lifetime = soon", "keep", None, Fate.NOT_CARRIED),
        ("recipient_delimiter = +-", "delimiters", '"+-"', Fate.CARRIED),
        ("recipient_delimiter = .", "delimiters", '""', Fate.NOT_CARRIED),
    ],
)
def test_limits_of_a_domain(line: str, key: str, value: str | None, fate: Fate) -> None:
    found = imported(f"{LEAST}{line}\n")
    assert more(found, key) == value
    assert line_of(found, line.partition(" ")[0]).fate is fate


@pytest.mark.parametrize(
    ("line", "entry", "fate"),
    [
        ("smtpd_forbid_bare_newline = reject", Entry("bare_newlines", '"refuse"'), Fate.CARRIED),
        ("smtpd_forbid_bare_newline = yes", None, Fate.CARRIED),
        ("smtpd_forbid_bare_newline = no", None, Fate.CHANGED),
        ("smtpd_recipient_limit = 500", Entry("recipients", "500"), Fate.CARRIED),
        ("smtpd_recipient_limit = 20", Entry("recipients", "100"), Fate.CHANGED),
        ("smtpd_client_connection_count_limit = 0", Entry("connections_per_client", "100000"), Fate.CHANGED),
        ("smtpd_timeout = ${stress?{10}:{120}}s", Entry("timeout", '"2 minutes"'), Fate.CARRIED),
        ("smtpd_timeout = 3h", None, Fate.NOT_CARRIED),
    ],
)
def test_limits_on_clients(line: str, entry: Entry | None, fate: Fate) -> None:
    found = imported(f"{LEAST}{line}\n")
    completed(found)
    tables = () if entry is None else (OtherTable("[receive]", (entry,)),)
    assert found.answers.others == tables
    assert line_of(found, line.partition(" ")[0]).fate is fate


@pytest.mark.parametrize(
    ("aliases", "owner"),
    [
        (
            "postmaster: root\nroot: me@elsewhere.example, \n  too@elsewhere.example\n",
            ("me@elsewhere.example", "too@elsewhere.example"),
        ),
        ("root: me@example.org\n", NOT_ANSWERED.owner),
        ('root: "|/bin/cat", /dev/null, :include:/x, me@elsewhere.example\n', ("me@elsewhere.example",)),
        ("postmaster: root\nroot: postmaster\n", NOT_ANSWERED.owner),
        (f"root: {'root ' * 1000}, postmaster\npostmaster: {'root ' * 1000}\n", NOT_ANSWERED.owner),
        ("root: me@mx2.example.net, me@localhost\n", NOT_ANSWERED.owner),
        ("", NOT_ANSWERED.owner),
    ],
)
def test_the_owner_gets_what_went_to_postmaster(aliases: str, owner: tuple[str, ...]) -> None:
    main = f"{LEAST}alias_maps = hash:/etc/aliases, nis:mail.aliases\n"
    assert imported(main, {"/etc/aliases": aliases}).answers.owner == owner


@pytest.mark.parametrize("name", ["relaykey", "k"])
def test_a_password_that_another_parameter_has_is_not_shown(name: str) -> None:
    main = (
        f"{LEAST}{name} = hunter2\nlogin = user:${{{name}}}\nrelayhost = [smart.example]\n"
        "smtp_sasl_auth_enable = yes\nsmtp_sasl_password_maps = inline:{[smart.example]=$login}\n"
    )
    found = imported(main)
    assert list(found.secrets.values()) == ["hunter2\n"]
    assert "hunter2" not in repr(found.report)
