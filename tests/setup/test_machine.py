"""This machine: each broken one is found by its own check, and a good one causes no alarm."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from secondpost.config.reading import parse_config
from secondpost.config.records import Config
from secondpost.mail.address import Endpoint
from secondpost.setup.diagnosis import Check, Diagnosis, Grade
from secondpost.setup.files import FileFacts, FilesFacts, examine_files
from secondpost.setup.known_bugs import examine_versions, known_bugs
from secondpost.setup.machine import ClockFacts, MachineFacts, examine_machine
from secondpost.setup.ports import examine_ports
from secondpost.setup.surroundings import PortHolder, Surroundings

GOOD = MachineFacts(ClockFacts(True, 20), 50_000_000_000, "secondpost", 65_536)
CONFIG = """\
version = 3
hostname = "mx2.example.net"
store = "/var/lib/secondpost"
owner = ["me@elsewhere.example"]
[[backup]]
domain = "example.net"
quota = "10 GB"
"""


def config(more: str = "") -> Config:
    return parse_config((CONFIG + more).encode(), "/etc/secondpost/secondpost.toml")


def alarms(found: Iterable[Diagnosis]) -> list[Diagnosis]:
    return [one for one in found if one.grade is not Grade.WELL]


def test_a_good_machine_causes_no_alarm() -> None:
    found = list(examine_machine(config(), GOOD))
    assert alarms(found) == []
    assert {one.check for one in found} == {
        Check.CLOCK,
        Check.DISK_SPACE,
        Check.QUOTAS,
        Check.SERVICE_USER,
        Check.OPEN_FILES,
    }


MACHINES = {
    "no time server": (
        replace(GOOD, clock=ClockFacts(False, 16_000_000)),
        Check.CLOCK,
        Grade.WARNING,
        "apt-get install systemd-timesyncd",
    ),
    "an uncertain clock": (
        replace(GOOD, clock=ClockFacts(True, 90_000)),
        Check.CLOCK,
        Grade.WARNING,
        "systemctl restart systemd-timesyncd",
    ),
    "a kernel that does not say": (replace(GOOD, clock=None), Check.CLOCK, Grade.NOTE, "date"),
    "a full disk": (
        replace(GOOD, free_octets=900_000_000),
        Check.DISK_SPACE,
        Grade.FAULT,
        "free some space on the disk of /var/lib/secondpost",
    ),
    "a disk that fills": (
        replace(GOOD, free_octets=1_500_000_000),
        Check.DISK_SPACE,
        Grade.WARNING,
        "free some space on the disk of /var/lib/secondpost",
    ),
    "quotas beyond the disk": (
        replace(GOOD, free_octets=5_000_000_000),
        Check.QUOTAS,
        Grade.NOTE,
        "lower `quota` of the domains in /etc/secondpost/secondpost.toml",
    ),
    "root": (
        replace(GOOD, user="root"),
        Check.SERVICE_USER,
        Grade.WARNING,
        "adduser --system --group --no-create-home secondpost && chown -R secondpost: /var/lib/secondpost",
    ),
    "few open files": (
        replace(GOOD, open_files_max=1024),
        Check.OPEN_FILES,
        Grade.WARNING,
        "LimitNOFILE=2100",
    ),
}


@pytest.mark.parametrize("name", MACHINES)
def test_a_broken_machine_is_found_with_its_remedy(name: str) -> None:
    facts, check, grade, remedy = MACHINES[name]
    found = [one for one in alarms(examine_machine(config(), facts)) if one.check is check]
    assert [one.grade for one in found] == [grade]
    assert remedy in found[0].remedy


STORE = "/var/lib/secondpost"
FILES = FilesFacts(
    config=FileFacts("/etc/secondpost/secondpost.toml", 0o644, "root"),
    store=(FileFacts(STORE, 0o700, "secondpost"), FileFacts(f"{STORE}/keys", 0o700, "secondpost")),
    databases=(FileFacts(f"{STORE}/mail.db", 0o644, "secondpost"),),
    secrets=(FileFacts("/etc/ssl/private/mx2.pem", 0o640, "root"),),
)


def test_good_files_cause_no_alarm() -> None:
    found = list(examine_files(FILES, "secondpost"))
    assert alarms(found) == []
    assert {one.check for one in found} == {Check.STORE_FILES, Check.SECRET_FILES, Check.CONFIG_FILE}


DIVIDED = replace(
    FILES,
    is_divided=True,
    store=(
        FileFacts(STORE, 0o750, "root"),
        FileFacts(f"{STORE}/mail", 0o2770, "root"),
        FileFacts(f"{STORE}/keys", 0o2751, "secondpost-deliver"),
    ),
    databases=(FileFacts(f"{STORE}/mail/mail.db", 0o660, "secondpost-receive"),),
)


def test_the_groups_of_a_divided_store_are_meant() -> None:
    found = list(examine_files(DIVIDED, "secondpost"))
    assert alarms(found) == []
    assert {one.check for one in found} == {Check.STORE_FILES, Check.SECRET_FILES, Check.CONFIG_FILE}


FOLDERS = {
    "all may read the mail of a divided store": (
        replace(DIVIDED, databases=(FileFacts(f"{STORE}/mail/mail.db", 0o664, "secondpost-receive"),)),
        Check.STORE_FILES,
        Grade.FAULT,
        "systemctl restart secondpost-store.service",
    ),
    "all may read the store": (
        replace(FILES, store=(FileFacts(STORE, 0o755, "secondpost"),)),
        Check.STORE_FILES,
        Grade.FAULT,
        f"chmod go= {STORE}",
    ),
    "a group may read the store": (
        replace(FILES, store=(FileFacts(STORE, 0o750, "secondpost"),)),
        Check.STORE_FILES,
        Grade.NOTE,
        f"chmod go= {STORE}",
    ),
    "root made a database": (
        replace(FILES, databases=(FileFacts(f"{STORE}/mail.db", 0o644, "root"),)),
        Check.STORE_FILES,
        Grade.FAULT,
        f"chown -R secondpost: {STORE}",
    ),
    "all may read the key": (
        replace(FILES, secrets=(FileFacts("/etc/key.pem", 0o644, "root"),)),
        Check.SECRET_FILES,
        Grade.FAULT,
        "chmod o=,g-w /etc/key.pem",
    ),
    "the service cannot read its key": (
        replace(FILES, unreadable=("/etc/ssl/private/mx2.pem",)),
        Check.SECRET_FILES,
        Grade.FAULT,
        "install -D -o secondpost -m 600 /etc/ssl/private/mx2.pem /etc/secondpost/mx2.pem, "
        "and name the copy (certbot: --deploy-hook)",
    ),
    "all may write the configuration": (
        replace(FILES, config=FileFacts("/etc/secondpost/secondpost.toml", 0o666, "root")),
        Check.CONFIG_FILE,
        Grade.FAULT,
        "chmod go-w /etc/secondpost/secondpost.toml",
    ),
    "another user owns the configuration": (
        replace(FILES, config=FileFacts("/etc/secondpost/secondpost.toml", 0o644, "alice")),
        Check.CONFIG_FILE,
        Grade.NOTE,
        "chown root: /etc/secondpost/secondpost.toml",
    ),
}


@pytest.mark.parametrize("name", FOLDERS)
def test_an_open_file_is_found_with_the_command_that_closes_it(name: str) -> None:
    facts, check, grade, remedy = FOLDERS[name]
    [found] = alarms(examine_files(facts, "secondpost"))
    assert (found.check, found.grade, found.remedy) == (check, grade, remedy)


@pytest.mark.parametrize(
    ("library", "version", "has_it"),
    [
        ("SQLite", "3.51.2", True),
        ("SQLite", "3.51.3", False),
        ("SQLite", "3.50.7", True),
        ("SQLite", "3.50.6", True),
        ("SQLite", "3.52.0", True),  # withdrawn
        ("SQLite", "3.54.1", False),
        ("OpenSSL", "3.0.14", True),
        ("OpenSSL", "3.0.15", False),  # repaired in its own series
        ("OpenSSL", "3.0.19", False),
        ("OpenSSL", "3.5.4", False),
        ("OpenSSL", "1.1.1", False),  # older than the bugs in the table
        ("Python", "3.11.7", True),
        ("Python", "3.12.8", True),
        ("Python", "3.13.2", False),
    ],
)
def test_a_version_has_a_bug_from_the_first_to_the_last_of_each_series(
    library: str, version: str, has_it: bool
) -> None:
    found = list(examine_versions({library: version}, known_bugs()))
    assert (len(alarms(found)) > 0) == has_it
    assert all(one.check is Check.KNOWN_BUGS for one in found)


def test_a_bug_that_distributions_repair_is_only_a_note() -> None:
    [sqlite] = alarms(examine_versions({"SQLite": "3.51.0"}, known_bugs()))
    assert (sqlite.grade, sqlite.remedy) == (Grade.FAULT, "install SQLite 3.51.3 or newer")
    [openssl] = alarms(examine_versions({"OpenSSL": "3.0.14"}, known_bugs()))
    assert openssl.grade is Grade.NOTE


TAKEN = {
    "exim has port 25": ("exim4", 25, "systemctl disable --now exim4"),
    "a program that cannot be seen": ("", 25, "ss -ltnp 'sport = :25'"),
    "nginx has port 443": ("nginx", 443, 'listen = ["127.0.0.1:8025"]'),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_port_of_another_program_is_found_while_the_service_does_not_run(name: str) -> None:
    program, port, remedy = TAKEN[name]
    holder = PortHolder(Endpoint("::", port), program)
    here = Surroundings("mx2.example.net", frozenset(), (holder,))
    [found] = alarms(examine_ports(config('[tls]\nacme = "me@example.net"\n'), here, False))
    assert (found.check, found.grade, found.subject) == (Check.PORTS, Grade.FAULT, f"[::]:{port}")
    assert remedy in found.remedy
    assert alarms(examine_ports(config(), here, True)) == []


def test_the_ports_of_pages_are_of_no_concern_without_pages_and_acme() -> None:
    here = Surroundings("mx2.example.net", frozenset(), (PortHolder(Endpoint("::", 443), "nginx"),))
    assert alarms(examine_ports(config(), here, False)) == []


def test_ports_that_systemd_holds_for_the_service_are_free() -> None:
    here = Surroundings("mx2.example.net", frozenset(), (PortHolder(Endpoint("::", 25), "systemd"),))
    assert alarms(examine_ports(config(), here, False)) == []


def test_a_service_that_is_to_run_as_root_is_given_another_user() -> None:
    as_root = parse_config(
        CONFIG.replace("[[", 'user = "root"\n[[', 1).encode(), "/etc/secondpost/secondpost.toml"
    )
    [found] = alarms(examine_machine(as_root, replace(GOOD, user="root")))
    assert found.remedy == (
        'user = "secondpost" in /etc/secondpost/secondpost.toml, and adduser --system --group '
        "--no-create-home secondpost && chown -R secondpost: /var/lib/secondpost"
    )
