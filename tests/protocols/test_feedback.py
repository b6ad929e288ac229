"""Feedback reports: every type, other mails, and hostile input."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from secondpost.protocols.dsn.feedback import FeedbackType, read_feedback

HEAD = (
    b"From: <abusedesk@provider.example>\n"
    b"Subject: FW: Two new articles\n"
    b'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
    b"--b\nContent-Type: text/plain\n\nThis is an email abuse report.\n"
    b"--b\nContent-Type: message/feedback-report\n\n"
)
TAIL = b"--b\nContent-Type: message/rfc822\n\nFrom: newsletter@example.net\nSubject: Two articles\n--b--\n"


def report(fields: bytes) -> bytes:
    return HEAD + fields + b"\n" + TAIL


@pytest.mark.parametrize(
    ("named", "type"),
    [
        (b"abuse", FeedbackType.ABUSE),
        (b"Abuse ", FeedbackType.ABUSE),
        (b"fraud", FeedbackType.FRAUD),
        (b"virus", FeedbackType.VIRUS),
        (b"not-spam", FeedbackType.NOT_SPAM),
        (b"opt-out", FeedbackType.OPT_OUT),
        (b"opt-out-list", FeedbackType.OPT_OUT),
        (b"other", FeedbackType.OTHER),
        (b"auth-failure", FeedbackType.OTHER),
    ],
)
@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"], ids=["crlf", "lf"])
def test_a_report_names_its_type_and_reporter(named: bytes, type: FeedbackType, line_end: bytes) -> None:
    fields = b"Feedback-Type: " + named + b"\nUser-Agent: SomeGenerator/1.0\nVersion: 1\n"
    message = report(fields).replace(b"\n", line_end)
    found = read_feedback(message)
    assert found is not None
    assert (found.type, found.reporter) == (type, "SomeGenerator/1.0")


@pytest.mark.parametrize("kind", [b"message/rfc822", b"text/rfc822-headers", b"Text/RFC822-Header"])
def test_a_report_has_the_header_and_the_sender_of_the_mail_it_is_about(kind: bytes) -> None:
    whole = report(b"Feedback-Type: abuse\nOriginal-Mail-From: <b-x@mx2.example.net>\n")
    found = read_feedback(whole.replace(b"message/rfc822", kind))
    assert found is not None
    assert found.mail_from == "<b-x@mx2.example.net>"
    assert found.original.first("subject") == "Two articles"
    bare = read_feedback(HEAD + b"Feedback-Type: abuse\n")
    assert bare is not None
    assert (bare.mail_from, bare.original.fields) == ("", ())


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"Subject: I got spam\n\nFeedback-Type: abuse\n",
        report(b"Version: 1\n"),
        report(b"Feedback-Type: abuse\n").replace(b"multipart/report", b"multipart/mixed"),
        report(b"Feedback-Type: abuse\n").replace(b"message/feedback-report", b"message/delivery-status"),
    ],
    ids=["empty", "a person's", "no type", "forwarded", "of a failure"],
)
def test_other_mails_are_no_feedback(message: bytes) -> None:
    assert read_feedback(message) is None


@settings(max_examples=300)
@given(some.integers(0, 600), some.integers(0, 200), some.binary(max_size=20))
def test_any_damage_can_be_read(at: int, octets: int, instead: bytes) -> None:
    whole = report(b"Feedback-Type: abuse\n")
    read_feedback(whole[:at] + instead + whole[at + octets :])
    read_feedback(HEAD + instead)


@pytest.mark.parametrize(
    "hostile",
    [
        HEAD + b"X: y\n" * 200_000,
        HEAD + b"Feedback-Type: " + b"a" * 1_000_000,
        b"Content-Type: multipart/report; boundary=b\n\n"
        + b"--b\nContent-Type: multipart/report; boundary=b\n\n" * 1_000,
        HEAD + b"\0" * 100_000,
        HEAD + b"Feedback-Type: \xff\xfe\n",
    ],
    ids=["many fields", "long field", "nested", "zeros", "no charset"],
)
def test_a_hostile_report_is_no_complaint(hostile: bytes) -> None:
    found = read_feedback(hostile)
    assert found is None or found.type is FeedbackType.OTHER
