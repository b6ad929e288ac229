"""The rounds of the desk over a real store: mails, posts and reports, each once."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from secondpost.config.records import Alarms, Config, Web
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.delivery import State
from secondpost.mail.duration import DAY_MS, HOUR_MS, MINUTE_MS
from secondpost.mail.envelope import Lane
from secondpost.mail.standing_alarms import Alarm
from secondpost.protocols.alarm_statements import SUPERVISOR, Stated
from secondpost.store.owner_ports import Selection
from secondpost.watch.alarm_desk import AlarmDesk, MailToOwner
from secondpost.watch.roll import AlarmRoll
from tests.alarms import unlogged_alarms
from tests.store.letters import settled
from tests.store.place import SqlitePlace, content_in

HOST = Domain("mx2.example.net")
OWNER = Mailbox.parse("me@elsewhere.example")
CONFIG = Config("", HOST, "", (OWNER,), HOST, Web(None))


class Office:
    def __init__(self, place: SqlitePlace, config: Config) -> None:
        self.clock = place.clock
        self.store = place.open()
        self.alarms = unlogged_alarms(self.clock.now_ms)
        self.roll = AlarmRoll(self.clock.now_ms)
        self.hints = 0
        mail = MailToOwner(config, self.store.ids, self._sign, self.store)
        self.desk = AlarmDesk(
            config, self.store, self.clock, self.roll, self.alarms, mail, self._newsletters, self._sent
        )

    def _sign(self, message: bytes, dated_ms: int) -> bytes:
        return b"DKIM-Signature: by %d\r\n" % dated_ms + message

    async def _newsletters(self) -> tuple[str, ...]:
        return ("Newsletter weekly: 3 readers.",)

    def _sent(self) -> None:
        self.hints += 1

    async def passes(self, milliseconds: int, every_ms: int = MINUTE_MS) -> None:
        until_ms = self.clock.ms + milliseconds
        while self.clock.ms < until_ms:
            self.clock.ms += min(every_ms, until_ms - self.clock.ms)
            await self.desk.look()
            await self.deliver()

    async def deliver(self) -> None:
        """The owner's server takes what waits."""
        lease = await self.store.lease(Lane.OWN, "unsorted")
        assert lease is not None
        for claimed in await self.store.claim(lease, self.clock.ms, 10):
            await self.store.settle(lease, [settled(claimed, State.DELIVERED, self.clock.ms)])
        await self.store.give_back(lease)

    async def waiting(self) -> list[EmailMessage]:
        """Mails that were not taken yet; of others the content is gone."""
        rows = [row for row in await self.store.listed(Selection(), None, 100) if row.state is State.WAITING]
        octets = [await content_in(self.store, row.id.queue_id) for row in rows]
        return [message_from_bytes(one, policy=policy.default) for one in octets]


def in_office(
    tmp_path: Path, story: Callable[[Office], Coroutine[None, None, None]], config: Config = CONFIG
) -> None:
    async def day() -> None:
        place = SqlitePlace(str(tmp_path))
        try:
            await story(Office(place, config))
        finally:
            await place.close()

    asyncio.run(day())


def stated(*subjects: str) -> Stated:
    return Stated(SUPERVISOR, tuple(Alarm(AlarmKind.ROLE_DIED, one, "killed", 0, 0) for one in subjects))


def test_what_another_process_states_is_mailed_signed_and_hinted(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        office.roll.heard(1, stated("web"))
        office.alarms.begin(AlarmKind.NO_ROUTE, "example.net", "no MX")
        await office.desk.look()
        await office.desk.look()
        [mail] = await office.waiting()
        assert mail["Subject"] == "Secondpost mx2.example.net: role died (web) and 1 more"
        assert mail["DKIM-Signature"] == f"by {office.clock.ms}"
        assert office.hints == 1
        await office.deliver()
        office.roll.heard(1, stated())
        await office.passes(2 * MINUTE_MS)
        assert office.hints == 2
        assert {one.mail.ended_ms is not None for one in await office.store.alarms()} == {True, False}

    in_office(tmp_path, story)


def test_what_a_process_states_with_its_last_words_is_noted(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        office.roll.heard(1, stated("web"))
        office.roll.left(1)
        await office.desk.look()
        assert [one.subject for one in await office.store.alarms()] == ["web"]

    in_office(tmp_path, story)


def test_a_clock_set_back_to_the_time_of_an_earlier_notice_stops_nothing(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        sent_ms = office.clock.ms
        for name in ("web", "fetch"):
            office.clock.ms = sent_ms
            office.roll.heard(1, stated(name))
            await office.desk.look()
            await office.deliver()
        assert office.hints == 2

    in_office(tmp_path, story)


def test_of_two_desks_one_sends(tmp_path: Path) -> None:
    """A deliver role and its successor overlap for a moment."""

    async def story(office: Office) -> None:
        place = SqlitePlace(str(tmp_path), office.clock)
        successor = Office(place, CONFIG)
        for one in (office, successor):
            one.alarms.begin(AlarmKind.NO_ROUTE, "example.net", "no MX")
        for _ in range(3):
            await asyncio.gather(office.desk.look(), successor.desk.look())
        assert office.hints + successor.hints == 1
        assert len(await office.waiting()) == 1
        await place.close()

    in_office(tmp_path, story)


def test_each_alarm_is_posted_and_the_post_does_not_wait_for_the_mail(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        for number in range(5):  # more mails than may wait
            office.alarms.begin(AlarmKind.NO_ROUTE, f"{number}.example", "no MX")
            office.clock.ms += HOUR_MS
            await office.desk.look()
            post = await office.store.post_due(office.clock.ms)
            assert post is not None
            assert json.loads(post.body)["subject"] == f"{number}.example"
            await office.store.drop_post(post)
            assert await office.store.post_due(office.clock.ms) is None
        assert len(await office.waiting()) == 3

    in_office(tmp_path, story, replace(CONFIG, alarms=Alarms(webhook="https://chat.example/hook")))


def test_all_is_well_each_monday(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        await office.passes(15 * DAY_MS, HOUR_MS)
        assert office.hints == 2
        await office.desk.look()
        office.clock.ms += 7 * DAY_MS
        await office.desk.look()
        [mail] = await office.waiting()
        assert mail["Subject"] == "Secondpost mx2.example.net: all is well"
        assert "Newsletter weekly: 3 readers." in mail.get_content()

    in_office(tmp_path, story)


def test_old_notices_are_forgotten(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        office.alarms.begin(AlarmKind.NO_ROUTE, "example.net", "no MX")
        await office.passes(60 * DAY_MS, 12 * HOUR_MS)
        sent = await office.store.sent_notices()
        assert 25 <= len(sent) <= 35
        assert not any(one.is_waiting for one in sent)

    in_office(tmp_path, story)
