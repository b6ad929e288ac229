"""Headers as real primaries write them, each with what is to be read in it.

headers/NAME.txt is what an owner pasted, headers/NAME.expected what it means. To add a case, add
both files; this module needs no change.
"""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.route.hosts import Ourselves
from secondpost.setup.diagnosis import Grade
from secondpost.setup.header_chain import HandOver
from secondpost.setup.header_diagnosis import OTHERS_SHOWN_MAX, HeaderReading, read_header
from secondpost.setup.pasted_headers import read_pasted
from secondpost.setup.trust_settings import Relay

FOLDER = Path(__file__).parent / "headers"
CASES = sorted(path.stem for path in FOLDER.glob("*.txt"))
US = Ourselves(frozenset({"mx2.example.net"}), frozenset({"192.0.2.5", "2001:db8::5"}), frozenset())
RELAY = Relay("mx2.example.net", ("192.0.2.5", "2001:db8::5"))
OURS = re.compile(rb"^Received: from out\.sender\.example.*?\+0000\n", re.MULTILINE | re.DOTALL)
FORGED = (
    b"Authentication-Results: mx.google.com; spf=pass (sender IP is 203.0.113.9); dmarc=pass\n"
    b"ARC-Authentication-Results: i=1; mx.google.com; spf=pass; dkim=pass; dmarc=pass\n"
    b"Received-SPF: pass client-ip=203.0.113.9\n"
    b"X-Forefront-Antispam-Report: CIP:203.0.113.9;IPV:CAL;SCL:-1;SFV:SKN;\n"
    b"X-MS-Exchange-SkipListedInternetSender: ip=[203.0.113.9];domain=forged.example\n"
    b"X-Spam-Status: No, tests=ALL_TRUSTED\n"
    b"Received: from mx2.example.net ([192.0.2.5]) by mx.google.com with ESMTPS id 1\n"
    b"Received: from forged.example ([203.0.113.9]) by mx2.example.net with ESMTPS id 2\n"
)


def reading_of(pasted: bytes) -> HeaderReading:
    return read_header(read_pasted(pasted), US, RELAY)


def written(reading: HeaderReading) -> str:
    """What a case's expectation holds."""
    findings = reading.findings
    results = " ".join(f"{result.method}={result.result}" for result in findings.results)
    lines = [
        f"hand-over: {reading.chain.hand_over.value}",
        f"kinds: {', '.join(kind.value for kind in reading.kinds)}",
        f"results: {results}",
        f"trust: {findings.trust.value} {findings.judged}",
        *(f"{one.grade} {one.check.word}: {one.text}" for one in reading.diagnoses),
    ]
    return "".join(f"{line.rstrip()}\n" for line in lines)


@pytest.mark.parametrize("name", CASES)
def test_each_header_means_what_its_expectation_says(name: str) -> None:
    reading = reading_of((FOLDER / f"{name}.txt").read_bytes())
    assert written(reading) == (FOLDER / f"{name}.expected").read_text(encoding="utf-8")


def test_each_expectation_has_its_header() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.expected")) == CASES


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("mangled-")])
def test_a_mangled_paste_means_the_same_as_the_header_itself(name: str) -> None:
    whole = reading_of((FOLDER / "gmail-not-trusted.txt").read_bytes())
    mangled = reading_of((FOLDER / f"{name}.txt").read_bytes())
    assert mangled.findings == whole.findings
    assert mangled.chain.hand_over is whole.chain.hand_over


@pytest.mark.parametrize("name", CASES)
def test_nothing_below_our_line_counts_as_the_primarys(name: str) -> None:
    pasted = (FOLDER / f"{name}.txt").read_bytes()
    ours = OURS.search(pasted)
    if ours is None or b"by mx2.example.net" not in pasted:
        return  # a mangled paste, or one without our line: the cases above see to it
    forged = pasted[: ours.end()] + FORGED + pasted[ours.end() :]
    before, after = reading_of(pasted), reading_of(forged)
    assert after.findings == before.findings
    assert after.chain.primary == before.chain.primary
    assert after.chain.hand_over is before.chain.hand_over


@pytest.mark.parametrize("by", ["mx.google.com", "mx1.example.net"])
def test_a_forged_line_of_ours_with_forged_lines_above_it_proves_nothing(by: str) -> None:
    """A stranger sends straight to the primary, and pretends that the message came through us."""
    stranger = (FOLDER / "not-through-us.txt").read_bytes()
    real, end, rest = stranger.partition(b"(CET)\n")
    forged = real + end + FORGED.replace(b"mx.google.com", by.encode()) + rest
    reading = read_header(read_pasted(forged), US, RELAY, ["mail.example.net"])
    assert reading.chain.hand_over is HandOver.CONTRADICTED
    assert [one.check for one in reading.diagnoses if one.grade is Grade.WELL] == []


lines = st.lists(
    st.one_of(
        st.sampled_from(FORGED.splitlines()),
        st.sampled_from(
            [b"", b" ", b">", b"\t(", b'"', b"a: (((((", b"Received:", b"Authentication-Results: ;;i=;="]
        ),
        st.binary(max_size=60),
    ),
    max_size=40,
)


@given(
    lines,
    st.sampled_from([b"\n", b"\r\n", b"\r", b"\n\n"]),
    st.sampled_from([b"", b"\xff\xfe", b"\xef\xbb\xbf"]),
)
def test_no_paste_breaks_the_reading(pasted: list[bytes], end: bytes, mark: bytes) -> None:
    reading = reading_of(mark + end.join(pasted))
    assert len(reading.diagnoses) > 0


@given(lines)
def test_whatever_stands_below_our_line_changes_nothing_above_it(below: list[bytes]) -> None:
    above = (FOLDER / "exim.txt").read_bytes()
    ours = OURS.search(above)
    assert ours is not None
    head = above[: ours.end()]
    tail = b"\n".join(line for line in below if not line[:1].isspace())
    assert reading_of(head + b"X-Begin: 1\n" + tail).findings == reading_of(head).findings


def test_a_sender_does_not_bury_the_findings_under_lines_of_its_own() -> None:
    pasted = (FOLDER / f"{CASES[0]}.txt").read_bytes()
    usual = reading_of(pasted).diagnoses
    ours = OURS.search(pasted)
    assert ours is not None
    line = b"Authentication-Results: " + b"x" * 1_000 + b".example; spf=pass\n"
    read = reading_of(pasted[: ours.end()] + 500 * line + pasted[ours.end() :]).diagnoses
    assert len(read) <= len(usual) + OTHERS_SHOWN_MAX + 1
    assert max(len(one.text) for one in read) < 500
    assert any("written below the line of this server" in one.text and "49" in one.text for one in read)


def test_a_megabyte_of_anything_is_read_in_one_pass() -> None:
    for octets in (b">" * 1_000_000, b"(" * 1_000_000, b"a:" * 500_000, b"Received: from (" * 60_000):
        assert len(reading_of(octets).diagnoses) > 0
