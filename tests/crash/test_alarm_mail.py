"""A power cut between any two writes: what is marked as mailed was mailed, and nothing is mailed twice."""

import asyncio
import shutil
from collections import Counter
from email import message_from_bytes
from pathlib import Path

from secondpost.config.records import Config, Web
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.alarm import AlarmKind
from secondpost.mail.content import CONTENT_FOLDER
from secondpost.mail.duration import MINUTE_MS
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.store_rooms import StoreRoom
from secondpost.store.owner_ports import Selection
from secondpost.store.sqlite import SqliteStore
from secondpost.watch.alarm_desk import AlarmDesk, MailToOwner
from secondpost.watch.roll import AlarmRoll
from secondpost.world.real.disk import RealDisk
from simulation.dice import SimDice
from simulation.disk.crash import crash_states, write_image
from simulation.disk.disk import RecordedDisk
from tests.clock import SetClock
from tests.crash.playing import QUICK, new_store
from tests.crash.stage import Stage, clock_of_the_story, open_store
from tests.store.place import content_in

HOST = Domain("mx2.example.net")
CONFIG = Config("", HOST, "", (Mailbox.parse("me@elsewhere.example"),), HOST, Web(None))
DOMAINS = ("a.example", "b.example")  # with an end three mails, of which no more may wait
STATES_MIN = 50


class Watching:
    """A deliver role's desk and the alarms of its process."""

    def __init__(self, store: SqliteStore, clock: SetClock) -> None:
        self.store, self.clock = store, clock
        self.alarms = StandingAlarms(lambda kind, detail: None, clock.now_ms)
        mail = MailToOwner(CONFIG, store.ids, lambda message, dated_ms: message, store)
        roll = AlarmRoll(clock.now_ms)
        self.desk = AlarmDesk(CONFIG, store, clock, roll, self.alarms, mail, self._no_newsletters, self._sent)

    async def _no_newsletters(self) -> tuple[str, ...]:
        return ()

    def _sent(self) -> None:
        """The tests look into the store."""

    async def look(self, later_ms: int = 10_000) -> None:
        self.clock.ms += later_ms
        await self.desk.look()

    def begin(self, *domains: str) -> None:
        for domain in domains:
            self.alarms.begin(AlarmKind.NO_ROUTE, domain, "no MX")

    async def subjects(self) -> Counter[str]:
        """Of all mails to the owner, delivered or not."""
        rows = await self.store.listed(Selection(), None, 1_000)
        mails = [message_from_bytes(await content_in(self.store, row.id.queue_id)) for row in rows]
        return Counter(str(mail["Subject"]).partition(": ")[2] for mail in mails)


async def an_outage_of_two(watching: Watching) -> None:
    """Alarms begin, get company, and end."""
    await watching.look()
    for domain in DOMAINS:
        watching.begin(domain)
        await watching.look()
    watching.alarms.end(AlarmKind.NO_ROUTE, DOMAINS[0], "it was found")
    await watching.look()
    await watching.look(2 * MINUTE_MS)


async def faults_after(image: Path, clock: SetClock) -> list[str]:
    """What is wrong after a restart that finds all alarms again."""
    failures: list[BaseException] = []
    store = open_store(RealDisk(str(image)), failures.append, clock)
    try:
        await store.sweep()
        watching = Watching(store, clock)
        marked = {
            f"{lead}no route ({one.subject})"
            for one in await store.alarms()
            for lead, at_ms in (("", one.mail.began_ms), ("over: ", one.mail.ended_ms))
            if at_ms is not None
        }
        mailed = await watching.subjects()
        if set(mailed) != marked:
            return [f"marked {marked}, mailed {mailed}"]
        watching.begin(*DOMAINS[1:])
        for _ in range(4):
            await watching.look(3 * MINUTE_MS)
        mailed = await watching.subjects()
        return [f"{many} times: {subject}" for subject, many in mailed.items() if many > 1]
    finally:
        store.close()
        assert failures == []


def test_a_cut_at_any_moment_neither_loses_nor_repeats_a_mail(folder: Path) -> None:
    async def played() -> tuple[int, list[str]]:
        write_image(new_store(), folder / "disk")
        (folder / "disk" / StoreRoom.MAIL.folder / CONTENT_FOLDER).mkdir(exist_ok=True)
        disk = RecordedDisk(folder / "disk")
        stage = Stage.on(disk)
        watching = Watching(stage.store, stage.clock)
        await an_outage_of_two(watching)
        log, end_ms = list(disk.log), stage.clock.ms
        disk.kill()
        states, faults = 0, list[str]()
        for state in crash_states(log, disk.first, dice=SimDice("cuts"), depth=QUICK):
            states += 1
            write_image(state.image, folder / "image")
            clock = clock_of_the_story()
            clock.ms = end_ms
            found = await faults_after(folder / "image", clock)
            faults += [f"cut after {state.upto} of {len(log)}: {fault}" for fault in found]
            shutil.rmtree(folder / "image")
        return states, faults

    states, faults = asyncio.run(played())
    assert faults == []
    assert states >= STATES_MIN


def test_the_whole_story_is_mailed_once(folder: Path) -> None:
    expected = [f"no route ({domain})" for domain in DOMAINS] + [f"over: no route ({DOMAINS[0]})"]
    assert asyncio.run(_story(folder)) == Counter(expected)


async def _story(folder: Path) -> Counter[str]:
    stage = Stage.on(RecordedDisk(folder / "disk"))
    watching = Watching(stage.store, stage.clock)
    await an_outage_of_two(watching)
    try:
        return await watching.subjects()
    finally:
        stage.store.close()
