"""`check delivery` beside a running service, with a real Postfix as the primary."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from bench.ours import DOMAIN, Secondpost
from bench.ready import free_port
from tests.against.primaries import PostfixPrimary
from tests.cli.test_check_dns import Dns
from tests.world.certificates import Pair, make_pair

Diagnoses = list[dict[str, str]]


@pytest.fixture
def names() -> Iterator[int]:
    """The port of a name server on loopback that knows our host alone."""
    served = Dns()
    served.lines = ["mx2.example.net. 60 IN A 127.0.0.1"]
    with served.running() as port:
        yield port


def prepared(place: Path, mailboxes: Sequence[str], **settings: str) -> PostfixPrimary:
    """Postfix with a certificate; `settings`: further lines of main.cf."""
    primary = PostfixPrimary.prepared(place, mailboxes)
    pair = make_pair(place, "primary.example")
    Path(pair.key).chmod(0o644)  # Postfix drops root before it reads it
    primary.postfix.settings = {
        **primary.postfix.settings,
        "smtpd_tls_cert_file": pair.certificate,
        "smtpd_tls_key_file": pair.key,
        "smtpd_tls_security_level": "may",
        **settings,
    }
    primary.postfix.write()
    return primary


def ours(place: Path, primary: PostfixPrimary, names: int) -> Secondpost:
    pair: Pair = make_pair(place, "mx2.example.net")
    more = f"""
[dns]
servers = ["127.0.0.1:{names}"]
[tls]
certificate = "{pair.certificate}"
key = "{pair.key}"
"""
    return Secondpost(place / "ours", free_port(), primary.port, more)


def found(running: Secondpost, area: str, check: str) -> Diagnoses:
    document = json.loads(running.run("check", area, "--json"))
    return [one for one in document["diagnoses"] if one["check"] == check]


def grades(diagnoses: Diagnoses) -> list[str]:
    return [one["grade"] for one in diagnoses]


def test_a_good_primary_is_found_well_and_gets_no_mail(place: Path, names: int) -> None:
    mailboxes = (f"postmaster@{DOMAIN}", f"ada@{DOMAIN}")
    with prepared(place, mailboxes) as primary, ours(place, primary, names) as running:
        document = json.loads(running.run("check", "delivery", "--json"))
        of_primary = {one["check"]: one["grade"] for one in document["diagnoses"] if one["subject"] == DOMAIN}
        assert of_primary == {
            "primary-reachable": "well",
            "primary-offers": "well",
            "primary-trust": "well",
            "primary-catch-all": "well",
            "recipients-known": "well",
            "held-mail": "well",
        }
        assert grades(found(running, "delivery", "port-25-in")) == ["well"]
        [own] = found(running, "security", "own-starttls")
        assert own["grade"] == "well"
        assert "TLSv1.3" in own["text"]
        assert primary.stored() == []
        assert json.loads(running.run("queue", "list", "--json"))["deliveries"] == []


def test_a_primary_that_takes_every_address_is_found(place: Path, names: int) -> None:
    with prepared(place, ()) as primary, ours(place, primary, names) as running:
        [one] = found(running, "delivery", "primary-catch-all")
        assert one["grade"] == "warning"
        assert "even for one that cannot exist" in one["text"]


def test_a_primary_that_refuses_us_is_found_with_what_makes_it_trust_us(place: Path, names: int) -> None:
    with (
        prepared(place, (), smtpd_client_restrictions="reject") as primary,
        ours(place, primary, names) as running,
    ):
        [one] = found(running, "delivery", "primary-trust")
        assert one["grade"] == "fault"
        assert "5.7.1" in one["text"]
        assert "allow list" in one["remedy"]


def test_a_primary_that_is_down_is_found(place: Path, names: int) -> None:
    with prepared(place, ()) as primary, ours(place, primary, names) as running:
        primary.stop()
        [one] = found(running, "delivery", "primary-reachable")
        assert (one["grade"], one["subject"]) == ("fault", DOMAIN)
        assert "connection refused" in one["text"]
