"""Reading a configuration with any content."""

import re
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from secondpost.config.keys import KEYS, TOP
from secondpost.config.reading import ConfigFaults, parse_config, read_config
from secondpost.config.records import (
    Alarms,
    Backup,
    Config,
    Deliver,
    Dns,
    LearnedRecipients,
    NetworkLookup,
    NetworksFile,
    RecipientFile,
    RecipientUrl,
    Send,
    Watch,
    Web,
)
from secondpost.config.syntax import FILE_OCTETS_MAX
from secondpost.mail.address import Domain, Endpoint, Mailbox
from secondpost.mail.duration import DAY_MS, HOUR_MS, SECOND_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.plan import TlsDemand
from secondpost.mail.rate import MailRate

CASES = Path(__file__).parent / "cases"
TEXTS = [path.read_text(encoding="utf-8") for path in sorted(CASES.glob("*.toml"))]

SHORTEST = """\
version = 3
hostname = "mx2.example.net"
store = "/var/lib/secondpost"
owner = ["me@elsewhere.example"]
"""


def config_of(text: str) -> Config:
    return parse_config(text.encode(), "/etc/secondpost/secondpost.toml")


def faults_of(text: str) -> ConfigFaults:
    with pytest.raises(ConfigFaults) as caught:
        config_of(text)
    return caught.value


def test_a_rate_is_read_in_its_unit_and_leaves_the_rest_alone() -> None:
    shortest = SHORTEST + '[[backup]]\ndomain = "example.org"\n'
    assert config_of(shortest).send.rate is None
    for written, rate in (
        ("20000 an hour", MailRate(20_000, HOUR_MS)),
        ("5/second", MailRate(5, SECOND_MS)),
        (" 1 A DAY ", MailRate(1, DAY_MS)),
    ):
        assert config_of(f'{shortest}[send]\nrate = "{written}"\n').send == Send(rate=rate)


def test_defaults_are_those_of_the_records() -> None:
    config = config_of(SHORTEST + '[[backup]]\ndomain = "example.org"\n')
    assert config == Config(
        path="/etc/secondpost/secondpost.toml",
        hostname=Domain("mx2.example.net"),
        store="/var/lib/secondpost",
        owner=(Mailbox("me", Domain("elsewhere.example")),),
        bounces=Domain("mx2.example.net"),
        web=Web("https://mx2.example.net"),
        backups=(Backup(Domain("example.org")),),
    )
    assert config.backups[0].recipients == (LearnedRecipients(),)
    assert config.backups[0].keep_ms == 31 * 86_400_000


def test_every_value_arrives() -> None:
    config = config_of(
        SHORTEST
        + """
bounces = "b.example.net"
user = "mail"
reserve = "2 GB"
addresses = ["192.0.2.25", "2001:DB8::25"]

[receive]
listen = ["127.0.0.1:2525", "[::1]:2525"]
bare_newlines = "refuse"
connections = 10
connections_per_client = 5
recipients = 100
timeout = "1 minute"

[dns]
servers = ["127.0.0.1:5300", "2001:db8::53"]

[deliver]
probe = "1 second"
connections_per_site = 3
port = 2600

[[backup]]
domain = "Example.ORG"
primary = ["127.0.0.1:2700", "mx1.example.org"]
recipients = ["Me@example.org", "learn", "https://www.example.org/list"]
keep = "365 days"
quota = "5 GB"
max_size = "10 MB"
unknown = "hold"

[[route]]
domain = "*"
lane = "own"
host = "smtp.example:587"
tls = "encrypt"
"""
    )
    assert config.bounces == Domain("b.example.net")
    assert (config.user, config.reserve) == ("mail", 2 * 10**9)
    assert config.addresses == ("192.0.2.25", "2001:db8::25")
    assert config.receive.listen == (Endpoint("127.0.0.1", 2525), Endpoint("::1", 2525))
    assert config.receive.timeout_ms == 60_000
    assert config.dns == Dns((Endpoint("127.0.0.1", 5300), Endpoint("2001:db8::53", 53)))
    assert config.deliver == Deliver(1_000, 3, 2600)
    backup = config.backups[0]
    assert backup.domain == Domain("example.org")
    assert backup.primary == (Endpoint("127.0.0.1", 2700), Endpoint("mx1.example.org", 25))
    assert backup.recipients == (
        Mailbox("Me", Domain("example.org")),
        LearnedRecipients(),
        RecipientUrl("https://www.example.org/list"),
    )
    assert (backup.keep_ms, backup.quota, backup.max_size) == (365 * 86_400_000, 5 * 10**9, 10**7)
    route = config.routes[0]
    assert (route.domain, route.lane, route.host) == (None, Lane.OWN, Endpoint("smtp.example", 587))
    assert route.tls is TlsDemand.ENCRYPT


def test_international_names_become_a_labels() -> None:
    config = config_of(
        SHORTEST
        + '[[backup]]\ndomain = "blåbær.example"\nprimary = ["mx.blåbær.example:26"]\n'
        + 'recipients = ["meg@BLÅBÆR.example"]\n'
    )
    backup = config.backups[0]
    assert backup.domain == Domain("xn--blbr-roah.example")
    assert backup.primary == (Endpoint("mx.xn--blbr-roah.example", 26),)
    assert backup.recipients == (Mailbox("meg", Domain("xn--blbr-roah.example")),)


def test_paths_are_meant_from_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "people").write_text("me\n")
    path = tmp_path / "secondpost.toml"
    path.write_text(SHORTEST + '[[backup]]\ndomain = "example.org"\nrecipients = ["file:people"]\n')
    config = read_config(str(path))
    assert config.path == str(path)
    assert config.backups[0].recipients == (RecipientFile(str(tmp_path / "people")),)


def test_the_fault_is_one_sentence_with_file_line_key_reason_and_remedy() -> None:
    faults = faults_of(SHORTEST + '\n[[backup]]\ndomain = "example.org"\nkeep = "31 dayz"\n')
    assert str(faults) == (
        '/etc/secondpost/secondpost.toml:8: backup[1].keep: "31 dayz" is not a duration; '
        'write a whole number and a unit, such as "31 days" or "15 minutes"'
    )


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigFaults, match="cannot be read: Is a directory"):
        read_config(str(tmp_path))
    with pytest.raises(ConfigFaults, match="cannot be read: No such file"):
        read_config(str(tmp_path / "missing.toml"))


def test_what_is_not_text() -> None:
    with pytest.raises(ConfigFaults) as caught:
        parse_config(b"version = 3\n# caf\xe9\n", "x.toml")
    assert str(caught.value) == "x.toml:2: this is not UTF-8 text; save the file in UTF-8"


def test_bounds() -> None:
    assert "more than" in str(faults_of("#" * (FILE_OCTETS_MAX + 1)))
    assert "too deep" in str(faults_of("a = " + "[" * 100_000))
    assert "not between" in str(faults_of("version = " + "9" * 4_000))
    assert "version" in str(faults_of("version = " + "9" * 5_000))
    long = faults_of(f'hostname = "{"x" * 100_000}"')
    assert all(len(text) < 700 for text in long.texts())


def test_a_password_in_the_database_address_is_not_repeated() -> None:
    assert "secret" not in str(faults_of(SHORTEST + 'database = "mysql://me:secret@db.example/x"\n'))


@pytest.mark.parametrize("table", sorted(KEYS))
def test_every_key_is_read_and_its_fault_names_key_and_line(table: str) -> None:
    """No key accepts a table as its value, so each key must report a fault on its own line."""
    head = (
        ""
        if table == TOP
        else f"[[{table}]]\n"
        if table in ("backup", "route", "newsletter")
        else f"[{table}]\n"
    )
    text = head + "".join(f"{key} = {{ no = 1 }}\n" for key in KEYS[table])
    faults = faults_of(text).faults
    for line, key in enumerate(KEYS[table], start=1 if table == TOP else 2):
        name = {TOP: key}.get(table, f"{table}.{key}")
        names = (name, f"{table}[1].{key}")
        assert any(fault.key in names and fault.line == line for fault in faults), (key, faults)


# -- any content


def check_faults(text: str, faults: ConfigFaults) -> None:
    assert len(faults.faults) > 0
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    for fault in faults.faults:
        assert "\n" not in fault.text("x")
        assert 0 <= fault.line <= len(lines)
        name = re.sub(r"\[\d+\]$", "", fault.key).rpartition(".")[2]
        if len(name) > 0 and "missing" not in fault.reason and re.fullmatch(r"[a-z_0-9]+", name):
            # An element of a list may stand on a line of its own, below its key.
            if fault.key.endswith("]") and name not in KEYS:
                above = "\n".join(lines[: fault.line])
                assert name in above
            else:
                assert name in lines[fault.line - 1], fault


def read_anything(text: str) -> None:
    try:
        parse_config(text.encode("utf-8", "surrogatepass"), "/etc/secondpost/x.toml")
    except ConfigFaults as faults:
        check_faults(text, faults)


@given(st.binary(max_size=300))
def test_any_octets_end_in_faults_or_a_tree(data: bytes) -> None:
    with suppress(ConfigFaults):
        parse_config(data, "x.toml")


@given(st.text(alphabet="ab =\"'[]{}.,#\n\\_1-:\x00é", max_size=120))
@example('[[backup]]\nkeep = """\n')
@example("[a]\n[a]\n")
@example("a.b = 1\na = 2\n")
@example("[[backup]]\nprimary = [[[[]]]]\n")
def test_any_text_that_looks_like_toml(text: str) -> None:
    read_anything(text)


PIECES = st.sampled_from(
    ['"', "'", "[", "]", "[[", "{", "}", "=", ",", "#", "x", "1", '"""', "\\", "é", ":", "\n"]
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A case with some characters or lines removed, doubled or moved."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(start + 30, len(text))))
        text = text[:start] + draw(PIECES | st.just("") | st.just(text[start:end] * 2)) + text[end:]
    return text


@given(damaged())
def test_any_damage_to_a_configuration(text: str) -> None:
    read_anything(text)


SCALARS = (
    *("1", "-1", "0.5", "nan", "true", "1979-05-27", '""', '"x"', '"*"', '"any"', '"me@example.org"'),
    *('"file:/"', '"file:\\u0000"', '"\\u0000"', '"1 day"', '"example.org"', '"127.0.0.1:25"', '"https:"'),
)
VALUES = st.recursive(
    st.sampled_from(SCALARS),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda several: "[" + ", ".join(several) + "]")
        | inner.map(lambda one: "{ a = " + one + " }")
    ),
    max_leaves=4,
)


@st.composite
def filled_with_anything(draw: st.DrawFn) -> str:
    """A table in which each key may stand with any value."""
    text = ""
    for table, keys in KEYS.items():
        if table != TOP:
            text += f"[[{table}]]\n" if draw(st.booleans()) else f"[{table}]\n"
        for key in keys:
            if draw(st.booleans()):
                text += f"{key} = {draw(VALUES)}\n"
    return text


@given(filled_with_anything())
def test_any_value_for_any_key(text: str) -> None:
    read_anything(text)


def test_the_schedules_of_reports_are_read_and_off_is_none() -> None:
    assert config_of(SHORTEST).alarms == Alarms()
    text = """
[alarms]
webhook = "http://127.0.0.1:8080/hook"
held_after = "1 minute"
digest = "07:00"
all_is_well = "off"
timezone = "Europe/Oslo"
"""
    found = config_of(SHORTEST + text).alarms
    assert found == Alarms("http://127.0.0.1:8080/hook", 60_000, "daily 07:00", None, "Europe/Oslo")


def test_where_networks_are_looked_up_and_how_fast_hours_pass(tmp_path: Path) -> None:
    assert config_of(SHORTEST).watch == Watch(NetworkLookup.NONE)
    asked = config_of(SHORTEST + '[watch]\nnetworks = "cymru"\nspeed = 3600\n').watch
    assert (asked.networks, asked.hour_ms) == (NetworkLookup.CYMRU, 1000)
    path = tmp_path / "prefix2as"
    path.write_text("192.0.2.0\t24\t64500\n")
    table = config_of(SHORTEST + f'[watch]\nnetworks = "file:{path}"\n').watch
    assert table.networks == NetworksFile(str(path))
