"""The machine itself: a real systemd with walls of its own, and nothing of it left at the end."""

from pathlib import Path

from tests.against.systemd_machine import SystemdMachine


def test_systemd_runs_and_nothing_is_left_of_it(place: Path) -> None:
    with SystemdMachine(place) as machine:
        assert machine.run("systemctl", "is-system-running").stdout == "running\n"
        walls = ("--property=PrivateNetwork=yes", "--property=PrivateUsers=yes", "--property=User=nobody")
        seen = machine.run("systemd-run", "--wait", "--pipe", "--quiet", *walls, "ip", "-o", "link").stdout
        assert [line.split()[1] for line in seen.splitlines()] == ["lo:"]
        machine.file("/etc/kept").write_text("still here")
        assert machine.run("cat", "/proc/1/comm").stdout == "systemd\n"
        group = machine.group
    assert not group.exists()
    with SystemdMachine(place) as machine:
        assert machine.file("/etc/kept").read_text() == "still here"
