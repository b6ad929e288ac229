"""Whether a version has a hole: real advisories, before, at and after the fix, also where a distribution
mended an old version.
"""

import json
import re
from dataclasses import replace

import pytest

from secondpost.protocols.osv.judging import (
    PYPI,
    UPSTREAM,
    HoleJudgement,
    HoleState,
    Installed,
    judge,
    python_name,
)
from secondpost.protocols.osv.records import (
    VERSIONS_MAX,
    Advisory,
    AdvisoryUnreadable,
    AffectedPackage,
    EventKind,
    RangeType,
    VersionEvent,
    VersionRange,
    kept_text,
    read_advisory,
    read_kept,
    repository_of,
)
from tests.advisories import RECORDS, SOURCES, VERDICTS, advisory, all_advisories

ROWS = [line.split("\t") for line in VERDICTS.read_text(encoding="utf-8").splitlines()[1:]]
FIXED_HERE = Installed("Postfix", "Debian:12", "postfix", "3.7.9-0+deb12u1")


@pytest.mark.parametrize(("id", "ecosystem", "package", "version", "verdict"), ROWS)
def test_the_verdict_is_right(id: str, ecosystem: str, package: str, version: str, verdict: str) -> None:
    found = judge(advisory(id), Installed(package, ecosystem, package, version))
    assert ("" if found is None else found.state.value) == verdict


def test_the_advisories_are_of_thirty_holes_each_before_and_after_its_fix() -> None:
    holes: dict[str, set[str]] = {}
    for id, *_, verdict in ROWS:
        found = advisory(id)
        [cve] = {name for name in (found.id, *found.names) if name.startswith("CVE-")}
        holes.setdefault(cve, set()).add(verdict)
    assert len(holes) >= 30
    assert [cve for cve, verdicts in holes.items() if not {"affected", "fixed"} <= verdicts] == []
    backported = [row for row in ROWS if "+deb12u" in row[3] and row[4] == "fixed"]
    assert len({row[0] for row in backported}) >= 10


def test_every_advisory_has_its_source() -> None:
    listed = re.findall(r"^\| ([A-Z]\S+) \|", SOURCES.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(path.stem for path in RECORDS.iterdir())


def test_what_is_kept_is_judged_alike() -> None:
    for one in all_advisories():
        assert read_kept(kept_text(one)) == one
    with pytest.raises(AdvisoryUnreadable):
        read_kept(b"{}")


def test_the_next_fix_is_named() -> None:
    older = replace(FIXED_HERE, version="3.7.6-0+deb12u2")
    found = judged(advisory("DEBIAN-CVE-2023-51764"), older)
    assert found == HoleJudgement(HoleState.AFFECTED, "3.7.9-0+deb12u1", urgency="not yet assigned")
    openssl = Installed("OpenSSL", UPSTREAM, "github.com/openssl/openssl", "3.2.2")
    assert judged(advisory("CVE-2024-6119"), openssl).fixed == "3.2.3"


def test_upstream_says_nothing_of_a_package_of_a_distribution() -> None:
    assert (
        judge(advisory("CVE-2020-7247"), replace(FIXED_HERE, name="opensmtpd", version="6.0.3p1-5")) is None
    )


def test_a_withdrawn_advisory_says_nothing() -> None:
    found = replace(advisory("DEBIAN-CVE-2023-51764"), is_withdrawn=True)
    assert judge(found, replace(FIXED_HERE, version="3.7.6-0")) is None


def judged(found: Advisory, installed: Installed) -> HoleJudgement:
    judgement = judge(found, installed)
    assert judgement is not None
    return judgement


def written(**changes: object) -> bytes:
    record: dict[str, object] = {"id": "A-1", "modified": "2026-01-01T00:00:00Z", **changes}
    return json.dumps(record).encode()


def affected(ecosystem: str, name: str, events: list[dict[str, str]], **more: object) -> dict[str, object]:
    ranges = [{"type": "ECOSYSTEM", "events": events}]
    return {"package": {"ecosystem": ecosystem, "name": name}, "ranges": ranges, **more}


@pytest.mark.parametrize(
    ("events", "verdicts"),
    [
        ([{"introduced": "0"}], {"0.1": "affected", "9": "affected"}),
        ([{"introduced": "0"}, {"last_affected": "1.2"}], {"1.2": "affected", "1.2.post1": "not-affected"}),
        (
            [{"fixed": "2.1"}, {"introduced": "2.0"}, {"fixed": "1.5"}, {"introduced": "0"}],
            {"1.4": "affected", "1.5": "fixed", "2.0": "affected", "2.1": "fixed"},
        ),
        (
            [{"introduced": "1"}, {"limit": "2"}],
            {"0.9": "not-affected", "1.9": "affected", "2": "not-affected"},
        ),
        ([{"introduced": "1"}, {"limit": "*"}], {"3": "affected"}),
        ([{"introduced": "1.0rc1"}, {"fixed": "1.0"}], {"1.0b9": "not-affected", "1.0rc2": "affected"}),
        ([{"introduced": "0"}, {"fixed": "not a version"}], {"1.0": "unknown"}),
    ],
)
def test_events_as_the_schema_says(events: list[dict[str, str]], verdicts: dict[str, str]) -> None:
    found = read_advisory(written(affected=[affected("PyPI", "Some_Name", events)]))
    for version, verdict in verdicts.items():
        assert judged(found, Installed("", PYPI, "some.name", version)).state.value == verdict, version


def test_a_listed_version_is_affected_whatever_the_ranges_say() -> None:
    listed = affected("Debian:12", "exim4", [{"introduced": "9"}], versions=["4.96-15"])
    found = read_advisory(written(affected=[listed]))
    for version, state in (("4.96-15", HoleState.AFFECTED), ("4.96-16", HoleState.NOT_AFFECTED)):
        assert judged(found, Installed("", "Debian:12", "exim4", version)).state is state


def test_commits_alone_say_nothing_of_a_version() -> None:
    commits = {"type": "GIT", "repo": "https://github.com/openssl/openssl", "events": [{"introduced": "0"}]}
    found = read_advisory(written(affected=[{"ranges": [commits]}]))
    judgement = judged(found, Installed("", UPSTREAM, "github.com/openssl/openssl", "3.0.7"))
    assert judgement == HoleJudgement(HoleState.UNKNOWN, why="its advisory names commits and no versions")


def test_an_ecosystem_whose_order_is_not_known_is_said_so() -> None:
    found = read_advisory(written(affected=[affected("Alpine:v3.20", "postfix", [{"introduced": "0"}])]))
    judgement = judged(found, Installed("", "Alpine:v3.20", "postfix", "3.9.0-r0"))
    assert judgement.state is HoleState.UNKNOWN
    assert "Alpine" in judgement.why


@pytest.mark.parametrize(
    ("severity", "specific", "word"),
    [
        ([{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}], {}, "critical"),
        ([{"type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N"}], {}, "medium"),
        ([{"type": "CVSS_V3", "score": "CVSS:3.0/AV:L/AC:L/PR:N/UI:R/S:U/C:N/I:N/A:H"}], {}, "medium"),
        ([{"type": "CVSS_V3", "score": "CVSS:3.1/AV:P/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N"}], {}, "low"),
        ([{"type": "CVSS_V4", "score": "CVSS:4.0/AV:L"}], {"severity": "MODERATE"}, "medium"),
        ([{"type": "CVSS_V3", "score": "CVSS:3.1/AV:X"}], {"severity": "HIGH"}, "high"),
        (None, {"severity": 7}, ""),
        (None, None, ""),
    ],
)
def test_how_severe_it_is(severity: object, specific: object, word: str) -> None:
    assert read_advisory(written(severity=severity, database_specific=specific)).severity == word


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"[]",
        b'{"id": "A-1"}',
        b'{"id": 7, "modified": ""}',
        b'{"id": "A-1", "modified": "", "affected": {}}',
        b'{"id": "A-1", "modified": "", "affected": [{"versions": "1.0"}]}',
        written(affected=[{"versions": ["1"] * (VERSIONS_MAX + 1)}]),
        written(aliases=["x" * 10_000]),
        b'{"id": "A-1", "modified": "' + b"\xff" + b'"}',
        b"[" * 100_000,
    ],
    ids=range(10),
)
def test_what_is_no_advisory_is_refused(text: bytes) -> None:
    with pytest.raises(AdvisoryUnreadable):
        read_advisory(text)


def test_what_is_not_understood_is_left_out() -> None:
    events: list[dict[str, object]] = [{"introduced": "0"}, {"mended": "1"}, {"fixed": 7}, {"fixed": "2"}]
    ranges = [{"type": "LATER", "events": events}, {"type": "ECOSYSTEM", "events": events}]
    package = {"ecosystem": "PyPI", "name": "a", "colour": "red"}
    text = written(
        affected=[{"package": package, "ranges": ranges}, {}], new_field=[1], summary="a\r\n\x1b[31mb."
    )
    event = (VersionEvent(EventKind.INTRODUCED, "0"), VersionEvent(EventKind.FIXED, "2"))
    only = AffectedPackage("PyPI", "a", (VersionRange(RangeType.ECOSYSTEM, event),))
    assert read_advisory(text) == Advisory("A-1", "2026-01-01T00:00:00Z", summary="a [31mb", affected=(only,))


def test_a_notice_that_mends_several_holes_is_none_of_them() -> None:
    assert read_advisory(written(upstream=["CVE-1", "CVE-2"])).names == ()
    assert read_advisory(written(upstream=["CVE-1"], aliases=["GHSA-1"])).names == ("GHSA-1", "CVE-1")


def test_names_that_mean_the_same() -> None:
    assert python_name("Some_Name.x") == python_name("some-name--X") == "some-name-x"
    for url in ("https://github.com/OpenSSL/openssl.git", "git://user@github.com/openssl/openssl/"):
        assert repository_of(url) == "github.com/openssl/openssl"
