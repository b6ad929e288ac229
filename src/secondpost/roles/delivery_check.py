"""Runs a self-test with the real network, DNS, clock and store."""

from base64 import b32encode
from dataclasses import dataclass

from secondpost.config.records import Config
from secondpost.mail.address import Mailbox
from secondpost.roles.desk import open_desk
from secondpost.roles.heard_net import HeardNet
from secondpost.roles.relay_names import relay_names
from secondpost.roles.self_test import SelfTester
from secondpost.setup.self_test import SelfTest
from secondpost.setup.trust_settings import Relay
from secondpost.world.asking import names_from
from secondpost.world.real.clock import RealClock
from secondpost.world.real.dice import RealDice
from secondpost.world.real.dns import RealResolver

TOKEN_OCTETS = 5  # eight letters


@dataclass(frozen=True, slots=True)
class SelfTestDone:
    test: SelfTest
    relay: Relay


async def run_self_test(config: Config, to: Mailbox) -> SelfTestDone:
    dice = RealDice()
    resolver, net = RealResolver(config.dns.servers, dice), HeardNet()
    token = b32encode(dice.token(TOKEN_OCTETS)).decode("ascii").lower()
    try:
        names = await relay_names(config, resolver)
        tester = SelfTester(config, net, names_from(resolver), names.us, RealClock().now_ms())
        test = await tester.send(to, token, lambda: open_desk(config))
        return SelfTestDone(test, names.relay)
    finally:
        net.close()
        resolver.close()
