"""What is written of what the processes state: begun, changed, ended, forgotten."""

from dataclasses import replace

import pytest

from secondpost.deliver.pauses import PAUSE_MS
from secondpost.mail.alarm import AlarmEnds, AlarmKind, Severity
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.mail.owner_notice import POST_AGAIN_MS_MAX, AlarmRecord, NoticeMarks
from secondpost.mail.standing_alarms import EVENT_MS, Alarm
from secondpost.protocols.alarm_statements import FIRST_OF_KIND, Stated
from secondpost.spool.schedule import JITTER, WAIT_MS_MAX
from secondpost.watch import noted as bounds
from secondpost.watch.noted import Noted, noted
from secondpost.watch.roll import (
    GONE_MAX,
    GRACE_MS,
    RETRIED,
    RETRIED_GRACE_MS,
    STATED_BEFORE_MAX,
    AlarmRoll,
    RoleStates,
)

NOW = 1_800_000_000_000
CONDITION, EVENT = AlarmKind.NO_ROUTE, AlarmKind.ROLE_FAILED
NO_ROUTE = Alarm(CONDITION, "example.net", "no MX", NOW - 500, NOW - 100)
RECORD = AlarmRecord(CONDITION, "example.net", "deliver", NOW, "no MX", NOW - 500, NOW - 100, NOW)
FAILED = AlarmRecord(EVENT, "", "web", NOW, "KeyError", NOW, NOW, NOW)


def test_the_two_kinds_of_this_test() -> None:
    assert (CONDITION.ends, EVENT.ends) == (AlarmEnds.WHEN_MENDED, AlarmEnds.BY_ITSELF)


def states(
    *alarms: Alarm, role: str = "deliver", since_ms: int = 0, before: tuple[Alarm, ...] = ()
) -> RoleStates:
    stated = frozenset((alarm.kind, alarm.subject) for alarm in (*alarms, *before))
    return RoleStates(role, alarms, stated, since_ms)


def test_what_is_stated_begins_once() -> None:
    assert noted([], [states(NO_ROUTE)], NOW) == Noted(begun=(RECORD,))
    assert noted([RECORD], [states(NO_ROUTE)], NOW + 1_000).is_nothing


def test_what_lies_in_the_future_began_now() -> None:
    (begun,) = noted([], [states(replace(NO_ROUTE, since_ms=2**53, last_ms=2**53))], NOW).begun
    assert (begun.since_ms, begun.last_ms) == (NOW, NOW)


def test_a_detail_that_keeps_changing_is_written_each_minute() -> None:
    later = replace(NO_ROUTE, detail="null MX", last_ms=NOW + 900)
    assert noted([RECORD], [states(later)], NOW + 1_000).is_nothing
    now_ms = NOW + bounds.REFRESH_MS
    renewed = replace(RECORD, detail="null MX", last_ms=NOW + 900, seen_ms=now_ms)
    assert noted([RECORD], [states(later)], now_ms) == Noted(changed=(renewed,))


def test_that_it_still_stands_is_written_now_and_then() -> None:
    assert noted([RECORD], [states(NO_ROUTE)], NOW + bounds.SEEN_MS - 1).is_nothing
    now_ms = NOW + bounds.SEEN_MS
    assert noted([RECORD], [states(NO_ROUTE)], now_ms) == Noted(changed=(replace(RECORD, seen_ms=now_ms),))


@pytest.mark.parametrize("kind", [kind for kind in AlarmKind if kind in RETRIED])
def test_a_restart_does_not_end_what_only_the_next_attempt_finds_again(kind: AlarmKind) -> None:
    record, restarted = replace(RECORD, kind=kind), states(since_ms=NOW)
    longest_ms = int(WAIT_MS_MAX * (1 + JITTER)) + PAUSE_MS
    assert longest_ms > POST_AGAIN_MS_MAX
    assert noted([record], [restarted], NOW + longest_ms).changed == ()
    ended = replace(record, ended_ms=NOW + RETRIED_GRACE_MS)
    assert noted([record], [restarted], NOW + RETRIED_GRACE_MS).changed == (ended,)


def test_what_a_process_states_no_more_is_over_at_once() -> None:
    silent = states(before=(NO_ROUTE,), since_ms=NOW)
    assert noted([RECORD], [silent], NOW + 1) == Noted(changed=(replace(RECORD, ended_ms=NOW + 1),))


def test_a_process_that_started_lately_may_find_it_again() -> None:
    silent = states(since_ms=NOW)
    assert noted([RECORD], [silent], NOW + GRACE_MS - 1).is_nothing
    now_ms = NOW + GRACE_MS
    assert noted([RECORD], [silent], now_ms) == Noted(changed=(replace(RECORD, ended_ms=now_ms),))


def test_a_role_that_is_gone_ends_nothing_for_a_day() -> None:
    assert noted([RECORD], [states(role="web", before=(NO_ROUTE,))], NOW + DAY_MS - 1).is_nothing
    assert noted([RECORD], [], NOW + DAY_MS) == Noted(changed=(replace(RECORD, ended_ms=NOW + DAY_MS),))


def test_an_event_stands_for_its_time_whatever_became_of_the_process() -> None:
    for stated in ([], [states(role="web", since_ms=0)], [states(role="web", since_ms=NOW)]):
        assert noted([FAILED], stated, NOW + EVENT_MS - 1).is_nothing
        (ended,) = noted([FAILED], stated, NOW + EVENT_MS).changed
        assert ended.ended_ms == NOW + EVENT_MS


MAILED = replace(RECORD, mail=NoticeMarks(NOW, None, 0), ended_ms=NOW + 1_000)
RENEWED = [states(replace(NO_ROUTE, since_ms=NOW + 2_000, last_ms=NOW + 2_000))]


def test_an_alarm_whose_end_was_not_sent_yet_goes_on() -> None:
    (resumed,) = noted([MAILED], RENEWED, NOW + 2_000).changed
    assert resumed == replace(MAILED, ended_ms=None, last_ms=NOW + 2_000, seen_ms=NOW + 2_000)


@pytest.mark.parametrize(
    "record",
    [
        replace(MAILED, mail=NoticeMarks()),
        replace(MAILED, mail=NoticeMarks(NOW, None, 0, NOW + 1_500)),
        replace(MAILED, webhook=NoticeMarks(NOW, None, 0, NOW + 1_500)),
    ],
)
def test_otherwise_it_is_another_alarm(record: AlarmRecord) -> None:
    found = noted([record], RENEWED, NOW + 2_000)
    assert [one.noted_ms for one in found.begun] == [NOW + 2_000]
    assert found.changed == ()


def test_a_role_fills_only_its_own_bound() -> None:
    many = [replace(NO_ROUTE, subject=f"{number}.example") for number in range(400)]
    records: list[AlarmRecord] = []
    for look in range(10):
        begun = noted(records, [states(*many, role="receive")], NOW + look).begun
        assert len(begun) <= bounds.BEGIN_MAX
        records += begun
    assert len(records) == bounds.STANDING_MAX
    assert len(noted(records, [states(NO_ROUTE), states(*many, role="receive")], NOW + 20).begun) == 1


def test_many_alarms_of_one_kind_leave_room_for_another() -> None:
    many = [replace(RECORD, subject=f"{number}.example") for number in range(bounds.STANDING_MAX)]
    refused = replace(NO_ROUTE, kind=AlarmKind.LOGIN_REFUSED)
    others = [replace(refused, subject=f"host{number}") for number in range(2 * FIRST_OF_KIND)]
    begun = noted(many, [states(*others, since_ms=NOW)], NOW + 1).begun
    assert [one.subject for one in begun] == [one.subject for one in others[:FIRST_OF_KIND]]


def test_what_a_statement_had_no_room_for_is_not_over() -> None:
    cut = replace(states(before=(NO_ROUTE,), since_ms=NOW), is_whole=False)
    assert noted([RECORD], [cut], NOW + HOUR_MS).changed == ()
    over = replace(cut, hows={(CONDITION, "example.net"): ""})
    assert noted([RECORD], [over], NOW + 1).changed == (replace(RECORD, ended_ms=NOW + 1),)
    whole = replace(cut, is_whole=True)
    assert noted([RECORD], [whole], NOW + 1).changed == (replace(RECORD, ended_ms=NOW + 1),)


def test_ended_alarms_are_forgotten_the_oldest_first_and_by_role() -> None:
    ended = [
        replace(FAILED, subject=str(number), noted_ms=NOW + number, ended_ms=NOW + number)
        for number in range(bounds.UNSENT_MAX + 3)
    ]
    sent = [replace(one, mail=NoticeMarks(NOW, None, 0)) for one in ended]
    other = replace(MAILED, noted_ms=NOW - 10)
    assert noted([other, *ended], [], NOW + HOUR_MS).gone == tuple(ended[:3])
    assert noted([other, *sent], [], NOW + HOUR_MS).gone == ()
    old = NOW - 10 + bounds.ENDED_KEPT_MS
    assert noted([other, RECORD], [states(NO_ROUTE)], old).gone == ()
    assert noted([other, RECORD], [states(NO_ROUTE)], old + 1).gone == (other,)


def test_the_roll_unites_the_processes_of_a_role() -> None:
    clock = [NOW]
    roll = AlarmRoll(lambda: clock[0])
    roll.heard(1, Stated("receive", (NO_ROUTE,)))
    clock[0] += 5_000
    roll.heard(2, Stated("receive", (replace(NO_ROUTE, detail="later", last_ms=NOW),)))
    roll.heard(3, Stated("web", (), is_whole=False))
    assert [one.role for one in roll.states()] == ["receive", "web"]
    receive = roll.states()[0]
    assert [alarm.detail for alarm in receive.alarms] == ["later"]
    assert receive.since_ms == NOW
    assert [one.is_whole for one in roll.states()] == [True, False]
    roll.heard(1, Stated("receive", ()))
    roll.heard(2, Stated("receive", ()))
    receive = roll.states()[0]
    assert (receive.alarms, receive.before) == ((), frozenset({(CONDITION, "example.net")}))
    roll.left(1)
    roll.left(2)
    roll.noted(roll.gone)
    assert [one.role for one in roll.states()] == ["web"]


def test_the_last_words_of_a_process_count_until_they_are_noted() -> None:
    roll = AlarmRoll(lambda: NOW)
    roll.heard(1, Stated("command", (NO_ROUTE,)))
    roll.left(1)
    for _ in range(2):
        assert [one.alarms for one in roll.states()] == [(NO_ROUTE,)]
    roll.noted(roll.gone)
    assert roll.states() == ()
    for number in range(GONE_MAX + 5):
        roll.heard(number, Stated("command", ()))
        roll.left(number)
    roll.heard(0, Stated("command", ()))
    assert len(roll.states()) == 1


def test_the_roll_is_bounded() -> None:
    roll = AlarmRoll(lambda: NOW)
    for number in range(STATED_BEFORE_MAX + 10):
        roll.heard(1, Stated("receive", (replace(NO_ROUTE, subject=str(number)),)))
    (receive,) = roll.states()
    assert len(receive.before) == STATED_BEFORE_MAX
    assert (CONDITION, "0") not in receive.before


def test_the_bounds_hold_together() -> None:
    assert bounds.REFRESH_MS < bounds.SEEN_MS < bounds.UNSEEN_MS
    assert MINUTE_MS < GRACE_MS < EVENT_MS
    assert CONDITION.severity is Severity.ACT
