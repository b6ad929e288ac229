"""The owner hears in time that the certificate ends, again when it is urgent, and of the new one."""

import pytest

from secondpost.mail.alarm import AlarmKind, Severity
from secondpost.mail.duration import DAY_MS, HOUR_MS
from secondpost.setup.certificate_alarm import CertificateAlarm, Validity
from tests.alarms import how_ended, logged_alarms
from tests.clock import START_MS, SetClock

PATH = "/etc/ssl/mx2.pem"
QUARTER = Validity(START_MS, START_MS + 90 * DAY_MS)
WEEK = Validity(START_MS, START_MS + 6 * DAY_MS)


class Watched:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.clock = SetClock()
        self.alarms = logged_alarms(self.lines, self.clock.now_ms)
        self.alarm = CertificateAlarm(PATH, self.clock, self.alarms)

    def at(self, validity: Validity | None, left_ms: int, of: Validity = QUARTER) -> Severity | None:
        """The severity of the alarm when the certificate has this much time left."""
        self.clock.ms = of.ends_ms - left_ms
        self.alarm.look(validity, "not a certificate and its key")
        standing = self.alarms.standing()
        assert len(standing) <= 1
        return standing[0].severity if len(standing) == 1 else None


def test_it_rings_under_21_days_and_again_under_three() -> None:
    watched = Watched()
    seen = [watched.at(QUARTER, days * DAY_MS) for days in (30, 21)]
    assert seen == [None, None]
    seen = [watched.at(QUARTER, days * DAY_MS - 1) for days in (21, 10, 3, 1, 0, -5)]
    assert seen == [*[Severity.LOOK] * 2, *[Severity.ACT] * 4]
    assert [line.split()[1] for line in watched.lines] == ["about=certificate-ends"] * 2
    assert "ended at 2027-04-15T08:00:00Z" in watched.alarms.standing()[0].detail


def test_a_fresh_one_ends_it_and_says_until_when_it_lasts() -> None:
    watched = Watched()
    watched.at(QUARTER, DAY_MS)
    fresh = Validity(QUARTER.ends_ms, QUARTER.ends_ms + 90 * DAY_MS)
    assert watched.at(fresh, DAY_MS) is None
    how = how_ended(watched.alarms, AlarmKind.CERTIFICATE_ENDS, PATH)
    assert how == "the one in use now ends at 2027-07-14T08:00:00Z, in 91 d"


@pytest.mark.parametrize(
    ("left_ms", "severity"),
    [(2 * DAY_MS, None), (36 * HOUR_MS - 1, Severity.LOOK), (5 * HOUR_MS, Severity.ACT)],
)
def test_one_of_a_few_days_is_judged_by_parts_of_them(left_ms: int, severity: Severity | None) -> None:
    assert Watched().at(WEEK, left_ms, WEEK) is severity


def test_files_that_cannot_be_used_ring_and_the_days_of_the_one_in_use_count_on() -> None:
    watched = Watched()
    assert watched.at(QUARTER, 60 * DAY_MS) is None
    assert watched.at(None, 59 * DAY_MS) is Severity.LOOK
    (alarm,) = watched.alarms.standing()
    assert alarm.detail == (
        "it cannot be used: not a certificate and its key; the one in use ends at "
        "2027-04-15T08:00:00Z, in 59 d"
    )
    assert watched.at(None, DAY_MS) is Severity.ACT
    assert watched.at(QUARTER, 30 * DAY_MS) is None


def test_files_that_were_never_good_ring() -> None:
    assert Watched().at(None, 0) is Severity.LOOK
