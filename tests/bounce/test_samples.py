"""The samples of flufl.bounce 6.0.0 (tests/bounce/samples; Apache-2.0, its licence is beside them) are
read without an exception, and judged as `judged.txt` says; hostile mail reports no failure.
"""

import tarfile
import time
from email import message_from_bytes
from functools import lru_cache
from pathlib import Path

import pytest
from flufl.bounce import all_failures
from hypothesis import given, settings
from hypothesis import strategies as some

from secondpost.bounce.returned import first_failed, kind_in
from secondpost.protocols.dsn.feedback import read_feedback
from secondpost.protocols.dsn.notification import read_report
from secondpost.protocols.dsn.old_forms import (
    DETECTOR_SLIPS,
    LINE_OCTETS_MAX,
    MARKS_MAX,
    OCTETS_MAX,
    read_old_form,
)

SAMPLES = Path(__file__).parent / "samples"
MAIL_SECONDS_MAX = 0.05  # of computing, for one mail
HOSTILE_SECONDS_MAX = 2.0  # for one that was made to be slow; the machine of the tests may be slow too
JUDGED = dict(line.split() for line in (SAMPLES / "judged.txt").read_text().splitlines())


@lru_cache
def samples() -> dict[str, bytes]:
    found = {}
    with tarfile.open(SAMPLES / "flufl.bounce-6.0.0.tar.xz") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None and member.name.endswith(".txt"):
                found[Path(member.name).stem] = file.read()
    return found


def judged(message: bytes) -> str:
    report = read_report(message)
    if report is None:
        report = read_old_form(message)
    if report is None:
        return "none"
    failed = first_failed(report)
    return "delay" if failed is None else kind_in(report, failed).value


def test_every_sample_is_read_and_judged() -> None:
    found = {name: judged(message) for name, message in sorted(samples().items())}
    assert found == JUDGED
    assert len(found) == 117


def test_every_sample_is_judged_within_50_milliseconds() -> None:
    seconds = {}
    for name, message in samples().items():
        seconds[name] = min(seconds_for(message) for _ in range(3))
    slow = {name: took for name, took in seconds.items() if took > MAIL_SECONDS_MAX}
    assert slow == {}
    assert len(seconds) == 117


def seconds_for(message: bytes) -> float:
    began = time.thread_time()
    read_feedback(message)
    judged(message)
    return time.thread_time() - began


def test_what_flufl_bounce_calls_temporary_is_never_a_dead_mailbox() -> None:
    temporary = {}
    for name, message in samples().items():
        try:
            delayed, failed = all_failures(message_from_bytes(message))
        except DETECTOR_SLIPS:
            continue
        if len(delayed) > 0 and len(failed) == 0:
            temporary[name] = judged(message)
    assert len(temporary) >= 10
    assert set(temporary.values()) == {"delay"}


@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_sample_that_breaks_off_anywhere_can_be_read(tenths: int) -> None:
    for message in samples().values():
        judged(message[: len(message) * tenths // 10])


@settings(max_examples=100, deadline=None)
@given(some.sampled_from(sorted(JUDGED)), some.sampled_from(sorted(JUDGED)), some.data())
def test_two_samples_in_one_mail_can_be_read(first: str, second: str, data: some.DataObject) -> None:
    one, other = samples()[first], samples()[second]
    at, begin = data.draw(some.integers(0, len(one))), data.draw(some.integers(0, len(other)))
    mixed = one[:at] + other[begin:]
    read_feedback(mixed)
    judged(mixed)


def _inside(message: bytes, kind: bytes) -> bytes:
    """A report whose attached mail, or whose part about the delivery, is `message`."""
    head = b'Content-Type: multipart/report; boundary="%d"\n\n--%d\nContent-Type: %s\n\n'
    return head % (len(message), len(message), kind) + message + b"\n--%d--\n" % len(message)


@pytest.mark.parametrize("kind", [b"message/rfc822", b"message/delivery-status", b"multipart/report"])
def test_reports_within_reports_are_read_to_a_bound(kind: bytes) -> None:
    message = samples()["dsn_01"]
    for _ in range(300):
        message = _inside(message, kind)
    assert seconds_for(message) < HOSTILE_SECONDS_MAX


@pytest.mark.parametrize(
    "piece", [b"x", b"\n", b"a: b\n", b"550 5.1.1 <u@example.org>\n", b"<a@b.c>: ", b"=?"]
)
@pytest.mark.parametrize("name", ["dsn_01", "qmail_01"])
def test_ten_megabytes_are_read_to_a_bound(name: str, piece: bytes) -> None:
    message = samples()[name]
    long = piece * (10_000_000 // len(piece))
    middle = message.index(b"\n\n") + 2
    for each in (message + long, message[:middle] + long + message[middle:], long + message):
        assert seconds_for(each) < HOSTILE_SECONDS_MAX


NETSCAPE = (
    b"From: a@example.org\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\n"
    b"This Message was undeliverable due to the following reason:\n"
)
EXCHANGE = b"From: a@example.org\n\ndid not reach the following recipient\n"


@pytest.mark.parametrize("line", [b"<", b"@", b",", b"<a@", b"a@b ", b"a.", b" ", b"'"])
@pytest.mark.parametrize("beginning", [NETSCAPE, EXCHANGE, b"From: a@example.org\n\n", b""])
def test_lines_made_to_be_slow_are_read_to_a_bound(beginning: bytes, line: bytes) -> None:
    """A line of 1,500 "<" took nine seconds, and 64 KB of them days."""
    octets = OCTETS_MAX - len(beginning)
    long = (line * octets)[:octets]
    shorter = (line * octets)[:LINE_OCTETS_MAX] + b"\n"
    sparse = (line * MARKS_MAX + b"a" * LINE_OCTETS_MAX)[:LINE_OCTETS_MAX] + b"\n"
    for lines in (long, shorter * (octets // len(shorter)), sparse * (octets // len(sparse))):
        assert seconds_for(beginning + lines + b"\n--b\n\nx\n--b--\n") < HOSTILE_SECONDS_MAX


@pytest.mark.parametrize("name", ["qmail_01", "exim_01", "simple_07"])
@settings(max_examples=50, deadline=None)
@given(some.data())
def test_any_damage_can_be_read(name: str, data: some.DataObject) -> None:
    message = samples()[name]
    at, octets = data.draw(some.integers(0, len(message))), data.draw(some.integers(0, 300))
    judged(message[:at] + data.draw(some.binary(max_size=20)) + message[at + octets :])


@pytest.mark.parametrize(
    "hostile",
    [
        b"",
        b"\0" * OCTETS_MAX,
        b"Subject: " + b"x" * 1_000_000 + b"\n\nHello\n",
        b"X: y\n" * 100_000 + b"\nHello\n",
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        + b"--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 1_000,
        b"".join(b"--%d\nContent-Type: multipart/mixed; boundary=%d\n\n" % (n, n + 1) for n in range(1_000)),
        b"Content-Type: text/plain; charset=no-such-charset\n\n\xff\xfe\xfd\n",
    ],
    ids=["empty", "zeros", "long field", "many fields", "one boundary", "nested", "no charset"],
)
def test_hostile_mail_reports_no_failure(hostile: bytes) -> None:
    assert read_old_form(hostile) is None


def test_a_detector_that_trips_has_found_nothing() -> None:
    """flufl.bounce 6.0.0 raises IndexError on a mail without From that names no recipient."""
    assert read_old_form(b"Subject: Hello\n\nHello\n") is None


def test_an_automatic_answer_is_no_report_whatever_it_quotes() -> None:
    report = samples()["qmail_03"]
    answer = b"Auto-Submitted: auto-replied\n" + report.replace(b"From: MAILER-DAEMON@", b"From: reader@")
    assert answer != b"Auto-Submitted: auto-replied\n" + report
    assert read_old_form(report) is not None
    assert read_old_form(answer) is None


@pytest.mark.parametrize("field", [b"", b"X-Failed-Recipients: reader@two-words.example\n"])
@pytest.mark.parametrize(
    "sender", [b"GMX Mailer Daemon <mailer-daemon@gmx.example>", b"Mail <out@gmx.example>"]
)
def test_reports_that_call_themselves_an_automatic_answer_are_read(field: bytes, sender: bytes) -> None:
    """Exim names who failed; GMX and IONOS are mailer-daemon. The reader's domain has a hyphen."""
    report = (
        b"From: "
        + sender
        + b"\nTo: b-x@mx2.example.net\nAuto-Submitted: auto-replied\n"
        + field
        + b"Subject: "
        b"Mail delivery failed: returning message to sender\nContent-Type: text/plain; charset=utf-8\n\n"
        b"This message was created automatically by mail delivery software.\n\nA message that you sent could "
        b"not be delivered to one or more of\nits recipients. This is a permanent error. The following "
        b"address(es)\nfailed:\n\nreader@two-words.example:\nSMTP error from remote server for RCPT TO "
        b"command, host: mx.two-words.example (192.0.2.4) reason: 550-5.1.1\n The email account that you "
        b"tried to reach does not exist.\n\n--- The header of the original message is following. ---\n\n"
        b"Subject: No spam\n"
    )
    if len(field) == 0 and sender.startswith(b"Mail <"):
        assert read_old_form(report) is None
        return
    found = read_old_form(report)
    assert found is not None
    assert found.recipients[0].recipient == "reader@two-words.example"
    assert judged(report) == "dead"
