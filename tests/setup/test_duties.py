"""Which results of `check dns` keep an issue from going out."""

from dataclasses import replace

import pytest

from secondpost.mail.address import Domain
from secondpost.mail.duration import DAY_MS
from secondpost.roles.duties import PROOF_MS_MAX, unproven
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.duties import Duties, duties_of
from secondpost.setup.examination import no_answer
from secondpost.setup.wanted import sender_domains
from secondpost.store.duty_ports import DutyProof
from tests.setup.dns_set_ups import diagnoses, read_set_up


def duties(kind: str, name: str, *also: Diagnosis) -> Duties:
    set_up = read_set_up(kind, name)
    [domain] = sender_domains(set_up.config)
    return duties_of(set_up.config, domain, [*diagnoses(set_up), *also])


@pytest.mark.parametrize("name", ["newsletter_alone", "both", "smart_host"])
def test_an_issue_goes_where_the_records_are_right(name: str) -> None:
    found = duties("good", name)
    assert found.is_proven, found.fault


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("no_spf", 'TXT "v=spf1 '),
        ("no_dkim_key", "sp-rsa._domainkey."),
        ("no_ed25519_key", "sp-ed._domainkey."),
        ("no_dmarc", 'TXT "v=DMARC1; p=none"'),
        ("no_reverse_name", "reverse name (PTR)"),
    ],
)
def test_an_issue_without_a_proof_waits_with_the_exact_record(name: str, record: str) -> None:
    found = duties("broken", name)
    assert not found.is_proven
    assert record in found.fault


def test_an_issue_waits_for_the_link_by_which_readers_leave() -> None:
    text, remedy = "No page for leaving can be opened at https://mx2.example.net: refused.", "open the ports"
    gone = Diagnosis(Check.LEAVE_LINK, "https://mx2.example.net", Grade.FAULT, text, remedy)
    assert duties("good", "both", gone).fault == f"{text} Open the ports."
    unseen = replace(gone, grade=Grade.NOTE)  # from behind a router that does not lead back
    assert duties("good", "both", unseen).is_proven
    assert duties("good", "both", replace(gone, grade=Grade.WELL)).is_proven


def test_a_name_of_the_pages_that_dns_does_not_answer_refutes_nothing() -> None:
    set_up = read_set_up("good", "both")
    [domain] = sender_domains(set_up.config)
    silent = no_answer(set_up.config.web.url or "", "the addresses of the pages")
    found = duties_of(set_up.config, domain, [*diagnoses(set_up), silent])
    assert (found.is_proven, found.fault) == (False, "")


def test_a_proof_of_the_last_days_counts_while_dns_does_not_answer() -> None:
    proof = DutyProof("example.net", 0, 0, "")
    assert unproven("example.net", proof, PROOF_MS_MAX) is None
    assert "has not answered" in str(unproven("example.net", proof, PROOF_MS_MAX + DAY_MS))
    assert "not yet seen" in str(unproven("example.net", None, 0))
    refuted = DutyProof("example.net", 9, 0, "There is no key.")
    assert unproven("example.net", refuted, 9) == "There is no key."


def test_other_domains_do_not_hold_an_issue_back() -> None:
    set_up = read_set_up("broken", "no_dmarc")
    assert duties_of(set_up.config, Domain("other.example"), diagnoses(set_up)).fault == ""
