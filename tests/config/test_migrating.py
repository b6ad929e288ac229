"""The text of a file of an earlier version becomes one of today's: versions/N-name.toml gives
versions/expected/N-name.toml, octet for octet. A new case is two files, no code.
"""

import tomllib
from collections import Counter
from pathlib import Path

import pytest

from secondpost.config.migrating import (
    MovedKey,
    NotMigrated,
    OldComment,
    RaisedVersion,
    RewordedValue,
    migrated,
)
from secondpost.config.positions import placed
from secondpost.config.reading import parse_config
from secondpost.config.statements import Header, KeyValue, statements
from secondpost.config.versions import CHANGES, VERSION, WHY, moved_in

CASES = Path(__file__).parent / "versions"
NAMES = sorted(path.name for path in CASES.glob("*.toml"))
TODAY = "version = 3\n"


def text_of(name: str) -> str:
    return (CASES / name).read_bytes().decode()


def version_of(name: str) -> int:
    return int(name.partition("-")[0])


def expected_of(name: str) -> str:
    return (CASES / "expected" / name).read_bytes().decode()


def new(text: str, version: int = 1) -> str:
    return migrated(text, version).text


@pytest.mark.parametrize("name", NAMES)
def test_a_case_is_migrated_octet_for_octet(name: str) -> None:
    assert new(text_of(name), version_of(name)) == expected_of(name)


@pytest.mark.parametrize("name", NAMES)
def test_a_second_time_changes_nothing(name: str) -> None:
    again = migrated(expected_of(name), VERSION)
    assert again.text == expected_of(name)
    assert again.steps == ()


@pytest.mark.parametrize("name", NAMES)
def test_a_case_reads_as_it_did(name: str) -> None:
    path = f"/etc/secondpost/{name}"
    before = parse_config(text_of(name).encode(), path, are_files_checked=False)
    after = parse_config(expected_of(name).encode(), path, are_files_checked=False)
    assert before == after
    assert (before.version, after.version) == (version_of(name), VERSION)


@pytest.mark.parametrize("name", NAMES)
def test_no_comment_is_lost_and_no_other_line_changes(name: str) -> None:
    before, after = text_of(name), expected_of(name)
    assert Counter(comments(before)) == Counter(comments(after))
    touched = touched_lines(before.removeprefix("\ufeff"), version_of(name))
    kept = [line for number, line in enumerate(before.split("\n"), 1) if number not in touched]
    lines = iter(after.split("\n"))
    assert [line for line in kept if line not in lines] == []  # each of them, in this order


def comments(text: str) -> list[str]:
    return [line[line.index("#") :].rstrip() for line in text.splitlines() if "#" in line]


def touched_lines(text: str, version: int) -> set[int]:
    """Lines of moved keys, with the comments and blank lines above them; of old words; of headers."""
    old, lines = set(moved_in(version)), text.split("\n")
    touched: set[int] = set()
    for table, one in placed(statements(text)):
        first, last = text.count("\n", 0, one.begin) + 1, text.count("\n", 0, one.end) + 1
        place = (*table, *one.names) if isinstance(one, KeyValue) else table
        written = text[one.begin : one.end]
        is_touched = place in old or place == ("version",) or isinstance(one, Header)
        if is_touched or any(word in written for word in ("quarantine", "refuse", "acme_", "reach")):
            while first > 1 and (lines[first - 2].lstrip()[:1] in ("#", "") and not isinstance(one, Header)):
                first -= 1
            touched.update(range(first, last + 1))
    return touched


def test_every_case_has_its_expectation_and_all_changes_happen_in_some_case() -> None:
    assert sorted(path.name for path in (CASES / "expected").iterdir()) == NAMES
    happened = {
        step.new
        for name in NAMES
        for step in migrated(text_of(name), version_of(name)).steps
        if isinstance(step, MovedKey)
    }
    assert happened == set(moved_in(1).values())
    assert {table for table, _ in CHANGES} == set(WHY)


def test_each_step_says_where_it_is_now() -> None:
    text = "version = 1\n[[backup]]\nunknown = 'refuse'\n[tls]\nacme_root = 'r'\n# acme_key_id = 'k'\n"
    assert new(text) == (
        "version = 3\n[[backup]]\nunknown = 'reject'\n[tls]\n# acme_key_id = 'k'\n[acme]\nroot = 'r'\n"
    )
    assert migrated(text, 1).steps == (
        RaisedVersion(1, 1),
        MovedKey(7, 5, ("tls", "acme_root"), ("acme", "root")),
        RewordedValue(3, ("backup", 0, "unknown"), "refuse", "reject"),
        OldComment(5, ("tls", "acme_key_id"), ("acme", "key_id")),
    )


def test_an_emptied_table_stays_only_for_its_comments() -> None:
    assert new("version = 1\n\n[tls]\nacme_root = 'r'\n") == "version = 3\n\n[acme]\nroot = 'r'\n"
    assert new("version = 1\n\n[tls] # why\nacme_root = 'r'\n") == (
        "version = 3\n\n[tls] # why\n\n[acme]\nroot = 'r'\n"
    )
    assert new("version = 1\n\n# why\n[tls]\nacme_root = 'r'\n") == (
        "version = 3\n\n# why\n[tls]\n\n[acme]\nroot = 'r'\n"
    )
    assert new("version = 1\n\n[tls]\n# mine\nacme_root = 'r'\n") == (
        "version = 3\n\n[acme]\n# mine\nroot = 'r'\n"
    )


def test_a_table_that_was_empty_before_stays() -> None:
    assert new("version = 1\n[watch]\n\n[tls]\n") == "version = 3\n[watch]\n\n[tls]\n"


def test_a_comment_above_the_next_header_stays_with_it() -> None:
    text = "version = 1\n\n[tls]\nacme = 'm'\nacme_root = 'r'\n\n# The pages.\n[web]\n"
    assert new(text) == "version = 3\n\n[tls]\nacme = 'm'\n\n[acme]\nroot = 'r'\n\n# The pages.\n[web]\n"


def test_lines_inside_a_long_text_are_no_comments_and_no_headers() -> None:
    text = "version = 1\n[tls]\nacme = '''\n[watch]\n# reach = 1'''\nacme_key_id = '''\n# a\n'''\n"
    assert new(text) == (
        "version = 3\n[tls]\nacme = '''\n[watch]\n# reach = 1'''\n[acme]\nkey_id = '''\n# a\n'''\n"
    )
    assert not any(isinstance(step, OldComment) for step in migrated(text, 1).steps)


def test_equals_signs_in_one_column_stay_in_one() -> None:
    text = "version = 1\n[tls]\nacme        = 'm'\nacme_root   = 'r'\nacme_key_id = 'k'\n"
    assert new(text) == "version = 3\n[tls]\nacme        = 'm'\n[acme]\nroot   = 'r'\nkey_id = 'k'\n"


def test_a_word_with_escapes_is_found_and_a_text_elsewhere_is_not() -> None:
    text = 'version = 1\n[[backup]]\ndomain = "refuse.example"\nunknown = "ref\\u0075se"\n'
    assert new(text) == 'version = 3\n[[backup]]\ndomain = "refuse.example"\nunknown = "reject"\n'


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_the_end_of_the_file_stays(end: str) -> None:
    line = "\r\n" if end == "\r\n" else "\n"
    before = line.join(["version = 1", "[tls]", "acme_root = 'r'", "acme = 'm'"]) + end
    after = line.join(["version = 3", "[tls]", "acme = 'm'", "[acme]", "root = 'r'"]) + end
    assert new(before) == after


def test_interleaved_tables_stay_where_they_are() -> None:
    text = "version = 1\n[[backup]]\na = 1\n[watch]\nreach = ['RU']\n[[backup]]\nb = 2\n[web]\n[[backup]]\n"
    assert new(text) == text.replace("version = 1", "version = 3").replace(
        "[watch]\nreach =", "[reach]\ncountries ="
    )


def test_what_cannot_be_moved_is_refused_with_its_line() -> None:
    with pytest.raises(NotMigrated) as caught:
        migrated("version = 1\n[tls]\nacme_root = 'r'\n[acme]\nchallenge = 'c'\n", 1)
    assert caught.value.line == 3
    assert str(caught.value) == (
        "acme_root of [tls] is written in a way that cannot be moved; write it as root under [acme]"
    )


def test_a_file_of_today_is_not_looked_into() -> None:
    assert migrated(TODAY + "[tls]\nacme_root = 'r'\n", VERSION).steps == ()


def test_versions_of_the_cases_are_the_past_ones() -> None:
    assert {version_of(name) for name in NAMES} == set(range(1, VERSION))
    assert all(tomllib.loads(expected_of(n).removeprefix("\ufeff"))["version"] == VERSION for n in NAMES)
