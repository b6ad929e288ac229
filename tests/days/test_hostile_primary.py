"""Primaries that harm those who wait behind: one bad message, or one bad host, must hold up nobody else."""

import asyncio
from collections.abc import Callable, Iterator
from errno import ENOSPC
from pathlib import Path

import pytest

from secondpost.config.records import (
    AnyRecipient,
    Backup,
    Config,
    Deliver,
    LearnedRecipients,
    Receive,
    RecipientSource,
    Web,
)
from secondpost.deliver.site import LINGER_SECONDS
from secondpost.mail.address import Domain, Endpoint, Mailbox
from simulation.blog import Blog
from simulation.clock import Timeline, fence
from simulation.daylog import DayLog
from simulation.dice import ThreeDice
from simulation.dns import SimDns, SimResolver
from simulation.letters import Ledger, compose
from simulation.machine import Machine
from simulation.net import SimInternet
from simulation.senders import Manners, SendingServer
from simulation.service import RESTART_SECONDS, Service, as_built
from simulation.talk import Gone, Talk
from simulation.trace import Trace
from simulation.work import Pace

OURS = "mx2.example.net"
OUR_ADDRESS = "192.0.2.25"
MINUTE = 60.0
ANYBODY = AnyRecipient()


class Primary:
    """Takes everything but what it is told not to; knows messages by the local part of their sender."""

    def __init__(self, town: "Town", name: str, address: str) -> None:
        town.internet.host(name, (address,), "abroad")
        town.dns.addresses[name] = [address]
        self.town = town
        self.net = town.internet.net_for(address)
        self.address = address
        self.taken: list[tuple[str, tuple[str, ...], float]] = []  # sender, recipients, seconds
        self.connections = 0  # open now
        self.connections_peak = 0
        self.hanging = 0  # messages
        self.hangs: set[str] = set()  # never answered after the dot
        self.shuts: set[str] = set()  # 421 after the dot
        self.garbles: set[str] = set()
        self.refuses_early: set[str] = set()  # 451 in the midst of the content, and hangs up
        self.offered = 0  # recipients
        self.refusal = ""  # of every recipient
        self.mailboxes: set[str] | None = None  # local parts; None: every address is taken
        self.asked: list[tuple[float, str]] = []  # seconds and local part of each RCPT
        self.refused_at: list[float] = []  # seconds
        self.refusals_max = 20  # on one connection, then it parts with 421 (Postfix: smtpd_hard_error_limit)
        self.busy = False  # 421 to every MAIL
        self.messages_max = 1000  # on one connection, then it hangs up without a word
        self.mails_max = 1000  # on one connection, then it answers 452 to MAIL (OpenSMTPD: 100)
        self.recipient_seconds = 0.0
        self.pipelining = True
        self.flees_tls = False  # offers STARTTLS and hangs up when it is taken at its word

    def open(self) -> None:
        self.town.internet.loop.create_task(
            self.net.listen(lambda: Talk(self.net, self._converse), Endpoint(self.address, 25))
        )

    def shut(self) -> None:
        self.net.die(silently=False)

    async def _converse(self, talk: Talk) -> None:
        self.connections += 1
        self.connections_peak = max(self.connections_peak, self.connections)
        try:
            await self._conversation(talk)
        finally:
            self.connections -= 1

    async def _conversation(self, talk: Talk) -> None:
        answered, refused, sender, recipients = 0, 0, "", list[str]()
        talk.say("220 primary.example ESMTP")
        while True:
            line = await talk.line()
            match line[:4].upper():
                case "EHLO":
                    tls = ["250-STARTTLS"] if self.flees_tls else []
                    last = "250 PIPELINING" if self.pipelining else "250 SIZE"
                    talk.say("250-primary.example", *tls, last)
                case "STAR":
                    raise Gone("no TLS after all")
                case "MAIL":
                    if self.busy:
                        talk.say("421 4.3.2 come again later")
                        raise Gone("busy")
                    if answered >= self.mails_max:
                        talk.say("452 4.5.3 Too many recipients: Too many messages sent")
                        continue
                    sender, recipients = line.partition("<")[2].partition("@")[0], []
                    talk.say("250 ok")
                case "RCPT":
                    self.offered += 1
                    await asyncio.sleep(self.recipient_seconds)
                    named = line.partition("<")[2].partition(">")[0]
                    local = named.partition("@")[0]
                    self.asked.append((self.town.timeline.now, local))
                    refusal = self._refusal(sender, local)
                    if len(refusal) > 0:
                        self.refused_at.append(self.town.timeline.now)
                        refused += 1
                        talk.say(refusal)
                        if refused >= self.refusals_max:
                            talk.say("421 4.7.0 too many errors")
                            raise Gone("too many errors")
                        continue
                    recipients.append(named)
                    talk.say("250 ok")
                case "DATA" if len(recipients) == 0:
                    talk.say("554 5.5.1 nobody")
                case "DATA":
                    talk.say("354 go on")
                    await self._content(talk, sender, tuple(recipients))
                    answered += 1
                    if answered == self.messages_max:
                        raise Gone("enough")
                case "QUIT":
                    talk.say("221 bye")
                    return
                case _:
                    talk.say("250 ok")

    def _refusal(self, sender: str, local: str) -> str:
        """Of a recipient; "": it is taken."""
        if sender.startswith("unwelcome"):
            return "550 5.7.1 this sender may not write to us"
        user = local.partition("+")[0]
        if len(self.refusal) > 0 or self.mailboxes is None or user in self.mailboxes:
            return self.refusal
        return f"550 5.1.1 <{local}>: Recipient address rejected: User unknown"

    async def _content(self, talk: Talk, sender: str, recipients: tuple[str, ...]) -> None:
        if sender in self.refuses_early:
            await talk.line()
            talk.say("451 4.7.0 not this")
            raise Gone("refused")
        await talk.message(600.0, 1_000_000)
        if sender in self.hangs:
            self.hanging += 1
            await asyncio.sleep(100_000.0)
        if sender in self.shuts:
            talk.say("421 4.7.0 this message is suspicious")
            raise Gone("shut")
        if sender in self.garbles:
            talk.say("what was that?")
            raise Gone("garbled")
        self.taken.append((sender, recipients, self.town.timeline.now))
        talk.say("250 2.0.0 taken")


class Town:
    """We, one sender that can reach nobody but us, and primaries."""

    def __init__(self, folder: Path) -> None:
        dice = ThreeDice.of(1)
        self.dice = dice
        self.timeline = Timeline(dice.scheduling)
        self.internet = SimInternet(self.timeline, dice.scheduling, dice.faults, Trace())
        self.internet.block("home", "abroad")
        self.dns = SimDns(addresses={OURS: [OUR_ADDRESS]})
        self.internet.host("sender.example", ("192.0.2.1",), "home")
        self.ledger = Ledger()
        self.sender = self.sending(Manners(pipelines=True, uses_tls=False, per_connection=1000))
        self.crowd = self.sending(Manners(uses_tls=False))  # a connection for each letter
        host = self.internet.host(OURS, (OUR_ADDRESS,), "here")
        self.machine = Machine(self.internet, host, self.dns, dice, folder, Pace())
        self.log = DayLog()

    def sending(self, manners: Manners) -> SendingServer:
        net = self.internet.net_for("192.0.2.1")
        resolver = SimResolver(self.dns, "home", self.dice.scheduling)
        return SendingServer("sender.example", net, resolver, manners, self.ledger, self.dice.faults)

    def stranger(self, address: str) -> SendingServer:
        """Another sender, in a network of its own."""
        self.internet.host("other.example", (address,), "home")
        resolver = SimResolver(self.dns, "home", self.dice.scheduling)
        net = self.internet.net_for(address)
        manners = Manners(uses_tls=False)
        return SendingServer("other.example", net, resolver, manners, self.ledger, self.dice.faults)

    def primary(self, name: str, address: str, *domains: str) -> Primary:
        for domain in domains:
            self.dns.mx[domain] = [(10, name), (50, OURS)]
        return Primary(self, name, address)

    def start(self, *domains: str, connections: int = 20, recipients: RecipientSource = ANYBODY) -> None:
        config = Config(
            path="town.toml",
            hostname=Domain(OURS),
            store=str(self.machine.disk.path("")),
            owner=(Mailbox("owner", Domain("elsewhere.example")),),
            bounces=Domain(OURS),
            web=Web(url=None),
            receive=Receive(listen=(Endpoint(OUR_ADDRESS, 25),)),
            deliver=Deliver(connections_per_site=connections),
            backups=tuple(Backup(Domain(name), (), (recipients,)) for name in domains),
        )
        self.service = Service(self.machine, config, Blog((), self.timeline), self.log, Trace(), as_built)
        self.service.start_all()
        self.pass_by(5.0)

    def pass_by(self, seconds: float) -> None:
        self.timeline.run_until(lambda: False, seconds)

    def post(self, sender: str, *recipients: str) -> None:
        """Returns when we have it."""
        letter = compose(self.dice.faults, sender, f"{sender}@sender.example", recipients, 500)
        self.sender.give(letter)
        assert self.timeline.run_until(lambda: self.sender.unsettled == 0, 4000.0)

    def until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        return self.timeline.run_until(is_so, seconds)


DOMAIN, OTHER = "a.example", "b.example"
READER = f"reader@{DOMAIN}"


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    it = Town(tmp_path / "store")
    with fence(it.timeline):
        yield it
        it.machine.scrap()
        faults = it.timeline.end()
    assert [fault for fault in faults if "Gone" not in fault] == []


def held_behind_a_bad_one(town: Town, letters: int = 10) -> Primary:
    """A primary that is down, and mail for it, the first of which is bad."""
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    town.start(DOMAIN)
    town.post("bad", READER)
    for number in range(letters):
        town.post(f"good{number}", READER)
    assert len(town.log.of("site-down")) == 1
    return primary


@pytest.mark.parametrize("how", ["hangs", "shuts", "garbles", "refuses_early"])
def test_a_message_that_upsets_the_primary_holds_up_nobody_behind_it(town: Town, how: str) -> None:
    primary = held_behind_a_bad_one(town)
    getattr(primary, how).add("bad")
    primary.open()
    assert town.until(lambda: len(primary.taken) == 10, 3 * MINUTE)
    first = min(seconds for _, _, seconds in primary.taken)
    assert max(seconds for _, _, seconds in primary.taken) - first < MINUTE
    town.post("late", READER)
    assert town.until(lambda: len(primary.taken) == 11, 2 * MINUTE)


def test_a_refusal_in_the_midst_of_the_content_is_no_fault_of_the_site(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.refuses_early.add("bad")
    primary.open()
    town.start(DOMAIN)
    town.post("bad", READER)
    town.pass_by(MINUTE)
    assert len(town.log.of("site-down")) == 0


def test_messages_that_hang_take_one_place_more_than_there_are_while_others_get_through(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    town.start(DOMAIN, connections=2)
    for number in range(2):
        primary.hangs.add(f"bad{number}")
        town.post(f"bad{number}", READER)
    for number in range(5):
        town.post(f"good{number}", READER)
    primary.open()
    assert town.until(lambda: len(primary.taken) == 5, 3 * MINUTE)
    assert primary.connections_peak <= 2 + 1


def test_a_site_that_was_down_drains_though_an_old_message_still_hangs(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.hangs.add("bad")
    primary.open()
    town.start(DOMAIN)
    town.post("bad", READER)
    assert town.until(lambda: primary.hanging == 1, MINUTE)
    primary.busy = True
    town.post("good0", READER)
    # A reset may overtake its 421 at first: a lost connection alone does not tell that the site is down.
    assert town.until(lambda: len(town.log.of("site-down")) > 0, 10 * MINUTE)
    town.pass_by(5.0)
    primary.busy = False
    assert town.until(lambda: len(primary.taken) == 1, MINUTE)


def test_a_primary_that_goes_away_after_each_message_gets_the_next_one_at_once(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    town.start(DOMAIN)
    for number in range(30):
        town.post(f"good{number}", READER)
    primary.messages_max = 1
    primary.open()
    assert town.until(lambda: len(primary.taken) == 30, MINUTE)
    assert len({sender for sender, _, _ in primary.taken}) == 30


def test_a_primary_that_looks_long_at_each_recipient_still_gets_the_message_once(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.pipelining = False
    primary.recipient_seconds = 10.0
    primary.open()
    town.start(DOMAIN)
    town.post("many", *(f"reader{number}@{DOMAIN}" for number in range(60)))
    town.pass_by(30 * MINUTE)
    assert [len(recipients) for _, recipients, _ in primary.taken] == [60]


def test_each_domain_of_a_site_that_is_down_is_looked_at(town: Town) -> None:
    """Two domains share a dead primary; the owner leads one of them to a new one."""
    town.primary("mx.a.example", "198.51.100.1", DOMAIN, OTHER)
    new = town.primary("mx.new.example", "198.51.100.2")
    new.open()
    town.start(DOMAIN, OTHER)
    town.post("one", READER)
    town.post("two", f"reader@{OTHER}")
    town.pass_by(5 * MINUTE)
    town.dns.mx[OTHER] = [(10, "mx.new.example"), (50, OURS)]
    assert town.until(lambda: len(new.taken) == 1, MINUTE)
    town.dns.mx[DOMAIN] = [(10, "mx.new.example"), (50, OURS)]
    assert town.until(lambda: len(new.taken) == 2, MINUTE)
    assert town.until(lambda: len(town.log.of("site-up")) + len(town.log.of("delivered")) >= 2, MINUTE)


def test_a_disk_that_was_full_when_a_site_had_done_its_work_leaves_the_site_free_for_the_next(
    town: Town,
) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.open()
    town.start(DOMAIN)
    town.post("one", READER)
    assert town.until(lambda: len(primary.taken) == 1, MINUTE)
    town.pass_by(LINGER_SECONDS / 2)  # its outcome is written, its lease is not given back
    town.machine.disk.fail_at(1, ENOSPC)
    town.pass_by(2 * MINUTE)
    town.machine.disk.heal()
    town.post("two", READER)
    assert town.until(lambda: len(primary.taken) == 2, MINUTE)
    assert len(town.log.of("role-ended")) == 0


def test_a_primary_that_is_slow_to_tell_whom_it_has_brings_nobody_down(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.recipient_seconds = 20.0
    primary.open()
    town.start(DOMAIN, recipients=LearnedRecipients())
    letter = compose(town.dice.faults, "one", "one@sender.example", (READER,), 500)
    town.sender.give(letter)
    town.pass_by(2 * MINUTE)
    assert len(primary.taken) == 1, "it was held without waiting for the primary's word"
    assert len(town.log.of("role-ended")) == 0


def test_a_primary_that_blocks_us_is_offered_a_few_messages_and_then_left_alone(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    town.start(DOMAIN)
    for number in range(40):
        town.post(f"good{number}", READER)
    primary.refusal = "550 5.7.1 your address is on a list"
    primary.open()
    town.pass_by(10 * MINUTE)
    assert 3 <= primary.offered <= 6
    assert len([line for line in town.log.of("alarm") if "domain-paused" in line.text]) == 1
    primary.refusal = ""
    assert town.until(lambda: len(primary.taken) == 40, 20 * MINUTE)


def test_messages_that_a_primary_refuses_by_policy_stop_no_others_and_ring_no_alarm(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    town.start(DOMAIN)
    for number in range(30):
        town.post(f"unwelcome{number}", READER)
    town.post("good", READER)
    primary.open()
    assert town.until(lambda: len(primary.taken) == 1, 5 * MINUTE)
    assert len([line for line in town.log.of("alarm") if "domain-paused" in line.text]) == 0


def test_a_service_that_starts_does_not_wait_for_the_next_round_to_look_at_a_primary(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    town.start(DOMAIN)
    town.post("good0", READER)
    town.pass_by(MINUTE)
    assert town.until(lambda: len(town.log.of("site-down")) == 1, MINUTE)
    begun = town.timeline.now
    town.service.stop_gracefully("deliver")
    primary.open()
    assert town.until(lambda: len(primary.taken) == 1, MINUTE)
    assert town.timeline.now - begun < RESTART_SECONDS + 2.0


def test_whoever_guesses_addresses_brings_few_connections_upon_the_primary(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.recipient_seconds = 1.0
    primary.refusal = "550 5.1.1 there is no such mailbox"
    primary.open()
    town.start(DOMAIN, recipients=LearnedRecipients())
    for number in range(60):
        name = f"guess{number}"
        letter = compose(town.dice.faults, name, f"{name}@sender.example", (f"{name}@{DOMAIN}",), 500)
        town.crowd.give(letter)
    town.pass_by(MINUTE)
    assert primary.connections_peak <= 2  # one may be parting
    # Fifty are let in at once from one network, and may use up what the primary is asked in a minute.
    assert town.until(lambda: len(town.log.of("refused")) > 0, 20 * MINUTE)


def test_a_primary_that_flees_from_the_tls_it_offers_gets_its_mail_in_the_clear(town: Town) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.flees_tls = True
    primary.open()
    town.start(DOMAIN)
    town.post("one", READER)
    assert town.until(lambda: len(primary.taken) == 1, MINUTE)


@pytest.mark.parametrize("recipients", [ANYBODY, LearnedRecipients()])
def test_a_primary_that_takes_so_many_messages_a_connection_gets_the_next_ones_over_another(
    town: Town, recipients: RecipientSource
) -> None:
    primary = town.primary("mx.a.example", "198.51.100.1", DOMAIN)
    primary.mails_max = 3
    town.start(DOMAIN, connections=2, recipients=recipients)
    for number in range(20):
        town.post(f"good{number}", READER)
    primary.open()
    assert town.until(lambda: len(primary.taken) == 20, 3 * MINUTE)
    assert len(town.log.of("deferred")) <= 1, "the one that found it down"
