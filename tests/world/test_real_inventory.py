"""What this machine says of itself: its packages, and how its mail servers are set up."""

import os
import platform
import shutil
from importlib import metadata
from pathlib import Path

import pytest

from secondpost.protocols.osv.circumstances import Circumstance
from secondpost.protocols.osv.judging import python_name
from secondpost.world.real.inventory import machine_contents, mail_server_circumstances, python_packages
from secondpost.world.real.package_files import DPKG_STATUS
from secondpost.world.real.programs import ProgramFailed, output_of

LOCK = Path(__file__).parents[2] / "requirements.install.lock"
LIBRARIES = {"Python": platform.python_version(), "OpenSSL": "3.0.17", "SQLite": "3.51.3"}


def test_every_locked_dependency_is_found_and_nothing_else() -> None:
    locked = {
        python_name(line.partition("==")[0])
        for line in LOCK.read_text(encoding="utf-8").splitlines()
        if "==" in line and "sys_platform == " not in line
    }
    installed = {python_name(one.name) for one in metadata.distributions()}
    assert set(python_packages("secondpost")) - {"secondpost"} == locked & installed
    assert len(locked - installed) < 5  # what other platforms need


def test_the_list_of_packages_is_dpkgs_own() -> None:
    contents = machine_contents(LIBRARIES)
    said = output_of("dpkg-query", "-W", "-f", "${db:Status-Status}\t${source:Package}\t${source:Version}\n")
    rows = [line.split("\t") for line in said.splitlines()]
    expected = {(source, version) for status, source, version in rows if status == "installed"}
    assert {(one.source, one.version) for one in contents.packages or ()} == expected
    assert contents.ecosystem.startswith(("Debian:", "Ubuntu:"))
    assert len(contents.openssl_inside) > 0


def test_without_its_files_nothing_is_known_of_the_distribution() -> None:
    def absent(path: str) -> int:
        raise FileNotFoundError(2, "No such file", path)

    contents = machine_contents(LIBRARIES, absent)
    assert (contents.packages, contents.ecosystem) == (None, "")


def program(folder: Path, name: str, said: str) -> None:
    """A program that prints what the real one would."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{said}\n")
    path.chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs, the only one that is searched besides the shell's."""
    shell = shutil.which("sh") or "/bin/sh"
    (tmp_path / "sh").symlink_to(shell)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("forbids", "restrictions", "allows"),
    [
        ("no", "", True),
        ("", "", True),
        ("no", "reject_unauth_pipelining, permit", False),
        ("normalize", "", False),
    ],
)
def test_how_postfix_is_set_up(programs: Path, forbids: str, restrictions: str, allows: bool) -> None:
    program(programs, "postconf", f"echo '{forbids}'; echo '{restrictions}'")
    assert mail_server_circumstances() == {Circumstance.POSTFIX_BARE_NEWLINES: allows}


def test_an_exim_built_without_proxies_has_none(programs: Path) -> None:
    known = 'echo "hosts_proxy is not a known option"; exit 1'
    program(programs, "exim", f'if [ "$2" = authenticators ]; then echo; else {known}; fi')
    assert mail_server_circumstances()[Circumstance.EXIM_PROXY] is False


def test_how_exim_is_set_up(programs: Path) -> None:
    program(
        programs,
        "exim4",
        'if [ "$2" = authenticators ]; then printf "driver = plaintext\\ndriver = spa\\n"\n'
        'else echo "hosts_proxy = "; fi',
    )
    assert mail_server_circumstances() == {
        Circumstance.EXIM_SPA: True,
        Circumstance.EXIM_EXTERNAL: False,
        Circumstance.EXIM_PROXY: False,
    }


def test_what_cannot_be_asked_is_not_known(programs: Path) -> None:
    program(programs, "postconf", "echo 'fatal: open /etc/postfix/main.cf' >&2; exit 1")
    program(programs, "exim4", "exit 1")
    assert mail_server_circumstances() == {}
    with pytest.raises(ProgramFailed, match=r"postconf -h x: fatal: open /etc/postfix/main\.cf"):
        output_of("postconf", "-h", "x")


def test_where_there_is_no_dpkg_rpm_is_asked(programs: Path) -> None:
    def absent(path: str) -> int:
        return os.open("/etc/hostname", os.O_RDONLY) if path != DPKG_STATUS else _absent(path)

    program(programs, "rpm", r"printf 'postfix-3.5.25-1.el9.src.rpm\t2\t3.5.25\t1.el9\n'")
    found = machine_contents(LIBRARIES, absent, runs_programs=True)
    assert [(one.source, one.version) for one in found.packages or ()] == [("postfix", "2:3.5.25-1.el9")]
    assert machine_contents(LIBRARIES, absent).packages is None


def _absent(path: str) -> int:
    raise FileNotFoundError(2, "No such file", path)
