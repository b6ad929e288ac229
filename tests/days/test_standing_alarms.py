"""An alarm does not outlive its process: a restarted one begins again what still stands."""

from secondpost.mail.alarm import AlarmKind
from simulation.internet.dns import Lie
from tests.alarms import that_stand
from tests.days.test_strangers import Standing
from tests.days.town import DOMAIN, MINUTE, Town


def test_an_outage_and_a_missing_route_are_known_to_the_next_process(town: Town) -> None:
    standing = Standing()
    primary = town.primary("mx.provider.example", "198.51.100.40", DOMAIN)
    primary.open()
    town.start(DOMAIN, wiring=standing.wiring)
    town.dns.lies["here", DOMAIN] = Lie()
    town.pass_by(30 * MINUTE)
    processes = len(standing.alarms)
    town.service.crash("deliver")
    town.pass_by(2 * MINUTE)
    assert len(standing.alarms) == processes + 1
    successor = standing.alarms[-1]
    assert that_stand(successor, AlarmKind.NO_ROUTE) == [f"mx:{DOMAIN}"]
    assert that_stand(successor, AlarmKind.MAIL_HELD) == [DOMAIN]
    town.dns.lies.clear()
    town.pass_by(10 * MINUTE)
    assert successor.standing() == ()
