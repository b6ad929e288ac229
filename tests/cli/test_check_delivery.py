"""`check delivery` as its owner types it, with a primary on loopback and without a service."""

import json
from collections.abc import Iterator
from pathlib import Path

import click.testing
import pytest

from secondpost.cli.main import secondpost
from secondpost.setup.pasted_headers import HEADER_OCTETS_MAX
from tests.service.primary import Primary

HEADERS = Path(__file__).parents[1] / "setup" / "headers"


@pytest.fixture
def primary() -> Iterator[Primary]:
    primary = Primary()
    primary.open()
    yield primary
    primary.close()


class Desk:
    def __init__(self, folder: Path, primary: Primary) -> None:
        self._config = folder / "secondpost.toml"
        self._config.write_text(
            f"""\
version = 3
hostname = "mx2.example.net"
store = "{folder / "store"}"
owner = ["me@elsewhere.example"]
addresses = ["192.0.2.5"]
[web]
url = "none"
[receive]
listen = ["127.0.0.1:1"]
[dns]
servers = ["127.0.0.1:1"]
[[backup]]
domain = "example.net"
primary = ["127.0.0.1:{primary.port}"]
recipients = ["any"]
"""
        )

    def run(self, *words: str, code: int = 0, pasted: bytes | None = None) -> click.testing.Result:
        runner = click.testing.CliRunner()
        command = ["--config", str(self._config), "check", "delivery", *words]
        result = runner.invoke(secondpost, command, input=pasted)
        assert result.exit_code == code, (words, result.output, result.exception)
        return result


@pytest.fixture
def desk(tmp_path: Path, primary: Primary) -> Desk:
    return Desk(tmp_path, primary)


def test_the_way_is_shown_with_the_replies_and_what_to_do_next(desk: Desk, primary: Primary) -> None:
    shown = desk.run("example.net").stdout
    assert "deliver: 127.0.0.1\n  > (greeting)\n  < 220 " in shown
    assert "  > RCPT TO:<postmaster@example.net>\n  < 250 " in shown
    assert "  > (the message)\n  < 250 " in shown
    assert "secondpost check delivery example.net --headers FILE" in shown
    [mail] = primary.mails
    assert (mail.sender, mail.recipients) == ("", ("postmaster@example.net",))


def test_the_message_is_marked_as_a_test_and_found_by_its_token(desk: Desk, primary: Primary) -> None:
    token = json.loads(desk.run("example.net", "--to", "me@example.net", "--json").stdout)["token"]
    [mail] = primary.mails
    assert mail.recipients == ("me@example.net",)
    head, _, text = mail.content.partition(b"\r\n\r\n")
    assert f"X-Secondpost-Self-Test: {token}".encode() in head.split(b"\r\n")
    assert f"Subject: Secondpost self-test {token}".encode() in head.split(b"\r\n")
    assert b"Auto-Submitted: auto-generated" in head.split(b"\r\n")
    assert b"secondpost check delivery example.net --headers FILE" in text


def test_a_mailbox_that_does_not_exist_is_named_with_what_to_type(tmp_path: Path) -> None:
    primary = Primary(frozenset({"me@example.net"}))
    primary.open()
    try:
        shown = Desk(tmp_path, primary).run("example.net").stdout
        assert "note: The primary has no mailbox postmaster@example.net." in shown
        assert "--to ADDRESS-THAT-EXISTS" in shown
        assert "--headers" not in shown, "nothing was sent"
    finally:
        primary.close()
    assert primary.mails == [], "no content was sent"


def test_a_primary_that_cannot_be_reached_is_a_fault(desk: Desk, primary: Primary) -> None:
    primary.close()
    assert "No host of the primary let this server in" in desk.run("example.net", code=1).stdout


def test_no_other_domain_gets_a_test(desk: Desk, primary: Primary) -> None:
    assert "is no [[backup]] domain" in desk.run("example.org", code=1).stderr
    assert (
        "is not an address of example.net" in desk.run("example.net", "--to", "me@example.org", code=2).stderr
    )
    assert primary.mails == []


def test_a_header_is_explained_with_the_settings_that_make_the_primary_trust_us(desk: Desk) -> None:
    shown = desk.run("example.net", "--headers", str(HEADERS / "microsoft-not-trusted.txt"), code=1).stdout
    assert shown.startswith("primary: Microsoft 365\nbefore:  out.sender.example [198.51.100.25] handed ")
    assert "fault: Microsoft 365: It does not trust this server: it judged 192.0.2.5 as the sender" in shown
    assert (
        'Set-InboundConnector -Identity "mx2.example.net" -EFSkipLastIP $false -EFSkipIPs 192.0.2.5' in shown
    )


def test_a_primary_that_looks_behind_us_is_well(desk: Desk) -> None:
    shown = desk.run("example.net", "--headers", str(HEADERS / "gmail-inbound-gateway.txt")).stdout
    assert "It trusts this server: it looked behind it, and judged 198.51.100.25." in shown
    assert "fault" not in shown.replace("no faults", "")


def test_a_header_can_be_pasted_and_be_a_document(desk: Desk) -> None:
    pasted = (HEADERS / "exim.txt").read_bytes()
    document = json.loads(desk.run("example.net", "--headers", "-", "--json", pasted=pasted).stdout)
    assert (document["way"], document["kinds"], document["trust"]) == ("proven", ["Exim"], "judged-us")
    assert document["results"][1]["properties"] == {"smtp.mailfrom": "sender.example"}


def test_what_is_no_header_is_refused_in_a_sentence(desk: Desk, tmp_path: Path) -> None:
    assert "holds no header" in desk.run("example.net", "--headers", "-", code=1, pasted=b"hello").stderr
    large = b"a" * (HEADER_OCTETS_MAX + 1)
    assert "is larger than" in desk.run("example.net", "--headers", "-", code=1, pasted=large).stderr
    missing = str(tmp_path / "missing")
    assert "No such file" in desk.run("example.net", "--headers", missing, code=1).stderr
    both = ("example.net", "--headers", "-", "--to", "me@example.net")
    assert "--headers sends none" in desk.run(*both, code=2).stderr


def test_a_header_cannot_control_the_terminal_that_it_is_shown_on(desk: Desk) -> None:
    pasted = (HEADERS / "exim.txt").read_bytes().replace(b"arc=none", b"arc=none (\x1b[2J\x1b]0;x\x07)")
    assert "\x1b" not in desk.run("example.net", "--headers", "-", pasted=pasted).stdout
