"""The scan against logs that Debian's servers wrote under attack, in every form in which logs are kept."""

import json
import re
from collections.abc import Callable
from datetime import datetime

import pytest

from secondpost.watch.logs.blocks import worth_a_look
from secondpost.watch.logs.dates import LogCalendar
from secondpost.watch.logs.entry import entry_of
from secondpost.watch.logs.scan import named_in, reader_of
from tests.watch.logs.golden import DATA, SERVERS, expected, found_in, scanned

WRITTEN_MS = int(datetime(2026, 11, 30).astimezone().timestamp() * 1000)
SYSLOG = re.compile(rb"(\w{3}) ([ \d]\d) ([\d:]{8}) (\S+) ([^\s:\[]+)(\[\d+\])?: (.*)", re.DOTALL)
EXIM = re.compile(rb"(\d{4}-\d\d-\d\d) ([\d:]{8}) (.*)", re.DOTALL)
PROGRAMS = {"exim": b"exim"}

Lines = list[bytes]


def lines_of(name: str) -> Lines:
    return [line for line in (DATA / f"{name}.log").read_bytes().split(b"\n") if len(line) > 0]


def parts(name: str, line: bytes) -> tuple[bytes, bytes, bytes]:
    """The time as HH:MM:SS, the program, and the text."""
    syslog = SYSLOG.fullmatch(line)
    if syslog is not None:
        return syslog[3], syslog[5], syslog[7]
    exim = EXIM.fullmatch(line)
    assert exim is not None, line
    return exim[2], PROGRAMS[name], exim[3]


def as_it_is(name: str) -> Lines:
    return lines_of(name)


def windows(name: str) -> Lines:
    return [line + b"\r" for line in lines_of(name)]


def rfc_3339(name: str) -> Lines:
    return [b"2026-11-29T%s.123456+01:00 peer %s[7]: %s" % parts(name, line) for line in lines_of(name)]


def with_priority(name: str) -> Lines:
    return [b"<22>Nov 29 %s peer %s[7]: %s" % parts(name, line) for line in lines_of(name)]


def journal(name: str) -> Lines:
    return [entry(program, text.decode("utf-8", "replace")) for _, program, text in map_parts(name)]


def journal_octets(name: str) -> Lines:
    """The journal writes texts with octets below 32 or no UTF-8 as numbers."""
    return [entry(program, list(text)) for _, program, text in map_parts(name)]


def map_parts(name: str) -> list[tuple[bytes, bytes, bytes]]:
    return [parts(name, line) for line in lines_of(name)]


def entry(program: bytes, message: str | list[int]) -> bytes:
    fields = {
        "__REALTIME_TIMESTAMP": "1795984347123456",
        "_COMM": "whatever",
        "SYSLOG_IDENTIFIER": program.decode(),
        "PRIORITY": "6",
        "MESSAGE": message,
    }
    return json.dumps(fields, separators=(",", ":")).encode()


FORMS: tuple[Callable[[str], Lines], ...] = (
    as_it_is,
    windows,
    rfc_3339,
    with_priority,
    journal,
    journal_octets,
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", SERVERS)
def test_every_attempt_is_found_with_what_became_of_it(name: str, form: Callable[[str], Lines]) -> None:
    scan = scanned(b"\n".join(form(name)), WRITTEN_MS)
    assert found_in(scan.tally) == expected(name)
    assert {each.value for each in scan.summary.software} == {SERVERS[name]}
    for tally in scan.tally:
        assert set(tally.networks) == {"127.0.0.0/24"}, tally.rule.id
        assert tally.addresses == {"127.0.0.1"}, "not one of the addresses that they forged"


@pytest.mark.parametrize("name", SERVERS)
def test_when(name: str) -> None:
    day = datetime(2026, 11, 29).astimezone()
    for tally in scanned(b"\n".join(lines_of(name)), WRITTEN_MS).tally:
        for ms in (tally.all.first_ms, tally.all.last_ms):
            assert ms is not None
            when = datetime.fromtimestamp(ms / 1000, day.tzinfo)
            assert (when.date(), when.hour) == (day.date(), 20)


@pytest.mark.parametrize("name", SERVERS)
def test_it_does_not_matter_where_the_octets_are_cut(name: str) -> None:
    whole = (DATA / f"{name}.log").read_bytes()
    for length in (1, 7, 100, 4_096):
        scan = scanned(b"", WRITTEN_MS)
        for start in range(0, len(whole), length):
            scan.feed(whole[start : start + length])
        scan.end()
        assert [(each.rule, each.refused + each.taken) for each in found_in(scan.tally)] == [
            (each.rule, each.refused + each.taken) for each in expected(name)
        ]


@pytest.mark.parametrize("name", SERVERS)
def test_the_quick_look_finds_every_line_that_a_reader_and_a_rule_would(name: str) -> None:
    for line in lines_of(name):
        read = entry_of(line, LogCalendar(WRITTEN_MS))
        assert read is not None, line
        reader = reader_of(read.program)
        seen = None if reader is None else reader.read(read.program, read.text)
        if seen is not None and named_in(seen) is not None:
            assert worth_a_look(line + b"\n") == [0], line
