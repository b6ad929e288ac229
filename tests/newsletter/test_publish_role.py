"""The publish role leaves the owner's commands time."""

import asyncio
from dataclasses import replace
from pathlib import Path

from secondpost.config.records import Config, Web
from secondpost.mail.address import Domain, Mailbox
from secondpost.mail.article import FeedAnswered, FeedAsked
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.newsletter.turns import PUBLISH
from secondpost.roles.parts import FEEDS, Parts, World
from secondpost.roles.publish import PublishRole
from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from secondpost.world.real.clock import RealClock
from secondpost.world.real.dice import RealDice
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.net import RealNet
from secondpost.world.real.work import RealWork
from secondpost.world.room_disk import make_rooms
from secondpost.world.sockets.feeds import FeedAnswerer
from tests.newsletter.blog import WEEKLY

CONFIG = Config(
    path="secondpost.toml",
    hostname=Domain("mx2.example.net"),
    store="",
    owner=(Mailbox.parse("me@elsewhere.example"),),
    bounces=Domain("mx2.example.net"),
    web=Web(url=None),
    newsletters=(WEEKLY,),
)


def test_while_a_feed_is_waited_for_the_owner_can_lead(tmp_path: Path) -> None:
    async def story() -> None:
        clock, dice, work, net = RealClock(), RealDice(), RealWork(), RealNet()
        disk, failures = RealDisk(str(tmp_path)), list[BaseException]()
        make_rooms(disk)
        asked, never = asyncio.Event(), asyncio.Event()

        async def look(feed: FeedAsked) -> FeedAnswered:
            asked.set()
            await never.wait()
            raise AssertionError("nobody sets it")

        store = SqliteNewsletterStore.open(disk, work, clock, role="publish", failed=failures.append)
        owner = SqliteNewsletterStore.open(disk, work, clock, role="command", failed=failures.append)
        tasks: list[asyncio.Task[None]] = []
        answerer = FeedAnswerer(look, lambda job: tasks.append(asyncio.get_running_loop().create_task(job)))
        door = await answerer.open(net, disk.path(FEEDS))
        world = World(clock, dice, net, RealResolver((), dice), work, disk)
        config = replace(CONFIG, store=str(tmp_path))
        alarms = StandingAlarms(lambda kind, detail: None, clock.now_ms)
        role = PublishRole(Parts(config, world, lambda line: None, failures.append, alarms, readers=store))
        await role.start()
        async with asyncio.timeout(10):
            await asked.wait()
            lease = await owner.lead(PUBLISH)
        assert lease is not None
        await owner.give_back(lease)
        await role.drain()
        for task in tasks:
            task.cancel()
        door.close()
        for one in (owner, store, work, net):
            one.close()
        assert failures == []

    asyncio.run(story())
