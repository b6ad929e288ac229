"""The alarms of one process that have begun and not ended."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from secondpost.mail.alarm import AlarmEnds, AlarmKind, Severity
from secondpost.mail.duration import HOUR_MS

EVENT_MS = HOUR_MS  # how long an alarm that is a single event stands after it last occurred
STANDING_MAX = 1_000  # of one kind in one process; further ones are only logged
ENDED_MAX = 50  # of one process, of which it is remembered how they ended


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm that has begun and not ended."""

    kind: AlarmKind
    subject: str  # the site, domain, feed or file concerned; "" for the whole service
    detail: str
    since_ms: int
    last_ms: int  # when it last occurred
    step: int = 0  # of a condition that gets worse in steps, how far it has come

    @property
    def severity(self) -> Severity:
        return self.kind.severity_at(self.step)


@dataclass(frozen=True, slots=True)
class EndedAlarm:
    kind: AlarmKind
    subject: str
    how: str  # what the owner may want to know of the end; "" if nothing


class StandingAlarms:
    """What stands in this process. `say` and `say_over` write a line of the log when an alarm begins
    and when a condition is mended; `now_ms` is the wall clock.
    """

    def __init__(
        self,
        say: Callable[[AlarmKind, str], None],
        now_ms: Callable[[], int],
        say_over: Callable[[AlarmKind, str], None] = lambda kind, detail: None,
    ) -> None:
        self._say = say
        self._say_over = say_over
        self._now_ms = now_ms
        self._changed: Callable[[], None] = lambda: None
        self._standing: dict[tuple[AlarmKind, str], Alarm] = {}
        self._many: Counter[AlarmKind] = Counter()  # that stand
        self._ended: dict[tuple[AlarmKind, str], EndedAlarm] = {}  # in order

    def notify(self, changed: Callable[[], None]) -> None:
        """Call `changed` from now on when an alarm begins or is ended."""
        self._changed = changed

    def begin(self, kind: AlarmKind, subject: str, detail: str, step: int = 0) -> None:
        """Begin an alarm, or update its detail. A condition that stands already is logged again
        only if it has reached a higher step; an event always is.
        """
        now_ms = self._now_ms()
        before = self._standing.get((kind, subject))
        is_worse = before is None or step > before.step
        if is_worse or kind.ends is AlarmEnds.BY_ITSELF:
            self._say(kind, _about(subject, detail))
        if before is not None:
            self._standing[kind, subject] = replace(before, detail=detail, last_ms=now_ms, step=step)
        elif self._many[kind] < STANDING_MAX:
            self._standing[kind, subject] = Alarm(kind, subject, detail, now_ms, now_ms, step)
            self._many[kind] += 1
        else:
            return
        if is_worse:
            self._changed()

    def end(self, kind: AlarmKind, subject: str, how: str = "") -> Alarm | None:
        """End an alarm; return it if it had begun. `how`: what the owner may want to know of the
        end, besides that it has ended.
        """
        ended = self._standing.pop((kind, subject), None)
        if ended is not None:
            self._many[kind] -= 1
            self._ended.pop((kind, subject), None)
            self._ended[kind, subject] = EndedAlarm(kind, subject, how)
            if len(self._ended) > ENDED_MAX:
                del self._ended[next(iter(self._ended))]
            self._say_over(kind, _about(subject, how))
            self._changed()
        return ended

    def ended(self) -> tuple[EndedAlarm, ...]:
        """Those that ended last, at most ENDED_MAX; one may stand again."""
        return tuple(self._ended.values())

    def standing(self) -> tuple[Alarm, ...]:
        """All that stand now, in the order in which they began."""
        over_ms = self._now_ms() - EVENT_MS
        for key, alarm in list(self._standing.items()):
            if alarm.kind.ends is AlarmEnds.BY_ITSELF and alarm.last_ms <= over_ms:
                del self._standing[key]
                self._many[alarm.kind] -= 1
        return tuple(self._standing.values())


def _about(subject: str, text: str) -> str:
    return ": ".join(part for part in (subject, text) if len(part) > 0)
