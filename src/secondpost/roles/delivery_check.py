"""Runs a self-test with the real network, DNS, clock and store."""

from base64 import b32encode
from dataclasses import dataclass

from secondpost.config.files import read_password
from secondpost.config.records import Config
from secondpost.deliver.logins import Logins
from secondpost.deliver.routes import Routes
from secondpost.mail.address import Mailbox
from secondpost.roles.desk import open_desk
from secondpost.roles.heard_net import HeardNet
from secondpost.roles.heard_talk import Talker
from secondpost.roles.relay_names import relay_names
from secondpost.roles.self_test import SelfTester
from secondpost.setup.self_test import SelfTest
from secondpost.setup.trust_settings import Relay
from secondpost.world.asking import names_from
from secondpost.world.background import BackgroundTasks
from secondpost.world.real.clock import RealClock
from secondpost.world.real.dice import RealDice
from secondpost.world.real.dns import RealResolver
from secondpost.world.real.work import RealWork

TOKEN_OCTETS = 5  # eight letters


@dataclass(frozen=True, slots=True)
class SelfTestDone:
    test: SelfTest
    relay: Relay


async def run_self_test(config: Config, to: Mailbox) -> SelfTestDone:
    dice = RealDice()
    resolver, net, work = RealResolver(config.dns.servers, dice), HeardNet(), RealWork()
    failures: list[BaseException] = []
    now_ms = RealClock().now_ms()
    token = b32encode(dice.token(TOKEN_OCTETS)).decode("ascii").lower()
    try:
        names = await relay_names(config, resolver)
        logins = Logins(read_password, work, dice)
        background = BackgroundTasks(failures.append)
        talker = Talker(config, net, logins, background.run, now_ms)
        tester = SelfTester(config, Routes(config, names_from(resolver), names.us), talker, now_ms)
        test = await tester.send(to, token, lambda: open_desk(config))
        for failure in failures:
            raise failure
        return SelfTestDone(test, names.relay)
    finally:
        work.close()
        net.close()
        resolver.close()
