"""The reference documents every setting, state and log line, and nothing else.

When one is added, its line must be added there.
"""

import inspect
import re
from dataclasses import replace
from pathlib import Path

import pytest

from release.settings_page import PAGE, page_with_tables
from secondpost.config.keys import DESCRIBED, KEYS, REPEATED, TOP, header
from secondpost.config.reading import parse_config, read_config
from secondpost.config.records import Config
from secondpost.config.versions import CHANGES, MovedFrom
from secondpost.mail.alarm import AlarmEnds, AlarmKind
from secondpost.mail.delivery import State
from secondpost.mail.delivery_states import DELIVERY_EDGES
from secondpost.mail.store_rooms import ROLES, StoreRoom
from secondpost.mail.walls import WallGap, walls_of
from secondpost.maillog import MailLog
from secondpost.processes.named_files import READERS
from secondpost.setup.bulk_rules import RULES_DATED, BulkRule
from secondpost.setup.bulk_rules import SOURCES as RULE_SOURCES
from secondpost.setup.diagnosis import Area, Check

DOCS = Path(__file__).parent.parent / "docs"


def section_of(page: str, heading: str) -> str:
    """The text below a heading of the second level."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"docs/{page} has no heading {heading}"
    return found[1]


def rows_of(text: str) -> list[tuple[str, ...]]:
    """The cells of each row of its tables, without their heads."""
    tables = re.findall(r"^\|.*\n\|[-|]+\n((?:\|.*\n?)+)", text, re.MULTILINE)
    lines = [line for table in tables for line in table.splitlines()]
    return [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in lines]


# -- settings

SETTINGS = {table: "The top of the file" if table == TOP else f"`{header(table)}`" for table in KEYS}
ROWS = [
    (table, *row)
    for table, heading in SETTINGS.items()
    for row in rows_of(section_of("settings.md", heading))
]
NEEDED = {
    TOP: {
        "version": "3",
        "hostname": '"mx2.example.net"',
        "store": '"/var/lib/secondpost"',
        "owner": '["me@elsewhere.example"]',
    },
    "backup": {"domain": '"example.net"'},
    "route": {"domain": '"*"', "host": '"smtp.example"'},
    "newsletter": {
        "name": '"weekly"',
        "from": '"newsletter@example.net"',
        "feeds": '["https://www.example.net/feed.xml"]',
    },
}
COMPANIONS = {
    "certificate": {"key": '"/etc/secondpost/key.pem"'},
    "key": {"certificate": '"/etc/secondpost/certificate.pem"'},
    "key_id": {"key_file": '"/etc/secondpost/password"'},
    "key_file": {"key_id": '"kid-1"'},
    "username": {"password_file": '"/etc/secondpost/password"', "tls": '"verify"'},
    "password_file": {"username": '"me"', "tls": '"verify"'},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in place of /etc/secondpost."""
    made = tmp_path_factory.mktemp("etc")
    (made / "certificate.pem").write_text("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n")
    (made / "key.pem").write_text("-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n")
    (made / "password").write_text("correct horse\n")
    (made / "recipients").write_text("# the family\nme@example.net\npostmaster\n")
    (made / "ip2asn-combined.tsv.gz").write_text("192.0.2.0\t192.0.2.255\t64500\tNO\tEXAMPLE\n")
    return made


def config_with(folder: Path, table: str, key: str | None, value: str = "") -> Config:
    """The shortest configuration that can have the key, with it or without."""
    top, own = dict(NEEDED[TOP]), {**NEEDED.get(table, {}), **COMPANIONS.get(key or "", {})}
    if key is not None:
        (top if table == TOP else own)[key] = value
    lines = [f"{name} = {one}" for name, one in top.items()]
    if table != TOP:
        lines += [header(table), *(f"{name} = {one}" for name, one in own.items())]
    if table == "reach" and key != "countries":
        lines += ['countries = ["RU"]']
    if table == "acme":
        lines += ["[tls]", 'acme = "me@example.net"']
    text = "\n".join(lines).replace("/etc/secondpost", str(folder))
    return parse_config(text.encode(), str(folder / "secondpost.toml"))


def value_in(cell: str) -> str | None:
    """The TOML value in a cell that contains nothing else; otherwise None."""
    shown = re.fullmatch(r"`([^`]+)`", cell)
    return None if shown is None else shown[1]


def test_the_tables_of_settings_are_those_that_the_descriptions_make() -> None:
    """`make settings` writes them."""
    page = PAGE.read_text(encoding="utf-8")
    assert page_with_tables(page) == page
    for table, keys in KEYS.items():
        documented = [value_in(row[1]) for row in ROWS if row[0] == table]
        assert documented == list(keys), header(table)


def test_a_key_that_is_described_otherwise_or_not_at_all_changes_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    described = {table: dict(keys) for table, keys in DESCRIBED.items()}
    del described["deliver"]["probe"]
    key = described["backup"]["keep"]
    described["backup"]["keep"] = replace(key, says="Another sentence.")
    changed = page_with_tables(page, described)
    assert "| `probe` |" not in changed
    assert '| `keep` | Another sentence. | `"31 days"` |' in changed


def test_every_setting_has_a_sentence_a_default_and_an_example() -> None:
    for table, key, sentence, default, example in ROWS:
        assert sentence.endswith("."), (table, key)
        assert len(default) > 0, (table, key)
        assert value_in(example) is not None or example == "not yet", (table, key)


@pytest.mark.parametrize(("table", "key", "sentence", "default", "example"), ROWS)
def test_the_example_can_be_read(
    folder: Path, table: str, key: str, sentence: str, default: str, example: str
) -> None:
    value = value_in(example)
    if value is not None:
        config_with(folder, table, key.strip("`"), value)


@pytest.mark.parametrize(("table", "key", "sentence", "default", "example"), ROWS)
def test_the_default_is_the_real_one(
    folder: Path, table: str, key: str, sentence: str, default: str, example: str
) -> None:
    name = key.strip("`")
    value = value_in(default)
    if value is not None:
        assert config_with(folder, table, name, value) == config_with(folder, table, None)
    required = name in NEEDED.get(table, {})
    assert (default == "required") == required


def test_every_table_is_documented() -> None:
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## `(\[.*\])`$", text, re.MULTILINE)
    assert headings == [header(table) for table in KEYS if table != TOP]
    assert {name for name in KEYS if header(name).startswith("[[")} == REPEATED


def test_the_examples_are_whole_configurations(folder: Path) -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) > 0
    for text in (*blocks, (DOCS / "example.toml").read_text(encoding="utf-8")):
        path = folder / "example.toml"
        path.write_text(text.replace("/etc/secondpost", str(folder)), encoding="utf-8")
        config = read_config(str(path))
        assert len(config.backups) == 1


def test_the_fault_that_is_shown_is_told_so() -> None:
    page = (DOCS / "settings.md").read_text(encoding="utf-8")
    shown = re.search(r"^secondpost\.toml:\d+: (.*)$", page, re.MULTILINE)
    faults = Path(__file__).parent / "config" / "cases" / "17-bad-durations.faults"
    assert shown is not None
    assert shown[1] in faults.read_text(encoding="utf-8")


def test_the_versions_of_the_format_are_those_that_are_read() -> None:
    """Each key with another name before, and each old word."""
    expected = []
    for (table, key), changes in CHANGES.items():
        for was in changes:
            if isinstance(was, MovedFrom):
                old = f"`{header(was.table)} {was.key}`"
                expected.append((f"`{header(table)} {key}`", str(was.until), old))
                continue
            for word, today in was.words.items():
                name = f'`{header(table)} {key} = "{today}"`'
                old = f'`"{word}"`; version {was.until} takes both words'
                expected.append((name, str(was.until), old))
    assert rows_of(section_of("settings.md", "Versions of this format")) == expected


# -- the log


def documented_lines() -> dict[str, str]:
    """First word to row, from docs/log.md."""
    lines, _, _ = (DOCS / "log.md").read_text(encoding="utf-8").partition("\n## The alarms\n")
    rows = rows_of(lines)
    return {value_in(row[0]) or row[0]: " ".join(row) for row in rows}


def log_lines() -> dict[str, str]:
    """Word to source, for every function of the mail log."""
    functions = [
        function
        for name, function in inspect.getmembers(MailLog, inspect.isfunction)
        if not name.startswith("_")
    ]
    told = {}
    for function in functions:
        source = inspect.getsource(function)
        word = re.search(r'self\.(?:_say\(\s*"|sink\(\s*f")([a-z-]+)', source)
        assert word is not None, source
        told[word[1]] = source
    return told


def test_every_log_line_is_documented_and_no_other() -> None:
    assert sorted(documented_lines()) == sorted(log_lines())


@pytest.mark.parametrize("word", sorted(log_lines()))
def test_every_value_of_a_log_line_is_documented(word: str) -> None:
    call = re.split(r"self\.(?:_say|sink)\(", log_lines()[word], maxsplit=1)[1]
    values = re.findall(r"""(?:^|[\s(,"])([a-z_]+)=""", call)
    assert len(values) > 0
    for value in values:
        assert f"`{value}`" in documented_lines()[word], value


# -- the states


def cell_of(state: State | None) -> str:
    return "—" if state is None else f"`{state}`"


def test_every_state_is_documented_and_no_other() -> None:
    rows = rows_of(section_of("states.md", "The states"))
    assert [row[0] for row in rows] == [f"`{state}`" for state in State]


def test_every_edge_is_documented_as_the_table_has_it() -> None:
    rows = rows_of(section_of("states.md", "What leads from one to another"))
    assert rows == [
        (cell_of(edge.source), cell_of(edge.target), edge.by.value, edge.when) for edge in DELIVERY_EDGES
    ]


def test_the_picture_of_the_states_is_drawn_from_the_table() -> None:
    page = (DOCS / "states.md").read_text(encoding="utf-8")
    arrows = re.findall(r"^    (\S+) --> (\S+): (\S+)$", page, re.MULTILINE)
    assert arrows == [
        ("[*]" if edge.source is None else edge.source.value, edge.target.value, edge.by.value)
        for edge in DELIVERY_EDGES
    ]


# -- the alarms and the RFCs

WORST_STEP = 1_000
SOURCES = sorted((Path(__file__).parent.parent / "src").rglob("*.py"))


def severity_cell(kind: AlarmKind) -> str:
    later = kind.severity_at(WORST_STEP)
    return f"`{kind.severity}`" if later is kind.severity else f"`{kind.severity}`, later `{later}`"


def test_every_alarm_is_documented_and_no_other() -> None:
    rows = rows_of(section_of("log.md", "The alarms"))
    assert [(row[0], row[2], row[5]) for row in rows] == [
        (f"`{kind.word}`", severity_cell(kind), kind.what_to_do) for kind in AlarmKind
    ]


def test_it_is_documented_how_each_alarm_ends_and_who_can_cause_it() -> None:
    for kind, row in zip(AlarmKind, rows_of(section_of("log.md", "The alarms")), strict=True):
        ends, who = row[3], row[4]
        is_event = kind.ends is AlarmEnds.BY_ITSELF
        assert ends == "by itself" if is_event else ends.startswith(("when ", "as `")), kind
        assert who.startswith("strangers: ") if kind.by_strangers else who == "—", kind


def test_every_alarm_is_raised_somewhere() -> None:
    named = {
        name for path in SOURCES for name in re.findall(r"\bAlarmKind\.([A-Z_]+)", path.read_text("utf-8"))
    }
    assert named == set(AlarmKind.__members__)


def test_every_check_is_documented_in_its_area_and_no_other() -> None:
    for area in Area:
        rows = rows_of(section_of("checks.md", f"`{area}`"))
        assert rows == [(f"`{check.word}`", check.why) for check in Check if check.area is area]


def test_each_criterion_of_internet_nl_names_checks_that_exist() -> None:
    rows = rows_of(section_of("checks.md", "The criteria of internet.nl"))
    named = {word for row in rows for word in re.findall(r"`([a-z0-9-]+)`", row[1])}
    assert len(rows) > 0
    assert named <= {check.word for check in Check}
    assert all("`" in row[1] or row[1].startswith("always") for row in rows)


def test_the_page_has_every_rule_for_bulk_mail_with_who_asks_it_and_where() -> None:
    section = section_of("checks.md", "The rules for bulk mail")
    listed = [(row[0], row[2]) for row in rows_of(section)]
    assert listed == [(f"`{rule.word}`", ", ".join(rule.askers)) for rule in BulkRule]
    assert RULES_DATED in section
    assert all(source.url in section for source in RULE_SOURCES)


def test_every_check_is_made_somewhere() -> None:
    """A member that no code names would promise a look that never happens."""
    named = {
        name for path in SOURCES for name in re.findall(r"\bCheck\.([A-Z0-9_]+)", path.read_text("utf-8"))
    }
    assert named == set(Check.__members__)


def test_every_rfc_that_the_code_obeys_is_on_the_page_and_no_other() -> None:
    obeyed = {
        number for path in SOURCES for number in re.findall(r"\bRFC (\d{3,4})\b", path.read_text("utf-8"))
    }
    rows = rows_of((DOCS / "rfcs.md").read_text(encoding="utf-8"))
    listed = [row[0] for row in rows]
    assert len(listed) == len(set(listed))
    assert set(listed) == obeyed


# -- walls


def test_what_each_role_can_reach_is_documented_as_the_tables_have_it() -> None:
    rows = rows_of(section_of("security.md", "The walls of the roles"))
    assert [row[0] for row in rows] == [f"`{role}`" for role in ROLES]
    for role, (_, written, read, handed, internet) in zip(ROLES, rows, strict=True):
        walls = walls_of((role,))
        assert _words(written) == [f"`{room.folder}`" for room in walls.written]
        assert _words(read) == [f"`{room.folder}`" for room in walls.read]
        assert _words(handed) == [str(kind) for kind, readers in READERS.items() if role in readers]
        assert internet == ("yes" if walls.has_internet else "no")


def test_what_is_worth_guarding_is_in_the_rooms_of_those_who_need_it() -> None:
    needed = {
        room.folder: room.value.writers | room.value.readers
        for room in StoreRoom
        if "run/" not in room.folder
    }
    rows = rows_of(section_of("security.md", "What is worth guarding"))
    shown = {
        folder: who
        for _, where, who in rows
        for folder in re.findall(r"`([^`]+)`", where)[:1]
        if folder in needed
    }
    assert set(shown) == {"mail", "newsletter", "keys", "keys/links", "tls"}
    for folder, who in shown.items():
        assert set(_words(who)) == needed[folder], folder


def test_it_is_documented_what_a_role_that_is_taken_over_reaches() -> None:
    """Rooms of mail, of readers and of signing keys are on the side of the table where they belong."""
    held = {StoreRoom.MAIL: "mail", StoreRoom.NEWSLETTER: "readers", StoreRoom.KEYS: "signing keys"}
    rows = rows_of(section_of("security.md", "When a role is taken over"))
    assert [row[0] for row in rows] == [f"`{role}`" for role in ROLES]
    for role, (_, _, absent) in zip(ROLES, rows, strict=True):
        walls = walls_of((role,))
        missing = {word for room, word in held.items() if room not in (*walls.written, *walls.read)}
        said = set(absent.split(", ")) & {*held.values(), "any key", "any other key"}
        if not said.isdisjoint({"any key", "any other key"}):
            said = (said - {"any key", "any other key"}) | {"signing keys"}
        assert said == missing, role
        assert ("a connection to anywhere" in absent) == (not walls.has_internet), role


def _words(cell: str) -> list[str]:
    return [] if cell == "none" else cell.split(", ")


def test_every_gap_between_walls_is_documented() -> None:
    gaps = [f"`{gap}`" for gap in WallGap]
    assert [row[0] for row in rows_of(section_of("security.md", "Which walls stand"))] == gaps
    assert " ".join(WallGap) in section_of("log.md", "The service")
