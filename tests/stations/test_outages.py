"""The owner hears of an outage of a primary, of mail that waits too long for it, and of the end."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from secondpost.config.records import Backup, Config, Web
from secondpost.deliver.outages import DRAIN_MS_MAX, OutageAlarms
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import State
from secondpost.mail.duration import DAY_MS, MINUTE_MS
from secondpost.mail.envelope import Lane
from tests.alarms import how_ended, logged_alarms, that_stand
from tests.store.letters import Letters, leased, settled
from tests.store.place import SqlitePlace

NET, ORG = Domain("example.net"), Domain("example.org")
SITE = "mx1.example"
HELD_AFTER_MS = 10 * MINUTE_MS
CONFIG = Config(
    path="secondpost.toml",
    hostname=Domain("mx2.example.net"),
    store="/var/lib/secondpost",
    owner=(Mailbox.parse("me@elsewhere.example"),),
    bounces=Domain("mx2.example.net"),
    web=Web(url=None),
    backups=(Backup(NET, keep_ms=10 * DAY_MS), Backup(ORG)),
)


class Watch:
    """A store whose primary goes down and comes back, and its alarms."""

    def __init__(self, folder: Path) -> None:
        self.place = SqlitePlace(str(folder))
        self.store = self.place.open()
        self.letters = Letters(self.place, self.store)
        self.lines: list[str] = []
        self.alarms = logged_alarms(self.lines, self.place.clock.now_ms)
        self.restart()

    def restart(self) -> None:
        self.outages = OutageAlarms(CONFIG, self.store, self.place.clock, self.alarms)

    async def later(self, ms: int) -> None:
        self.place.clock.ms += ms
        await self.outages.look(await self.store.counts())

    async def down(self) -> None:
        for domain in (NET, ORG):
            await self.store.hint_site(Lane.RELAY, domain, SITE)
        now_ms = self.place.clock.ms
        await self.store.site_down(SITE, "connect", "mx1: 451 4.4.1 refused", now_ms, now_ms)

    async def up(self) -> None:
        await self.store.site_up(SITE, self.place.clock.ms)

    async def deliver(self, limit: int) -> None:
        lease = await leased(self.store, SITE)
        claimed = await self.store.claim(lease, self.place.clock.ms, limit)
        assert len(claimed) == limit
        now_ms = self.place.clock.ms
        await self.store.settle(lease, [settled(one, State.DELIVERED, now_ms) for one in claimed])
        await self.store.give_back(lease)

    def detail(self, kind: AlarmKind, domain: Domain = NET) -> str:
        (detail,) = (
            each.detail
            for each in self.alarms.standing()
            if each.kind is kind and each.subject == domain.name
        )
        return detail

    def rung(self, kind: AlarmKind) -> int:
        return sum(line.startswith(f"alarm about={kind.word} ") for line in self.lines)


def watched(folder: Path, story: Callable[[Watch], Awaitable[None]]) -> None:
    async def told() -> None:
        watch = Watch(folder)
        await story(watch)
        await watch.place.close()

    asyncio.run(told())


def test_an_outage_rings_once_with_what_waits_and_ends_with_what_was_delivered(tmp_path: Path) -> None:
    async def story(watch: Watch) -> None:
        await watch.down()
        await watch.letters.send("one@example.net", "two@example.net")
        await watch.later(HELD_AFTER_MS - MINUTE_MS)
        assert watch.alarms.standing() == ()
        await watch.later(MINUTE_MS)
        assert that_stand(watch.alarms, AlarmKind.MAIL_HELD) == [NET.name, ORG.name]
        detail = watch.detail(AlarmKind.MAIL_HELD)
        assert "cannot be reached, since 2027-01-15T08:00:00Z (connect: mx1: 451 4.4.1 refused)." in detail
        assert "2 messages" in detail
        assert "the oldest until 2027-01-25T08:00:00Z" in detail
        assert "No mail waits for it yet." in watch.detail(AlarmKind.MAIL_HELD, ORG)
        await watch.letters.send("three@example.net")
        await watch.later(50 * MINUTE_MS)
        assert "3 messages" in watch.detail(AlarmKind.MAIL_HELD)
        await watch.up()
        await watch.later(0)
        assert that_stand(watch.alarms, AlarmKind.MAIL_HELD) == [NET.name], "it is not drained"
        await watch.deliver(2)
        await watch.letters.send("after@example.net")
        await watch.later(DRAIN_MS_MAX)
        assert that_stand(watch.alarms, AlarmKind.MAIL_HELD) == []
        how = how_ended(watch.alarms, AlarmKind.MAIL_HELD, NET.name)
        assert how.startswith("its primary could not be reached for 1 h")
        assert how.endswith("Since then 2 messages were delivered, and 2 messages wait.")
        assert watch.rung(AlarmKind.MAIL_HELD) == 2, "one for each domain"

    watched(tmp_path, story)


def test_a_primary_that_fails_again_before_its_mail_has_left_is_one_outage(tmp_path: Path) -> None:
    async def story(watch: Watch) -> None:
        await watch.down()
        await watch.letters.send("one@example.net")
        await watch.later(HELD_AFTER_MS)
        for _ in range(5):
            await watch.up()
            await watch.later(MINUTE_MS)
            await watch.down()
            await watch.later(MINUTE_MS)
        assert sum("about=mail-held" in line and NET.name in line for line in watch.lines) == 1
        assert "since 2027-01-15T08:00:00Z" in watch.detail(AlarmKind.MAIL_HELD)

    watched(tmp_path, story)


def test_a_restarted_process_knows_since_when_the_primary_is_down(tmp_path: Path) -> None:
    async def story(watch: Watch) -> None:
        await watch.down()
        await watch.later(HELD_AFTER_MS)
        watch.alarms = logged_alarms(watch.lines, watch.place.clock.now_ms)
        watch.restart()
        await watch.later(MINUTE_MS)
        assert "since 2027-01-15T08:00:00Z" in watch.detail(AlarmKind.MAIL_HELD)

    watched(tmp_path, story)


def test_the_time_that_mail_is_kept_rings_at_each_step_and_ends_with_the_outage(tmp_path: Path) -> None:
    async def story(watch: Watch) -> None:
        await watch.letters.send("one@example.net")
        await watch.down()
        await watch.later(HELD_AFTER_MS)
        assert that_stand(watch.alarms, AlarmKind.KEEP_RUNS_OUT) == []
        rung = []
        for _ in range(20):
            await watch.later(DAY_MS // 2)
            rung.append(watch.rung(AlarmKind.KEEP_RUNS_OUT))
        assert rung == [*[0] * 9, *[1] * 6, *[2] * 3, *[3] * 2]
        assert "has used 100 % of `keep` (10 d)" in watch.detail(AlarmKind.KEEP_RUNS_OUT)
        await watch.up()
        await watch.deliver(1)
        await watch.later(MINUTE_MS)
        assert watch.alarms.standing() == ()

    watched(tmp_path, story)


def test_a_message_that_waits_for_a_reason_of_its_own_uses_up_no_time_that_rings(tmp_path: Path) -> None:
    async def story(watch: Watch) -> None:
        await watch.letters.send("full@example.net")
        await watch.later(9 * DAY_MS)
        assert watch.alarms.standing() == ()

    watched(tmp_path, story)
