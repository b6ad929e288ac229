"""What is said of a key, by any name that an owner may type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.config.keys import DESCRIBED, REPEATED, TOP, header
from secondpost.config.versions import CHANGES
from secondpost.setup.explaining import explain_key, plain
from secondpost.setup.setting_places import KeyMeant, NothingMeant, TableMeant, what_is_meant
from secondpost.setup.setting_words import moved_from, place_text
from secondpost.setup.settings_here import file_settings

EVERY_KEY = [(table, name) for table, keys in DESCRIBED.items() for name in keys]
FILE = b"""\
version = 3
[[backup]]
domain = "example.net"
[[backup]]
domain = "example.org"
keep = "5 days"
[alarms]
webhook = "https://ntfy.example/token-1234"
"""


@pytest.mark.parametrize(("table", "name"), EVERY_KEY)
def test_every_key_is_explained_by_each_of_its_names(table: str, name: str) -> None:
    meant = KeyMeant(table, name)
    typed = [name] if table == TOP else [f"{table}.{name}", f"{header(table)} {name}", f"[{table}] {name}"]
    for one in typed:
        found = what_is_meant(one)
        assert not isinstance(found, NothingMeant)
        assert meant in found
    assert len(typed) == 1 or what_is_meant(typed[0]) == (meant,)
    said = explain_key(meant, None)
    assert said.says.endswith(".")
    assert min(len(said.form), len(said.default)) > 0
    assert "](" not in said.says + said.default


@pytest.mark.parametrize(("was", "here"), moved_from().items())
def test_a_name_of_an_earlier_version_leads_to_that_of_today(
    was: tuple[str, str], here: tuple[str, str]
) -> None:
    old = place_text(*was)
    assert what_is_meant(".".join(was)) == (KeyMeant(*here, old=old),)
    said = explain_key(KeyMeant(*here), None)
    assert any(old in before for before in said.before)


def test_every_change_of_the_format_is_of_a_key_that_exists() -> None:
    assert set(CHANGES) <= set(EVERY_KEY)


def test_words_that_were_changed_are_said() -> None:
    assert explain_key(KeyMeant("backup", "unknown"), None).before == (
        'up to version 1 of the file: "quarantine" for "hold", "refuse" for "reject"',
    )


def test_a_name_of_several_tables_means_all_of_them() -> None:
    assert what_is_meant("timezone") == (KeyMeant("alarms", "timezone"), KeyMeant("newsletter", "timezone"))
    assert what_is_meant("acme") == (TableMeant("acme"), KeyMeant("tls", "acme"))
    assert what_is_meant("[[backup]]") == what_is_meant("backup[2]") == (TableMeant("backup"),)
    assert what_is_meant("acme_root") == (KeyMeant("acme", "root", old="[tls] acme_root"),)


def test_a_name_that_is_none_has_near_ones() -> None:
    nearest = {"backup.kep": "backup.keep", "hostnam": "hostname", "[[bakup]] keep": "backup.keep"}
    for typed, near in nearest.items():
        found = what_is_meant(typed)
        assert isinstance(found, NothingMeant)
        assert near in found.near
    assert what_is_meant("") == NothingMeant(())
    assert what_is_meant("x" * 10_000) == NothingMeant(())


@given(st.text())
def test_whatever_is_typed_means_keys_that_exist_or_nothing(typed: str) -> None:
    found = what_is_meant(typed)
    for one in () if isinstance(found, NothingMeant) else found:
        if isinstance(one, KeyMeant):
            assert (one.table, one.name) in EVERY_KEY
        else:
            assert one.table in DESCRIBED


def test_the_values_of_the_file_have_their_lines() -> None:
    settings = file_settings(FILE)
    said = explain_key(KeyMeant("backup", "keep"), settings)
    assert [(one.number, one.value, one.line) for one in said.values] == [(2, '"5 days"', 6)]
    assert said.without == 1
    first = explain_key(KeyMeant("backup", "keep", 1), settings)
    assert (first.values, first.without) == ((), 1)
    assert explain_key(KeyMeant("backup", "keep", 3), settings).without == 0
    assert "token-1234" not in repr(explain_key(KeyMeant("alarms", "webhook"), settings))


def test_links_are_left_out_of_what_is_said() -> None:
    text = "see [log.md](log.md#the-alarms), [below](#here)"
    assert plain(text) == "see docs/log.md, below (docs/settings.md)"
    assert plain("as [OSV](https://osv.example/api/) does") == "as OSV (https://osv.example/api/) does"


def test_every_repeated_table_has_a_key_that_is_needed() -> None:
    for table in REPEATED:
        assert any(len(key.need) > 0 for key in DESCRIBED[table].values())
