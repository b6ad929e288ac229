"""The owner is warned in time when the stored mail nears its limits."""

from dataclasses import replace

from secondpost.config.records import Backup, Config, Web
from secondpost.deliver.disk_alarms import DiskAlarms, Filling, fillings
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.alarm import AlarmKind, Severity
from secondpost.mail.delivery import KeptFor, State
from secondpost.mail.envelope import Lane
from secondpost.store.owner_ports import Count
from tests.alarms import logged_alarms, that_stand, unlogged_alarms

DOMAIN = Domain("example.net")
CONFIG = Config(
    path="secondpost.toml",
    hostname=Domain("mx2.example.net"),
    store="/var/lib/secondpost",
    owner=(Mailbox.parse("me@elsewhere.example"),),
    bounces=Domain("mx2.example.net"),
    web=Web(url=None),
    backups=(Backup(DOMAIN, quota=1000),),
)


def count(octets: int, kept_for: KeptFor | None = None) -> Count:
    state = State.WAITING if kept_for is None else State.KEPT
    return Count(Lane.RELAY, DOMAIN.name, state, kept_for, "mx1", False, 1, octets, 0)


def test_disk_and_quota_are_measured_by_what_lies_here() -> None:
    found = fillings(CONFIG, [count(300), count(200)], free=500)
    assert found == [Filling("disk", 500, 1000), Filling("example.net", 500, 1000)]


def test_what_the_primary_refused_fills_the_disk_and_no_quota() -> None:
    counts = [count(300), count(200, KeptFor.REFUSED), count(50, KeptFor.EXPIRED)]
    found = fillings(CONFIG, counts, free=450)
    assert found == [Filling("disk", 550, 1000), Filling("example.net", 350, 1000)]


def test_an_empty_store_on_a_roomy_disk_fills_nothing() -> None:
    assert fillings(replace(CONFIG, backups=()), [], free=10**9) == []


def test_a_disk_that_others_filled_is_full() -> None:
    (disk, _) = fillings(CONFIG, [], free=-5)
    assert disk.step == 90


def test_each_step_rings_once_until_it_is_left() -> None:
    lines: list[str] = []
    alarms = logged_alarms(lines)
    disk = DiskAlarms(alarms)
    for used in (10, 69, 70, 75, 90, 95, 71, 91, 10, 70):
        disk.look([Filling("disk", used, 100)])
    rung = [line for line in lines if line.startswith("alarm ")]
    assert [line.partition("more than ")[2] for line in rung] == ['70 %"', '90 %"', '90 %"', '70 %"']
    disk.look([Filling("disk", 69, 100)])
    assert alarms.standing() == ()


def test_a_disk_that_is_nearly_full_is_severe() -> None:
    alarms = unlogged_alarms()
    severities = []
    for used in (70, 90):
        DiskAlarms(alarms).look([Filling("disk", used, 100)])
        severities += [alarm.severity for alarm in alarms.standing()]
    assert severities == [Severity.LOOK, Severity.ACT]


def test_new_mail_that_has_no_room_is_an_alarm_of_its_own_until_there_is_room() -> None:
    alarms = unlogged_alarms()
    disk = DiskAlarms(alarms)
    disk.look([*fillings(CONFIG, [count(990)], free=0)])
    assert that_stand(alarms, AlarmKind.NO_ROOM) == ["disk", DOMAIN.name]
    disk.look([*fillings(CONFIG, [count(900)], free=10**9)])
    assert that_stand(alarms, AlarmKind.NO_ROOM) == []
    assert that_stand(alarms, AlarmKind.FILLING_UP) == [DOMAIN.name]
    disk.look(fillings(replace(CONFIG, backups=()), [], free=10**9))
    assert alarms.standing() == ()
