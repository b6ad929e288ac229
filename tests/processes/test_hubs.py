"""The fetch role asks no hub in a private network, though the owner reads a blog there."""

from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from secondpost.config.records import Fetch
from secondpost.mail.article import FeedAsked, FeedRead, HubSubscription
from secondpost.mail.standing_alarms import StandingAlarms
from secondpost.processes.role_builder import RoleBuilder
from secondpost.roles.parts import FEEDS, Parts, World
from secondpost.world.real.clock import RealClock
from secondpost.world.real.dice import RealDice
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.net import RealNet
from secondpost.world.real.work import RealWork
from secondpost.world.sockets.feeds import FeedAsker
from tests.web.service import CONFIG
from tests.world.web_server import WebServer, answer

pytestmark = pytest.mark.anyio
BLOG = (
    b"<rss version='2.0'><channel><title>The Blog</title><item><title>One</title><link>/1</link></item>"
    b"</channel></rss>"
)


async def test_a_feed_in_a_private_network_is_read_and_no_hub_there_is_asked(tmp_path: Path) -> None:
    failures: list[BaseException] = []
    (tmp_path / FEEDS).parent.mkdir(parents=True)
    config = replace(CONFIG, store=str(tmp_path), fetch=Fetch(allow_private=True))
    dice, net, work = RealDice(), RealNet(), RealWork(1)
    world = World(RealClock(), dice, net, RealResolver((), dice), work, RealDisk(str(tmp_path)))
    alarms = StandingAlarms(lambda *_: None, world.clock.now_ms)
    async with AsyncExitStack() as ends, WebServer({"/feed": answer("200 OK", BLOG)}).running() as near:
        ends.callback(work.close)
        parts = Parts(config, world, lambda _: None, failures.append, alarms)
        [role] = RoleBuilder(("fetch",), {}, None).built(parts, ends)
        await role.start()
        place = f"http://127.0.0.1:{near.port}"
        hub = HubSubscription(f"{place}/admin", f"{place}/feed", "https://mx2.example.net/api/websub/x", "s")
        answered = await FeedAsker(net, str(tmp_path / FEEDS)).look(
            FeedAsked(f"{place}/feed", subscription=hub)
        )
        assert isinstance(answered.found, FeedRead)
        assert [head.split(" ")[:2] for head in near.asked] == [["GET", "/feed"]]
        await role.drain()
    assert failures == []
