"""The samples of flufl.bounce 6.0.0 (tests/bounce/samples; Apache-2.0, its licence is beside them) are
read without an exception, and judged as `judged.txt` says; hostile mail reports no failure.
"""

import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from secondpost.bounce.intake import failed_of
from secondpost.bounce.judge import kind_of, refusal_of
from secondpost.protocols.dsn.notification import read_report
from secondpost.protocols.dsn.old_forms import OCTETS_MAX, read_old_form

SAMPLES = Path(__file__).parent / "samples"
JUDGED = dict(line.split() for line in (SAMPLES / "judged.txt").read_text().splitlines())


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
    failed = failed_of(report)
    return "delay" if failed is None else kind_of(refusal_of(failed)).value


def test_every_sample_is_read_and_judged() -> None:
    found = {name: judged(message) for name, message in sorted(samples().items())}
    assert found == JUDGED
    assert len(found) == 117


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
    answer = b"Auto-Submitted: auto-replied\n" + samples()["qmail_03"]
    assert read_old_form(samples()["qmail_03"]) is not None
    assert read_old_form(answer) is None
