"""Servers that accept connections but stay silent, and unanswered names, delay no other mail."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from secondpost.deliver.connection import COMMAND_SECONDS
from secondpost.deliver.entrances import OPENING_MAX
from secondpost.deliver.idle import LOOKS_AT_ONCE
from secondpost.deliver.places import STILL_SECONDS, Places
from secondpost.deliver.pool import LINGER_SECONDS
from secondpost.deliver.rhythm import DeliverRhythm
from secondpost.mail.address import Endpoint
from secondpost.roles.parts import Rhythms
from simulation.clock import fence
from simulation.internet.dns import SLOW, SimResolver
from simulation.internet.senders import Manners, SimSender
from simulation.internet.talk import Talk
from simulation.people.letters import compose
from tests.days.town import MINUTE, OUR_ADDRESS, Primary, Town

SILENT = 100
GOOD = "good.example"
SOON_SECONDS = 2 * STILL_SECONDS + 1.0  # and the time to send a message over the simulated network


class Silent:
    """A server under many names that accepts everyone and sends nothing."""

    def __init__(self, town: Town, address: str, *domains: str) -> None:
        town.internet.host(address, (address,), "abroad")
        self._net = town.internet.net_for(address)
        self.connections = 0  # currently open
        self.connections_peak = 0
        for domain in domains:
            name = f"mx.{domain}"
            town.dns.addresses[name] = [address]
            town.dns.mx[domain] = [(10, name), (50, "mx2.example.net")]
        town.internet.loop.create_task(
            self._net.listen(lambda: Talk(self._net, self._listen), Endpoint(address, 25))
        )

    async def _listen(self, talk: Talk) -> None:
        self.connections += 1
        self.connections_peak = max(self.connections_peak, self.connections)
        try:
            while True:
                await talk.line(10_000.0)
        finally:
            self.connections -= 1


class SlowToGreet(Primary):
    async def _conversation(self, talk: Talk) -> None:
        await asyncio.sleep(COMMAND_SECONDS - 20.0)
        await super()._conversation(talk)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    it = Town(tmp_path / "store")
    it.internet.weather.loss_chance = 0.0
    it.sender = SimSender(
        "sender.example",
        it.internet.net_for("192.0.2.1"),
        SimResolver(it.dns, "home", it.dice.scheduling),
        Manners(pipelines=True, uses_tls=False, per_connection=1000, only_to=OUR_ADDRESS),
        it.ledger,
        it.dice.faults,
    )
    with fence(it.timeline):
        yield it
        it.machine.scrap()
        faults = it.timeline.end()
    assert [fault for fault in faults if "Gone" not in fault] == []


def silent_domains(count: int) -> list[str]:
    return [f"s{number}.example" for number in range(count)]


def post_to_all(town: Town, domains: list[str]) -> None:
    for domain in domains:
        letter = compose(town.dice.faults, domain, f"{domain}@sender.example", (f"reader@{domain}",), 500)
        town.sender.give(letter)
    assert town.until(lambda: town.sender.unsettled == 0, 4000.0)


def good_primary(town: Town) -> Primary:
    primary = town.primary("mx.good.example", "198.51.100.200", GOOD)
    primary.open()
    return primary


def has_more(primary: Primary) -> Callable[[], bool]:
    """Whether it has more than at the call."""
    taken = len(primary.taken)
    return lambda: len(primary.taken) > taken


def worst_delay(town: Town, primary: Primary, letters: int, every_seconds: float) -> float:
    """The longest delay of letters sent one after the other, from our 250 to the primary."""
    worst = 0.0
    for _ in range(letters):
        more = has_more(primary)
        town.post(f"good{len(primary.taken)}", f"reader@{GOOD}")
        begun = town.timeline.now
        assert town.until(more, 10 * MINUTE)
        worst = max(worst, town.timeline.now - begun)
        town.pass_by(every_seconds)
    return worst


def deliverer_connections(town: Town) -> int:
    ends = town.machine.processes["deliver"].net.ends
    return sum(1 for end in ends if end.local.port > 0)


def addresses(count: int) -> list[str]:
    return [f"203.0.113.{number}" for number in range(count)]


def test_silent_primaries_hold_up_no_other_and_are_gone_soon_after_their_time(town: Town) -> None:
    domains = silent_domains(SILENT)
    silent = [Silent(town, where, domain) for where, domain in zip(addresses(SILENT), domains, strict=True)]
    primary = good_primary(town)
    town.start(*domains, GOOD)
    post_to_all(town, domains)
    begun = town.timeline.now
    assert worst_delay(town, primary, 20, 5.0) < SOON_SECONDS
    # Some sites were being probed before their mail came, and the probe waits as long.
    waited_for = sum(one.connections for one in silent)
    assert SILENT <= waited_for <= SILENT + LOOKS_AT_ONCE, "RFC 5321 §4.5.3.2: a greeting has its time"
    assert begun + COMMAND_SECONDS > town.timeline.now
    town.pass_by(begun + COMMAND_SECONDS + 10.0 - town.timeline.now)
    assert len(town.log.of("site-down")) == SILENT
    assert sum(one.connections for one in silent) == 0
    town.pass_by(10 * MINUTE)  # of probes
    assert deliverer_connections(town) <= SILENT
    assert len(town.log.of("site-down")) == SILENT


def test_many_names_of_one_silent_address_share_a_few_connections(town: Town) -> None:
    domains = silent_domains(SILENT)
    silent = Silent(town, "203.0.113.1", *domains)
    primary = good_primary(town)
    town.start(*domains, GOOD)
    post_to_all(town, domains)
    assert worst_delay(town, primary, 20, 5.0) < SOON_SECONDS
    assert silent.connections_peak <= 2 * OPENING_MAX, "some are parting"
    assert town.until(lambda: len(town.log.of("site-down")) == SILENT, 10 * MINUTE)


def test_more_silent_servers_than_may_wait_aside_are_broken_off(
    town: Town,
) -> None:
    town.rhythms = Rhythms(deliver=DeliverRhythm(sites=Places(at_once=10, strangers_max=8, aside_max=30)))
    domains = silent_domains(SILENT)
    silent = [Silent(town, where, domain) for where, domain in zip(addresses(SILENT), domains, strict=True)]
    primary = good_primary(town)
    town.start(*domains, GOOD)
    town.post("first", f"reader@{GOOD}")
    assert town.until(lambda: len(primary.taken) == 1, MINUTE)
    post_to_all(town, domains)
    assert worst_delay(town, primary, 20, 1.0) < SOON_SECONDS
    assert sum(one.connections for one in silent) > 0
    assert len(town.log.of("site-down")) >= SILENT - 40


def test_servers_that_never_answer_a_message_hold_up_no_site_that_took_mail_lately(
    town: Town,
) -> None:
    town.rhythms = Rhythms(deliver=DeliverRhythm(sites=Places(at_once=10, strangers_max=8, aside_max=15)))
    domains = silent_domains(SILENT)
    hanging = []
    for where, domain in zip(addresses(SILENT), domains, strict=True):
        hanging.append(town.primary(f"mx.{domain}", where, domain))
        hanging[-1].hangs.add(domain)
        hanging[-1].open()
    primary = good_primary(town)
    town.start(*domains, GOOD)
    town.post("first", f"reader@{GOOD}")
    assert town.until(lambda: len(primary.taken) == 1, MINUTE)
    post_to_all(town, domains)
    assert worst_delay(town, primary, 20, 1.0) < SOON_SECONDS
    assert town.until(lambda: sum(one.hanging for one in hanging) == SILENT, 10 * MINUTE)
    assert len(town.log.of("maybe-duplicate")) >= SILENT - 40, "broken off behind the dot"


def test_a_slow_greeting_is_waited_for_as_long_as_the_standard_says(town: Town) -> None:
    town.dns.mx[GOOD] = [(10, "mx.good.example"), (50, "mx2.example.net")]
    primary = SlowToGreet(town, "mx.good.example", "198.51.100.200")
    primary.open()
    town.start(GOOD)
    town.post("patient", f"reader@{GOOD}")
    assert town.until(lambda: len(primary.taken) == 1, COMMAND_SECONDS + MINUTE)
    assert len(town.log.of("site-down")) == 0


def test_domains_whose_name_servers_are_silent_hold_up_no_other(town: Town) -> None:
    domains = silent_domains(SILENT)
    for domain in domains:
        town.dns.mx[domain] = [(10, f"mx.{domain}"), (50, "mx2.example.net")]
    primary = good_primary(town)
    town.start(*domains, GOOD)
    post_to_all(town, domains)
    town.dns.lies.update({("here", domain): SLOW for domain in domains})
    town.dns.lies.update({("here", f"mx.{domain}"): SLOW for domain in domains})
    town.pass_by(2 * MINUTE)  # all are down without an address, and are probed again and again
    assert worst_delay(town, primary, 10, 5.0) < SOON_SECONDS


def test_new_domains_whose_name_servers_are_silent_hold_up_no_other(town: Town) -> None:
    domains = silent_domains(SILENT)
    for domain in domains:
        town.dns.mx[domain] = [(10, f"mx.{domain}"), (50, "mx2.example.net")]
        town.dns.lies["here", domain] = SLOW
        town.dns.lies["here", f"mx.{domain}"] = SLOW
    primary = good_primary(town)
    town.start(*domains, GOOD)
    post_to_all(town, domains)
    assert worst_delay(town, primary, 10, 5.0) < SOON_SECONDS


@pytest.mark.parametrize("was_up", [True, False])
def test_a_primary_that_is_back_drains_within_a_minute_beside_many_that_are_silent(
    town: Town, was_up: bool
) -> None:
    town.rhythms = Rhythms(deliver=DeliverRhythm(looks=Places(at_once=10, strangers_max=8, aside_max=80)))
    domains = silent_domains(SILENT)
    for where, domain in zip(addresses(SILENT), domains, strict=True):
        Silent(town, where, domain)
    primary = town.primary("mx.good.example", "198.51.100.200", GOOD)
    town.start(*domains, GOOD)
    if was_up:
        primary.open()
        town.post("before", f"reader@{GOOD}")
        assert town.until(lambda: len(primary.taken) == 1, MINUTE)
        primary.shut()
    post_to_all(town, domains)
    town.post("held0", f"reader@{GOOD}")
    assert town.until(lambda: len(town.log.of("site-down")) == len(domains) + 1, 60 * MINUTE)
    for again in range(1, 4):
        town.pass_by(1.7 * MINUTE)
        more = has_more(primary)
        primary.open()
        assert town.until(more, MINUTE), "promise 4"
        primary.shut()
        town.post(f"held{again}", f"reader@{GOOD}")


def test_a_look_at_a_site_leaves_no_connection_to_its_other_hosts(town: Town) -> None:
    primary = town.primary("mx.good.example", "198.51.100.200", GOOD)
    other = SlowToGreet(town, "mx.other.example", "198.51.100.201")
    town.dns.mx[GOOD].append((20, "mx.other.example"))
    town.start(GOOD)
    town.post("held", f"reader@{GOOD}")
    assert town.until(lambda: len(town.log.of("site-down")) == 1, MINUTE)
    primary.open()
    other.open()
    assert town.until(lambda: len(primary.taken) == 1, MINUTE)
    town.pass_by(LINGER_SECONDS + 1.0)
    assert deliverer_connections(town) == 0
