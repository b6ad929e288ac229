"""Statements of standing alarms: what arrives is what stood, within bounds, also if the line is hostile."""

import ast
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from secondpost.mail.alarm import AlarmKind, Severity
from secondpost.mail.standing_alarms import Alarm, EndedAlarm
from secondpost.protocols.alarm_statements import (
    ANY_KIND,
    DETAIL_CHARACTERS_MAX,
    KINDS_OF,
    STATED_MAX,
    STATEMENT_OCTETS_MAX,
    SUBJECT_CHARACTERS_MAX,
    SUPERVISOR,
    Stated,
    read_statement,
    stated,
    statement_line,
)
from secondpost.protocols.role_questions import Garbled

SOURCE = Path(__file__).parent.parent.parent / "src" / "secondpost"
# Stations whose code runs in a role that may not state every kind.
STATIONS_OF = {"receive": ("receive", "policy"), "web": ("web",)}

texts = st.text(max_size=600)
moments = st.integers(0, 2**53)
alarms = st.builds(Alarm, st.sampled_from(list(AlarmKind)), texts, texts, moments, moments)


@given(st.sampled_from(sorted(ANY_KIND)), st.lists(alarms, max_size=20))
def test_what_is_stated_is_what_is_read(role: str, standing: list[Alarm]) -> None:
    said = stated(role, standing)
    line = statement_line(said)
    assert line.find(b"\n") == len(line) - 1
    assert read_statement(line[:-1]) == said


@settings(max_examples=15)
@given(st.lists(alarms, max_size=20))
def test_the_longest_texts_fit(standing: list[Alarm]) -> None:
    widest = [
        Alarm(AlarmKind.CONTENT_UNREADABLE, "\U0010ffff" * 700, '"\\' * 700, 2**53, 2**53)
        for _ in range(STATED_MAX)
    ]
    line = statement_line(stated(SUPERVISOR, (*widest, *standing)))
    assert len(line) <= STATEMENT_OCTETS_MAX
    for alarm in read_statement(line[:-1]).alarms:
        assert len(alarm.subject) <= SUBJECT_CHARACTERS_MAX
        assert len(alarm.detail) <= DETAIL_CHARACTERS_MAX


def test_beyond_the_bound_the_severest_stay() -> None:
    passing = [Alarm(AlarmKind.ROUND_WAITS, f"{number}", "", 0, 0) for number in range(STATED_MAX)]
    grave = Alarm(AlarmKind.NO_ROUTE, "example.net", "no MX", 0, 0)
    assert (AlarmKind.ROUND_WAITS.severity, grave.kind.severity) == (Severity.PASSES, Severity.ACT)
    found = stated(SUPERVISOR, (*passing, grave)).alarms
    assert len(found) == STATED_MAX
    assert found[0] == grave


def test_many_alarms_of_one_kind_leave_room_for_every_other_kind() -> None:
    held = [Alarm(AlarmKind.MAIL_HELD, f"{number}.example", "", 0, 0) for number in range(STATED_MAX + 1)]
    later = [Alarm(kind, "", "", 0, 0) for kind in AlarmKind if kind is not AlarmKind.MAIL_HELD]
    found = stated(SUPERVISOR, (*held, *later))
    assert {alarm.kind for alarm in found.alarms} == set(AlarmKind)
    assert len(found.alarms) == STATED_MAX


def test_a_statement_that_is_cut_says_so() -> None:
    held = [Alarm(AlarmKind.MAIL_HELD, f"{number}.example", "", 0, 0) for number in range(STATED_MAX + 1)]
    for standing, is_whole in ((held, False), (held[1:], True)):
        said = stated(SUPERVISOR, standing)
        assert said.is_whole is is_whole
        assert read_statement(statement_line(said)[:-1]) == said


def test_what_stands_again_is_not_stated_as_ended() -> None:
    alarm = Alarm(AlarmKind.NO_ROUTE, "example.net", "no MX", 0, 0)
    over = EndedAlarm(alarm.kind, alarm.subject, "")
    assert stated(SUPERVISOR, [], [over]).ended == (over,)
    assert stated(SUPERVISOR, [alarm], [over]).ended == ()


def test_a_role_states_only_its_own_kinds() -> None:
    standing = [Alarm(kind, "", "", 0, 0) for kind in AlarmKind]
    for role, kinds in KINDS_OF.items():
        read = read_statement(statement_line(Stated(role, tuple(standing)))[:-1])
        assert {alarm.kind for alarm in read.alarms} == kinds
    for role in ANY_KIND:
        line = statement_line(Stated(role, tuple(standing)))
        assert {alarm.kind for alarm in read_statement(line[:-1]).alarms} == set(AlarmKind)


@pytest.mark.parametrize(("role", "stations"), STATIONS_OF.items())
def test_every_kind_that_a_role_begins_may_be_stated_by_it(role: str, stations: tuple[str, ...]) -> None:
    begun = {
        AlarmKind[node.attr]
        for station in stations
        for path in (SOURCE / station).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "AlarmKind"
    }
    missing = {kind.word for kind in begun - KINDS_OF[role]}
    assert missing == set(), f"add them to KINDS_OF[{role!r}] in protocols/alarm_statements.py"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{}",
        b"[]",
        b"[" * 100_000,
        b"\xff",
        b'{"role": "deliver", "alarms": []}',  # its set is never stated over the socket
        b'{"role": "nonesuch", "alarms": []}',
        b'{"role": "receive", "alarms": [{"kind": "no-route"}]}',
        msgspec.json.encode({"role": "receive", "alarms": [{}] * (STATED_MAX + 1)}),
        b'{"role": "receive", "alarms": [{"kind": "cannot-start", "subject": "", "detail": "", '
        b'"since_ms": -1, "last_ms": 0}]}',
        b'{"role": "receive", "alarms": [{"kind": "cannot-start", "subject": "", "detail": "", '
        b'"since_ms": 1e300, "last_ms": 0}]}',
    ],
)
def test_a_garbled_line_is_garbled(line: bytes) -> None:
    with pytest.raises(Garbled):
        read_statement(line)


@given(st.binary(max_size=200))
def test_no_line_raises_anything_else(line: bytes) -> None:
    with suppress(Garbled):
        read_statement(line)


def test_control_characters_do_not_arrive() -> None:
    times = {"since_ms": 1, "last_ms": 2}
    hostile = {"kind": "cannot-start", "subject": "a\r\nBcc: x", "detail": "\x1b[2J\u202e", **times}
    line = msgspec.json.encode({"role": "receive", "alarms": [hostile]})
    (alarm,) = read_statement(line).alarms
    assert (alarm.subject, alarm.detail) == ("a\\r\\nBcc: x", "\\x1b[2J\\u202e")
