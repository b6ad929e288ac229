"""Mail by way of a real Postfix or Exim that wants a login; its password is in a file of ours."""

import re
from pathlib import Path

import pytest

from bench.ours import DOMAIN, Secondpost
from bench.ready import free_port
from tests.against.listing import held_for_the_primary, waiting
from tests.against.primaries import PostfixPrimary, Primary
from tests.against.sending import on_the_wire, send_many, send_with_swaks, until, until_stored
from tests.against.smart_hosts import (
    ENCRYPTED_FIRST,
    PASSWORD,
    USERNAME,
    EximSmartHost,
    smart_host,
)

MESSAGE = on_the_wire(b"Subject: by way of a smart host\n\nHello.\n")
MAILS = 20


def ours(place: Path, host: Primary, *, where: str = "127.0.0.1", tls: str | None = None) -> Secondpost:
    """A Secondpost whose relayed mail goes by the smart host."""
    port = 465 if where == ENCRYPTED_FIRST else host.port
    return Secondpost(
        place / "ours",
        free_port(),
        host.port,
        f"""\
[deliver]
probe = "1 second"

[[route]]
domain = "{DOMAIN}"
lane = "relay"
host = "{where}:{port}"
username = "{USERNAME}"
password_file = "{place}/password"
{"" if tls is None else f'tls = "{tls}"'}
""",
    )


def write_password(place: Path, password: str) -> None:
    (place / "password").write_text(f"{password}\n")
    (place / "password").chmod(0o600)


def logins(host: PostfixPrimary) -> list[str]:
    """The numbers of logins that succeeded and were tried, of each connection that tried one."""
    return re.findall(r"disconnect from .* auth=(\S+)", host.postfix.log.read_text())


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "PLAIN", "LOGIN"])
def test_each_login_is_accepted(place: Path, mechanism: str) -> None:
    write_password(place, PASSWORD)
    with smart_host(place, [mechanism]) as host, ours(place, host) as secondpost:
        send_with_swaks(MESSAGE, secondpost.port, place)
        until_stored(host, 1, secondpost)
    log = host.postfix.log.read_text()
    assert f"sasl_method={mechanism}, sasl_username={USERNAME}" in log


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_exim_refuses_a_wrong_password_and_accepts_the_right_one(place: Path, mechanism: str) -> None:
    write_password(place, "wrong")
    with EximSmartHost(place, mechanism) as host, ours(place, host) as secondpost:
        send_with_swaks(MESSAGE, secondpost.port, place)
        until(lambda: "about=login-refused" in secondpost.trouble(), 30, secondpost.trouble)
        assert re.search(r"site-down .* detail=\"127.0.0.1: 535 ", secondpost.trouble()) is not None
        assert host.stored() == []
        write_password(place, PASSWORD)
        until_stored(host, 1, secondpost)


def test_the_strongest_login_is_chosen(place: Path) -> None:
    write_password(place, PASSWORD)
    offered = ["LOGIN", "PLAIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"]
    with smart_host(place, offered) as host, ours(place, host) as secondpost:
        send_with_swaks(MESSAGE, secondpost.port, place)
        until_stored(host, 1, secondpost)
    assert "sasl_method=SCRAM-SHA-256" in host.postfix.log.read_text()


def test_port_465_is_encrypted_from_the_first_octet(place: Path) -> None:
    write_password(place, PASSWORD)
    with smart_host(place, ["PLAIN"]) as host, ours(place, host, where=ENCRYPTED_FIRST) as secondpost:
        send_with_swaks(MESSAGE, secondpost.port, place)
        until_stored(host, 1, secondpost)
    assert re.search(r"disconnect from .* ehlo=1 auth=1 mail=1", host.postfix.log.read_text()) is not None


def test_plain_text_is_used_only_if_it_is_asked_for(place: Path) -> None:
    write_password(place, PASSWORD)
    with smart_host(place, ["PLAIN"], tls=False) as host, ours(place, host, tls="none") as secondpost:
        send_with_swaks(MESSAGE, secondpost.port, place)
        until_stored(host, 1, secondpost)


def test_a_server_that_offers_a_login_in_plain_text_only_gets_nothing(place: Path) -> None:
    write_password(place, PASSWORD)
    with smart_host(place, ["PLAIN", "LOGIN"], tls=False) as host, ours(place, host) as secondpost:
        send_many(MAILS, secondpost.port, place)
        until(lambda: len(held_for_the_primary(secondpost)) == MAILS, 30, secondpost.trouble)
        until(lambda: "does not offer" in secondpost.trouble(), 10, secondpost.trouble)
        until(lambda: host.postfix.log.read_text().count("disconnect from") >= 3, 30, secondpost.trouble)
        assert len(waiting(secondpost)) == MAILS
        assert host.stored() == []
    assert logins(host) == []


def test_a_wrong_password_holds_the_mail_and_a_corrected_one_delivers_it(place: Path) -> None:
    write_password(place, "wrong")
    with smart_host(place, ["SCRAM-SHA-256", "PLAIN"]) as host, ours(place, host) as secondpost:
        send_many(MAILS, secondpost.port, place)
        until(lambda: len(held_for_the_primary(secondpost)) == MAILS, 30, secondpost.trouble)
        until(lambda: "about=login-refused" in secondpost.trouble(), 10, secondpost.trouble)
        shown = secondpost.run("status", "--json")
        assert "535" in shown
        assert secondpost.trouble().count("about=login-refused") == 1
        assert len(logins(host)) == 1, "not once for each probe"
        assert host.stored() == []
        write_password(place, PASSWORD)
        until(lambda: len(host.stored()) == MAILS, 60, secondpost.trouble)
        until(lambda: len(waiting(secondpost)) == 0, 10, secondpost.trouble)
        seen = secondpost.output.read_text() + shown
    assert PASSWORD not in seen
    assert "wrong" not in seen
