"""The protocol by which a process states the alarms that stand in it: a line of JSON per statement.

A statement is the whole standing set, never a change, so that a lost one is made good by the next. If
more stand than fit into a statement, it says so: silence about an alarm then does not mean its end.
The roles that strangers talk to may be compromised: every line is bounded, and such a role can state
only alarms of its own kinds.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Annotated

import msgspec

from secondpost.mail.alarm import AlarmKind, Severity
from secondpost.mail.printable import printable
from secondpost.mail.standing_alarms import ENDED_MAX, Alarm, EndedAlarm
from secondpost.mail.store_rooms import ROLES
from secondpost.protocols.role_questions import INTEGER_MAX, Garbled, read_line

STATED_MAX = 200  # alarms in one statement
FIRST_OF_KIND = 5  # alarms of one kind before those of others are all stated
SUBJECT_CHARACTERS_MAX = 200
DETAIL_CHARACTERS_MAX = 500
STEP_MAX = 1_000
ROLE_CHARACTERS_MAX = 32
# In JSON a character takes at most twelve octets.
ALARM_OCTETS_MAX = 12 * (SUBJECT_CHARACTERS_MAX + DETAIL_CHARACTERS_MAX) + 200
STATEMENT_OCTETS_MAX = (STATED_MAX + ENDED_MAX) * ALARM_OCTETS_MAX

SUPERVISOR = "supervisor"


def supervisor_of(role: str) -> str:
    """The name of a supervisor that has this role alone."""
    return f"{role}-{SUPERVISOR}"


COMMAND = "command"  # states what it has to say when it ends
OF_EVERY_ROLE = frozenset(
    {AlarmKind.CANNOT_START, AlarmKind.DISK_FAILED, AlarmKind.ROLE_FAILED, AlarmKind.NOT_RELOADED}
)
OF_A_ROLES_SUPERVISOR = frozenset(
    {
        AlarmKind.CANNOT_START,
        AlarmKind.DISK_FAILED,
        AlarmKind.NOT_RELOADED,
        AlarmKind.ROLE_DIED,
        AlarmKind.RUNS_AS_ROOT,
    }
)
# What the roles may state that speak with strangers, and what a supervisor may that has one role
# alone and thus that role's user. Those in ANY_KIND speak with no stranger.
KINDS_OF: Mapping[str, frozenset[AlarmKind]] = MappingProxyType(
    {
        **{supervisor_of(role): OF_A_ROLES_SUPERVISOR for role in ROLES},
        "receive": OF_EVERY_ROLE | {AlarmKind.ATTACKED, AlarmKind.RECIPIENTS_FILE},
        "web": OF_EVERY_ROLE,
        "fetch": OF_EVERY_ROLE,
        COMMAND: frozenset({AlarmKind.IMPORT_FINISHED}),
    }
)
ANY_KIND = frozenset({"publish", SUPERVISOR})

_KINDS: Mapping[str, AlarmKind] = MappingProxyType({kind.word: kind for kind in AlarmKind})
_SEVEREST_FIRST = (Severity.ACT, Severity.LOOK, Severity.NEWS, Severity.PASSES)

_Time = Annotated[int, msgspec.Meta(ge=0, le=INTEGER_MAX)]


class _AlarmLine(msgspec.Struct, frozen=True):
    kind: str
    subject: Annotated[str, msgspec.Meta(max_length=SUBJECT_CHARACTERS_MAX)]
    detail: Annotated[str, msgspec.Meta(max_length=DETAIL_CHARACTERS_MAX)]
    since_ms: _Time
    last_ms: _Time
    step: Annotated[int, msgspec.Meta(ge=0, le=STEP_MAX)] = 0


class _EndedLine(msgspec.Struct, frozen=True):
    kind: str
    subject: Annotated[str, msgspec.Meta(max_length=SUBJECT_CHARACTERS_MAX)]
    how: Annotated[str, msgspec.Meta(max_length=DETAIL_CHARACTERS_MAX)]


class _Statement(msgspec.Struct, frozen=True):
    role: Annotated[str, msgspec.Meta(max_length=ROLE_CHARACTERS_MAX)]
    alarms: Annotated[tuple[_AlarmLine, ...], msgspec.Meta(max_length=STATED_MAX)]
    ended: Annotated[tuple[_EndedLine, ...], msgspec.Meta(max_length=ENDED_MAX)] = ()
    is_whole: bool = True


_STATED = msgspec.json.Decoder(_Statement)


@dataclass(frozen=True, slots=True)
class Stated:
    """The alarms that stand in one process of a role, and how others ended. `is_whole`: no other
    alarm stands there.
    """

    role: str
    alarms: tuple[Alarm, ...]
    ended: tuple[EndedAlarm, ...] = ()
    is_whole: bool = True


def stated(role: str, standing: Sequence[Alarm], ended: Sequence[EndedAlarm] = ()) -> Stated:
    """A statement within the bounds: texts are cut, and beyond STATED_MAX the severest alarms stay."""
    again = {(alarm.kind, alarm.subject) for alarm in standing}
    over = [one for one in ended if (one.kind, one.subject) not in again][-ENDED_MAX:]
    return Stated(
        role,
        tuple(_within_bounds(alarm) for alarm in _in_order(standing)[:STATED_MAX]),
        tuple(EndedAlarm(one.kind, _subject(one.subject), _detail(one.how)) for one in over),
        is_whole=len(standing) <= STATED_MAX,
    )


def _in_order(standing: Sequence[Alarm]) -> list[Alarm]:
    """The severest first; but no kind's alarms push those of another behind FIRST_OF_KIND of its own."""
    places: Counter[AlarmKind] = Counter()
    ranked: list[tuple[bool, Alarm]] = []
    for alarm in sorted(standing, key=lambda alarm: _SEVEREST_FIRST.index(alarm.severity)):
        places[alarm.kind] += 1
        ranked.append((places[alarm.kind] > FIRST_OF_KIND, alarm))
    return [alarm for _, alarm in sorted(ranked, key=lambda one: one[0])]


def _within_bounds(alarm: Alarm) -> Alarm:
    return Alarm(
        alarm.kind,
        _subject(alarm.subject),
        _detail(alarm.detail),
        alarm.since_ms,
        alarm.last_ms,
        min(alarm.step, STEP_MAX),
    )


def _subject(text: str) -> str:
    return _cut(printable(text), SUBJECT_CHARACTERS_MAX)


def _detail(text: str) -> str:
    return _cut(printable(text), DETAIL_CHARACTERS_MAX)


def _cut(text: str, characters_max: int) -> str:
    return text if len(text) <= characters_max else f"{text[: characters_max - 1]}…"


def statement_line(said: Stated) -> bytes:
    alarms = tuple(
        _AlarmLine(alarm.kind.word, alarm.subject, alarm.detail, alarm.since_ms, alarm.last_ms, alarm.step)
        for alarm in said.alarms
    )
    ended = tuple(_EndedLine(one.kind.word, one.subject, one.how) for one in said.ended)
    return msgspec.json.encode(_Statement(said.role, alarms, ended, said.is_whole)) + b"\n"


def read_statement(line: bytes) -> Stated:
    """Decode a statement; alarms of kinds that the role may not state are left out. Raises Garbled."""
    found = read_line(line, _STATED)
    if found.role not in KINDS_OF and found.role not in ANY_KIND:
        raise Garbled(f"{found.role!r} is no role that states alarms")
    said = stated(
        found.role,
        [_read(one) for one in found.alarms if _may_state(found.role, one.kind)],
        [
            EndedAlarm(_KINDS[one.kind], one.subject, one.how)
            for one in found.ended
            if _may_state(found.role, one.kind)
        ],
    )
    return replace(said, is_whole=found.is_whole)


def _may_state(role: str, word: str) -> bool:
    kind = _KINDS.get(word)
    return kind is not None and (role in ANY_KIND or kind in KINDS_OF[role])


def _read(one: _AlarmLine) -> Alarm:
    return Alarm(_KINDS[one.kind], one.subject, one.detail, one.since_ms, one.last_ms, one.step)
