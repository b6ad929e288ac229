"""The texts in which a domain says how its mail is to be treated: DMARC, MTA-STS and TLS-RPT."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.mail.authentication import DmarcPolicy
from secondpost.mail.sts_policy import StsMode
from secondpost.protocols.dmarc import DmarcFault, PublicSuffix, parse_dmarc
from secondpost.protocols.mta_sts import (
    StsFault,
    matches,
    next_id,
    parse_id,
    parse_policy,
    policy_url,
)
from secondpost.protocols.tls_reports import TlsReportsFault, check_tls_reports

POLICY = "version: STSv1\r\nmode: enforce\r\nmx: MX1.example.net.\r\nmx: *.example.net\r\nmax_age: 604800\r\n"


def test_a_dmarc_record_with_everything() -> None:
    record = parse_dmarc(
        "v=DMARC1; p=Quarantine; sp=reject; adkim=s; aspf=s; psd=y; pct=50; np=None; t=y; "
        "rua=mailto:a@example.net!10m, https://reports.example; ruf=mailto:b@example.net;"
    )
    assert (record.policy, record.subdomain_policy) == (DmarcPolicy.QUARANTINE, DmarcPolicy.REJECT)
    assert record.absent_policy is DmarcPolicy.NONE
    assert record.is_spf_strict
    assert record.is_dkim_strict
    assert record.public_suffix is PublicSuffix.YES
    assert record.is_testing
    assert record.has_reports
    assert record.mistakes == ()


@pytest.mark.parametrize(
    "text", ["v=DMARC1;p=reject", "v = DMARC1 ; p = Reject ; ", "\tv=DMARC1; p=reject;\t"]
)
def test_blanks_in_dmarc_are_no_mistake(text: str) -> None:
    record = parse_dmarc(text)
    assert (record.policy, record.mistakes) == (DmarcPolicy.REJECT, ())


def test_what_a_dmarc_record_leaves_out_has_a_meaning() -> None:
    record = parse_dmarc("v=DMARC1; p=reject")
    assert record.subdomain_policy is DmarcPolicy.REJECT
    assert record.absent_policy is DmarcPolicy.REJECT
    assert not record.is_spf_strict
    assert parse_dmarc("v=DMARC1; rua=mailto:a@example.net").policy is DmarcPolicy.NONE


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("v=dmarc1; p=none", "does not begin with v=DMARC1"),
        ("p=none; v=DMARC1", "does not begin with v=DMARC1"),
        ("v=DMARC1 p=none", "does not begin"),
        ("", "does not begin"),
        ("v=DMARC1; p=", "none of none"),
        ("v=DMARC1; p=block", "none of none"),
        ("v=DMARC1; p=none; sp=no", "none of none"),
        ("v=DMARC1; p=none; np=no", "none of none"),
        ("v=DMARC1; p=none; x=" + "y" * 5000, "characters"),
    ],
)
def test_dmarc_that_no_receiver_applies(text: str, reason: str) -> None:
    with pytest.raises(DmarcFault, match=reason):
        parse_dmarc(text)


@pytest.mark.parametrize(
    ("rest", "reason"),
    [
        ("", "no p="),
        ("; p=reject; p=none", "twice"),
        ("; p=reject; aspf=x", "none of r and s"),
        ("; p=reject; adkim=x", "none of r and s"),
        ("; p=reject; psd=x", "none of u, y and n"),
        ("; p=reject; t=1", "none of n and y"),
        ("; p=reject; hello", "'hello' is no tag"),
        ("; p=reject;; sp=reject", "'' is no tag"),
        ("; p=reject; rua=a@example.net", "no place for reports"),
        ("; p=reject; rua=mailto:example.net", "no place for reports"),
        ("; p=reject; ruf=mailto:example.net", "no place for reports"),
    ],
)
def test_mistakes_in_dmarc_are_named_and_ignored(rest: str, reason: str) -> None:
    record = parse_dmarc(f"v=DMARC1{rest}")
    assert reason in record.mistakes[0]
    assert record == parse_dmarc(f"v=DMARC1; p={'none' if rest == '' else 'reject'}")


@pytest.mark.parametrize("mistake", ["p=block", "p=reject; sp=block", "p=reject; np=block"])
def test_a_policy_that_is_none_is_none_where_reports_are_wanted(mistake: str) -> None:
    record = parse_dmarc(f"v=DMARC1; {mistake}; rua=mailto:a@example.net")
    policies = {record.policy, record.subdomain_policy, record.absent_policy}
    assert policies == {DmarcPolicy.NONE}
    assert "none of none" in record.mistakes[0]


def test_a_policy_is_read_and_written() -> None:
    policy = parse_policy(POLICY)
    assert (policy.mode, policy.max_age_seconds) == (StsMode.ENFORCE, 604_800)
    assert policy.hosts == ("mx1.example.net", "*.example.net")
    assert parse_policy(policy.text) == policy
    added = policy.with_host("mx.example.org")
    assert added.names("mx.example.org")
    assert not policy.names("mx.example.org")
    assert policy_url("example.net") == "https://mta-sts.example.net/.well-known/mta-sts.txt"


@pytest.mark.parametrize(
    ("pattern", "host", "answer"),
    [
        ("mx.example.net", "mx.example.net", True),
        ("*.example.net", "mx.example.net", True),
        ("*.example.net", "a.mx.example.net", False),
        ("*.example.net", "example.net", False),
        ("mx.example.net", "mx.example.org", False),
    ],
)
def test_a_star_is_one_label(pattern: str, host: str, answer: bool) -> None:
    assert matches(pattern, host) is answer


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("STSv1", "STSv2", "version: STSv1"),
        ("enforce", "strict", "none of enforce"),
        ("604800", "a week", "no number of seconds"),
        ("604800", "31557601", "no number of seconds"),
        ("mx: MX1.example.net.\r\nmx: *.example.net\r\n", "", "no mx line"),
        ("mode:", "mode", "no line of a policy"),
        (POLICY, "<html>", "no line of a policy"),
        (POLICY, "", "version: STSv1"),
    ],
)
def test_mistakes_in_a_policy_are_named(old: str, new: str, reason: str) -> None:
    with pytest.raises(StsFault, match=reason):
        parse_policy(POLICY.replace(old, new))


def test_a_policy_of_mode_none_needs_no_host() -> None:
    assert parse_policy("version: STSv1\nmode: none\nmax_age: 0\n").hosts == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("v=STSv1", "no id"),
        ("v=STSv1; id=", "1 to 32"),
        ("v=STSv1; id=a-b", "1 to 32"),
        (f"v=STSv1; id={'1' * 33}", "1 to 32"),
        ("id=1; v=STSv1", "does not begin"),
    ],
)
def test_mistakes_in_an_id_are_named(text: str, reason: str) -> None:
    with pytest.raises(StsFault, match=reason):
        parse_id(text)


@pytest.mark.parametrize(
    "identity", ["1", "9", "20261231", "20260101T000000", "a1", "a2", "9" * 32, "1" * 32]
)
def test_the_next_id_is_another_valid_one(identity: str) -> None:
    other = next_id(identity)
    assert other != identity
    assert parse_id(f"v=STSv1; id={other};") == other


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("v=TLSRPTv2; rua=mailto:a@example.net", "does not begin"),
        ("v=TLSRPTv1", "no rua="),
        ("v=TLSRPTv1; rua=a@example.net", "neither mailto"),
        ("v=TLSRPTv1; rua=mailto:example.net", "neither mailto"),
        ("v=TLSRPTv1; rua=mailto:a@example.net,http://b.example", "neither mailto"),
    ],
)
def test_mistakes_in_tls_reports_are_named(text: str, reason: str) -> None:
    with pytest.raises(TlsReportsFault, match=reason):
        check_tls_reports(text)


PIECES = st.sampled_from(
    ["v=DMARC1", "v=STSv1", "version: STSv1", "id", "=", ";", ":", "\n", "mode", "p", "rua", "mailto:"]
)


@given(st.lists(PIECES | st.text(max_size=3), max_size=12))
def test_any_text_is_understood_or_a_fault(pieces: list[str]) -> None:
    text = "".join(pieces)
    for parse, fault in (
        (parse_dmarc, DmarcFault),
        (parse_policy, StsFault),
        (parse_id, StsFault),
        (check_tls_reports, TlsReportsFault),
    ):
        with suppress(fault):
            parse(text)
