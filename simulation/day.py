"""One simulated day: the production roles among simulated people, machines and faults.

`live(seed)` builds the world, runs the scenario with its faults, waits until everything has
recovered, and passes the remaining evidence to the invariants.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from secondpost.config.records import (
    AnyRecipient,
    Backup,
    Config,
    LearnedRecipients,
    Receive,
    RecipientSource,
    Send,
    Web,
)
from secondpost.deliver.rhythm import DeliverRhythm
from secondpost.mail.address import Domain, Endpoint, Mailbox
from secondpost.mail.delivery import State
from secondpost.mail.queue_id import QueueId
from secondpost.roles.parts import Rhythms
from secondpost.store.owner_ports import Selection
from secondpost.store.sqlite import SqliteStore
from secondpost.store.sqlite.newsletter import SqliteNewsletterStore
from simulation.clock import Timeline, fence
from simulation.daylog import DayLog
from simulation.dice import SimDice, ThreeDice
from simulation.evidence import Evidence, Stored
from simulation.internet.dns import SimDns, SimResolver
from simulation.internet.net import SimInternet
from simulation.internet.primaries import ReceivingServer
from simulation.internet.senders import SimSender
from simulation.internet.wire import End
from simulation.invariants import ALL
from simulation.looking import looked_at
from simulation.machine import Machine
from simulation.people.letters import LetterLedger, compose, marker_of
from simulation.people.newsroom import Newsroom, configured
from simulation.reader_evidence import ReaderEvidence
from simulation.reader_invariants import READER_INVARIANTS
from simulation.scenario import (
    MAILBOXES,
    NO_MAILBOX,
    OUR_ADDRESS,
    OUR_NAME,
    OUR_NETWORK,
    SENDER_DOMAIN,
    SENDERS_NETWORK,
    VICTIM_DOMAIN,
    LetterPlan,
    Scenario,
    draw,
)
from simulation.service import MAIL_ROLES, SimService, Wiring, as_built
from simulation.trace import Trace
from simulation.troubles import Troubles

S = TypeVar("S", bound=SqliteStore)
HOUR = 3600.0
SETTLE_SECONDS_MAX = 24 * HOUR  # after the last fault, for senders to get a final reply
DRAIN_SECONDS_MAX = 6 * HOUR
SESSION_SECONDS_MAX = 2 * HOUR
LOOK_SECONDS_MAX = 60.0  # a probe of a primary for which no mail waits may be open when the day ends
QUIET_SECONDS = 700.0  # after this every connection must be closed
STEP_SECONDS = 900.0
SITES_DOWN_SECONDS = 5.0
OFFERS_SECONDS = 10.0
CALM_DELIVERY = DeliverRhythm(
    sweep_seconds=30.0,
    standing_still_seconds=SITES_DOWN_SECONDS,
    idle_seconds=SITES_DOWN_SECONDS,
    down_seconds_max=SITES_DOWN_SECONDS,
)
CALM_RHYTHMS = Rhythms(
    checkpoint_seconds=120.0,
    stock_seconds=300.0,
    copy_seconds=60.0,
    alarms_seconds=60.0,
    arrivals_seconds=1_800.0,
    turn_seconds=90.0,
    offers_seconds=OFFERS_SECONDS,
    deliver=CALM_DELIVERY,
)  # shorter rhythms would take most of a day's run time
LISTED_MAX = 5000


@dataclass(frozen=True, slots=True)
class DayReport:
    seed: int
    violations: tuple[str, ...]
    digest: str
    letters: int
    relayed: int
    issues: int  # that reached readers
    mailed: int  # mails of issues in readers' mailboxes
    scenario: Scenario
    trace: tuple[str, ...]


class Day:
    def __init__(self, seed: int, folder: Path, trace: Trace, wiring: Wiring) -> None:
        self.seed = seed
        self.dice = ThreeDice.of(seed)
        self.scenario = draw(self.dice.faults)
        self.timeline = Timeline(self.dice.scheduling)
        self.internet = SimInternet(self.timeline, self.dice.scheduling, self.dice.faults, trace)
        self.dns = SimDns()
        self.ledger = LetterLedger()
        self.log = DayLog()
        self.primaries = [self._primary(number) for number in range(len(self.scenario.primaries))]
        self.strangers = self._strangers()
        self.senders = self._senders()
        host = self.internet.host(OUR_NAME, (OUR_ADDRESS,), OUR_NETWORK)
        host.certificate = (OUR_NAME,)
        self.machine = Machine(self.internet, host, self.dns, self.dice, folder, self.scenario.disk)
        self.newsroom = Newsroom(self.scenario.news, self.internet, self.dns, self.dice.faults)
        self.service = SimService(
            self.machine, self._config(), self.newsroom.blog, self.log, trace, wiring, CALM_RHYTHMS
        )
        self.troubles = Troubles(
            self.internet,
            self.dns,
            self.primaries,
            self.newsroom,
            self.machine,
            self.service,
            self._note,
        )
        self.evidence = Evidence(self.scenario, self.ledger, self.primaries, self.strangers, self.log)

    # -- the machines and servers
    def _primary(self, number: int) -> ReceivingServer:
        plan = self.scenario.primaries[number]
        host = self.internet.host(plan.name, (plan.address,), plan.network)
        host.certificate = (plan.name,) if plan.offers_tls else ()
        self.dns.addresses[plan.name] = [plan.address]
        for domain in plan.domains:
            self.dns.mx.setdefault(domain, [(50, OUR_NAME)]).append((plan.preference, plan.name))
        self.dns.addresses[OUR_NAME] = [OUR_ADDRESS]
        server = self._server(plan.name, plan.address, frozenset(plan.domains))
        server.unknown = frozenset({NO_MAILBOX})
        return server

    def _strangers(self) -> list[ReceivingServer]:
        """Servers that accept everything: backscatter and relayed spam would arrive here."""
        servers = []
        for number, domain in enumerate((SENDER_DOMAIN, VICTIM_DOMAIN)):
            name, address = f"mx.{domain}", f"203.0.113.{100 + number}"
            self.internet.host(name, (address,), "elsewhere")
            self.dns.addresses[name] = [address]
            self.dns.mx[domain] = [(10, name)]
            self.dns.texts[domain] = [f"v=spf1 ip4:{SENDERS_NETWORK} -all"]
            self.dns.texts[f"_dmarc.{domain}"] = ["v=DMARC1; p=reject"]
            servers.append(self._server(name, address, frozenset({domain})))
        return servers

    def _server(self, name: str, address: str, domains: frozenset[str]) -> ReceivingServer:
        net = self.internet.net_for(address)
        server = ReceivingServer(name, address, net, domains, self.dice.faults)
        self.internet.loop.create_task(server.open())
        return server

    def _senders(self) -> list[SimSender]:
        servers = []
        for plan in self.scenario.senders:
            self.internet.host(plan.name, (plan.address,), plan.network)
            resolver = SimResolver(self.dns, plan.network, self.dice.scheduling)
            net = self.internet.net_for(plan.address)
            servers.append(SimSender(plan.name, net, resolver, plan.manners, self.ledger, self.dice.faults))
        return servers

    def _config(self) -> Config:
        backups = []
        for domain in self.scenario.domains:
            home = Domain(domain.name)
            primary: tuple[Endpoint, ...] = ()
            if domain.named_primary:
                homes = sorted(
                    (plan for plan in self.scenario.primaries if domain.name in plan.domains),
                    key=lambda plan: plan.preference,
                )
                primary = tuple(Endpoint(plan.name, 25) for plan in homes)
            recipients: tuple[RecipientSource, ...]
            match domain.recipients:
                case "any":
                    recipients = (AnyRecipient(),)
                case "listed":
                    recipients = tuple(Mailbox(local, home) for local in MAILBOXES)
                case _:
                    recipients = (LearnedRecipients(),)
            backups.append(Backup(home, primary, recipients))
        return Config(
            path="day.toml",
            hostname=Domain(OUR_NAME),
            store=str(self.machine.disk.path("")),
            owner=(Mailbox("owner", Domain("elsewhere.example")),),
            bounces=Domain(OUR_NAME),
            web=Web(url=f"https://{OUR_NAME}" if self.scenario.news.has_pages else None),
            receive=Receive(listen=(Endpoint(OUR_ADDRESS, 25),)),
            backups=tuple(backups),
            send=Send(unverified=True),  # the zones of this internet prove nothing
            newsletters=tuple(configured(plan) for plan in self.scenario.news.newsletters),
        )

    # -- the run
    def pass_by(self) -> None:
        internet = self.internet.loop
        self.newsroom.open(self.machine, self.service)
        self.service.start_all()
        for number, letter in enumerate(self.scenario.letters):
            internet.call_at(letter.at_seconds, self._post, f"m{number}", letter)
        self.troubles.schedule(self.scenario.faults)
        last = max(self.scenario.letters[-1].at_seconds, self.scenario.fault_free_from) + 1.0
        self._until(last)
        self._wait_for(lambda: self._unsettled() == 0, SETTLE_SECONDS_MAX)
        self._wait_for(self._is_drained, DRAIN_SECONDS_MAX)
        self._until(self.timeline.now + QUIET_SECONDS)

    def _until(self, seconds: float) -> None:
        self.timeline.run_until(lambda: False, max(0.0, seconds - self.timeline.now))

    def _wait_for(self, done: Callable[[], bool], at_most_seconds: float) -> None:
        end = self.timeline.now + at_most_seconds
        while not done() and self.timeline.now < end:
            self._until(self.timeline.now + STEP_SECONDS)

    def _unsettled(self) -> int:
        return sum(sender.unsettled for sender in (*self.senders, self.newsroom.outgoing))

    def _post(self, marker: str, plan: LetterPlan) -> None:
        # One sender address per letter, so that an offer to a primary identifies the letter.
        sender = "" if plan.from_nobody else f"{marker}@{SENDER_DOMAIN}"
        letter = compose(SimDice(f"{self.seed}/{marker}"), marker, sender, plan.recipients, plan.octets)
        self.senders[plan.sender_server].give(letter)

    def _note(self, what: str) -> None:
        self.log.note(self.timeline.now, "day", what)
        if self.internet.trace is not None:
            self.internet.trace.note(self.timeline.now, what)

    # -- the evidence
    def _is_drained(self) -> bool:
        if any(row.state in (State.WAITING, State.CLAIMED) for row in self._stored()):
            return False
        with self._looking(SqliteNewsletterStore) as store:
            return looked_at(self.newsroom.is_at_rest(store))

    @contextmanager
    def _looking(self, kind: type[S]) -> Iterator[S]:
        """Open the store as a command of the owner does."""
        process = self.machine.process("desk")
        with process.in_loop():
            yield kind.open_desk(
                process.disk, process.work, self.machine.clock, failed=lambda fault: self._note(repr(fault))
            )
        process.kill()

    def _stored(self) -> list[Stored]:
        """All deliveries in the store except to our own domain; content is read for its marker."""
        with self._looking(SqliteStore) as desk:
            listed = looked_at(desk.listed(Selection(), None, LISTED_MAX))
            rows = [row for row in listed if not row.recipient.endswith(f"@{OUR_NAME}")]
            markers = {row.id.queue_id: looked_at(_marker(desk, row.id.queue_id)) for row in rows}
        return [
            Stored(
                row.id,
                markers[row.id.queue_id],
                row.sender,
                row.recipient,
                row.state,
                row.kept_for,
                row.due_ms,
                row.cause,
            )
            for row in rows
        ]

    def _is_forgotten(self, end: End) -> bool:
        """Whether this connection is open for longer than any time-out allows."""
        age_seconds = self.timeline.now - end.since_seconds
        seconds_max = SESSION_SECONDS_MAX if end.far.lost else LOOK_SECONDS_MAX
        return end.local.port > 0 and age_seconds > seconds_max

    def testify(self) -> tuple[Evidence, ReaderEvidence]:
        evidence = self.evidence
        with self._looking(SqliteNewsletterStore) as store:
            readers = looked_at(self.newsroom.testify(store, self.service, self.scenario.faults))
        evidence.stored = self._stored()
        evidence.unsettled = self._unsettled()
        evidence.comebacks = self.troubles.comebacks
        for role in MAIL_ROLES:
            process = self.machine.processes[role]
            evidence.left_open += sum(1 for end in process.net.ends if self._is_forgotten(end))
        evidence.complaints = list(self.internet.complaints)
        self.machine.scrap()
        evidence.faults = self.timeline.end()
        return evidence, readers


def live(seed: int, wiring: Wiring = as_built, *, keep_trace: bool = False) -> DayReport:
    trace = Trace(keep=keep_trace)
    with _folder() as folder:
        day = Day(seed, folder, trace, wiring)
        with fence(day.timeline):
            day.pass_by()
            evidence, readers = day.testify()
    violations = [f"{check.__name__}: {what}" for check in ALL for what in check(evidence)]
    violations += [f"{check.__name__}: {what}" for check in READER_INVARIANTS for what in check(readers)]
    return DayReport(
        seed,
        tuple(violations),
        trace.digest(),
        len(day.scenario.letters),
        len(evidence.relayed),
        sum(1 for left in readers.issues if left.reckoning.delivered > 0),
        len(readers.mailed),
        day.scenario,
        tuple(trace.lines),
    )


async def _marker(desk: SqliteStore, queue_id: QueueId) -> str | None:
    try:
        return marker_of(b"".join([piece async for piece in desk.content_pieces(queue_id, 64 * 1024)]))
    except LookupError:
        return None


@contextmanager
def _folder() -> Iterator[Path]:
    """A temporary folder in memory if there is one: RecordedDisk decides what is durable."""
    memory = Path("/dev/shm")
    folder = tempfile.mkdtemp(prefix="day-", dir=memory if memory.is_dir() else None)
    try:
        yield Path(folder) / "store"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
