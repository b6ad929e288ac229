"""The units under a real systemd: they start, mail and an issue go through them, walls hold, and what
dies or hangs comes back.
"""

import json
import smtplib
from functools import partial
from pathlib import Path

import pytest

from bench.ours import DOMAIN
from secondpost.mail.store_rooms import ROLES, StoreRoom
from secondpost.mail.walls import INTERNET_ROLES
from secondpost.setup.unit_walls import EXPOSURE_MAX
from tests.against.knocking import knocking
from tests.against.primaries import PostfixPrimary
from tests.against.t11_units import intruder
from tests.against.t11_units.conftest import CONFIG_PATH, Town, until

MAIL, NEWSLETTER, KEYS, LINKS = StoreRoom.MAIL, StoreRoom.NEWSLETTER, StoreRoom.KEYS, StoreRoom.LINKS
STORE = "/var/lib/secondpost"
PEOPLE = f"someone@{DOMAIN}"
READER = "reader@readers.example"


def send(subject: str) -> None:
    with smtplib.SMTP("127.0.0.1", 25, timeout=20) as caller:
        caller.starttls()
        caller.sendmail("sender@elsewhere.example", [PEOPLE], f"Subject: {subject}\r\n\r\nHello.\r\n")


def test_each_unit_is_as_little_exposed_as_it_may_be(town: Town) -> None:
    lines = town.run("secondpost", "systemd", "--verify").splitlines()
    assert lines[0].startswith("systemd 252")
    levels = {name: float(level) for level, name, *_ in (line.split() for line in lines[1:])}
    for role, most in EXPOSURE_MAX.items():
        assert levels[f"secondpost-{role}.service"] <= most


def test_mail_is_held_and_drained_through_the_units(town: Town, place: Path) -> None:
    send("held")
    until(lambda: "held" in town.run("secondpost", "held", "list"), town.trouble)
    primary = PostfixPrimary.prepared(place, port=town.primary_port)
    with primary:
        until(lambda: len(primary.stored()) == 1, town.trouble)
        assert b"Subject: held" in primary.stored()[0]
        send("passed")
        until(lambda: len(primary.stored()) == 2, town.trouble)


def test_an_issue_reaches_its_reader_through_the_units(town: Town) -> None:
    town.run("secondpost", "subscribers", "add", READER, "--confirmed", "at the fair, 3 May 2026")
    town.run("secondpost", "issue", "send")
    until(lambda: any(mail.recipients == (READER,) for mail in town.readers.mails), town.trouble)


def attempts(town: Town, process: int) -> dict[str, str]:
    """What the intruder in this process could do."""
    town.machine.run("kill", "-USR1", str(process))
    mark = f"{intruder.WORD} {process} "

    def said() -> list[str]:
        journal = town.machine.journal("secondpost*")
        return [line.partition(mark)[2] for line in journal.splitlines() if mark in line]

    until(lambda: len(said()) > 0, town.trouble)
    found = json.loads(said()[-1])
    assert isinstance(found, dict)
    return found


def test_from_inside_receive_nothing_is_reached_but_its_mail(town: Town) -> None:
    allowed = {"/var/lib/secondpost/mail/mail.db": "done"}
    by_unit = attempts(town, town.main_process("receive"))
    assert by_unit == allowed | {
        "/var/lib/secondpost/newsletter/newsletter.db": "ENOENT",
        "/var/lib/secondpost/keys/sp-rsa.pem": "ENOENT",
        "/var/lib/secondpost/keys/links/links.keys": "ENOENT",
        "/etc/shadow": "ENOENT",
        "/etc/secondpost/tls.key": "EACCES",  # the folder is there for the configuration
        **dict.fromkeys(intruder.PROGRAMS, "ENOENT"),
        "connect": "EAFNOSUPPORT",
        "write": "EROFS",
    }
    by_role = attempts(town, town.role_process("receive"))
    assert [what for what, came in by_role.items() if came == "done"] == list(allowed)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_runs_a_program_or_reads_what_is_not_its_own(town: Town, role: str) -> None:
    seen = attempts(town, town.role_process(role))
    done = {what for what, came in seen.items() if came == "done"}
    rooms = dict(zip(intruder.FILES, (MAIL, NEWSLETTER, KEYS, LINKS), strict=False))
    may = {path for path, room in rooms.items() if role in room.value.writers | room.value.readers}
    assert done == may | ({"connect"} if role in INTERNET_ROLES else set())


@pytest.mark.parametrize("role", ROLES)
def test_a_killed_role_is_started_again_by_its_supervisor_and_that_one_by_systemd(
    town: Town, role: str
) -> None:
    supervisor, first = town.main_process(role), town.role_process(role)
    town.machine.run("kill", "-KILL", str(first))
    until(lambda: town.role_process(role) not in (0, first), town.trouble)
    assert town.main_process(role) == supervisor
    town.machine.run("kill", "-KILL", str(supervisor))
    until(lambda: town.main_process(role) not in (0, supervisor) and town.serves(role), town.trouble)


def test_a_role_that_hangs_is_ended_by_the_watchdog_and_started_again(town: Town) -> None:
    supervisor = town.main_process("web")
    town.machine.run("kill", "-STOP", str(town.role_process("web")))
    until(lambda: town.main_process("web") not in (0, supervisor) and town.serves("web"), town.trouble)
    assert "Watchdog timeout" in town.machine.journal("secondpost-web.service")


def test_a_reload_of_the_target_breaks_no_connection(town: Town) -> None:
    before = {role: (town.main_process(role), town.role_process(role)) for role in ROLES}
    callers = [smtplib.SMTP("127.0.0.1", 25, timeout=20) for _ in range(20)]
    for caller in callers:
        caller.ehlo("elsewhere.example")
    config = town.machine.file(CONFIG_PATH)
    config.write_text(config.read_text().replace('probe = "1 second"', 'probe = "2 seconds"'))
    town.run("systemctl", "reload", "secondpost.target")
    for role in ROLES:
        until(partial(town.has_another, role, before[role][1]), town.trouble)
    for number, caller in enumerate(callers):
        caller.sendmail("sender@elsewhere.example", [PEOPLE], f"Subject: {number}\r\n\r\nHello.\r\n")
        caller.quit()
    assert {role: town.main_process(role) for role in ROLES} == {
        role: one for role, (one, _) in before.items()
    }


def test_a_restart_of_the_target_refuses_no_caller(town: Town) -> None:
    before = {role: town.main_process(role) for role in ROLES}
    with knocking(town.machine) as faults:
        for _ in range(3):
            town.run("systemctl", "restart", "secondpost.target")
            until(lambda: all(town.serves(role) for role in ROLES), town.trouble)
    assert faults == []
    assert all(town.main_process(role) not in (0, before[role]) for role in ROLES)


def test_other_ports_are_opened_when_the_units_are_written(town: Town) -> None:
    config = town.machine.file(CONFIG_PATH)
    text = config.read_text()
    config.write_text(text.replace('listen = ["[::]:25"]', 'listen = ["[::]:25", "127.0.0.1:2525"]'))
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP("127.0.0.1", 2525, timeout=20)
    assert "The ports are others now" in town.run("secondpost", "systemd", "--install")
    with smtplib.SMTP("127.0.0.1", 2525, timeout=20) as caller:
        assert caller.noop()[0] == 250
    config.write_text(text)
    assert "The ports are others now" in town.run("secondpost", "systemd", "--install")
    with pytest.raises(ConnectionRefusedError):
        smtplib.SMTP("127.0.0.1", 2525, timeout=20)
    send("through the port that stayed")
    until(lambda: all(town.serves(role) for role in ROLES), town.trouble)


def test_a_configuration_with_a_fault_fails_the_reload_and_changes_nothing(town: Town) -> None:
    config = town.machine.file(CONFIG_PATH)
    text, before = config.read_text(), town.role_process("deliver")
    config.write_text(text.replace('probe = "2 seconds"', 'probe = "soon"'))
    try:
        done = town.machine.run("systemctl", "reload", "secondpost-deliver.service", check=False)
        assert done.returncode != 0
        assert town.role_process("deliver") == before
    finally:
        config.write_text(text)


def test_removal_leaves_store_users_and_configuration(town: Town) -> None:
    files = ("find", f"{STORE}/keys", f"{STORE}/mail/content", "-type", "f", "-printf", r"%p %s %t\n")
    store = town.run(*files)
    users, config = town.run("cat", "/etc/passwd", "/etc/group"), town.run("cat", CONFIG_PATH)
    town.run("secondpost", "systemd", "--remove")
    assert town.run("systemctl", "list-units", "--all", "--plain", "--no-legend", "secondpost*") == ""
    left = town.run("find", "/etc", "-name", "secondpost*", "-type", "f").split()
    assert left == [CONFIG_PATH]
    assert town.run(*files) == store
    owners = town.run("find", STORE, "-type", "f,d", "-printf", r"%u %m\n").splitlines()
    assert set(owners) == {"secondpost 700", "secondpost 600"}, "it belongs to one user again"
    assert (town.run("cat", "/etc/passwd", "/etc/group"), town.run("cat", CONFIG_PATH)) == (users, config)
    town.run("secondpost", "systemd", "--install")  # and everything is there again
    until(lambda: all(town.serves(role) for role in ROLES), town.trouble)
    assert "held" in town.run("secondpost", "trace", PEOPLE)
