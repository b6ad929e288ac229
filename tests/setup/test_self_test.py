"""What the stations of a self-test mean: values in, diagnoses out."""

from dataclasses import replace

import pytest

from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Hop, Inside, NoPlan, Plan, TlsDemand
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import Phase, RecipientResult
from secondpost.protocols.smtp.transcript import GREETING, Exchange
from secondpost.setup.certificate import CertificateFacts
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.primary_kind import PrimaryKind, kinds_of_host
from secondpost.setup.self_test import HandedIn, HostVisit, Met, SelfTest, diagnose, met_by
from secondpost.setup.trust_settings import Relay, trust_setting, trust_settings
from secondpost.world.ports import TlsFacts

TO = Mailbox("postmaster", Domain("example.net"))
RELAY = Relay("mx2.example.net", ("192.0.2.5", "2001:db8::5"))
PLAN = Plan("mx1.example.net", (Hop("mx1.example.net", ("192.0.2.25",), 25, TlsDemand.OPPORTUNISTIC),))
FACTS = TlsFacts("TLSv1.3", "TLS_AES_256_GCM_SHA384")
OK = Reply.of(250, "2.0.0", "Ok: queued")


def visit(greeting: str = "mx1.example.net ESMTP Postfix", tls: TlsFacts | None = FACTS) -> HostVisit:
    return HostVisit("mx1.example.net[192.0.2.25]", (Exchange(GREETING, Reply.of(220, "", greeting)),), tls)


def diagnosed(test: SelfTest) -> dict[Check, Diagnosis]:
    return {one.check: one for one in diagnose(test, RELAY)}


@pytest.mark.parametrize(
    ("phase", "code", "status", "text", "met"),
    [
        (Phase.DOT, 250, "2.0.0", "Ok", Met.TAKEN),
        (Phase.RCPT, 250, "2.1.5", "Ok", Met.TAKEN),
        (Phase.RCPT, 450, "4.7.1", "Recipient address rejected: try later", Met.GREYLISTED),
        (Phase.RCPT, 451, "", "Greylisting in action, please come back later", Met.GREYLISTED),
        (Phase.DOT, 451, "4.7.1", "Try again later, greylisted", Met.GREYLISTED),
        (Phase.RCPT, 452, "4.2.2", "Mailbox full", Met.DEFERRED),
        (Phase.DOT, 421, "4.7.0", "Our system has detected an unusual rate", Met.DEFERRED),
        (Phase.MAIL, 554, "5.7.1", "Service unavailable; client is listed", Met.REFUSED_BY_POLICY),
        (Phase.DOT, 550, "5.7.26", "Unauthenticated email is not accepted", Met.REFUSED_BY_POLICY),
        (Phase.RCPT, 550, "", "192.0.2.5 is blocked using zen.spamhaus.org", Met.REFUSED_BY_POLICY),
        (Phase.MAIL, 550, "", "go away", Met.REFUSED_BY_POLICY),
        (Phase.DOT, 552, "5.3.4", "Message too large", Met.REFUSED),
    ],
)
def test_a_reply_means_what_its_code_its_phase_and_its_words_say(
    phase: Phase, code: int, status: str, text: str, met: Met
) -> None:
    assert met_by(RecipientResult(phase, Reply.of(code, status, text)), is_unknown=False) is met


def test_a_mailbox_known_to_be_missing_is_no_refusal_of_us() -> None:
    result = RecipientResult(Phase.RCPT, Reply.of(550, "5.1.1", "User unknown"))
    assert met_by(result, is_unknown=True) is Met.UNKNOWN_RECIPIENT


def test_a_message_that_was_taken_over_tls_is_well_at_every_station() -> None:
    found = diagnosed(SelfTest(TO, "token", PLAN, (visit(),), Met.TAKEN, OK))
    assert list(found) == [
        Check.SELF_TEST_ROUTE,
        Check.SELF_TEST_CONNECTION,
        Check.SELF_TEST_TLS,
        Check.SELF_TEST_TAKEN,
    ]
    assert {one.grade for one in found.values()} == {Grade.WELL}


def test_a_connection_without_tls_is_a_warning() -> None:
    found = diagnosed(SelfTest(TO, "token", PLAN, (visit(tls=None),), Met.TAKEN, OK))
    assert found[Check.SELF_TEST_TLS].grade is Grade.WARNING


@pytest.mark.parametrize(
    ("names", "grade"),
    [(("mx1.example.net",), Grade.WELL), (("*.example.net",), Grade.WELL), ((), Grade.NOTE)],
)
def test_the_certificate_is_shown_and_noted_if_it_is_for_another_host(
    names: tuple[str, ...], grade: Grade
) -> None:
    ends_ms = 1_800_000_000_000
    certificate = CertificateFacts(names, "CN=An Authority", 0, ends_ms, "EC", 256, "sha256", False, "")
    test = SelfTest(TO, "token", PLAN, (replace(visit(), certificate=certificate),), Met.TAKEN, OK)
    found = diagnosed(test)[Check.SELF_TEST_TLS]
    assert found.grade is grade
    assert "signed by CN=An Authority, until 2027-01-15" in found.text


def test_without_a_route_nothing_else_is_said() -> None:
    nowhere = NoPlan("mx:example.net", Cause.DNS, Reply.of(451, "4.4.4", "example.net has no MX record"))
    for route in (nowhere, Inside()):
        found = diagnosed(SelfTest(TO, "token", route))
        assert [(check, one.grade) for check, one in found.items()] == [(Check.SELF_TEST_ROUTE, Grade.FAULT)]


def test_each_host_that_did_not_let_us_in_is_named_with_its_reason() -> None:
    refused = HostVisit("mx1.example.net[192.0.2.25]", failure="connection refused")
    found = diagnosed(SelfTest(TO, "token", PLAN, (refused,)))
    assert found[Check.SELF_TEST_CONNECTION].grade is Grade.FAULT
    assert "mx1.example.net[192.0.2.25]: connection refused" in found[Check.SELF_TEST_CONNECTION].text


def test_a_refusal_by_policy_names_the_settings_of_the_primary_that_was_recognised() -> None:
    reply = Reply.of(554, "5.7.1", "Service unavailable")
    taken = diagnosed(SelfTest(TO, "t", PLAN, (visit(),), Met.REFUSED_BY_POLICY, reply))[
        Check.SELF_TEST_TAKEN
    ]
    assert (taken.grade, "554 5.7.1 Service unavailable" in taken.text) == (Grade.FAULT, True)
    assert "192.0.2.5  permit\n2001:db8::5  permit" in taken.remedy


@pytest.mark.parametrize(
    ("state", "grade"),
    [("delivered", Grade.WELL), ("waiting", Grade.NOTE), ("kept (refused)", Grade.FAULT)],
)
def test_what_became_of_a_message_in_the_service_is_said(state: str, grade: Grade) -> None:
    handed_in = HandedIn(visit(), "0123456789abc", "250 2.0.0 Ok", state, "mx1 said: x")
    test = SelfTest(TO, "t", PLAN, (visit(),), Met.TAKEN, OK, handed_in)
    assert test.is_sent
    assert diagnosed(test)[Check.SELF_TEST_RECEIVED].grade is grade


def test_a_message_that_our_own_service_refused_was_not_sent() -> None:
    test = SelfTest(TO, "t", PLAN, (visit(),), Met.TAKEN, OK, HandedIn(visit(), "", "550 5.1.1 no"))
    assert not test.is_sent
    assert diagnosed(test)[Check.SELF_TEST_RECEIVED].grade is Grade.FAULT


@pytest.mark.parametrize("kind", PrimaryKind)
def test_the_settings_of_every_kind_name_our_addresses(kind: PrimaryKind) -> None:
    setting = trust_setting(kind, RELAY)
    assert "192.0.2.5" in setting
    assert "ADDRESS-OF-mx2.example.net" in trust_setting(kind, Relay("mx2.example.net", ()))


def test_a_primary_of_no_known_kind_gets_general_words() -> None:
    assert "192.0.2.5, 2001:db8::5" in trust_settings((), RELAY)


@pytest.mark.parametrize(
    ("hosts", "greeting", "kinds"),
    [
        (["aspmx.l.google.com"], "", [PrimaryKind.GOOGLE]),
        (["smtp.google.com"], "", [PrimaryKind.GOOGLE]),
        (["example-net.mail.protection.outlook.com"], "", [PrimaryKind.MICROSOFT]),
        (["in1-smtp.messagingengine.com"], "in1 ESMTP Postfix", [PrimaryKind.FASTMAIL]),
        (["mail.protonmail.ch"], "", [PrimaryKind.PROTON]),
        (["mxext1.mailbox.org"], "mx.mailbox.org ESMTP Postfix", [PrimaryKind.MAILBOX_ORG]),
        (["aspmx1.migadu.com"], "", [PrimaryKind.MIGADU]),
        (["mx1.example.net"], "mx1.example.net ESMTP Postfix (Debian)", [PrimaryKind.POSTFIX]),
        (["mx1.example.net"], "mx1.example.net ESMTP Exim 4.96", [PrimaryKind.EXIM]),
        (["mx1.example.net"], "mail ESMTP Postcow", [PrimaryKind.MAILCOW]),
        (["notgoogle.com"], "hello", []),
    ],
)
def test_a_primary_is_recognised_by_its_hosts_and_its_greeting(
    hosts: list[str], greeting: str, kinds: list[PrimaryKind]
) -> None:
    assert list(kinds_of_host(hosts, greeting)) == kinds
