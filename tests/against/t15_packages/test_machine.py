"""The life of the package on a Debian with nothing else: installed, set up, upgraded, removed,
installed again, purged. The store outlives everything.

The tests are the chapters of one story, in this order.
"""

import shutil
import smtplib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import peers
from secondpost import __version__
from tests.against.systemd_machine import SystemdMachine
from tests.against.t15_packages.built import next_version, package

INSTALL_SECONDS_MAX = 300.0
DEMO_SECONDS_MAX = 300.0
WAIT_SECONDS_MAX = 60.0
APT = ("apt-get", "-qq", "-y", "-o", "Dpkg::Use-Pty=0")
CONFIGURATION = "/etc/secondpost/secondpost.toml"
TEXT = """\
version  = 3
hostname = "mx2.example.net"
store    = "/var/lib/secondpost"
owner    = ["me@elsewhere.example"]
reserve  = "1 MB"

[web]
url = "none"

[dns]
servers = ["127.0.0.1:53"]

[[backup]]
domain     = "example.net"
primary    = ["127.0.0.1:2500"]
recipients = ["any"]
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[SystemdMachine]:
    peers.need_root()
    folder = Path(tempfile.mkdtemp(prefix="secondpost-package-", dir="/tmp"))
    folder.chmod(0o755)
    try:
        with SystemdMachine(folder, bare=True) as started, started.network():
            shutil.copy(package(), started.file("/srv/secondpost_first.deb"))
            yield started
    finally:
        shutil.rmtree(folder)


def install(machine: SystemdMachine, name: str) -> str:
    """What apt printed."""
    words = (*APT, "--no-install-recommends", "install", f"/srv/{name}")
    return machine.run(*words, seconds_max=INSTALL_SECONDS_MAX).stdout


def send(subject: str) -> None:
    with smtplib.SMTP("127.0.0.1", 25, timeout=20) as caller:
        text = f"Subject: {subject}\r\n\r\nHello.\r\n"
        caller.sendmail("friend@elsewhere.example", ["someone@example.net"], text)


def held(machine: SystemdMachine) -> str:
    return machine.run("secondpost", "held", "list").stdout


def wait_until_held(machine: SystemdMachine, mails: int) -> None:
    until = time.monotonic() + WAIT_SECONDS_MAX
    while held(machine).count("someone@example.net") != mails:
        assert time.monotonic() < until, machine.journal("secondpost*")[-4000:]
        time.sleep(0.2)


def receiver(machine: SystemdMachine) -> str:
    return machine.show("secondpost-receive.service", "MainPID")


def test_it_is_installed_with_apt_alone_and_starts_nothing(machine: SystemdMachine) -> None:
    assert machine.run("sh", "-c", "command -v python3", check=False).returncode != 0
    said = install(machine, "secondpost_first.deb")
    assert "Set it up: secondpost init" in said
    assert machine.run("dpkg", "--audit").stdout == ""
    assert machine.run("dpkg", "--verify", "secondpost").stdout == ""
    units = machine.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "secondpost*")
    assert units.stdout == ""
    assert machine.run("dpkg", "--search", "/etc/secondpost").stdout.startswith("secondpost:")
    groups = machine.run("id", "--groups", "--name", "secondpost").stdout.split()
    assert {"secondpost", "secondpost-mail", "secondpost-keys"} <= set(groups)


def test_it_says_what_it_is(machine: SystemdMachine) -> None:
    first, _, installed, *_ = machine.run("secondpost", "--version").stdout.splitlines()
    assert first == f"secondpost {__version__}"
    assert installed == "installed  as Debian package, in /usr/lib/secondpost"


def test_the_demo_passes_as_an_ordinary_user(machine: SystemdMachine) -> None:
    machine.run("useradd", "--create-home", "ada")
    play = ("runuser", "-u", "ada", "--", "env", "--chdir=/home/ada", "secondpost", "demo", "--fast")
    assert "✓" in machine.run(*play, seconds_max=DEMO_SECONDS_MAX).stdout


def test_one_command_starts_all_that_is_configured(machine: SystemdMachine) -> None:
    machine.file(CONFIGURATION).write_text(TEXT)
    machine.run("secondpost", "systemd", "--install")
    units = "/etc/systemd/system"
    made = machine.run("sh", "-c", f"ls -d {units}/secondpost*").stdout.split()
    looked = machine.run("systemd-analyze", "verify", *made)
    assert [line for line in looked.stderr.splitlines() if "secondpost" in line] == []
    send("First")
    wait_until_held(machine, 1)


def test_an_upgrade_restarts_what_runs(machine: SystemdMachine, place: Path) -> None:
    shutil.copy(next_version(package(), place), machine.file("/srv/secondpost_later.deb"))
    before = receiver(machine)
    said = install(machine, "secondpost_later.deb")
    assert "no faults" in said
    assert receiver(machine) not in (before, "0")
    send("Second")
    wait_until_held(machine, 2)


def test_an_upgrade_that_finds_a_fault_leaves_what_runs_alone(machine: SystemdMachine) -> None:
    machine.file(CONFIGURATION).write_text(TEXT.replace('reserve  = "1 MB"', 'reserve  = "much"'))
    before = receiver(machine)
    again = ("dpkg", "--install", "/srv/secondpost_later.deb")
    assert "was not restarted" in machine.run(*again, seconds_max=INSTALL_SECONDS_MAX).stdout
    assert receiver(machine) == before
    machine.file(CONFIGURATION).write_text(TEXT)
    send("Third")
    wait_until_held(machine, 3)


def test_removal_takes_the_units_along_and_leaves_the_store_alone(machine: SystemdMachine) -> None:
    machine.run(*APT, "remove", "secondpost", seconds_max=INSTALL_SECONDS_MAX)
    assert machine.run("ls", "/usr/lib/secondpost", check=False).returncode != 0
    assert machine.run("sh", "-c", "ls -d /etc/systemd/system/secondpost*", check=False).stdout == ""
    assert machine.run("systemctl", "--failed", "--no-legend", "--plain").stdout == ""
    assert machine.file(CONFIGURATION).read_text() == TEXT
    assert machine.file("/var/lib/secondpost/mail/mail.db").stat().st_size > 0


def test_installed_again_it_goes_on(machine: SystemdMachine) -> None:
    said = install(machine, "secondpost_first.deb")
    assert "Start it: secondpost systemd --install" in said
    machine.run("secondpost", "systemd", "--install")
    wait_until_held(machine, 3)
    send("Fourth")
    wait_until_held(machine, 4)


def test_purging_takes_the_configuration_and_says_where_the_store_is(machine: SystemdMachine) -> None:
    said = machine.run(*APT, "purge", "secondpost", seconds_max=INSTALL_SECONDS_MAX).stdout
    assert "still in /var/lib/secondpost" in said
    assert not machine.file("/etc/secondpost").exists()
    assert machine.file("/var/lib/secondpost/mail/mail.db").stat().st_size > 0
    assert machine.run("dpkg", "--audit").stdout == ""
