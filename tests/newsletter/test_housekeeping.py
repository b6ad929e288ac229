"""The deliver role does the housekeeping of the newsletter's store, as of the other one."""

import asyncio
import os
from pathlib import Path

from secondpost.compose.confirmations import Confirmations
from secondpost.config.records import Config, Web
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.mail.subscriber import SubscriberState
from secondpost.protocols.tokens import KEY_OCTETS, KeyRing, Ring
from secondpost.roles.deliver import DeliverRole, NewsletterDelivery
from secondpost.roles.parts import Parts, World
from secondpost.signing.assembly import ReaderKeys
from secondpost.store.sqlite import SqliteStore
from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from secondpost.store.subscriber_ports import BATCH_READERS_MAX, Imported
from secondpost.world.real.clock import RealClock
from secondpost.world.real.dice import RealDice
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.net import RealNet
from secondpost.world.real.work import RealWork
from secondpost.world.room_disk import make_rooms
from tests.newsletter.blog import WEEKLY
from tests.protocols.dkim_keys import keys

READERS = 20_000  # their rows fill more of the log than may wait before it is copied


def test_the_log_of_the_newsletters_store_is_copied_into_it(tmp_path: Path) -> None:
    config = Config(
        path="secondpost.toml",
        hostname=Domain("mx2.example.net"),
        store=str(tmp_path),
        owner=(Mailbox.parse("me@elsewhere.example"),),
        bounces=Domain("mx2.example.net"),
        web=Web(url=None),
        newsletters=(WEEKLY,),
    )
    rings = (KeyRing(ring, {1: bytes(range(KEY_OCTETS))}) for ring in (Ring.LINKS, Ring.ADDRESSES))

    async def story() -> None:
        clock, dice, work, net = RealClock(), RealDice(), RealWork(), RealNet()
        disk, failures = RealDisk(str(tmp_path)), list[BaseException]()
        make_rooms(disk)
        mail = SqliteStore.open(disk, work, clock, role="deliver", failed=failures.append)
        readers = SqliteNewsletterStore.open(disk, work, clock, role="deliver", failed=failures.append)
        world = World(clock, dice, net, RealResolver((), dice), work, disk)
        delivery = NewsletterDelivery(
            readers, ReaderKeys(keys().signing, *rings), Confirmations(config, readers, readers).content
        )
        alarms = StandingAlarms(lambda kind, detail: None, clock.now_ms)
        role = DeliverRole(Parts(config, world, lambda line: None, failures.append, alarms, mail), delivery)
        await role.start()
        database = str(tmp_path / "newsletter" / "newsletter.db")
        before = os.path.getsize(database)
        for start in range(0, READERS, BATCH_READERS_MAX):
            lines = [
                Imported(Mailbox.parse(f"u{n}@reader.example"))
                for n in range(start, start + BATCH_READERS_MAX)
            ]
            await readers.import_batch("weekly", lines, SubscriberState.PENDING, None, clock.now_ms())
        async with asyncio.timeout(20):
            while os.path.getsize(database) < before + 1_000_000:
                await asyncio.sleep(0.05)
        await role.drain()
        for one in (readers, mail, work, net):
            one.close()
        assert failures == []

    asyncio.run(story())
