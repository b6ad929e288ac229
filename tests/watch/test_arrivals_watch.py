"""The watch over arrivals: what a look notes of primaries, where networks belong, and the alarm."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from secondpost.config.records import Backup, Config, Web
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.arrivals import HourCount, NetworkOrigin
from secondpost.mail.duration import HOUR_MS, MINUTE_MS
from secondpost.mail.offered import Offered
from secondpost.store.owner_ports import SiteDown
from secondpost.store.primary_ports import Primary
from secondpost.watch.arrivals import ArrivalsWatch
from tests.alarms import logged_alarms
from tests.clock import SetClock
from tests.watch.arrival_lists import NET, SITE, ListedArrivals

US = Domain("mx2.example.net")
CONFIG = Config(
    path="secondpost.toml",
    hostname=US,
    store="/var/lib/secondpost",
    owner=(Mailbox.parse("me@elsewhere.example"),),
    bounces=US,
    web=Web(url=None),
    backups=(Backup(NET),),
)
BEGIN_MS = 1_800_000_000_000 - 1_800_000_000_000 % HOUR_MS
EAST, WEST = "192.0.2.0/24", "198.51.100.0/24"
ORIGINS = {EAST: NetworkOrigin(64_500, "EAST-TELECOM", "RU"), WEST: NetworkOrigin(64_501, "", "")}


@dataclass
class Months:
    """The watch, called every quarter of an hour."""

    store: ListedArrivals = field(default_factory=ListedArrivals)
    clock: SetClock = field(default_factory=lambda: SetClock(BEGIN_MS))
    lines: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.alarms = logged_alarms(self.lines, self.clock.now_ms)
        store, clock = self.store, self.clock
        self.watch = ArrivalsWatch(CONFIG, store, store, clock, self.alarms, self._look_up)

    async def _look_up(self, networks: Sequence[str]) -> Mapping[str, NetworkOrigin]:
        self.asked += networks
        return {one: ORIGINS[one] for one in networks if one in ORIGINS}

    def pass_by(self, hours: int, good: Mapping[str, Sequence[str]] | None = None) -> None:
        """Hours, in each of which a good mail of each of the authors comes from the networks."""
        asyncio.run(self._pass_by(hours, {} if good is None else good))

    async def _pass_by(self, hours: int, good: Mapping[str, Sequence[str]]) -> None:
        for _ in range(hours):
            at_ms = self.clock.ms - self.clock.ms % HOUR_MS
            for network, authors in good.items():
                self.store.counts += [HourCount(NET, at_ms, network, author, 1, 0, 0) for author in authors]
            for _ in range(4):
                await self.watch.look()
                self.clock.ms += 15 * MINUTE_MS


def test_a_block_is_an_alarm_that_names_network_and_country_and_ends() -> None:
    months = Months()
    months.pass_by(24 * 10)
    assert months.alarms.standing() == ()
    months.pass_by(6, {EAST: ("a.example", "b.example")})
    [alarm] = months.alarms.standing()
    assert (alarm.kind.word, alarm.subject) == ("primary-blocked", "example.net from AS64500")
    begin = "servers of AS64500 EAST-TELECOM (RU) bring mail for example.net here although its primary"
    assert alarm.detail.startswith(begin)
    assert "12 authenticated messages of 2 domains since 2027-01-25T08:00:00Z" in alarm.detail
    assert months.asked == [EAST]
    months.pass_by(30)
    assert months.alarms.standing() == ()
    [line] = [line for line in months.lines if line.startswith("alarm-over")]
    assert "hardly any mail comes here from AS64500 EAST-TELECOM (RU)" in line


def test_a_watch_that_starts_anew_knows_what_stands() -> None:
    before = Months()
    before.pass_by(24 * 10)
    before.pass_by(6, {EAST: ("a.example", "b.example")})
    after = Months(before.store, before.clock)
    after.pass_by(1)
    assert [alarm.subject for alarm in after.alarms.standing()] == ["example.net from AS64500"]


def test_a_domain_that_is_no_longer_ours_has_no_blocked_network() -> None:
    months = Months()
    months.pass_by(24 * 10)
    months.pass_by(6, {EAST: ("a.example", "b.example")})
    months.watch = ArrivalsWatch(
        replace(CONFIG, backups=()), months.store, months.store, months.clock, months.alarms, None
    )
    months.pass_by(1)
    assert months.alarms.standing() == ()
    assert all(one.ended_ms is not None for one in months.store.known.values())


def test_an_hour_is_up_only_if_the_primary_was_at_every_look_and_before() -> None:
    months = Months()
    months.store.primary = Primary(SITE, BEGIN_MS + 1, BEGIN_MS, Offered(None, False))
    months.pass_by(2)
    assert list(months.store.hours.values()) == [False, True]
    # It let us in 20 minutes ago, in the hour before: that hour is not to be trusted either.
    months.store.down.append(SiteDown(SITE, months.clock.ms, "connect", "", 0, 0))
    months.store.primary = Primary(SITE, BEGIN_MS + 1, months.clock.ms - 20 * MINUTE_MS, Offered(None, False))
    months.pass_by(1)
    assert list(months.store.hours.values()) == [False, False, False]


def test_hours_in_which_the_service_did_not_run_are_not_noted() -> None:
    months = Months()
    months.pass_by(1)
    months.clock.ms += 5 * HOUR_MS
    months.pass_by(1)
    assert len(months.store.hours) == 2


def test_a_look_that_sees_nothing_new_writes_nothing() -> None:
    months = Months()
    months.pass_by(1)
    writes = months.store.writes
    asyncio.run(months.watch.look())
    assert months.store.writes == writes + 2  # the hour that began, and what is too old now
    for _ in range(3):
        asyncio.run(months.watch.look())
    assert months.store.writes == writes + 2
