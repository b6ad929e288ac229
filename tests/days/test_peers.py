"""Other people's servers without Secondpost: a primary keeps exactly what it acknowledged."""

from dataclasses import replace

import pytest

from simulation.clock import Timeline, run
from simulation.dice import SimDice
from simulation.internet.dns import SERVFAIL, SimDns, SimResolver
from simulation.internet.net import SimInternet
from simulation.internet.primaries import BENIGN, Character, Drop, ReceivingServer
from simulation.internet.senders import Manners, SimSender
from simulation.people.letters import Heard, LetterLedger, compose, marker_of

DOMAIN = "a.example"


class Town:
    """One sender, two primaries of one domain."""

    def __init__(self, manners: Manners, seed: str = "town") -> None:
        self.timeline = Timeline(SimDice(seed))
        self.dice = SimDice(seed + "faults")
        self.internet = SimInternet(self.timeline, SimDice(seed + "scheduling"), self.dice)
        self.dns = SimDns(
            mx={DOMAIN: [(10, "mx1.a.example"), (20, "mx2.a.example")]},
            addresses={"mx1.a.example": ["198.51.100.1"], "mx2.a.example": ["198.51.100.2"]},
        )
        self.internet.host("sender", ("192.0.2.1",), "home")
        self.ledger = LetterLedger()
        self.servers = []
        for name, address in (("mx1.a.example", "198.51.100.1"), ("mx2.a.example", "198.51.100.2")):
            self.internet.host(name, (address,), "abroad").certificate = (name,)
            net = self.internet.net_for(address)
            self.servers.append(ReceivingServer(name, address, net, frozenset({DOMAIN}), self.dice))
        self.sender = SimSender(
            "sender.example",
            self.internet.net_for("192.0.2.1"),
            SimResolver(self.dns, "home", SimDice("names")),
            manners,
            self.ledger,
            self.dice,
        )

    def open(self) -> None:
        for server in self.servers:
            run(server.open(), self.timeline, self.internet.loop)

    def post(self, letters: int, *locals_: str) -> None:
        for number in range(letters):
            recipients = tuple(f"{local}@{DOMAIN}" for local in locals_ or ("one", "two"))
            self.sender.give(
                compose(self.dice, f"m{number}", "writer@sender.example", recipients, 100 * number)
            )

    def finish(self) -> None:
        assert self.timeline.run_until(lambda: self.sender.unsettled == 0, 10 * 86_400)

    def taken(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for server in self.servers:
            for taken in server.taken:
                assert taken.marker is not None
                assert taken.content == self.ledger.letters[taken.marker].content
                counts[taken.marker] = counts.get(taken.marker, 0) + 1
        return counts

    def heard(self, heard: Heard) -> int:
        return sum(1 for handing in self.ledger.handings if handing.heard is heard)


@pytest.mark.parametrize(
    "manners",
    [
        Manners(),
        Manners(pipelines=True, per_connection=7),
        Manners(extended=False, uses_tls=False),
        Manners(per_connection=30, uses_tls=False),
        Manners(per_connection=3, ends_with_dot=True),
        Manners(uses_tls=False, ends_with_dot=True),
    ],
)
def test_every_letter_arrives_once_and_unchanged_at_the_best_host(manners: Manners) -> None:
    town = Town(manners)
    town.open()
    town.post(60)
    town.finish()
    assert town.taken() == {f"m{number}": 1 for number in range(60)}
    assert len(town.servers[1].taken) == 0
    assert town.heard(Heard.ACKNOWLEDGED) == 60


def test_the_second_host_takes_over_while_the_first_is_down() -> None:
    town = Town(Manners())
    town.open()
    town.servers[0].shut()
    town.post(10)
    town.finish()
    assert len(town.servers[1].taken) == 10


def test_a_sender_comes_back_until_a_blocked_network_is_open_again() -> None:
    town = Town(Manners())
    town.open()
    town.internet.block("home", "abroad")
    town.internet.loop.call_later(20_000, town.internet.unblock, "home", "abroad")
    town.post(10)
    town.finish()
    assert len(town.taken()) == 10
    assert town.timeline.now > 20_000


def test_a_name_server_that_lies_delays_and_loses_nothing() -> None:
    town = Town(Manners())
    town.open()
    town.dns.lies[("home", DOMAIN)] = SERVFAIL
    town.internet.loop.call_later(5_000, town.dns.lies.clear)
    town.post(5)
    town.finish()
    assert len(town.taken()) == 5


def test_a_refused_recipient_is_settled_and_the_others_are_served() -> None:
    town = Town(Manners(pipelines=True))
    town.open()
    for server in town.servers:
        server.unknown = frozenset({"nobody"})
    town.post(5, "one", "nobody")
    town.post(1, "nobody")
    town.finish()
    assert town.heard(Heard.REFUSED) == 6
    assert {taken.recipients for taken in town.servers[0].taken} == {(f"one@{DOMAIN}",)}


@pytest.mark.parametrize(
    "character",
    [
        Character(greylist_seconds=400),
        Character(tarpit_seconds=20),
        Character(full_chance=0.5),
        Character(dot_deferred_chance=0.5),
        Character(shutdown_chance=0.5),
        Character(drop=Drop.GREETING, drop_chance=0.5),
        Character(drop=Drop.RCPT, drop_chance=0.5),
        Character(drop=Drop.DATA, drop_chance=0.5),
        Character(drop=Drop.DOT_UNTAKEN, drop_chance=0.5),
    ],
)
def test_a_difficult_primary_still_gets_every_letter_exactly_once(character: Character) -> None:
    town = Town(Manners(per_connection=3))
    town.open()
    for server in town.servers:
        server.character = character
    town.post(20, "one")
    town.finish()
    assert town.taken() == {f"m{number}": 1 for number in range(20)}


def test_a_reply_lost_after_the_dot_is_the_one_way_to_a_second_copy() -> None:
    town = Town(Manners())
    town.open()
    for server in town.servers:
        server.character = replace(BENIGN, drop=Drop.DOT_TAKEN, drop_chance=0.5)
    town.post(30, "one")
    town.finish()
    copies = sum(town.taken().values())
    assert copies == 30 + town.heard(Heard.UNANSWERED)
    assert copies > 30


def test_an_impatient_sender_leaves_copies_only_where_it_did_not_wait() -> None:
    town = Town(Manners(vanishes_chance=0.3, breaks_chance=0.3, uses_tls=False))
    town.open()
    town.post(40, "one")
    town.finish()
    counts = town.taken()
    assert len(counts) == 40
    assert sum(counts.values()) <= 40 + town.heard(Heard.UNANSWERED)


def test_a_liar_never_makes_a_sender_believe_more_than_it_took() -> None:
    town = Town(Manners())
    town.open()
    for server in town.servers:
        server.character = Character(lie_chance=0.1)
    town.post(40, "one")
    town.finish()
    taken = town.taken()
    for handing in town.ledger.handings:
        assert handing.heard is not Heard.ACKNOWLEDGED or handing.marker in taken


def test_a_mad_internet_loses_nothing_among_honest_servers() -> None:
    town = Town(Manners(per_connection=4))
    town.open()
    town.internet.weather.reset_chance = 0.2
    town.internet.weather.silence_chance = 0.1
    town.internet.weather.loss_chance = 0.1
    town.post(60, "one")
    town.finish()
    counts = town.taken()
    assert len(counts) == 60
    assert sum(counts.values()) <= 60 + town.heard(Heard.UNANSWERED)
    assert town.internet.complaints == []
    assert town.timeline.end() == []


def test_the_same_seed_is_the_same_town() -> None:
    def story(seed: str) -> list[tuple[str, float]]:
        town = Town(Manners(vanishes_chance=0.2, per_connection=2), seed)
        town.open()
        town.internet.weather.reset_chance = 0.2
        town.post(20)
        town.finish()
        return [(handing.marker, handing.at_seconds) for handing in town.ledger.handings]

    assert story("x") == story("x")
    assert story("x") != story("y")


def test_a_marker_is_found_in_the_header_alone() -> None:
    assert marker_of(b"Received: x\r\nX-Marker: m7\r\n\r\nX-Marker: m8\r\n") == "m7"
    assert marker_of(b"Subject: none\r\n\r\nX-Marker: m8\r\n") is None
