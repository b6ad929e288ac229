"""`check delivery` with a real Postfix as the primary, with and without a running service."""

import json
import re
import subprocess
from pathlib import Path
from typing import TypedDict

import pytest

from bench.ours import DOMAIN, Secondpost
from bench.ready import free_port
from tests.against.listing import listed
from tests.against.primaries import PostfixPrimary

POSTMASTER = f"postmaster@{DOMAIN}"


class Exchanged(TypedDict):
    command: str
    reply: list[str]


class Visited(TypedDict):
    station: str
    host: str
    tls: str
    certificate: str
    exchanges: list[Exchanged]
    failure: str


class Diagnosed(TypedDict):
    check: str
    grade: str
    text: str
    remedy: str


class Document(TypedDict):
    right: bool
    token: str
    met: str | None
    reply: str
    id: str | None
    state: str | None
    visits: list[Visited]
    diagnoses: list[Diagnosed]


def self_test(secondpost: Secondpost, *more: str) -> Document:
    document: Document = json.loads(secondpost.run("check", "delivery", DOMAIN, "--json", *more))
    return document


def without_service(place: Path, primary: PostfixPrimary, more: str = "") -> Secondpost:
    """Ours, configured but not started."""
    ours = Secondpost(place / "ours", free_port(), primary.port, more)
    ours.folder.mkdir()
    ours.write()
    return ours


def commands(visit: Visited) -> list[str]:
    return [one["command"].partition(" ")[0] for one in visit["exchanges"]]


def grades(document: Document) -> dict[str, str]:
    return {one["check"]: one["grade"] for one in document["diagnoses"]}


def restricted(place: Path, setting: str) -> PostfixPrimary:
    """A primary that answers RCPT by this access rule."""
    restrictions = (
        f"check_recipient_access static:{{{setting}}}, permit_mynetworks, reject_unauth_destination"
    )
    return PostfixPrimary.prepared(place, more={"smtpd_recipient_restrictions": restrictions})


def test_without_a_service_the_message_goes_straight_to_the_primary(
    place: Path, postfix: PostfixPrimary
) -> None:
    ours = without_service(place, postfix)
    done = self_test(ours)
    assert done["right"], done["diagnoses"]
    assert (done["met"], done["id"]) == ("taken", None)
    assert grades(done)["self-test-received"] == "note"
    [visit] = done["visits"]
    assert commands(visit) == ["", "EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"]
    assert visit["exchanges"][2]["command"].startswith("MAIL FROM:<>")
    assert visit["exchanges"][5]["reply"][0].startswith("250 2.0.0 Ok: queued as ")
    [stored] = postfix.stored()
    assert stored.startswith(
        b"Received: from mx2.example.net ([127.0.0.1])\r\n\tby mx2.example.net with ESMTP id "
    )
    assert f"X-Secondpost-Self-Test: {done['token']}\r\n".encode() in stored
    assert not (ours.folder / "store").exists()


def test_the_header_of_the_message_that_arrived_is_understood(place: Path, postfix: PostfixPrimary) -> None:
    ours = without_service(place, postfix)
    shown = ours.run("check", "delivery", DOMAIN)
    assert f"save its header and type:\n  secondpost check delivery {DOMAIN} --headers FILE" in shown
    [arrived] = (postfix.maildir / "new").iterdir()
    read = json.loads(ours.run("check", "delivery", DOMAIN, "--json", "--headers", str(arrived)))
    assert (read["way"], read["kinds"], read["trust"]) == ("by-name", ["Postfix"], "unknown")


def test_a_running_service_takes_the_message_and_hands_it_over(place: Path, postfix: PostfixPrimary) -> None:
    with Secondpost(place / "ours", free_port(), postfix.port) as ours:
        done = self_test(ours)
        assert done["right"], (done["diagnoses"], ours.trouble())
        assert (done["met"], done["state"]) == ("taken", "delivered")
        asked, handed_in = done["visits"]
        assert commands(asked) == ["", "EHLO", "MAIL", "RCPT", "QUIT"], "only asked, nothing sent"
        assert (handed_in["station"], commands(handed_in)[-2:]) == ("receive", [".", "QUIT"])
        [stored] = postfix.stored()
        assert f"id {done['id']}\r\n".encode() in stored
        assert done["token"].encode() in stored
        assert str(done["id"]) in ours.run("trace", str(done["id"]))


def test_a_refusal_by_policy_is_a_fault_with_the_setting_that_mends_it(place: Path) -> None:
    with restricted(place, "554 5.7.1 Service unavailable; client is listed") as postfix:
        with Secondpost(place / "ours", free_port(), postfix.port) as ours:
            done = self_test(ours)
            assert (done["met"], done["id"]) == ("refused-by-policy", None)
            assert "554 5.7.1" in done["reply"]
            assert grades(done)["self-test-taken"] == "fault"
            [remedy] = [one["remedy"] for one in done["diagnoses"] if one["check"] == "self-test-taken"]
            assert "check_client_access cidr:/etc/postfix/backup_mx.cidr" in remedy
            assert listed(ours) == [], "what would be refused is not queued"
        assert postfix.stored() == []


def test_greylisting_is_a_warning_and_the_service_tries_again(place: Path) -> None:
    greylisting = "450 4.7.1 Greylisted, try again in 300 seconds"
    with (
        restricted(place, greylisting) as postfix,
        Secondpost(place / "ours", free_port(), postfix.port) as ours,
    ):
        done = self_test(ours)
        assert (done["met"], done["state"]) == ("greylisted", "waiting")
        assert grades(done)["self-test-taken"] == "warning"
        assert [row["recipient"] for row in listed(ours)] == [POSTMASTER]


def test_a_mailbox_that_does_not_exist_is_only_a_note(place: Path) -> None:
    with PostfixPrimary.prepared(place, [f"me@{DOMAIN}"]) as postfix:
        ours = without_service(place, postfix)
        done = self_test(ours)
        assert done["met"] == "unknown-recipient"
        assert grades(done)["self-test-taken"] == "note"
        assert self_test(ours, "--to", f"me@{DOMAIN}")["met"] == "taken"
        assert len(postfix.stored()) == 1


def test_over_tls_the_replies_inside_are_shown_too(place: Path) -> None:
    certificate, key = place / "certificate.pem", place / "key.pem"
    request = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=peer.example",
    ]
    subprocess.run([*request, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    settings = {
        "smtpd_tls_security_level": "may",
        "smtpd_tls_cert_file": str(certificate),
        "smtpd_tls_key_file": str(key),
    }
    with PostfixPrimary.prepared(place, more=settings) as postfix:
        route = f'[[route]]\ndomain = "{DOMAIN}"\nhost = "127.0.0.1:{postfix.port}"\ntls = "encrypt"\n'
        done = self_test(without_service(place, postfix, route))
        [visit] = done["visits"]
        assert commands(visit) == ["", "EHLO", "STARTTLS", "EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"]
        assert re.match(r"TLSv1\.[23] ", visit["tls"]) is not None
        assert visit["certificate"].startswith("for no host, signed by itself, until 20")
        assert grades(done)["self-test-tls"] == "note", "it does not name the host"
        assert len(postfix.stored()) == 1


def test_a_primary_that_is_away_is_a_fault_and_nothing_is_queued(
    place: Path, postfix: PostfixPrimary
) -> None:
    postfix.stop()
    with Secondpost(place / "ours", free_port(), postfix.port) as ours:
        done = self_test(ours)
        assert (done["met"], done["id"]) == (None, None)
        assert grades(done)["self-test-connection"] == "fault"
        assert listed(ours) == []


@pytest.mark.parametrize(
    "words", [("elsewhere.example",), (DOMAIN, "--to", "me@elsewhere.example")], ids=["domain", "address"]
)
def test_a_test_goes_to_no_domain_but_one_of_ours(
    place: Path, postfix: PostfixPrimary, words: tuple[str, ...]
) -> None:
    ours = without_service(place, postfix)
    done = subprocess.run(
        ours.command("check", "delivery", *words), capture_output=True, text=True, check=False
    )
    assert done.returncode in (1, 2)
    assert "elsewhere.example" in done.stderr
    assert postfix.stored() == []
