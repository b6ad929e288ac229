"""`secondpost upgrade --from` a Debian package, on a Debian with systemd: callers wait and are not refused,
and a version with new faults is taken back by itself.

The tests are the chapters of one story, in this order.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench import peers
from tests.against.knocking import knocking
from tests.against.systemd_machine import SystemdMachine
from tests.against.t15_packages.built import changed_version, package
from tests.against.t15_packages.test_machine import (
    CONFIGURATION,
    TEXT,
    install,
    receiver,
    send,
    wait_until_held,
)
from tests.service.test_upgrade import LATER
from tests.service.test_upgrade_command import FINDS_A_FAULT

UPGRADE_SECONDS_MAX = 400.0
UNDONE = "store/sqlite/migrations/back/0900_later.sql", ("", "DROP TABLE later;\n")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SystemdMachine]:
    peers.need_root()
    folder = Path(tempfile.mkdtemp(prefix="secondpost-package-", dir="/tmp"))
    folder.chmod(0o755)
    debs = tmp_path_factory.mktemp("debs")
    try:
        with SystemdMachine(folder, bare=True) as started, started.network():
            shutil.copy(package(), started.file("/srv/secondpost_first.deb"))
            for name, changes in (
                ("a", {}),
                ("b", dict([FINDS_A_FAULT])),
                ("c", dict([FINDS_A_FAULT, LATER, UNDONE])),
                ("d", dict([FINDS_A_FAULT, LATER])),
            ):
                changed_version(package(), debs, name, changes).replace(debs / "now.deb")
                shutil.move(debs / "now.deb", started.file(f"/srv/{name}.deb"))
            install(started, "secondpost_first.deb")
            started.file(CONFIGURATION).write_text(TEXT)
            started.run("secondpost", "systemd", "--install")
            send("First")
            wait_until_held(started, 1)
            yield started
    finally:
        shutil.rmtree(folder)


def upgrade(machine: SystemdMachine, *words: str, code: int) -> dict[str, object]:
    command = ("secondpost", "upgrade", "--from", *words, "--json")
    done = machine.run(*command, check=False, seconds_max=UPGRADE_SECONDS_MAX)
    assert done.returncode == code, (done.stdout, done.stderr, machine.journal("secondpost*")[-3000:])
    document = json.loads(done.stdout) if done.stdout.startswith("{") else {"said": done.stderr}
    assert isinstance(document, dict)
    return document


def installed(machine: SystemdMachine) -> str:
    """The end of the version, "+a"."""
    version = machine.run("dpkg-query", "--show", "--showformat=${Version}", "secondpost").stdout
    assert machine.run("dpkg", "--audit").stdout == ""
    return version[-2:]


def test_it_is_rehearsed_first_and_nothing_changes(machine: SystemdMachine) -> None:
    before, first = receiver(machine), installed(machine)
    assert upgrade(machine, "/srv/a.deb", "--dry-run", code=0)["outcome"] == "would"
    machine.file("/srv/broken.deb").write_bytes(b"!<arch>\n")
    assert "no Debian package" in str(upgrade(machine, "/srv/broken.deb", code=1)["said"])
    assert "--older" in str(upgrade(machine, "/srv/secondpost_first.deb", code=1)["said"])
    assert (receiver(machine), installed(machine)) == (before, first)


def test_no_caller_is_refused_by_an_upgrade(machine: SystemdMachine) -> None:
    before = receiver(machine)
    with knocking(machine) as faults:
        done = upgrade(machine, "/srv/a.deb", code=0)
    assert (done["outcome"], done["reasons"], faults) == ("upgraded", [], [])
    assert installed(machine) == "+a"
    assert receiver(machine) not in (before, "0")
    send("Second")
    wait_until_held(machine, 2)


def test_new_faults_bring_the_former_package_back(machine: SystemdMachine) -> None:
    with knocking(machine) as faults:
        done = upgrade(machine, "/srv/b.deb", code=1)
    assert (done["outcome"], faults) == ("back", [])
    assert "A defect was planted." in str(done["reasons"])
    assert installed(machine) == "+a"
    assert machine.run("dpkg", "--verify", "secondpost").stdout == ""
    send("Third")
    wait_until_held(machine, 3)


def test_a_change_of_the_schema_is_undone(machine: SystemdMachine) -> None:
    assert upgrade(machine, "/srv/c.deb", code=1)["outcome"] == "back"
    assert installed(machine) == "+a"
    send("Fourth")
    wait_until_held(machine, 4)


def test_what_cannot_be_undone_stays_and_is_told(machine: SystemdMachine) -> None:
    done = upgrade(machine, "/srv/d.deb", code=1)
    assert (done["outcome"], installed(machine)) == ("upgraded", "+d")
    assert "A defect was planted." in str(done["reasons"])
    send("Fifth")
    wait_until_held(machine, 5)
