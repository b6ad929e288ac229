"""What the processes state at present, and since when each has been stating.

A process that lately started may not have found again what still stands; so a connection's silence
about an alarm means its end only if that connection stated it before, or has stood for `grace_ms`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.duration import HOUR_MS, MINUTE_MS
from secondpost.mail.standing_alarms import Alarm, EndedAlarm
from secondpost.protocols.alarm_statements import Stated

GRACE_MS = 5 * MINUTE_MS
# What is found only by trying waiting mail or a post again: longer than these ever wait.
RETRIED = frozenset(
    {
        AlarmKind.CONTENT_UNREADABLE,
        AlarmKind.DOMAIN_PAUSED,
        AlarmKind.MAIL_NOT_UNDERSTOOD,
        AlarmKind.WEBHOOK_FAILS,
    }
)
RETRIED_GRACE_MS = 2 * HOUR_MS
GONE_MAX = 100  # processes that ended and whose last statement is not noted yet
STATED_BEFORE_MAX = 1_000  # of one connection; the oldest are forgotten


def grace_ms(kind: AlarmKind) -> int:
    """How long a process may need to find again what began before it started."""
    return RETRIED_GRACE_MS if kind in RETRIED else GRACE_MS


@dataclass(frozen=True, slots=True)
class RoleStates:
    """What the processes of one role state together."""

    role: str
    alarms: tuple[Alarm, ...]
    before: frozenset[tuple[AlarmKind, str]]  # what they stated before, or state now
    since_ms: int  # when the first of them began to state
    is_whole: bool = True  # nothing stands besides `alarms`
    hows: Mapping[tuple[AlarmKind, str], str] = field(default_factory=dict)  # how others ended


@dataclass(slots=True)
class _StatingProcess:
    role: str
    since_ms: int
    alarms: tuple[Alarm, ...] = ()
    ended: tuple[EndedAlarm, ...] = ()
    is_whole: bool = True
    before: dict[tuple[AlarmKind, str], None] = field(default_factory=dict)  # in order

    def state(self, said: Stated) -> None:
        self.alarms, self.ended, self.is_whole = said.alarms, said.ended, said.is_whole
        for alarm in said.alarms:
            self.before.pop((alarm.kind, alarm.subject), None)
            self.before[alarm.kind, alarm.subject] = None
        while len(self.before) > STATED_BEFORE_MAX:
            del self.before[next(iter(self.before))]


class AlarmRoll:
    """The connections by number. One role never changes what another states."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._connections: dict[int, _StatingProcess] = {}
        self._gone: list[_StatingProcess] = []

    def heard(self, number: int, said: Stated) -> None:
        connection = self._connections.get(number)
        if connection is None:
            connection = self._connections[number] = _StatingProcess(said.role, self._now_ms())
        connection.state(said)

    def left(self, number: int) -> None:
        """A process ended. What it stated last still counts until it was noted."""
        gone = self._connections.pop(number, None)
        if gone is not None and len(self._gone) < GONE_MAX:
            self._gone.append(gone)

    @property
    def gone(self) -> int:
        """How many ended and were not noted yet."""
        return len(self._gone)

    def noted(self, gone: int) -> None:
        """The last statements of the first `gone` that ended are written down."""
        del self._gone[:gone]

    def states(self) -> tuple[RoleStates, ...]:
        """By role; a role without a process is missing."""
        roles: dict[str, list[_StatingProcess]] = {}
        for connection in (*self._connections.values(), *self._gone):
            roles.setdefault(connection.role, []).append(connection)
        return tuple(_together(role, connections) for role, connections in roles.items())


def _together(role: str, connections: list[_StatingProcess]) -> RoleStates:
    standing: dict[tuple[AlarmKind, str], Alarm] = {}
    for connection in connections:
        for alarm in connection.alarms:
            known = standing.get((alarm.kind, alarm.subject))
            if known is None or alarm.last_ms > known.last_ms:
                standing[alarm.kind, alarm.subject] = alarm
    before = frozenset(key for connection in connections for key in connection.before)
    since_ms = min(connection.since_ms for connection in connections)
    hows = {(one.kind, one.subject): one.how for connection in connections for one in connection.ended}
    is_whole = all(connection.is_whole for connection in connections)
    return RoleStates(role, tuple(standing.values()), before, since_ms, is_whole, hows)
