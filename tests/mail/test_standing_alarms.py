"""The alarms that stand in one process."""

from secondpost.mail.alarm import AlarmEnds, AlarmKind, Severity
from secondpost.mail.standing_alarms import EVENT_MS, STANDING_MAX, StandingAlarms

CONDITION, EVENT = AlarmKind.NO_ROUTE, AlarmKind.MAKER_LOST


class Scene:
    def __init__(self) -> None:
        self.now_ms = 1_000
        self.lines: list[tuple[AlarmKind, str]] = []
        self.changes = 0
        self.alarms = StandingAlarms(lambda kind, text: self.lines.append((kind, text)), lambda: self.now_ms)
        self.alarms.notify(self._changed)

    def _changed(self) -> None:
        self.changes += 1


def test_the_two_kinds_of_this_test() -> None:
    assert (CONDITION.ends, EVENT.ends) == (AlarmEnds.WHEN_MENDED, AlarmEnds.BY_ITSELF)


def test_a_condition_is_logged_once_until_it_ended() -> None:
    scene = Scene()
    scene.alarms.begin(CONDITION, "a.example", "no MX")
    scene.now_ms += 5
    scene.alarms.begin(CONDITION, "a.example", "null MX")
    assert scene.lines == [(CONDITION, "a.example: no MX")]
    (alarm,) = scene.alarms.standing()
    assert (alarm.detail, alarm.since_ms, alarm.last_ms) == ("null MX", 1_000, 1_005)
    assert scene.alarms.end(CONDITION, "a.example") == alarm
    assert scene.alarms.end(CONDITION, "a.example") is None
    scene.alarms.begin(CONDITION, "a.example", "no MX")
    assert len(scene.lines) == 2
    assert scene.changes == 3


def test_a_condition_that_gets_worse_is_logged_at_each_step() -> None:
    scene = Scene()
    for step in (70, 70, 90, 70, 90):
        scene.alarms.begin(AlarmKind.FILLING_UP, "disk", f"{step} %", step)
    assert [text for _, text in scene.lines] == ["disk: 70 %", "disk: 90 %", "disk: 90 %"]
    (alarm,) = scene.alarms.standing()
    assert (alarm.step, alarm.severity, alarm.since_ms) == (90, Severity.ACT, 1_000)
    assert scene.changes == 3


def test_an_event_is_logged_each_time_and_ends_by_itself() -> None:
    scene = Scene()
    scene.alarms.begin(EVENT, "", "deliver: killed")
    scene.now_ms += EVENT_MS - 1
    scene.alarms.begin(EVENT, "", "deliver: killed again")
    assert [text for _, text in scene.lines] == ["deliver: killed", "deliver: killed again"]
    scene.now_ms += EVENT_MS - 1
    assert [alarm.detail for alarm in scene.alarms.standing()] == ["deliver: killed again"]
    scene.now_ms += 1
    assert scene.alarms.standing() == ()


def test_beyond_the_bound_an_alarm_is_only_logged() -> None:
    scene = Scene()
    for number in range(STANDING_MAX + 5):
        scene.alarms.begin(CONDITION, f"{number}.example", "no MX")
    assert len(scene.alarms.standing()) == STANDING_MAX
    assert len(scene.lines) == STANDING_MAX + 5


def test_many_alarms_of_one_kind_leave_room_for_another() -> None:
    scene = Scene()
    for number in range(STANDING_MAX + 5):
        scene.alarms.begin(CONDITION, f"{number}.example", "no MX")
    scene.alarms.begin(EVENT, "", "deliver: killed")
    assert [alarm.kind for alarm in scene.alarms.standing()][-1] is EVENT
    for number in range(STANDING_MAX):
        scene.alarms.end(CONDITION, f"{number}.example")
    scene.now_ms += EVENT_MS
    assert scene.alarms.standing() == ()
    for _ in range(2):
        scene.alarms.begin(CONDITION, "later.example", "no MX")
        scene.alarms.begin(EVENT, "later", "deliver: killed")
    assert len(scene.alarms.standing()) == 2
