"""A configuration with all its defaults written out means the same."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from secondpost.config.keys import DESCRIBED, REPEATED, TABLES, TOP, header
from secondpost.config.reading import ConfigFaults, parse_config
from secondpost.config.records import LETS_ENCRYPT, Config
from secondpost.setup.effective import ValueOrigin, as_read, effective, toml_lines
from secondpost.setup.setting_words import default_value
from secondpost.setup.settings_here import FileSettings, file_settings

PATH = "/etc/secondpost/secondpost.toml"
SHORTEST = """\
version = 3
hostname = "mx2.example.net"
store = "/var/lib/secondpost"
owner = ["me@elsewhere.example"]
"""
# Values that are not the example or the default of a key, and read otherwise.
MORE = {
    ("web", "url"): ['"none"', '"https://mx2.example.net"', '"http://127.0.0.1:8025"'],
    ("metrics", "listen"): ['"none"', '["127.0.0.1:9725", "[::1]:9725"]'],
    ("route", "domain"): ['"*"', '"example.net"', '"blåbær.example"'],
    ("backup", "recipients"): ['["any"]', '["me@example.net", "learn", "https://www.example.net/list"]'],
    ("backup", "delimiters"): ['""', '"+-"'],
    ("alarms", "all_is_well"): ['"off"', '"daily 07:00"'],
    ("watch", "networks"): ['"cymru"', '"file:table"'],
    ("reach", "sources"): ['["globalping", "z-i:https://mirror.example/z-i/"]'],
    ("newsletter", "title"): ['"a\\tb"', '"\\u202Ereversed # \\" \\\\"', '"🗞 the week"'],
    ("newsletter", "postal_address"): ['"P.O. Box 1\\nOslo"'],
}
# What makes a key that needs another one stand.
PAIRS = (
    ("tls", "certificate", "key"),
    ("acme", "key_id", "key_file"),
    ("route", "username", "password_file"),
)


def both(text: str) -> tuple[Config, FileSettings]:
    config = parse_config(text.encode(), PATH, are_files_checked=False)
    settings = file_settings(text.encode())
    assert settings is not None
    return config, settings


def again(lines: list[str]) -> Config:
    return parse_config("\n".join(lines).encode(), PATH, are_files_checked=False)


def without_faults(text: str) -> str:
    """Without the lines that have a fault: values of keys that were drawn may contradict each other."""
    while True:
        try:
            both(text)
            return text
        except ConfigFaults as faults:
            lines = {fault.line for fault in faults.faults}
            kept = [line for number, line in enumerate(text.splitlines(), 1) if number not in lines]
            assert len(kept) < len(text.splitlines())
            text = "\n".join(kept) + "\n"


@st.composite
def files(draw: st.DrawFn) -> str:
    """Files of any keys with values of theirs."""
    text = ""
    for table, keys in DESCRIBED.items():
        for _ in range(draw(st.integers(0, 2)) if table in REPEATED else 1):
            chosen = {name for name, key in keys.items() if len(key.need) > 0 or draw(st.integers(0, 3)) == 0}
            for one, first, second in PAIRS:
                if one == table and {first, second} & chosen:
                    chosen |= {first, second}
            needs = TABLES[table].needs
            if needs is not None and f"\n{needs[1]} = " not in text and needs[1] not in chosen:
                chosen = set()
            text += f"{header(table)}\n" if table != TOP and len(chosen) > 0 else ""
            for name in [name for name in keys if name in chosen]:
                default = default_value(table, name)
                values = [keys[name].example, *([] if default is None else [default])]
                values = [value for value in values if len(value) > 0] + MORE.get((table, name), [])
                text += f"{name} = {draw(st.sampled_from(values))}\n" if len(values) > 0 else ""
    return text


@given(files())
def test_a_file_with_all_defaults_written_out_gives_the_same_records(text: str) -> None:
    text = without_faults(text)
    config, settings = both(text)
    values = effective(config, settings)
    secret = [one for one in values if one.origin is ValueOrigin.SECRET]
    lines = list(toml_lines(values))
    for one in secret:  # what is not shown is put back
        begin = f"# {one.name} is in line"
        place = next(number for number, line in enumerate(lines) if line.startswith(begin))
        lines[place] = text.splitlines()[(one.line or 0) - 1]
    assert all(line.isprintable() for line in lines)
    assert again(lines) == config
    shown, _ = both("\n".join(lines))
    assert shown == config
    assert len(values) == sum(len(DESCRIBED[one.table]) for one in settings.tables)


def test_what_is_read_is_shown_with_its_line_and_nothing_else() -> None:
    config, settings = both(SHORTEST + '[[backup]]\ndomain = "example.net"\nkeep = "5 days"\n')
    values = as_read(settings)
    assert [(one.table, one.number, one.name, one.line) for one in values if one.table != TOP] == [
        ("backup", 1, "domain", 6),
        ("backup", 1, "keep", 7),
    ]
    assert again(list(toml_lines(values))) == config


def test_each_value_says_where_it_is_from() -> None:
    lines = list(toml_lines(effective(*both(SHORTEST + '[tls]\nacme = "me@example.net"\n'))))
    assert 'bounces = "mx2.example.net"  # default: the hostname' in lines
    assert f'directory = "{LETS_ENCRYPT}"  # default: that of Let\'s Encrypt' in lines
    assert "# servers is not set: those of the machine" in lines
    assert "# every is not set, and has no effect without countries of [reach]" in lines
    assert 'acme = "me@example.net"' in lines


def test_a_value_that_works_like_a_password_is_not_shown() -> None:
    text = SHORTEST + '[alarms]\nwebhook = "https://ntfy.example/token-1234"\n'
    config, settings = both(text)
    for values in (effective(config, settings), as_read(settings)):
        assert "token-1234" not in repr(values)
        lines = list(toml_lines(values))
        assert "# webhook is in line 6; it works like a password and is not shown" in lines


@pytest.mark.parametrize("text", ["", "version = ", 'version = "3"\n', "version = 4\n", "\xff\xfe"])
def test_of_a_file_that_cannot_be_read_nothing_is_said(text: str) -> None:
    assert file_settings(text.encode("latin-1")) is None


def test_no_comment_ends_early() -> None:
    """A default in words is one line without characters that would end a comment."""
    for keys in DESCRIBED.values():
        for key in keys.values():
            assert re.search(r"[\x00-\x1f\x7f]", key.default) is None


OLDER = (
    SHORTEST.replace("version = 3", "version = 1")
    + """\
[watch]
reach = ["RU"]
reach_every = "1 hour"
[[backup]]
domain = "example.net"
unknown = "refuse"
"""
)


@pytest.mark.parametrize("with_defaults", [False, True])
def test_a_file_of_an_earlier_version_is_shown_as_one_of_today(with_defaults: bool) -> None:
    config, settings = both(OLDER)
    values = effective(config, settings) if with_defaults else as_read(settings)
    assert parse_config("\n".join(toml_lines(values)).encode(), PATH, are_files_checked=False) == config
    lines = {(one.table, one.name): one.line for one in values if one.line is not None}
    assert (lines["reach", "countries"], lines["reach", "every"], lines["backup", "unknown"]) == (6, 7, 10)


@given(st.binary(max_size=200))
def test_any_file_has_settings_or_none(octets: bytes) -> None:
    file_settings(octets)
    file_settings(b"version = 3\n" + octets)


@pytest.mark.parametrize("value", ["0x" + "f" * 5000, "[" * 300 + "]" * 300, "{ a = [{ b = 1979-05-27 }] }"])
def test_a_value_that_no_key_takes_can_be_said(value: str) -> None:
    settings = file_settings(f"version = 3\nreserve = {value}\nbackup = 1\nroute = [1]\nweb = []\n".encode())
    assert settings is None or len(settings.of(TOP)[0].values["reserve"]) > 0


@pytest.mark.parametrize(
    "address", ["https://reader:hunter2@www.example.net/feed.xml", "https://:hunter2@x.example/"]
)
def test_a_login_within_an_address_is_not_shown(address: str) -> None:
    text = f'{SHORTEST}[acme]\ndirectory = "{address}"\n[tls]\nacme = "me@elsewhere.example"\n'
    config, settings = both(text)
    for values in (as_read(settings), effective(config, settings)):
        (one,) = (value for value in values if value.name == "directory")
        assert one.origin is ValueOrigin.SECRET
        assert "hunter2" not in "\n".join(toml_lines(values))


def test_an_address_with_an_at_sign_in_its_path_is_shown() -> None:
    text = (
        f'{SHORTEST}[acme]\ndirectory = "https://x.example:8443/@me"\n[tls]\nacme = "me@elsewhere.example"\n'
    )
    assert "/@me" in "\n".join(toml_lines(as_read(both(text)[1])))
