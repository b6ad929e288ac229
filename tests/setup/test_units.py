"""The files for systemd, compared with golden ones; `python -m tests.setup.test_units` writes them anew."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from secondpost.config.files import credential_name
from secondpost.config.reading import parse_config
from secondpost.config.records import Config, ReachSettings, Watch
from secondpost.mail.store_rooms import ROLES, StoreRoom
from secondpost.processes.named_files import named_files
from secondpost.processes.roles import doors_of, roles_of
from secondpost.setup.unit_file import SystemdFile, bound, section_of, word
from secondpost.setup.unit_users import groups_of_role, user_of_role
from secondpost.setup.unit_walls import EXPOSURE_MAX
from secondpost.setup.units import RoleUnit, UnitMachine, secrets_of, service_of, systemd_files
from secondpost.world.real.systemd import RELEASE_MIN, exposures, release, write_files

GOLDEN = Path(__file__).parent / "units"
MACHINE = UnitMachine(
    "/opt/secondpost/bin/python3",
    ("/lib64/ld-linux-x86-64.so.2", "/opt/secondpost", "/usr/bin/python3.11", "/usr/lib/python3.11"),
    ("127.0.0.53",),
)
BACKUP = """\
version  = 3
hostname = "mx2.example.net"
store    = "/var/lib/secondpost"
owner    = ["me@elsewhere.example"]

[web]
url = "none"

[[backup]]
domain     = "example.net"
recipients = ["learn"]
"""
BOTH = """\
version  = 3
hostname = "mx2.example.net"
store    = "/srv/mail store/50%"
owner    = ["me@elsewhere.example"]
user     = "postmaster"

[tls]
certificate = "/etc/ssl/mx2.pem"
key         = "/etc/ssl/private/mx2.key"

[web]
url             = "https://news.example.net"
listen          = ["127.0.0.1:8025", "[::1]:8025"]
trusted_proxies = ["127.0.0.1"]

[[backup]]
domain     = "example.net"
recipients = ["file:/srv/lists/people", "learn"]

[[route]]
domain        = "*"
lane          = "issues"
host          = "smtp.example:587"
username      = "me"
password_file = "smtp.password"

[[newsletter]]
name  = "weekly"
from  = "The Blog <newsletter@example.net>"
feeds = ["https://www.example.net/feed.xml"]
"""
CASES = {"backup": BACKUP, "both": BOTH}


def config_of(case: str) -> Config:
    return parse_config(CASES[case].encode(), "/etc/secondpost/secondpost.toml", are_files_checked=False)


def files_of(case: str) -> tuple[SystemdFile, ...]:
    config = config_of(case)
    units = [RoleUnit(role, doors_of(config, role)) for role in roles_of(config)]
    return systemd_files(config, units, MACHINE)


@pytest.mark.parametrize("case", CASES)
def test_the_files_are_as_the_golden_ones(case: str) -> None:
    made = {file.place: file.text for file in files_of(case)}
    golden = GOLDEN / case
    kept = {str(path.relative_to(golden)): path.read_text() for path in golden.rglob("*") if path.is_file()}
    assert made == kept


@pytest.mark.parametrize("case", CASES)
def test_systemd_finds_no_fault_in_the_files(case: str, tmp_path: Path) -> None:
    config = config_of(case)
    units = [RoleUnit(role, doors_of(config, role)) for role in roles_of(config)]
    # A program that exists here: systemd looks.
    files = systemd_files(config, units, UnitMachine("/bin/sh", MACHINE.program, MACHINE.name_servers))
    write_files(files, str(tmp_path))
    paths = [str(tmp_path / file.place) for file in files if file.unit is not None]
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--generators=no", *paths],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("case", CASES)
def test_no_role_is_more_exposed_than_it_may_be(case: str) -> None:
    found = {exposure.unit: exposure.level for exposure in exposures(files_of(case))}
    bars = {service_of(role): most for role, most in EXPOSURE_MAX.items() if service_of(role) in found}
    assert len(bars) == len(roles_of(config_of(case)))
    assert [unit for unit, most in bars.items() if found[unit] > most] == []


def test_a_machine_of_today_has_a_systemd_that_the_units_need() -> None:
    assert release() >= RELEASE_MIN


def test_a_section_of_a_unit_is_read() -> None:
    text = "[Unit]\nA=1\n\n[Socket]\nB=2\nC=3\n\n[Install]\nD=4\n"
    assert [section_of(text, title) for title in ("Unit", "Socket", "Mount")] == ["A=1", "B=2\nC=3", None]


def test_the_list_of_packages_is_bound_for_the_role_that_looks_for_holes() -> None:
    config = replace(config_of("both"), watch=Watch(advisories=True))
    units = [RoleUnit(role, doors_of(config, role)) for role in roles_of(config)]
    texts = {file.unit: file.text for file in systemd_files(config, units, MACHINE)}
    bound = {unit for unit, text in texts.items() if "BindReadOnlyPaths=-/var/lib/dpkg\n" in text}
    assert bound == {"secondpost-deliver.service"}
    assert all("/var/lib/dpkg" not in file.text for file in files_of("both"))


def test_a_role_sees_its_rooms_and_no_others() -> None:
    texts = {file.unit: file.text for file in files_of("both")}
    for role in ROLES:
        for room in StoreRoom:
            path = bound(f"/srv/mail store/50%/{room.folder}")
            is_written = f"\nBindPaths={path}\n" in texts[service_of(role)]
            is_read = f"\nBindReadOnlyPaths={path}\n" in texts[service_of(role)]
            assert (is_written, is_read) == (role in room.value.writers, role in room.value.readers)


def test_each_secret_goes_to_the_roles_that_use_it() -> None:
    config = config_of("both")
    given = {role: secrets_of(config, role) for role in ROLES}
    pair = ("/etc/ssl/mx2.pem", "/etc/ssl/private/mx2.key")
    assert given == {
        "receive": pair,
        "deliver": (*pair, "/etc/secondpost/smtp.password"),
        "web": pair,
        "publish": (),
        "fetch": (),
    }
    texts = {file.unit: file.text for file in files_of("both")}
    for role, paths in given.items():
        lines = [line for line in texts[service_of(role)].splitlines() if line.startswith("LoadCredential=")]
        assert lines == [f"LoadCredential={credential_name(path)}:{path}" for path in paths]


def test_keys_of_measurement_services_go_to_the_fetch_role_alone() -> None:
    keys = ("/etc/secondpost/globalping.token", "/etc/secondpost/atlas.key")
    reach = ReachSettings(("RU",), globalping_token_file=keys[0], atlas_key_file=keys[1])
    config = replace(config_of("both"), reach=reach)
    assert secrets_of(config, "fetch") == keys
    assert named_files(config, "fetch") >= set(keys)
    for role in set(ROLES) - {"fetch"}:
        assert set(keys).isdisjoint({*secrets_of(config, role), *named_files(config, role)})


def test_the_fetch_role_reaches_private_addresses_only_where_the_owner_wants_it() -> None:
    text = BOTH + "\n[fetch]\nallow_private = true\n"
    config = parse_config(text.encode(), "/etc/secondpost/secondpost.toml", are_files_checked=False)
    wide, narrow = (
        {file.unit: file.text for file in systemd_files(one, [RoleUnit("fetch", ())], MACHINE)}
        for one in (config, config_of("both"))
    )
    assert "IPAddress" not in wide[service_of("fetch")]
    assert "\nIPAddressDeny=localhost link-local" in narrow[service_of("fetch")]
    assert "\nIPAddressAllow=127.0.0.53\n" in narrow[service_of("fetch")]


def test_the_users_are_in_the_groups_of_their_rooms() -> None:
    (users,) = (file.text for file in files_of("both") if file.place == "sysusers.d/secondpost.conf")
    members = {tuple(line.split()[1:]) for line in users.splitlines() if line.startswith("m ")}
    for role in ROLES:
        assert {group for user, group in members if user == user_of_role(role)} == set(groups_of_role(role))
    assert {group for user, group in members if user == "postmaster"} >= {
        room.value.group for room in StoreRoom
    }
    assert "secondpost-mail" not in groups_of_role("web")
    assert "secondpost-newsletter" not in groups_of_role("receive")


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("/etc/a", "/etc/a"),
        ("/a b/50%", '"/a b/50%%"'),
        ('/a"b', '"/a\\"b"'),
        ("/a\\b", "/a\\\\b"),
    ],
)
def test_a_path_is_one_word(path: str, written: str) -> None:
    assert word(path) == written


def test_a_colon_in_a_bound_path_separates_nothing() -> None:
    assert bound("/a:b", is_optional=True) == "-/a\\\\:b"


def write_golden() -> None:
    for case in CASES:
        shutil.rmtree(GOLDEN / case, ignore_errors=True)
        write_files(files_of(case), str(GOLDEN / case))


if __name__ == "__main__":
    write_golden()
