"""A small world for hand-made days: Secondpost, a sender that reaches only us, and primaries."""

import asyncio
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

from secondpost.config.records import (
    AnyRecipient,
    Backup,
    Config,
    Deliver,
    Receive,
    RecipientSource,
    Route,
    Web,
)
from secondpost.mail.address import Domain, Endpoint, Mailbox
from secondpost.roles.parts import USUAL
from secondpost.world.ports import ServerTls
from simulation.clock import Timeline
from simulation.daylog import DayLog
from simulation.dice import ThreeDice
from simulation.internet.blog import SimBlog
from simulation.internet.dns import SimDns, SimResolver
from simulation.internet.net import SimInternet
from simulation.internet.senders import Manners, SimSender
from simulation.internet.talk import Gone, Talk
from simulation.machine import Machine
from simulation.people.letters import LetterLedger, compose
from simulation.service import SimService, Wiring, as_built
from simulation.trace import Trace
from simulation.work import JobDurations

OURS = "mx2.example.net"
OUR_ADDRESS = "192.0.2.25"
MINUTE = 60.0
ANYBODY = AnyRecipient()
DOMAIN, OTHER = "a.example", "b.example"
READER = f"reader@{DOMAIN}"


class Primary:
    """Accepts everything except as set below; identifies messages by their sender's local part."""

    def __init__(self, town: "Town", name: str, address: str) -> None:
        town.internet.host(name, (address,), "abroad").certificate = (name,)
        town.dns.addresses[name] = [address]
        self.town = town
        self.net = town.internet.net_for(address)
        self.address = address
        self.taken: list[tuple[str, tuple[str, ...], float]] = []  # sender, recipients, seconds
        self.connections = 0  # currently open
        self.connections_peak = 0
        self.hanging = 0  # messages
        self.hangs: set[str] = set()  # not answered after the dot
        self.shuts: set[str] = set()  # 421 after the dot
        self.garbles: set[str] = set()
        self.refuses_early: set[str] = set()  # 451 in the middle of the content, then closes
        self.offered = 0  # recipients
        self.refusal = ""  # reply to every recipient
        self.mailboxes: set[str] | None = None  # local parts; None: every address is accepted
        self.asked: list[tuple[float, str]] = []  # seconds and local part of each RCPT
        self.refused_at: list[float] = []  # seconds
        self.refusals_max = 20  # per connection, then 421 and close (Postfix: smtpd_hard_error_limit)
        self.busy = False  # 421 to every MAIL
        self.messages_max = 1000  # per connection, then it closes silently
        self.mails_max = 1000  # per connection, then 452 to MAIL (OpenSMTPD: 100)
        self.recipient_seconds = 0.0
        self.pipelining = True
        self.flees_tls = False  # offers STARTTLS but closes when it is used
        # With passwords by name it is a smart host: it wants a login, over TLS only.
        self.passwords: dict[str, str] = {}
        self.logins: list[tuple[float, str]] = []  # seconds and name of each AUTH

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
        logged_in = len(self.passwords) == 0
        talk.say("220 primary.example ESMTP")
        while True:
            line = await talk.line()
            match line[:4].upper():
                case "EHLO":
                    last = "250 PIPELINING" if self.pipelining else "250 SIZE"
                    talk.say("250-primary.example", *self._offers(talk), last)
                case "STAR":
                    if self.flees_tls:
                        raise Gone("no TLS after all")
                    talk.say("220 go on")
                    await talk.start_tls(ServerTls())
                case "AUTH":
                    logged_in = self._may_log_in(line)
                    talk.say("235 2.7.0 welcome" if logged_in else "535 5.7.8 wrong password")
                case "MAIL" if not logged_in:
                    talk.say("530 5.7.0 log in first")
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

    def _offers(self, talk: Talk) -> list[str]:
        if talk.encrypted and len(self.passwords) > 0:
            return ["250-AUTH PLAIN"]
        return ["250-STARTTLS"] if self.flees_tls or len(self.passwords) > 0 else []

    def _may_log_in(self, line: str) -> bool:
        _, name, password = b64decode(line.split()[-1]).decode().split("\0")
        self.logins.append((self.town.timeline.now, name))
        return self.passwords.get(name) == password

    def _refusal(self, sender: str, local: str) -> str:
        """The refusal of a recipient; "" if it is accepted."""
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
    """Secondpost, a sender that reaches only us, and primaries."""

    def __init__(self, folder: Path) -> None:
        dice = ThreeDice.of(1)
        self.dice = dice
        self.timeline = Timeline(dice.scheduling)
        self.internet = SimInternet(self.timeline, dice.scheduling, dice.faults, Trace())
        self.internet.block("home", "abroad")
        self.dns = SimDns(addresses={OURS: [OUR_ADDRESS]})
        self.internet.host("sender.example", ("192.0.2.1",), "home")
        self.ledger = LetterLedger()
        self.sender = self.sending(Manners(pipelines=True, uses_tls=False, per_connection=1000))
        self.crowd = self.sending(Manners(uses_tls=False))  # one connection per letter
        host = self.internet.host(OURS, (OUR_ADDRESS,), "here")
        self.machine = Machine(self.internet, host, self.dns, dice, folder, JobDurations())
        self.log = DayLog()
        self.rhythms = USUAL

    def sending(self, manners: Manners) -> SimSender:
        net = self.internet.net_for("192.0.2.1")
        resolver = SimResolver(self.dns, "home", self.dice.scheduling)
        return SimSender("sender.example", net, resolver, manners, self.ledger, self.dice.faults)

    def stranger(self, address: str) -> SimSender:
        """Another sender, in its own network."""
        self.internet.host("other.example", (address,), "home")
        resolver = SimResolver(self.dns, "home", self.dice.scheduling)
        net = self.internet.net_for(address)
        manners = Manners(uses_tls=False)
        return SimSender("other.example", net, resolver, manners, self.ledger, self.dice.faults)

    def primary(self, name: str, address: str, *domains: str) -> Primary:
        for domain in domains:
            self.dns.mx[domain] = [(10, name), (50, OURS)]
        return Primary(self, name, address)

    def start(
        self,
        *domains: str,
        connections: int = 20,
        recipients: RecipientSource = ANYBODY,
        routes: tuple[Route, ...] = (),
        wiring: Wiring = as_built,
    ) -> None:
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
            routes=routes,
        )
        self.service = SimService(
            self.machine, config, SimBlog((), self.timeline), self.log, Trace(), wiring, self.rhythms
        )
        self.service.start_all()
        self.pass_by(5.0)

    def pass_by(self, seconds: float) -> None:
        self.timeline.run_until(lambda: False, seconds)

    def post(self, sender: str, *recipients: str) -> None:
        """Send a letter and return when we have it."""
        letter = compose(self.dice.faults, sender, f"{sender}@sender.example", recipients, 500)
        self.sender.give(letter)
        assert self.timeline.run_until(lambda: self.sender.unsettled == 0, 4000.0)

    def until(self, is_so: Callable[[], bool], seconds: float) -> bool:
        return self.timeline.run_until(is_so, seconds)
