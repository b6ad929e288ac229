"""Reports of failed deliveries: tests/protocols/dsn (.msg and .report), and hostile input.

A .report has a line for the reporting host, one for the reported mail (Message-ID, List-Id, To) and
one per recipient.
"""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from secondpost.mail.inside_mail import BEGINNING_OCTETS_MAX
from secondpost.protocols.dsn.notification import RECIPIENTS_MAX, Action, Report, read_report
from secondpost.protocols.dsn.parts import PARTS_MAX, leaves

CASES = sorted((Path(__file__).parent / "dsn").glob("*.msg"))
FIRST = CASES[0].read_bytes()
HEAD = b'Content-Type: multipart/report; boundary="b"\n\n--b\nContent-Type: message/delivery-status\n\n'
BLOCK = b"Final-Recipient: rfc822; one@example.org\nAction: failed\nStatus: 5.1.1\n\n"


def told(report: Report | None) -> list[str]:
    if report is None:
        return ["no report"]
    return [
        f"host {report.reporting_host}",
        f"original {report.message_id} | {report.list_id} | {report.original_to}",
        *(
            f"{'unknown' if each.action is None else each.action} {each.status} {each.recipient} "
            f"({each.original_recipient}) {each.remote_host}: {each.diagnostic}"
            for each in report.recipients
        ),
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
@pytest.mark.parametrize("line_end", [b"\r\n", b"\n", b"\r"], ids=["crlf", "lf", "cr"])
def test_a_report_says_what_it_says(case: Path, line_end: bytes) -> None:
    message = case.read_bytes().replace(b"\n", line_end)
    assert told(read_report(message)) == case.with_suffix(".report").read_text().splitlines()


@given(some.binary(max_size=400))
def test_any_bytes_can_be_read(noise: bytes) -> None:
    assert read_report(noise) is None
    read_report(HEAD + noise)
    read_report(HEAD + BLOCK + b"--b\nContent-Type: message/rfc822\n\n" + noise)


@settings(max_examples=300)
@given(some.integers(0, len(FIRST)), some.integers(0, 200), some.binary(max_size=20))
def test_any_damage_can_be_read(at: int, octets: int, instead: bytes) -> None:
    read_report(FIRST[:at] + instead + FIRST[at + octets :])


def test_recipients_are_bounded() -> None:
    report = read_report(HEAD + BLOCK * 10_000)
    assert report is not None
    assert len(report.recipients) <= RECIPIENTS_MAX
    assert {each.action for each in report.recipients} == {Action.FAILED}


def test_what_is_beyond_the_bound_is_not_looked_at() -> None:
    assert read_report(b"X: y\n" * (BEGINNING_OCTETS_MAX // 5) + HEAD + BLOCK) is None


def test_parts_and_depth_are_bounded() -> None:
    wide = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 10_000
    assert len(list(leaves(wide))) <= PARTS_MAX
    deep = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (level, level) for level in range(5_000)
    )
    assert len(list(leaves(deep))) == 1


def test_long_runs_cost_no_more_than_their_length() -> None:
    for noise in (b"\n" * 500_000, b" " * 500_000, b"--b" * 150_000, b"a:" * 250_000, b"--b\n" * 120_000):
        read_report(HEAD + noise)
        read_report(noise)
