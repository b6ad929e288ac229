"""Senders that close their sending side with the last dot, and clients that read nothing."""

import pytest

from secondpost.mail.address import Endpoint
from secondpost.world.closing import CLOSE_SECONDS_MAX
from simulation.clock import run
from simulation.internet.senders import Manners
from simulation.internet.talk import Talk
from simulation.people.letters import Heard, compose
from tests.days.town import DOMAIN, MINUTE, OUR_ADDRESS, READER, Town

LETTERS = 40
DEAF = 40
TIMEOUT_SECONDS = 300.0  # a client's default time-out
WAITING_OCTETS_MAX = 100_000  # of unread replies to one client


@pytest.mark.parametrize("is_up", [True, False], ids=["up", "down"])
@pytest.mark.parametrize("per_connection", [1, 7])
@pytest.mark.parametrize("uses_tls", [True, False], ids=["tls", "clear"])
def test_a_sender_that_ends_with_its_dot_hears_that_we_have_it_and_it_arrives_once(
    town: Town, is_up: bool, per_connection: int, uses_tls: bool
) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    if uses_tls:
        town.machine.host.certificate = ("mx2.example.net",)
    if is_up:
        primary.open()
    town.start(DOMAIN)
    sender = town.sending(
        Manners(pipelines=True, uses_tls=uses_tls, per_connection=per_connection, ends_with_dot=True)
    )
    for number in range(LETTERS):
        sender.give(compose(town.dice.faults, f"m{number}", f"m{number}@sender.example", (READER,), 500))
    assert town.until(lambda: sender.unsettled == 0, MINUTE)
    assert [handing.heard for handing in town.ledger.handings] == [Heard.ACKNOWLEDGED] * LETTERS
    if not is_up:
        primary.open()
    assert town.until(lambda: len(primary.taken) >= LETTERS, 5 * MINUTE)
    town.pass_by(10 * MINUTE)
    taken = [sender for sender, _, _ in primary.taken]
    assert sorted(taken) == sorted(f"m{number}" for number in range(LETTERS))


def test_callers_who_never_read_are_gone_when_their_time_is_over_and_others_are_served(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.open()
    town.start(DOMAIN)
    net = town.internet.net_for("192.0.2.1")
    ends = town.machine.processes["receive"].net.ends

    async def call() -> None:
        talk = Talk(net)
        await net.connect(lambda: talk, Endpoint(OUR_ADDRESS, 25), 30.0)
        talk.transport.pause_reading()
        talk.say("EHLO deaf.example", "MAIL FROM:<>", *[f"RCPT TO:<{READER}>"] * 10_000)

    for _ in range(DEAF):
        run(call(), town.timeline, town.internet.loop)
    town.pass_by(TIMEOUT_SECONDS / 2)
    assert len([end for end in ends if end.local.port == 25]) == DEAF
    assert max(end.unsent_octets for end in ends) < WAITING_OCTETS_MAX
    town.post("good", READER)
    assert town.until(lambda: len(primary.taken) == 1, MINUTE)
    town.pass_by(TIMEOUT_SECONDS / 2 + 2 * CLOSE_SECONDS_MAX)
    assert [end for end in ends if end.local.port == 25] == []
    assert len(town.log.of("lost-connection")) == DEAF
