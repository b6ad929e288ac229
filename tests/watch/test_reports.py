"""Mails at fixed times: each slot once, none for the past of a new server."""

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from secondpost.compose.own_mail import OwnHeading
from secondpost.compose.report_mail import Figures, report_subject, report_text
from secondpost.config.records import Alarms
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.attack import AttackCount
from secondpost.mail.daily import DailyCount
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.mail.owner_notice import AlarmRecord, ReportKind
from secondpost.mail.queue_id import QueueId
from secondpost.store.primary_ports import DayCount
from secondpost.watch.reports import DAYS_MAX, ReportDue, ReportsBegin, report_due

UTC_ZONE = ZoneInfo("UTC")
USUAL = Alarms(digest="daily 07:00")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


MONDAY = at("2027-01-18 09:00:00")
ALARM = AlarmRecord(AlarmKind.NO_ROUTE, "example.net", "deliver", MONDAY, "no MX", MONDAY, MONDAY, MONDAY)


@pytest.mark.parametrize("kind", list(ReportKind))
def test_a_new_server_begins_with_the_next_slot(kind: ReportKind) -> None:
    assert report_due(kind, USUAL, None, MONDAY) == ReportsBegin()
    assert report_due(kind, USUAL, MONDAY, MONDAY + HOUR_MS) is None


def test_a_slot_is_due_once() -> None:
    last_ms = MONDAY - 7 * DAY_MS
    assert report_due(ReportKind.ALL_IS_WELL, USUAL, last_ms, MONDAY - 1) is None
    due = ReportDue(MONDAY, 7)
    assert report_due(ReportKind.ALL_IS_WELL, USUAL, last_ms, MONDAY) == due
    assert report_due(ReportKind.ALL_IS_WELL, USUAL, last_ms, MONDAY + 6 * DAY_MS) == due
    assert report_due(ReportKind.ALL_IS_WELL, USUAL, MONDAY, MONDAY + 6 * DAY_MS) is None


def test_a_report_by_a_clock_that_was_ahead_stops_no_other() -> None:
    ahead_ms = MONDAY + 1_000 * DAY_MS
    assert report_due(ReportKind.DIGEST, USUAL, ahead_ms, MONDAY) == ReportsBegin()


def test_after_a_long_rest_there_is_one_report() -> None:
    due = report_due(ReportKind.DIGEST, USUAL, MONDAY - 100 * DAY_MS, MONDAY)
    assert due == ReportDue(at("2027-01-18 07:00:00"), DAYS_MAX)


def test_the_zone_counts_and_a_day_of_25_hours_is_a_day() -> None:
    alarms = replace(USUAL, timezone="Europe/Oslo")
    before, after = at("2027-10-30 05:00:00"), at("2027-10-31 06:00:00")
    assert report_due(ReportKind.DIGEST, alarms, before, after - 1) is None
    assert report_due(ReportKind.DIGEST, alarms, before, after) == ReportDue(after, 1)


def test_off_is_off() -> None:
    off = Alarms(digest=None, all_is_well=None)
    assert [report_due(kind, off, None, MONDAY) for kind in ReportKind] == [None, None]


HEADING = OwnHeading(Domain("mx2.example.net"), (Mailbox.parse("me@elsewhere.example"),), QueueId(1), MONDAY)
FIGURES = Figures(
    counts=(),
    days=7,
    day_counts=(
        DayCount(Domain("example.net"), DailyCount.PASSED_ON, 1, 1_200),
        DayCount(Domain("example.org"), DailyCount.PASSED_ON, 1, 34),
        DayCount(Domain("example.org"), DailyCount.HELD, 1, 5),
    ),
    newsletters=("Newsletter weekly: 120 readers.",),
)


def test_all_is_well_says_so_with_a_few_figures() -> None:
    kind = ReportKind.ALL_IS_WELL
    assert report_subject(kind, [], HEADING) == "Secondpost mx2.example.net: all is well"
    text = " ".join(report_text(kind, [], FIGURES, UTC_ZONE, MONDAY).split())
    assert text.startswith("No alarm stands: all is well.")
    assert "From 2027-01-11 to 2027-01-17 (UTC), deliveries for the backup domains: 1,234 delivered" in text
    assert "5 held while a primary was down" in text
    assert "Newsletter weekly: 120 readers." in text


def test_attacks_are_a_line_unless_they_are_noise() -> None:
    def seen(rule: str, times: int) -> AttackCount:
        return AttackCount(1, rule, "192.0.2.0/24", times, 0, 0, "192.0.2.1", "address", "")

    kind, noise = ReportKind.DIGEST, seen("http", 5_000)
    quiet = report_text(kind, [], replace(FIGURES, attacks=(noise,)), UTC_ZONE, MONDAY)
    assert "attackers" not in quiet
    tried = (noise, seen("opensmtpd-2020-7247", 12), seen("opensmtpd-2020-7247", 3), seen("relay-probe", 2))
    text = " ".join(report_text(kind, [], replace(FIGURES, attacks=tried), UTC_ZONE, MONDAY).split())
    assert (
        "In the same days attackers tried 15 times to break in, and 2 times to find a weakness, most often "
        "opensmtpd-2020-7247 (15). None of it could affect this server"
    ) in text


def test_if_all_is_not_well_it_says_what_stands() -> None:
    kind = ReportKind.ALL_IS_WELL
    assert report_subject(kind, [ALARM], HEADING) == "Secondpost mx2.example.net: 1 alarm stands"
    text = report_text(kind, [ALARM] * 30, FIGURES, UTC_ZONE, MONDAY)
    assert text.startswith("30 alarms stand:\n\nNo route (example.net)\n")
    assert "And 10 more" in text
