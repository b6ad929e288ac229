"""A file of an earlier version is read as it is: its values in memory, and what is said of it."""

import pytest

from secondpost.config.changes import changes, only_at_start
from secondpost.config.faults import Fault
from secondpost.config.older import Values, as_today
from secondpost.config.positions import Positions
from secondpost.config.reading import ConfigFaults, parse_config
from secondpost.config.records import Config, Unknown
from secondpost.config.section import Findings, keys_in
from secondpost.config.versions import CHANGES, VERSION, moved_in, place_in
from secondpost.config.warnings import warnings

TOP = 'hostname = "mx2.example.net"\nstore = "/s"\nowner = ["me@elsewhere.example"]\n'
SHORT = {
    1: '[watch]\nreach = ["RU"]\n[[backup]]\ndomain = "example.net"\nunknown = "refuse"\n',
    2: '[watch]\nreach = ["RU"]\n[[backup]]\ndomain = "example.net"\nunknown = "reject"\n',
    3: '[reach]\ncountries = ["RU"]\n[[backup]]\ndomain = "example.net"\nunknown = "reject"\n',
}


def today_of(version: int, values: Values) -> tuple[Values, list[Fault]]:
    findings = Findings(Positions({}), version=version)
    return as_today(values, findings), findings.faults


def config_of(version: int, text: str | None = None) -> Config:
    body = SHORT[version] if text is None else text
    return parse_config(f"version = {version}\n{TOP}{body}".encode(), "/etc/secondpost/secondpost.toml")


def faults_of(version: object, body: str) -> list[str]:
    with pytest.raises(ConfigFaults) as caught:
        parse_config(f"version = {version}\n{TOP}{body}".encode(), "x.toml")
    return [fault.text("x.toml") for fault in caught.value.faults]


def test_moved_keys_and_old_words_become_those_of_today() -> None:
    old: Values = {
        "tls": {"acme": "m", "acme_root": "r"},
        "watch": {"reach": ["RU"], "speed": 2},
        "backup": [{"unknown": "quarantine"}, {"unknown": "hold"}, {}],
    }
    today, faults = today_of(1, old)
    assert today == {
        "tls": {"acme": "m"},
        "acme": {"root": "r"},
        "watch": {"speed": 2},
        "reach": {"countries": ["RU"]},
        "backup": [{"unknown": "hold"}, {"unknown": "hold"}, {}],
    }
    assert faults == []
    assert old["tls"] == {"acme": "m", "acme_root": "r"}  # what was read is not changed


def test_values_of_any_type_stand_in_the_way_of_nothing() -> None:
    odd: tuple[object, ...] = (1, "x", [1], [{}], [{"unknown": 1}, 2], {}, {"reach": {"a": 1}})
    for value in odd:
        for version in (1, 2, 3):
            for table in ("tls", "acme", "watch", "reach", "backup"):
                today_of(version, {table: value})


@pytest.mark.parametrize("version", [1, 2])
def test_all_versions_say_the_same(version: int) -> None:
    old, new = config_of(version), config_of(VERSION)
    assert old == new
    assert (old.version, new.version) == (version, VERSION)
    assert old.backups[0].unknown is Unknown.REJECT


def test_a_reload_after_migrating_changes_nothing() -> None:
    assert changes(config_of(1), config_of(3)) == ()
    assert only_at_start(config_of(1), config_of(3)) == ()


def test_the_keys_of_a_version_are_those_of_today_by_their_names_then() -> None:
    assert "acme" not in keys_in(1)
    assert "reach" not in keys_in(2)
    assert "acme_root" in keys_in(1)["tls"]
    assert "root" in keys_in(2)["acme"]
    assert sum(map(len, keys_in(1).values())) == sum(map(len, keys_in(VERSION).values()))
    assert moved_in(VERSION) == {}
    assert {place_in(VERSION, *place) for place in CHANGES} == set(CHANGES)


def test_a_warning_names_the_key_as_it_is_written() -> None:
    text = '[watch]\nreach = ["RU"]\nreach_globalping_token_file = "/f"\n[[backup]]\ndomain = "example.net"\n'
    config = parse_config(f"version = 2\n{TOP}{text}".encode(), "x.toml", are_files_checked=False)
    said = warnings(config, lambda user: True, lambda path: True, lambda path, user: True)
    assert "watch.reach_globalping_token_file" in [warning.key for warning in said]


@pytest.mark.parametrize("version", [0, 4, 999_999_999])
def test_a_version_that_is_not_known_is_refused(version: int) -> None:
    [said] = faults_of(version, SHORT[3])
    assert said.startswith(f"x.toml:1: version: version {version} is not supported; ")
    assert said.endswith("a newer one may read it") == (version > VERSION)


@pytest.mark.parametrize("version", ["true", '"1"', "1.0", "[1]", "-1"])
def test_a_version_that_is_no_number_is_a_fault_of_its_own(version: str) -> None:
    assert [said.split(": ")[1] for said in faults_of(version, SHORT[3])] == ["version"]


def test_a_line_with_a_fault_in_an_older_file_is_reported_once() -> None:
    said = faults_of(1, '[watch]\nreach = RU\n[[backup]]\ndomain = "example.net"\n')
    assert said == ['x.toml:6: watch.reach: RU is not TOML; write text in quotation marks: reach = "RU"']
