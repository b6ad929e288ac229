"""What is installed by the names of advisories, and each hole once, with whether it applies."""

from dataclasses import replace

import pytest

from secondpost.protocols.osv.circumstances import ROWS, Bearing, Because, Circumstance, because, row_of
from secondpost.protocols.osv.findings import AdvisoryFinding, known_holes
from secondpost.protocols.osv.inventory import (
    MachineContents,
    SystemPackage,
    dpkg_packages,
    ecosystem_of,
    inventory_of,
    rpm_packages,
)
from secondpost.protocols.osv.judging import PYPI, UPSTREAM, HoleState, Installed
from secondpost.protocols.osv.records import Advisory
from secondpost.setup.advisories import remedy_of
from tests.advisories import advisory, all_advisories

CONTENTS = MachineContents(
    secondpost="0.1.0",
    python="3.11.2",
    openssl="3.0.17",
    openssl_inside="3.5.4",
    sqlite="3.51.3",
    python_packages={"secondpost": "0.1.0", "starlette": "1.10.0"},
)
DEBIAN = replace(
    CONTENTS,
    ecosystem="Debian:12",
    packages=(
        SystemPackage("python3.11", "3.11.2-6+deb12u6"),
        SystemPackage("openssl", "3.0.17-1~deb12u3"),
        SystemPackage("exim4", "4.96-15+deb12u11"),
        SystemPackage("sqlite3", "3.40.1-2"),
    ),
)


def test_what_a_distribution_brings_has_the_distributions_name() -> None:
    assert inventory_of(DEBIAN, ("exim", "postfix")) == (
        Installed("Secondpost", PYPI, "secondpost", "0.1.0"),
        Installed("Python", "Debian:12", "python3.11", "3.11.2-6+deb12u6"),
        Installed("OpenSSL of Python", "Debian:12", "openssl", "3.0.17-1~deb12u3"),
        Installed("OpenSSL of cryptography", UPSTREAM, "github.com/openssl/openssl", "3.5.4"),
        Installed("SQLite", UPSTREAM, "github.com/sqlite/sqlite", "3.51.3"),
        Installed("starlette", PYPI, "starlette", "1.10.0"),
        Installed("Exim", "Debian:12", "exim4", "4.96-15+deb12u11"),
    )


def test_what_is_of_another_version_than_the_distributions_is_upstreams() -> None:
    own = replace(DEBIAN, python="3.12.4", openssl="3.5.4", openssl_inside="")
    assert inventory_of(own)[1:3] == (
        Installed("Python", UPSTREAM, "github.com/python/cpython", "3.12.4"),
        Installed("OpenSSL of Python", UPSTREAM, "github.com/openssl/openssl", "3.5.4"),
    )
    assert [one.ecosystem for one in inventory_of(CONTENTS, ("exim",))].count(UPSTREAM) == 4


STATUS = """\
Package: exim4-daemon-light
Status: install ok installed
Source: exim4
Version: 4.96-15+deb12u11
Description: Exim
 Version: 9 is not a field

Package: exim4-base
Status: install ok installed
Source: exim4
Version: 4.96-15+deb12u11

Package: libssl3
Status: install ok installed
Source: openssl (3.0.17-1~deb12u3)
Version: 3.0.17-1~deb12u3+b1

Package: openssl
Status: install ok installed
Version: 3.0.17-1~deb12u3

Package: postfix
Status: deinstall ok config-files
Version: 3.7.6-0+deb12u2
"""


def test_the_list_of_dpkg_is_read_by_sources() -> None:
    assert dpkg_packages(STATUS) == [
        SystemPackage("exim4", "4.96-15+deb12u11"),
        SystemPackage("openssl", "3.0.17-1~deb12u3"),
    ]
    assert dpkg_packages("") == []


def test_the_list_of_rpm_is_read_by_sources() -> None:
    said = (
        "postfix-3.5.25-1.el9.src.rpm\t2\t3.5.25\t1.el9\n"
        "python3.12-3.12.5-2.el9_5.2.src.rpm\t0\t3.12.5\t2.el9_5.2\n"
        "(none)\t0\t5a6340b3\t6229229e\n"
    )
    assert rpm_packages(said) == [
        SystemPackage("postfix", "2:3.5.25-1.el9"),
        SystemPackage("python3.12", "0:3.12.5-2.el9_5.2"),
    ]


@pytest.mark.parametrize(
    ("os_release", "ecosystem"),
    [
        ('ID=debian\nVERSION_ID="12"\n', "Debian:12"),
        ('NAME="Ubuntu"\nID=ubuntu\nVERSION_ID="22.04"\nVERSION="22.04.5 LTS (Jammy)"\n', "Ubuntu:22.04:LTS"),
        ('ID=ubuntu\nVERSION_ID="25.04"\nVERSION="25.04 (Plucky Puffin)"\n', "Ubuntu:25.04"),
        ('ID="rocky"\nVERSION_ID="9.5"\n', "Rocky Linux:9"),
        ('ID="almalinux"\nVERSION_ID="9.5"\n', "AlmaLinux:9"),
        ('ID="rhel"\nVERSION_ID="9.5"\n', "Red Hat:enterprise_linux:9"),
        ("ID=fedora\nVERSION_ID=42\n", "Fedora:42"),
        ('ID="opensuse-leap"\nVERSION_ID="15.6"\n', "openSUSE:Leap 15.6"),
        ("ID=arch\n", ""),
        ("ID=debian\n", ""),  # testing has no number
        ("", ""),
    ],
)
def test_the_distribution_by_its_own_words(os_release: str, ecosystem: str) -> None:
    assert ecosystem_of(os_release) == ecosystem


# -- findings
POSTFIX = Installed("Postfix", "Debian:12", "postfix", "3.7.6-0+deb12u2")
CRYPTOGRAPHY = Installed("cryptography", PYPI, "cryptography", "41.0.5")


def only(installed: Installed, *advisories: Advisory, **here: bool) -> AdvisoryFinding:
    known = {Circumstance[name.upper()]: is_so for name, is_so in here.items()}
    [hole] = known_holes(advisories, (installed,), known)
    return hole


def test_databases_that_name_each_other_describe_one_hole() -> None:
    pysec = advisory("PYSEC-2023-254")
    ghsa = replace(pysec, id="GHSA-jfhm-5ghh-2f97", names=("CVE-2023-49083",), summary="PKCS7", severity="")
    apart = advisory("GHSA-3ww4-gg4f-jr7f")
    holes = known_holes([ghsa, apart, pysec], (CRYPTOGRAPHY,), {})
    assert [(one.title, one.names[1:], one.severity) for one in holes] == [
        ("CVE-2023-50782", ("GHSA-3ww4-gg4f-jr7f",), "high"),
        ("CVE-2023-49083", ("GHSA-jfhm-5ghh-2f97", "PYSEC-2023-254"), "high"),
    ]
    assert holes[1].summary == "PKCS7"


def test_where_one_database_knows_and_another_does_not_the_one_that_knows_is_believed() -> None:
    known = advisory("CVE-2022-3602")
    [affected] = known.affected
    unknown = replace(
        known, id="X-1", names=(known.id,), affected=(replace(affected, ranges=(), versions=()),)
    )
    openssl = Installed("OpenSSL", UPSTREAM, "github.com/openssl/openssl", "3.0.7")
    assert only(openssl, unknown).judgement.state is HoleState.UNKNOWN
    assert only(openssl, unknown, known).judgement.state is HoleState.FIXED
    assert only(replace(openssl, version="3.0.6"), unknown, known).judgement.state is HoleState.AFFECTED


def test_whether_it_applies_is_by_the_setting() -> None:
    smuggling = advisory("DEBIAN-CVE-2023-51764")
    here = only(POSTFIX, smuggling, postfix_bare_newlines=True)
    assert here.is_open
    assert here.because.text.startswith("`smtpd_forbid_bare_newline` is off")
    stopped = only(POSTFIX, smuggling, postfix_bare_newlines=False)
    assert (stopped.is_open, stopped.because.bearing) == (False, Bearing.DOES_NOT)
    assert stopped.judgement.state is HoleState.AFFECTED
    unknown = only(POSTFIX, smuggling)
    assert (unknown.is_open, unknown.because) == (
        False,
        Because(Bearing.NOT_KNOWN, "`postconf` could not be asked"),
    )


def test_a_fix_that_is_switched_off_mends_nothing() -> None:
    smuggling, mended = advisory("DEBIAN-CVE-2023-51764"), replace(POSTFIX, version="3.7.9-0+deb12u1")
    off = only(mended, smuggling, postfix_bare_newlines=True)
    assert (off.is_open, off.judgement.fixed) == (True, "3.7.9-0+deb12u1")
    assert off.switch.startswith("postconf -e smtpd_forbid_bare_newline=normalize")
    on = only(mended, smuggling, postfix_bare_newlines=False)
    assert (on.is_open, on.judgement.state) == (False, HoleState.FIXED)
    assert remedy_of(off) == off.switch
    older = only(POSTFIX, smuggling, postfix_bare_newlines=True)
    assert remedy_of(older) == f"apt-get update && apt-get upgrade\n{off.switch}"


def test_what_is_in_no_row_applies() -> None:
    assert row_of(("idna",), frozenset({"CVE-2024-3651"})) is None
    assert because(None, {}).bearing is Bearing.APPLIES


def test_every_row_says_why_and_names_holes_of_real_advisories() -> None:
    known = {name for one in all_advisories() for name in (one.id, *one.names)}
    for row in ROWS:
        assert len(row.if_not) > 0
        assert (len(row.if_so) > 0) is (row.circumstance is not Circumstance.NEVER)
        assert row.holes == frozenset() or not row.holes.isdisjoint(known)


def test_a_row_of_a_hole_comes_before_the_row_of_its_package() -> None:
    for place, row in enumerate(ROWS):
        for earlier in ROWS[:place]:
            is_hidden = len(earlier.holes) == 0 and row.packages <= earlier.packages
            assert not is_hidden, row
