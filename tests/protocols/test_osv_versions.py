"""Orders of versions, compared with the programs that make them and with their published vectors."""

import subprocess
from itertools import combinations, pairwise

import pytest
from packaging.version import Version

from secondpost.protocols.osv.version_orders import (
    VERSION_CHARACTERS_MAX,
    Order,
    VersionUnreadable,
    debian_order,
    dotted_order,
    python_order,
    rpm_order,
    rpm_part_order,
    semver_order,
)

# Each is newer than the one before it.
DEBIAN = [
    "1.0~~", "1.0~~a", "1.0~", "1.0", "1.0-1~deb12u1", "1.0-1", "1.0-1+deb12u1", "1.0-1+deb12u2",
    "1.0-1+deb12u10", "1.0-1.1", "1.0a", "1.0a1", "1.0+dfsg-1", "1.0.1", "1.2-3-4", "1.10", "3.0.9-1",
    "3.0.11-1~deb12u2", "3.0.11-1", "3.7.9-0+deb12u1", "3.7.11-0+deb12u1", "4.94.2-7+deb11u2",
    "4.96-15+deb12u4", "4.97.1-1", "6.0.3p1-5+deb10u4", "6.6.4p1-1", "6.8.0p2-4+b3", "20231225", "1:0.1",
    "2:0",
]  # fmt: skip

DEBIAN_EQUAL = [("0:1.0", "1.0"), ("1.0", "1.0-0"), ("1.00", "1.0"), ("01", "1")]

# rpm's own: tests/rpmvercmp.at of its source.
RPM = [
    ("1.0", "1.0", 0), ("1.0", "2.0", -1), ("2.0", "1.0", 1), ("2.0.1", "2.0.1", 0), ("2.0", "2.0.1", -1),
    ("2.0.1a", "2.0.1a", 0), ("2.0.1a", "2.0.1", 1), ("5.5p1", "5.5p1", 0), ("5.5p1", "5.5p2", -1),
    ("5.5p10", "5.5p10", 0), ("5.5p1", "5.5p10", -1), ("10xyz", "10.1xyz", -1), ("xyz10", "xyz10", 0),
    ("xyz10", "xyz10.1", -1), ("xyz.4", "xyz.4", 0), ("xyz.4", "8", -1), ("8", "xyz.4", 1),
    ("xyz.4", "2", -1), ("2", "xyz.4", 1), ("5.5p2", "5.6p1", -1), ("5.6p1", "6.5p1", -1),
    ("6.0.rc1", "6.0", 1), ("10b2", "10a1", 1), ("10a2", "10b2", -1), ("1.0aa", "1.0aa", 0),
    ("1.0a", "1.0aa", -1), ("10.0001", "10.0001", 0), ("10.0001", "10.1", 0), ("10.0001", "10.0039", -1),
    ("4.999.9", "5.0", -1), ("20101121", "20101121", 0), ("20101121", "20101122", -1), ("2_0", "2_0", 0),
    ("2.0", "2_0", 0), ("a", "a", 0), ("a+", "a+", 0), ("a+", "a_", 0), ("+a", "+a", 0), ("+a", "_a", 0),
    ("+_", "+_", 0), ("_+", "+", 0), ("+", "_", 0), ("1.0~rc1", "1.0~rc1", 0), ("1.0~rc1", "1.0", -1),
    ("1.0~rc1", "1.0~rc2", -1), ("1.0~rc1~git123", "1.0~rc1~git123", 0),
    ("1.0~rc1~git123", "1.0~rc1", -1), ("1.0^", "1.0^", 0), ("1.0^", "1.0", 1),
    ("1.0^git1", "1.0^git1", 0), ("1.0^git1", "1.0", 1), ("1.0^git1", "1.0^git2", -1),
    ("1.0^git1", "1.01", -1), ("1.0^20160101", "1.0^20160101", 0), ("1.0^20160101", "1.0.1", -1),
    ("1.0^20160101^git1", "1.0^20160101^git1", 0), ("1.0^20160102", "1.0^20160101^git1", 1),
    ("1.0~rc1^git1", "1.0~rc1^git1", 0), ("1.0~rc1^git1", "1.0~rc1", 1), ("1.0^git1~pre", "1.0^git1~pre", 0),
    ("1.0^git1", "1.0^git1~pre", 1),
]  # fmt: skip

PYTHON = [
    "1.0.dev1", "1.0a1.dev1", "1.0a1", "1.0-alpha.2", "1.0b1", "1.0rc1", "1.0c2", "1.0", "1.0+abc.5",
    "1.0+abc.7", "1.0+5", "1.0.post1.dev1", "1.0.post1", "1.0-2", "1.0.1", "1.10", "v2.0", "2016.9.26",
    "2026.10.19.post1", "1!0.1",
]  # fmt: skip

# semver.org's example in §11.4.4, and more.
SEMVER = [
    "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
    "1.0.0-rc.1", "1.0.0", "1.2", "1.10.0", "2",
]  # fmt: skip

DOTTED = [
    "0.9.8zh", "OpenSSL_1_1_1-pre9", "1.1.1", "1.1.1a", "OpenSSL_1_1_1v", "1.1.1w", "1.1.1za",
    "openssl-3.0.0-beta1", "3.0.0", "openssl-3.0.7", "3.0.15", "version-3.45.1", "exim-4_94_2",
    "exim-4.97-RC1", "4.97", "4.97.1", "5.4.9", "6.6.1", "6.6.2", "6.6.2p1", "v6.6.4p1", "6.8.0p2",
]  # fmt: skip


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


@pytest.mark.parametrize(
    ("order", "oldest_first"),
    [
        (debian_order, DEBIAN),
        (python_order, PYTHON),
        (semver_order, SEMVER),
        (dotted_order, DOTTED),
    ],
    ids=["Debian", "Python", "SemVer", "dotted"],
)
def test_each_is_newer_than_all_before_it(order: Order, oldest_first: list[str]) -> None:
    for older, newer in combinations(oldest_first, 2):
        assert (sign(order(older, newer)), sign(order(newer, older))) == (-1, 1), (older, newer)
    assert all(order(one, one) == 0 for one in oldest_first)


def test_dpkg_says_the_same() -> None:
    pairs = [(older, newer, "lt") for older, newer in pairwise(DEBIAN)]
    pairs += [(one, other, "eq") for one, other in DEBIAN_EQUAL]
    script = "\n".join(
        f"dpkg --compare-versions '{one}' {how} '{other}' || echo '{one} {other}'"
        for one, other, how in pairs
    )
    said = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout == ""
    assert "--compare-versions" not in said.stderr


def test_a_missing_epoch_or_revision_is_zero() -> None:
    assert [debian_order(one, other) for one, other in DEBIAN_EQUAL] == [0] * len(DEBIAN_EQUAL)


@pytest.mark.parametrize(("one", "other", "expected"), RPM)
def test_the_vectors_of_rpm(one: str, other: str, expected: int) -> None:
    assert (sign(rpm_part_order(one, other)), sign(rpm_part_order(other, one))) == (expected, -expected)


def test_epoch_and_release_of_rpm() -> None:
    oldest_first = ["3.5.9-24.el9", "2:3.5.9-19.el9", "2:3.5.9-24.el9", "2:3.5.25-1.el9", "3:1-1"]
    for older, newer in combinations(oldest_first, 2):
        assert (sign(rpm_order(older, newer)), sign(rpm_order(newer, older))) == (-1, 1), (older, newer)
    assert rpm_order("3.5.9", "3.5.9-24.el9") == 0  # a release that only one names


def test_the_packaging_library_says_the_same() -> None:
    assert sorted(PYTHON, key=Version) == PYTHON
    assert python_order("1.0.0", "1") == 0 == python_order("1.0-ALPHA1", "1.0a1")


def test_trailing_zeros_make_no_other_release() -> None:
    assert dotted_order("4.97", "4.97.0") == 0 == semver_order("1.0", "1.0.0")


@pytest.mark.parametrize("order", [debian_order, rpm_order, python_order, semver_order, dotted_order])
@pytest.mark.parametrize("wrong", ["", " ", "9" * (VERSION_CHARACTERS_MAX + 1), "\u0661.0", "1.0\n2", "a:1"])
def test_what_is_no_version_is_refused(order: Order, wrong: str) -> None:
    with pytest.raises(VersionUnreadable):
        order(wrong, "1.0")
