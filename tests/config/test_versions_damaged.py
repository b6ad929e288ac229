"""Damaged files of every version: a tree or faults, a new text that says the same or a refusal, and
nothing else; and through the commands, never a traceback and never a lost octet.
"""

import tempfile
import tomllib
from pathlib import Path

import click.testing
from hypothesis import example, given, settings
from hypothesis import strategies as st

from secondpost.cli.main import secondpost
from secondpost.config.faults import ConfigFaults
from secondpost.config.migrating import MigratedText, NotMigrated, migrated
from secondpost.config.reading import parse_config
from secondpost.config.records import Config
from secondpost.config.syntax import FILE_OCTETS_MAX
from secondpost.config.versions import VERSION, moved_in

FOLDERS = (Path(__file__).parent / "versions", Path(__file__).parent / "versions" / "expected")
FILES = [path.read_bytes() for folder in FOLDERS for path in sorted(folder.glob("*.toml"))]
PATH = "/etc/secondpost/secondpost.toml"
OCTETS_MAX = 40  # of a piece that is cut out or doubled
PIECES = st.sampled_from(
    [
        *(b"\n", b"\r\n", b"\r", b"#", b"=", b".", b'"', b"'", b'"""', b"[", b"]", b"[[", b"{", b"}", b","),
        *(b"\\", b"\x00", b"\xff", "é".encode(), b"\xef\xbb\xbf", b"version = 1\n", b"[acme]\n", b"[tls]\n"),
        *(b"[reach]\n", b"[watch]\n", b"acme_root = 1\n", b"reach = []\n", b"root = 'x'\n", b"# reach = 1\n"),
    ]
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file with octets flipped, pieces cut out, doubled or put in, or lines moved."""
    data = draw(st.sampled_from(FILES))
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(start + OCTETS_MAX, len(data))))
        match draw(st.sampled_from(["cut", "double", "put", "flip", "line", "end"])):
            case "cut":
                data = data[:start] + data[end:]
            case "double":
                data = data[:end] + data[start:end] + data[end:]
            case "put":
                data = data[:start] + draw(PIECES) + data[start:]
            case "flip":
                rest = data[end:]
                data = data[:start] + bytes(one ^ 1 << draw(st.integers(0, 7)) for one in data[start:end])
                data += rest
            case "line":
                lines = data.splitlines(keepends=True)
                if len(lines) > 1:
                    line = lines.pop(draw(st.integers(0, len(lines) - 1)))
                    lines.insert(draw(st.integers(0, len(lines))), line)
                data = b"".join(lines)
            case "end":
                data = data[:start]
    return data


def read(data: bytes) -> Config | None:
    try:
        return parse_config(data, PATH, are_files_checked=False)
    except ConfigFaults:
        return None


def rewritten(config: Config) -> MigratedText | None:
    try:
        return migrated(config.text.decode(), config.version)
    except NotMigrated:
        return None


@given(damaged())
@example(b"\xef\xbb\xbf" + FILES[0])
@example(FILES[0].replace(b"\n", b"\r\r\n"))
@example(FILES[0].replace(b'"quarantine"', b'"""\r\r\nquarantine"""'))
@example(FILES[0] + b"\nx = " + b"[" * 5000)
@example(FILES[0] + b"\n[" + b"a." * 5000 + b"a]\n")
@example(FILES[0].replace(b"= 1", b"= 0x" + b"f" * 5000, 1))
@example(FILES[0].replace(b'"quarantine"', b"0x" + b"f" * 5000))
@example(FILES[0] + b"#" * FILE_OCTETS_MAX)
@settings(max_examples=100)
def test_a_damaged_file_is_read_or_faulty_and_what_is_read_is_migrated(data: bytes) -> None:
    config = read(data)
    if config is None:
        return
    result = rewritten(config)
    assert result is not None, "every way to write a file without faults can be migrated"
    again = read(result.text.encode())
    assert again == config
    assert again.version == VERSION
    assert migrated(result.text, VERSION).text == result.text


KEYS = {
    "acme": '"me@example.net"',
    "acme_directory": '"https://ca.example.net/d"',
    "acme_challenge": "'http-01'",
    "acme_key_id": '"k"',
    "acme_key_file": '"/f"',
    "acme_root": '"""/r"""',
    "mta_sts": '"none"',
    "reach": '[ "RU", # one\n  "BY",\n]',
    "reach_control": '"DE"',
    "reach_every": '"1 hour"',
    "reach_sources": '["globalping"]',
    "speed": "2",
    "advisories": "true",
}
BETWEEN = st.lists(st.sampled_from(["", "# note", "  # reach_every = 1", "#", "\t"]), max_size=3)


@st.composite
def arranged(draw: st.DrawFn) -> str:
    """A file of version 1 or 2 without faults, in any arrangement."""
    end = draw(st.sampled_from(["\n", "\r\n"]))
    version = draw(st.sampled_from([1, 2]))
    tables = {
        "tls": ["acme", "mta_sts", *(key for table, key in moved_in(version) if table == "tls")],
        "watch": ["speed", "advisories", *(key for table, key in moved_in(version) if table == "watch")],
    }
    lines = [f"version = {version}", 'hostname = "mx2.example.net"', 'store = "/s"']
    lines += ['owner = ["me@elsewhere.example"]']
    blocks = []
    for table in draw(st.permutations(["tls", "watch"])):
        keys = draw(st.lists(st.sampled_from(tables[table]), unique=True))
        keys += [key for key in ("acme", "reach") if key in tables[table] and key not in keys]
        keys += [key for key in ("acme_key_id", "acme_key_file") if key in tables[table] and key not in keys]
        keys = [key for key in keys if key in KEYS]
        form = draw(st.sampled_from(["header", "dotted", "inline"]))
        if form == "header":
            block = [*draw(BETWEEN), draw(st.sampled_from([f"[{table}]", f'[ "{table}" ] # {table}']))]
            for key in keys:
                block += [*draw(BETWEEN), draw(written_key(key)) + KEYS[key] + draw(TAILS)]
            blocks.append([*block, *draw(BETWEEN)])
        elif form == "dotted":
            for key in keys:
                lines += [*draw(BETWEEN), f"{table}.{draw(written_key(key))}{KEYS[key]}{draw(TAILS)}"]
        else:
            inside = ", ".join(f"{key} = {KEYS[key]}" for key in keys)
            lines += [*draw(BETWEEN), f"{table} = {{ {inside} }}{draw(TAILS)}"]
    word = draw(st.sampled_from(['"hold"', "'defer'"] + ["'refuse'", '"quarantine"'] * int(version == 1)))
    backup = ["[[backup]]", 'domain = "example.net"', f"unknown = {word}{draw(TAILS)}"]
    blocks.insert(draw(st.integers(0, len(blocks))), backup)
    for block in blocks:
        lines += block
    return end.join("\n".join(lines).split("\n")) + draw(st.sampled_from(["", end]))


TAILS = st.sampled_from(["", " # why", "   # acme_root = 1", " "])


def written_key(key: str) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{key} = ", f'"{key}"=', f"'{key}'   = ", f"{key}\t=\t"])


@given(arranged())
@settings(max_examples=100)
def test_any_arrangement_is_migrated_and_keeps_its_comments(text: str) -> None:
    config = parse_config(text.encode(), PATH, are_files_checked=False)
    result = migrated(text, config.version)
    assert read(result.text.encode()) == config
    assert tomllib.loads(result.text)["version"] == VERSION
    assert sorted(comments(result.text)) == sorted(comments(text))
    assert ("\r\n" in text) == ("\r\n" in result.text)
    assert text.endswith("\n") == result.text.endswith("\n")
    assert result.text.count("\n") == result.text.count("\r\n") or "\r" not in result.text


def comments(text: str) -> list[str]:
    return [line[line.index("#") :].strip() for line in text.splitlines() if "#" in line]


COMMANDS = (
    ("config", "show"),
    ("config", "show", "--effective"),
    ("config", "explain", "reach"),
    ("check", "config"),
    ("config", "migrate", "--check"),
    ("config", "migrate", "--yes"),
)


@given(damaged())
@settings(max_examples=25)
def test_no_command_ends_in_a_traceback_or_loses_an_octet(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "secondpost.toml"
        path.write_bytes(data)
        for words in COMMANDS:
            result = click.testing.CliRunner().invoke(secondpost, [*words, "--config", str(path)])
            assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
            assert result.exit_code in (0, 1, 3)
        beside = [one.read_bytes() for one in Path(folder).iterdir() if one != path]
        assert path.read_bytes() == data if beside == [] else beside == [data]
