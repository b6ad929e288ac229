"""Messages that cannot be read or understood: one alarm for all, until none of them waits any more."""

from secondpost.deliver.stuck import MESSAGES_MAX, UNTRIED_MS, StuckMail
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import DeliveryId
from secondpost.mail.queue_id import QueueId
from tests.alarms import logged_alarms
from tests.clock import SetClock

UNREADABLE, BUG = AlarmKind.CONTENT_UNREADABLE, AlarmKind.MAIL_NOT_UNDERSTOOD


class Desk:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.clock = SetClock()
        self.alarms = logged_alarms(self.lines, self.clock.now_ms)
        self.stuck = StuckMail(self.clock, self.alarms)

    def add(self, *numbers: int, kind: AlarmKind = UNREADABLE) -> None:
        for number in numbers:
            self.stuck.add(kind, DeliveryId(QueueId(number), 1), "the disk")

    @property
    def kinds(self) -> list[AlarmKind]:
        return [alarm.kind for alarm in self.alarms.standing()]


def test_many_messages_are_one_alarm_that_ends_with_the_last() -> None:
    desk = Desk()
    desk.add(1, 2, 3)
    assert desk.alarms.standing()[0].detail.endswith("the disk; 2 more wait")
    for number in (1, 2, 7):
        desk.stuck.ended(QueueId(number))
    assert desk.kinds == [UNREADABLE]
    desk.stuck.ended(QueueId(3))
    assert desk.kinds == []
    assert not desk.stuck.has_any
    assert len(desk.lines) == 2, "its beginning and its end"


def test_a_message_that_is_tried_no_more_is_forgotten() -> None:
    desk = Desk()
    desk.add(1)
    desk.add(2, kind=BUG)
    desk.clock.ms += UNTRIED_MS
    desk.add(1)
    desk.clock.ms += 1
    desk.stuck.look()
    assert desk.kinds == [UNREADABLE]


def test_what_is_remembered_is_bounded() -> None:
    desk = Desk()
    desk.add(*range(MESSAGES_MAX + 5))
    desk.clock.ms += UNTRIED_MS + 1
    desk.add(MESSAGES_MAX + 7)
    desk.stuck.look()
    assert desk.kinds == []
