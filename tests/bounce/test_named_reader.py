"""Which reader a report of spam is about: proven by a token that we signed, and by nothing else."""

from email.message import EmailMessage

import pytest

from secondpost.bounce.named_reader import reader_named
from secondpost.protocols.dsn.feedback import FeedbackType, read_feedback
from secondpost.protocols.tokens import Purpose, Ring, Token
from secondpost.protocols.verp import address_of
from secondpost.signing.assembly import Assembly
from tests.bounce.complaining import report_of, report_of_microsoft
from tests.stations.test_assembly import ADDRESSES, BOUNCES, KEYS, LINKS, WITH_WEB, issue, parsed, reader

RINGS = {Ring.LINKS: LINKS, Ring.ADDRESSES: ADDRESSES}
MAIL = Assembly(issue(), KEYS, WITH_WEB).mail_for(reader())
READER, ISSUE = 70_001, 12


def named(mail: bytes, fields: bytes = b"") -> Token | None:
    feedback = read_feedback(report_of(mail, fields))
    assert feedback is not None
    return reader_named(feedback, RINGS)


def only(message: EmailMessage, *names: str) -> bytes:
    """The mail as a provider redacts it (RFC 6590): with a few fields alone."""
    return b"".join(f"{name}: {message[name]}\r\n".encode() for name in names) + b"\r\n"


def test_a_mail_of_ours_names_its_reader_and_issue() -> None:
    assert named(MAIL.data) == Token(Purpose.FEEDBACK, READER, ISSUE)


def test_microsofts_own_form_of_a_complaint_names_the_reader_too() -> None:
    report = report_of_microsoft(MAIL.data)
    feedback = read_feedback(report)
    assert feedback is not None
    assert (feedback.type, feedback.reporter) == (FeedbackType.ABUSE, "Microsoft JMRP")
    assert reader_named(feedback, RINGS) == Token(Purpose.FEEDBACK, READER, ISSUE)


def test_a_mail_of_ours_that_a_person_forwards_is_no_complaint() -> None:
    report = report_of_microsoft(MAIL.data)
    at, end = report.index(b"X-HmXmr"), report.index(b"X-Reporter-IP")
    assert read_feedback(report[:at] + report[end:]) is None


@pytest.mark.parametrize(
    ("mail", "fields", "purpose"),
    [
        (only(parsed(MAIL), "CFBL-Address"), b"", Purpose.FEEDBACK),
        (only(parsed(MAIL), "List-Unsubscribe"), b"", Purpose.LEAVE_BY_MAIL),
        (f"Return-Path: <{MAIL.sender}>\r\n\r\n".encode(), b"", Purpose.BOUNCE),
        (b"Subject: x\r\n\r\n", f"Original-Mail-From: <{MAIL.sender}>\r\n".encode(), Purpose.BOUNCE),
        (only(parsed(MAIL), "List-Unsubscribe").split(b",")[0] + b"\r\n\r\n", b"", Purpose.LEAVE),
        (only(parsed(MAIL), "CFBL-Address").upper(), b"", Purpose.FEEDBACK),
    ],
    ids=["CFBL-Address", "mailto", "Return-Path", "Original-Mail-From", "page", "upper case"],
)
def test_one_field_with_a_token_is_enough(mail: bytes, fields: bytes, purpose: Purpose) -> None:
    assert named(mail, fields) == Token(purpose, READER, ISSUE)


def forged(purpose: Purpose) -> str:
    """An address for the reader's number whose signature is not ours."""
    address = str(address_of(ADDRESSES, Token(purpose, READER, ISSUE), BOUNCES))
    at = address.index("@") - 3
    return address[:at] + ("b" if address[at] != "b" else "c") + address[at + 1 :]


@pytest.mark.parametrize(
    "mail",
    [
        b"",
        b"To: reader@example.org\r\nSubject: Two articles\r\n\r\n",
        only(parsed(MAIL), "To", "Message-ID", "From", "Subject"),
        f"CFBL-Address: {forged(Purpose.FEEDBACK)}\r\n\r\n".encode(),
        f"Return-Path: <{forged(Purpose.BOUNCE)}>\r\n\r\n".encode(),
        f"List-Unsubscribe: <mailto:{forged(Purpose.LEAVE_BY_MAIL)}>\r\n\r\n".encode(),
        b"Subject: x\r\n\r\n" + only(parsed(MAIL), "CFBL-Address"),
        f"X-Other: {MAIL.sender}\r\n\r\n".encode(),
        # A token of one purpose is none of another.
        f"Return-Path: <{str(MAIL.sender).replace('b-', 'leave-', 1)}>\r\n\r\n".encode(),
    ],
    ids=["empty", "address", "Message-ID", "feedback", "bounce", "leave", "body", "other field", "purpose"],
)
def test_a_forged_report_names_no_reader(mail: bytes) -> None:
    """Catalogue row 54, for complaints: an address and a Message-ID prove nothing."""
    assert named(mail) is None


def test_a_report_with_a_thousand_tokens_is_read_to_a_bound() -> None:
    guessed = ", ".join([f"<mailto:leave-{'a' * 20}@x.example>"] * 1_000)
    assert named(f"List-Unsubscribe: {guessed}\r\nReturn-Path: <{MAIL.sender}>\r\n\r\n".encode()) is None
