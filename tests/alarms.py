"""The alarms of one process, for tests."""

from collections.abc import Callable

from secondpost.mail.alarm import AlarmKind
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.maillog import MailLog


def unlogged_alarms(now_ms: Callable[[], int] = lambda: 0) -> StandingAlarms:
    return StandingAlarms(lambda kind, detail: None, now_ms)


def logged_alarms(lines: list[str], now_ms: Callable[[], int] = lambda: 0) -> StandingAlarms:
    """Alarms that write lines of the log."""
    log = MailLog(lines.append)
    return StandingAlarms(log.alarm, now_ms, say_over=log.alarm_over)


def that_stand(alarms: StandingAlarms, kind: AlarmKind) -> list[str]:
    """The subjects of the kind's alarms."""
    return [alarm.subject for alarm in alarms.standing() if alarm.kind is kind]


def how_ended(alarms: StandingAlarms, kind: AlarmKind, subject: str) -> str:
    """What was said of the end of an alarm that ended lately."""
    (how,) = (one.how for one in alarms.ended() if (one.kind, one.subject) == (kind, subject))
    return how
