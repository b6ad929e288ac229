"""Primaries without waiting mail: each is probed now and then, and its state is known."""

from pathlib import Path

from secondpost.deliver.idle import IDLE_SECONDS, LOOK_SECONDS_MAX
from secondpost.deliver.primaries import WRITE_AGAIN_MS
from simulation.internet.dns import Lie
from simulation.internet.talk import Talk
from tests.days.town import DOMAIN, MINUTE, OTHER, Primary, Town

PROVIDER = "mx.provider.example"


class Counted(Primary):
    """A primary that counts connections."""

    visits = 0

    async def _converse(self, talk: Talk) -> None:
        self.visits += 1
        await super()._converse(talk)


def provider_of(town: Town, *domains: str) -> Counted:
    town.primary(PROVIDER, "192.0.2.40", *domains)
    return Counted(town, "its-machine.example", "192.0.2.40")


def test_a_primary_is_looked_at_in_its_rhythm_and_never_given_a_message(tmp_path: Path) -> None:
    town = Town(tmp_path)
    primary = provider_of(town, DOMAIN)
    primary.open()
    town.start(DOMAIN)
    town.pass_by(5 * 3600.0)
    looks = 5 * 3600.0 / IDLE_SECONDS
    assert 0.85 * looks <= primary.visits <= 1.15 * looks + 1
    assert primary.offered == 0
    assert primary.connections_peak == 1


def test_a_thousand_domains_of_one_provider_cost_one_look(tmp_path: Path) -> None:
    town = Town(tmp_path)
    domains = [f"d{number}.example" for number in range(1000)]
    primary = provider_of(town, *domains)
    primary.open()
    town.start(*domains)
    town.pass_by(3600.0)
    assert primary.visits <= 3600.0 / IDLE_SECONDS * 1.15 + 2
    assert primary.connections_peak == 1


def test_one_that_goes_down_and_comes_back_is_known_to_though_nothing_waits(tmp_path: Path) -> None:
    town = Town(tmp_path)
    primary = provider_of(town, DOMAIN)
    primary.open()
    town.start(DOMAIN)
    primary.shut()
    assert town.until(lambda: len(town.log.of("site-down")) == 1, IDLE_SECONDS + LOOK_SECONDS_MAX)
    town.pass_by(20 * MINUTE)
    assert town.log.of("site-up") == []
    primary.open()
    assert town.until(lambda: len(town.log.of("site-up")) == 1, 2 * MINUTE)
    town.pass_by(20 * MINUTE)
    assert (len(town.log.of("site-down")), len(town.log.of("site-up"))) == (1, 1)


def test_a_way_that_names_lose_and_find_again_is_told_both_times(tmp_path: Path) -> None:
    town = Town(tmp_path)
    primary = provider_of(town, DOMAIN)
    primary.open()
    town.dns.lies["here", DOMAIN] = Lie()
    town.start(DOMAIN)
    town.post("anna", f"bert@{DOMAIN}")
    assert town.until(lambda: len(town.log.of("site-down")) == 1, IDLE_SECONDS)
    town.dns.lies.clear()
    assert town.until(lambda: len(primary.taken) == 1, 10 * MINUTE)
    assert [line.values()["site"] for line in town.log.of("site-up")] == [f"mx:{DOMAIN}"]


def test_mail_for_one_that_is_known_to_be_down_waits_untried(tmp_path: Path) -> None:
    town = Town(tmp_path)
    primary = provider_of(town, DOMAIN)
    town.start(DOMAIN)
    assert town.until(lambda: len(town.log.of("site-down")) == 1, IDLE_SECONDS)
    town.post("anna", f"bert@{DOMAIN}")
    town.pass_by(MINUTE)
    assert town.log.of("deferred") == []
    primary.open()
    assert town.until(lambda: len(primary.taken) == 1, 2 * MINUTE)


def test_a_restart_forgets_neither_what_is_down_nor_since_when(tmp_path: Path) -> None:
    town = Town(tmp_path)
    primary = provider_of(town, DOMAIN)
    town.start(DOMAIN)
    assert town.until(lambda: len(town.log.of("site-down")) == 1, IDLE_SECONDS)
    town.pass_by(30 * MINUTE)
    town.service.crash("deliver")
    town.pass_by(MINUTE)
    assert len(town.log.of("site-down")) == 1
    primary.open()
    assert town.until(lambda: len(town.log.of("site-up")) == 1, 2 * MINUTE)
    down_seconds = int(town.log.of("site-up")[0].values()["down"])
    assert down_seconds >= 30 * MINUTE


def test_a_domain_that_cannot_be_looked_up_is_down_until_it_can(tmp_path: Path) -> None:
    town = Town(tmp_path)
    primary = provider_of(town, DOMAIN, OTHER)
    primary.open()
    records = town.dns.mx.pop(OTHER)
    town.start(DOMAIN, OTHER)
    assert town.until(lambda: len(town.log.of("site-down")) == 1, IDLE_SECONDS)
    assert f"mx:{OTHER}" in town.log.of("site-down")[0].text
    town.dns.mx[OTHER] = records
    town.pass_by(IDLE_SECONDS * 1.2 + 2 * MINUTE)
    assert len(town.log.of("site-down")) == 1
    town.post("anna", f"bert@{OTHER}")
    assert town.until(lambda: len(primary.taken) == 1, MINUTE)


def test_mail_that_passes_takes_the_place_of_looks(tmp_path: Path) -> None:
    town = Town(tmp_path)
    primary = provider_of(town, DOMAIN)
    primary.open()
    town.start(DOMAIN)
    town.pass_by(MINUTE)
    before = primary.visits
    letters = int(3600.0 / (WRITE_AGAIN_MS / 1000))
    for number in range(letters):
        town.post(f"anna{number}", f"bert@{DOMAIN}")
        town.pass_by(WRITE_AGAIN_MS / 1000)
    assert len(primary.taken) == letters
    assert primary.visits - before == letters
