"""SMTP sessions: the intake is a list, the transport a pair of byte strings, the disk real."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from secondpost.config.records import (
    AnyRecipient,
    Authenticate,
    Backup,
    BareNewlines,
    Config,
    LearnedRecipients,
    Newsletter,
    Receive,
    Unknown,
    Web,
)
from secondpost.mail.address import Domain, Endpoint, Mailbox
from secondpost.mail.arrivals import CameFrom
from secondpost.mail.attack import AttackCount
from secondpost.mail.content import CONTENT_FOLDER, IN_TABLE_OCTETS_MAX, InFile, InTable
from secondpost.mail.delivery import KeptFor
from secondpost.mail.duration import HOUR_MS
from secondpost.mail.envelope import Arrival, Lane
from secondpost.mail.questions import Finding, Knowledge
from secondpost.mail.queue_id import QueueIds
from secondpost.mail.tally import Tally
from secondpost.maillog import MailLog
from secondpost.policy.domains import OwnDomains, recipients_of
from secondpost.policy.stages import STAGES, Stages
from secondpost.protocols.role_questions import PublicAnswer, PublicQuestion, without_records
from secondpost.receive.arrivals import ArrivalNotes
from secondpost.receive.authenticating import EVALUATION_SECONDS_MAX, Authenticator
from secondpost.receive.knowledge import PolicyKnowledge, RecipientKnowledge
from secondpost.receive.listener import Listener
from secondpost.receive.names import SenderNames
from secondpost.receive.offers import PrimaryOffers
from secondpost.receive.reception import Reception
from secondpost.receive.refusals import RefusalTally
from secondpost.receive.trace import date_time
from secondpost.receive.under_way import UnderWay
from secondpost.receive.unverified import MESSAGES_PER_HOUR_MAX, UnverifiedMail
from secondpost.spool.accept import Acceptance
from secondpost.spool.attack_tally import AttackTally
from secondpost.store.ports import Learned, ProvenPrefix, StoreFull, StoreUnavailable
from secondpost.store.primary_ports import Primary, RefusedCount
from secondpost.world.ports import Clock, DiskFailed, Listening, Net, ProtocolFactory
from secondpost.world.real.clock import RealClock
from secondpost.world.real.disk import RealDisk
from secondpost.world.real.keys import proves
from secondpost.world.real.net import RealNet
from simulation.clock import LeapingLoop, Timeline, run
from simulation.dice import SimDice
from simulation.work import JobDurations, SimWork
from tests.alarms import logged_alarms

US = Domain("mx2.example.net")
DOMAIN = Domain("example.net")
SECONDS_MAX = 20.0
QUIET_SECONDS = 0.02  # longer than any job in another thread


class ListedIntake:
    """The spool as a list; `error` is raised instead of storing a message."""

    def __init__(self) -> None:
        self.taken: list[tuple[Arrival, KeptFor | None]] = []
        self.error: Exception | None = None
        self.stored = 0
        self.unverified = 0
        self.proven: list[ProvenPrefix] = []
        self.slow: asyncio.Event | None = None  # awaited before storing
        self.known_primaries: dict[Domain, Primary] = {}
        self.refused: list[RefusedCount] = []
        self.attacks: list[AttackCount] = []
        self.arrivals: list[CameFrom] = []
        self.learned_of: dict[Mailbox, Learned] = {}
        self.far: asyncio.Event | None = None  # what a read waits for, as one over the wire does
        self.unreadable = False

    def accept(self, arrival: Arrival, kept_for: KeptFor | None = None) -> Awaitable[None]:
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.error is not None:
            done.set_exception(self.error)
        else:
            self.taken.append((arrival, kept_for))
            if self.slow is not None:
                return asyncio.ensure_future(self._later(self.slow))
            done.set_result(None)
        return done

    async def _later(self, slow: asyncio.Event) -> None:
        await slow.wait()

    async def stored_octets(self, domain: Domain) -> int:
        if self.far is not None:
            await self.far.wait()
        if self.unreadable:
            raise StoreUnavailable("locked")
        return self.stored

    async def unverified_octets(self, domain: Domain) -> int:
        return self.unverified

    async def learned(self, mailbox: Mailbox) -> Learned | None:
        return self.learned_of.get(mailbox)

    async def proven_prefixes(self, since_ms: int, limit: int) -> list[ProvenPrefix]:
        return [one for one in self.proven if one.at_ms >= since_ms][-limit:]

    async def prove_prefix(self, proven: ProvenPrefix) -> None:
        self.proven.append(proven)

    async def primaries(self) -> dict[Domain, Primary]:
        return self.known_primaries

    def count_refused(self, counts: Sequence[RefusedCount]) -> Awaitable[None]:
        self.refused += counts
        return asyncio.sleep(0)

    def count_attacks(self, counts: Sequence[AttackCount]) -> Awaitable[None]:
        self.attacks += counts
        return asyncio.sleep(0)

    def note_arrivals(self, arrivals: Sequence[CameFrom]) -> Awaitable[None]:
        if self.error is not None:
            raise self.error
        self.arrivals += arrivals
        return asyncio.sleep(0)


class Wire(asyncio.Transport):
    """A transport that records what the server wrote, and whether it closed."""

    def __init__(self, address: str, protocol: asyncio.Protocol) -> None:
        super().__init__({"peername": (address, 40000)})
        self.protocol = protocol
        self.out = b""
        self.closed = False
        self.reading = True
        self.deaf = False  # the client reads nothing: all that is written stays here
        self.untaken = 0

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed
        self.out += bytes(data)
        if self.deaf:
            self.untaken += len(data)
            self.protocol.pause_writing()

    def get_write_buffer_size(self) -> int:
        return self.untaken

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class DoorNet(RealNet):
    """Returns the factory instead of opening a socket."""

    factory: ProtocolFactory

    async def listen(self, factory: ProtocolFactory, endpoint: Endpoint) -> Listening:
        self.factory = factory
        return _Door(endpoint)


@dataclass(frozen=True)
class _Door:
    endpoint: Endpoint

    def close(self) -> None:
        return None


@dataclass
class Office:
    """The receive station for a test."""

    folder: Path
    backup: Backup = field(default_factory=lambda: Backup(DOMAIN, recipients=(AnyRecipient(),)))
    receive: Receive = field(default_factory=Receive)
    knowledge: Knowledge = Knowledge.UNREACHABLE
    net: Net = field(default_factory=lambda: DoorNet())
    clock: Clock = field(default_factory=RealClock)
    free: int = 10**12
    intake: ListedIntake = field(default_factory=ListedIntake)
    lines: list[str] = field(default_factory=list)
    failures: list[BaseException] = field(default_factory=list)
    under_way: UnderWay = field(default_factory=UnderWay)
    stages: Stages = STAGES
    authenticate: Authenticate = Authenticate.OFF  # of the domain; tested in test_receive_authentication
    enforces: bool = False
    zone: dict[PublicQuestion, PublicAnswer] = field(default_factory=dict)  # else there is no such name
    asked: list[PublicQuestion] = field(default_factory=list)
    deliver_answers: bool = True
    silent: str = "silent.example"  # names below it are not answered

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, LeapingLoop)
        self.work = SimWork(loop, SimDice("office"), JobDurations(slow_chance=0.0))
        self.disk = RealDisk(str(self.folder))
        self.disk.make_folder(CONTENT_FOLDER)
        self.tasks: set[asyncio.Task[None]] = set()
        backup = replace(self.backup, authenticate=self.authenticate, enforce_dmarc=self.enforces)
        domains = {DOMAIN: recipients_of(backup, {})}
        self.refusals = RefusalTally(frozenset({DOMAIN}), self.intake, RealClock())
        self.attacks = AttackTally(self.intake, RealClock())
        self.arrivals = ArrivalNotes(self.intake, HOUR_MS)
        config = Config(
            path="secondpost.toml",
            hostname=US,
            store=str(self.folder),
            owner=(Mailbox.parse("me@elsewhere.example"),),
            bounces=US,
            web=Web(url=None),
            receive=self.receive,
            backups=(backup,),
            newsletters=(Newsletter("weekly", "newsletter@example.net", ("https://www.example.net/feed",)),),
        )
        self.tally = Tally()
        log = MailLog(self.lines.append, US)
        self.alarms = logged_alarms(self.lines)
        self.offers = PrimaryOffers(config, self.intake, RealClock())
        knowledge = PolicyKnowledge(
            RecipientKnowledge(self.intake, self.clock, self._ask),
            self.intake,
            self.under_way,
            UnverifiedMail(self.clock),
            lambda: self.free,
        )
        self.names = SenderNames(self._records)
        self.listener = Listener(
            Reception(
                config=config,
                clock=self.clock,
                net=self.net,
                disk=self.disk,
                work=self.work,
                intake=self.intake,
                spool=Acceptance(self.intake, self.disk, self.work, log, lambda: None),
                ids=QueueIds(1),
                log=log,
                alarms=self.alarms,
                answerer=knowledge.answer,
                authenticator=Authenticator(US.name, self.names, proves, self.clock),
                recipients=lambda: domains,
                own=OwnDomains(frozenset({US}), US, frozenset({"weekly"})),
                offers=self.offers,
                refusals=self.refusals,
                attacks=self.attacks,
                arrivals=self.arrivals,
                free=lambda: self.free,
                failed=self.failures.append,
                background=self._background,
                tally=self.tally,
                under_way=self.under_way,
                stages=self.stages,
            )
        )
        await self.listener.open()

    async def _ask(self, mailbox: Mailbox, network: str) -> Knowledge:
        """Plays the deliver role, which asks the primary."""
        await asyncio.sleep(0)
        return self.knowledge

    async def _records(self, question: PublicQuestion) -> PublicAnswer:
        """Plays the deliver role, which asks DNS."""
        self.asked.append(question)
        answers = self.deliver_answers and self.silent not in str(question)
        await asyncio.sleep(0.01 if answers else 10 * EVALUATION_SECONDS_MAX)
        return self.zone.get(question, without_records(question, Finding.NO_NAME))

    def _background(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def call(self, address: str = "192.0.2.77") -> "Client":
        assert isinstance(self.net, DoorNet)
        protocol = self.net.factory()
        wire = Wire(address, protocol)
        protocol.connection_made(wire)
        return Client(protocol, wire)


@dataclass
class Client:
    protocol: asyncio.Protocol
    wire: Wire

    async def say(self, data: bytes) -> list[str]:
        """Send data, run the server until it is idle, and return the reply lines."""
        self.wire.out = b""
        self.protocol.data_received(data)
        await self.settle()
        return self.wire.out.decode().splitlines()

    async def settle(self) -> None:
        """Wait until the server sends nothing more: virtual time passes only when all are idle."""
        seen = -1
        while seen != len(self.wire.out):
            seen = len(self.wire.out)
            await asyncio.sleep(QUIET_SECONDS)

    def end_sending(self) -> bool:
        """Send FIN; return whether the connection stays open."""
        stays = self.protocol.eof_received() is True
        if not stays:
            self.wire.close()
        return stays

    def hang_up(self) -> None:
        self.protocol.connection_lost(ConnectionResetError("reset"))


def in_office(
    folder: Path,
    story: Callable[[Office], Coroutine[None, None, None]],
    seconds_max: float = SECONDS_MAX,
    **settings: object,
) -> Office:
    office = replace(Office(folder), **settings)  # type: ignore[arg-type]

    async def told() -> None:
        await office.open()
        async with asyncio.timeout(seconds_max):
            await story(office)
            while len(office.tasks) > 0:
                await asyncio.wait(office.tasks)

    timeline = Timeline()
    run(told(), timeline, timeline.loop("receive"))
    assert timeline.end() == []
    return office


ENVELOPE = b"EHLO client.example\r\nMAIL FROM:<a@elsewhere.example>\r\nRCPT TO:<anna@example.net>\r\n"
BODY = b"Subject: hello\r\n\r\nHello.\r\n..dot\r\n"


def content_of(arrival: Arrival) -> bytes:
    """The message as it will be delivered."""
    assert isinstance(arrival.content, InTable)
    return arrival.prefix + arrival.content.data


def test_the_date_of_the_received_line_is_in_utc() -> None:
    assert date_time(1_860_000_000_123) == "Sat, 9 Dec 2028 18:40:00 +0000"
    assert date_time(1_861_920_000_000) == "Mon, 1 Jan 2029 00:00:00 +0000"


def test_a_message_arrives_with_one_received_line_and_nothing_else_changed(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        replies = await client.say(ENVELOPE + b"DATA\r\n")
        assert replies[-1].startswith("354 ")
        (reply,) = await client.say(BODY + b".\r\n")
        assert reply.startswith("250 2.0.0 Ok: queued as ")

    office = in_office(tmp_path, story)
    ((arrival, kept_for),) = office.intake.taken
    assert kept_for is None
    assert arrival.content == InTable(BODY.replace(b"..dot", b".dot"))
    received = arrival.prefix
    assert received.count(b"Received:") == 1
    assert b"from client.example ([192.0.2.77])" in received
    assert b"with ESMTP id" in received
    assert b"for <anna@example.net>" in received


def test_a_pipelined_group_is_answered_in_one_write_in_its_order(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        await client.say(b"EHLO client.example\r\n")
        group = b"MAIL FROM:<>\r\nRCPT TO:<a@example.net>\r\nRCPT TO:<b@elsewhere.example>\r\nDATA\r\n"
        assert [line[:3] for line in await client.say(group)] == ["250", "250", "550", "354"]

    in_office(tmp_path, story)


def test_no_recipient_of_a_group_is_told_by_the_trace_line_of_the_others(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        await client.say(ENVELOPE + b"RCPT TO:<bert@example.net>\r\nDATA\r\n")
        await client.say(BODY + b".\r\n")

    ((arrival, _),) = in_office(tmp_path, story).intake.taken
    assert len(arrival.envelope.recipients) == 2
    assert b"for <" not in content_of(arrival).partition(b"Subject:")[0]


@pytest.mark.parametrize(
    ("error", "code"), [(StoreFull("full"), "452 4.3.1"), (StoreUnavailable("locked"), "451 4.3.0")]
)
def test_what_the_store_cannot_take_is_the_senders_to_try_again(
    tmp_path: Path, error: Exception, code: str
) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        office.intake.error = error
        await client.say(ENVELOPE + b"DATA\r\n")
        (reply,) = await client.say(BODY + b".\r\n")
        assert reply.startswith(code)
        office.intake.error = None
        replies = await client.say(ENVELOPE + b"DATA\r\n")
        (reply,) = await client.say(BODY + b".\r\n")
        assert reply.startswith("250 "), replies

    assert len(in_office(tmp_path, story).intake.taken) == 1


def test_a_large_body_is_streamed_to_a_synced_file(tmp_path: Path) -> None:
    line = b"x" * 998 + b"\r\n"
    body = b"Subject: large\r\n\r\n" + line * 3000

    async def story(office: Office) -> None:
        client = office.call()
        await client.say(ENVELOPE + b"DATA\r\n")
        for start in range(0, len(body), 60_000):
            client.protocol.data_received(body[start : start + 60_000])
            while not client.wire.reading:
                await asyncio.sleep(0.001)
        (reply,) = await client.say(b".\r\n")
        assert reply.startswith("250 ")

    ((arrival, _),) = in_office(tmp_path, story).intake.taken
    assert isinstance(arrival.content, InFile)
    assert arrival.content.size > IN_TABLE_OCTETS_MAX
    assert (tmp_path / arrival.content.name).read_bytes() == body
    assert arrival.prefix.startswith(b"Received: from client.example ")
    assert arrival.size == len(arrival.prefix) + len(body)


@pytest.mark.parametrize(
    ("error", "answer", "files"),
    [
        (StoreFull("full"), "452 4.3.1", 0),
        # The sync comes after the commit: others may see the message already.
        (DiskFailed("a sync failed"), "451 4.3.0", 1),
    ],
    ids=["full", "failed"],
)
def test_a_large_body_goes_when_the_store_does_not_take_it_and_stays_when_nobody_knows(
    tmp_path: Path, error: Exception, answer: str, files: int
) -> None:
    async def story(office: Office) -> None:
        office.intake.error = error
        client = office.call()
        await client.say(ENVELOPE + b"DATA\r\n")
        await client.say((b"x" * 998 + b"\r\n") * 300)
        (reply,) = await client.say(b".\r\n")
        assert reply.startswith(answer)

    in_office(tmp_path, story)
    assert len(list((tmp_path / CONTENT_FOLDER).iterdir())) == files


def test_a_disk_that_fails_is_the_end_of_the_role(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        office.intake.error = DiskFailed("a sync failed")
        client = office.call()
        await client.say(ENVELOPE + b"DATA\r\n")
        (reply,) = await client.say(BODY + b".\r\n")
        assert reply.startswith("451 4.3.0")

    assert [type(error) for error in in_office(tmp_path, story).failures] == [DiskFailed]


def test_a_recipient_that_is_known_is_answered_in_line_and_no_task_is_made(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        anna = Mailbox.parse("anna@example.net")
        office.intake.learned_of[anna] = Learned(True, office.clock.now_ms(), "delivery")
        client = office.call()
        before = asyncio.all_tasks()
        client.protocol.data_received(ENVELOPE)
        assert client.wire.out.endswith(b"250 2.1.0 Sender ok\r\n250 2.1.5 Recipient ok\r\n")
        client.protocol.data_received(b"RCPT TO:<stranger@example.net>\r\n")
        assert len(asyncio.all_tasks() - before) == 1, "the primary has to be asked"
        assert asyncio.all_tasks() >= before

    backup = Backup(DOMAIN, recipients=(LearnedRecipients(),), quota=10**9)
    in_office(tmp_path, story, backup=backup)


def test_no_task_is_made_before_the_dot_and_one_then_judges_and_stores_the_content(
    tmp_path: Path,
) -> None:
    async def story(office: Office) -> None:
        before = asyncio.all_tasks()
        client = office.call()
        for said, reply, tasks in (
            (b"EHLO client.example\r\n", b"250 ", 0),
            (ENVELOPE, b"250 2.1.5 Recipient ok", 0),
            (b"RCPT TO:<anna+shop@example.net>\r\n", b"250 2.1.5 Recipient ok", 0),  # unverified
            (ENVELOPE + b"DATA\r\n" + BODY + b".\r\n", b"354", 1),
        ):
            client.protocol.data_received(said)
            assert client.wire.out.splitlines()[-1].startswith(reply)
            assert len(asyncio.all_tasks() - before) == tasks, said

    backup = Backup(DOMAIN, recipients=(Mailbox.parse("anna@example.net"),), quota=1_000_000, max_size=500)
    assert len(in_office(tmp_path, story, backup=backup).intake.taken) == 1


def test_a_store_whose_reads_take_their_time_is_waited_for_at_rcpt_and_at_the_dot(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        for said, stored, reply in (
            (ENVELOPE, 0, "250 2.1.5"),
            (b"DATA\r\n" + b"x" * 200 + b"\r\n.\r\n", 900, "452 4.2.2"),
            (ENVELOPE, 0, "250 2.1.5"),
            (b"DATA\r\n" + BODY + b".\r\n", 0, "250 2.0.0"),
        ):
            office.intake.far = far = asyncio.Event()
            assert not any(heard.startswith(reply) for heard in await client.say(said))
            office.intake.stored = stored
            far.set()
            await client.settle()
            assert client.wire.out.decode().splitlines()[-1].startswith(reply)

    backup = Backup(DOMAIN, recipients=(AnyRecipient(),), quota=1000)
    assert len(in_office(tmp_path, story, backup=backup).intake.taken) == 1


@pytest.mark.parametrize("waits", [False, True])
def test_a_store_that_cannot_be_read_defers_the_recipient_and_the_session_goes_on(
    tmp_path: Path, waits: bool
) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        office.intake.unreadable = True
        office.intake.far = far = asyncio.Event()
        far.set()
        if waits:
            far.clear()
        # The second recipient is judged when the first one's answer is there, not when its line came.
        await client.say(ENVELOPE + b"RCPT TO:<you@example.net>\r\n")
        far.set()
        await client.settle()
        replies = client.wire.out.decode().splitlines()[-2:]
        assert [reply.partition(" Th")[0] for reply in replies] == ["451 4.3.0"] * 2
        office.intake.unreadable = False
        assert (await client.say(b"RCPT TO:<you@example.net>\r\n"))[-1].startswith("250 ")

    in_office(tmp_path, story, backup=Backup(DOMAIN, recipients=(AnyRecipient(),), quota=1000))


def test_a_client_that_leaves_while_its_recipient_is_looked_up_counts_no_more(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        office.intake.far = far = asyncio.Event()
        client = office.call()
        await client.say(b"EHLO c.example\r\n" + TWO)
        client.hang_up()
        far.set()
        await client.settle()
        for place in (office.under_way.of(DOMAIN), office.under_way.disk):
            assert (place.certain, place.expected) == (0, 0)

    in_office(tmp_path, story, backup=Backup(DOMAIN, recipients=(AnyRecipient(),), quota=10_000))


def test_a_client_that_is_gone_at_its_dot_has_brought_its_whole_message(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        await client.say(ENVELOPE + b"DATA\r\n")
        client.protocol.data_received(BODY + b".\r\n")
        client.hang_up()
        await client.settle()

    office = in_office(tmp_path, story)
    ((arrival, _),) = office.intake.taken
    assert content_of(arrival).endswith(BODY.replace(b"..dot", b".dot"))


def test_a_client_that_is_gone_in_mid_body_leaves_nothing_behind(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        for octets in (100, 2_000_000):
            client = office.call()
            await client.say(ENVELOPE + b"DATA\r\n")
            await client.say(b"x" * octets)
            client.hang_up()
            while len(office.tasks) > 0:
                await asyncio.wait(office.tasks)

    assert in_office(tmp_path, story).intake.taken == []
    assert list((tmp_path / CONTENT_FOLDER).iterdir()) == []


def test_a_full_disk_is_said_at_mail_and_in_the_middle_of_a_body(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        office.free = 0
        assert (await client.say(ENVELOPE))[-2].startswith("452 4.3.1")
        office.free = 10**9
        await client.say(ENVELOPE + b"DATA\r\n")
        office.free = 0
        await client.say(b"Subject: large\r\n\r\n" + (b"x" * 998 + b"\r\n") * 1500)
        (reply,) = await client.say(b".\r\n")
        assert reply.startswith("452 4.3.1")

    assert in_office(tmp_path, story).intake.taken == []
    assert list((tmp_path / CONTENT_FOLDER).iterdir()) == []


def test_a_message_that_has_come_round_too_often_is_a_loop(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        await client.say(ENVELOPE + b"DATA\r\n")
        (reply,) = await client.say(b"Received: from x\r\n" * 100 + b"\r\nbody\r\n.\r\n")
        assert reply.startswith("554 5.4.6")

    assert in_office(tmp_path, story).intake.taken == []


def test_a_quota_and_a_largest_message_hold(tmp_path: Path) -> None:
    backup = Backup(DOMAIN, recipients=(AnyRecipient(),), quota=1000, max_size=500)

    async def story(office: Office) -> None:
        client = office.call()
        office.intake.stored = 1001
        assert (await client.say(ENVELOPE))[-1].startswith("452 4.2.2")
        office.intake.stored = 0
        await client.say(ENVELOPE + b"DATA\r\n")
        (reply,) = await client.say(b"x" * 600 + b"\r\n.\r\n")
        assert reply.startswith("552 5.3.4")
        await client.say(ENVELOPE + b"DATA\r\n")
        office.intake.stored = 900  # other messages came meanwhile
        (reply,) = await client.say(b"x" * 200 + b"\r\n.\r\n")
        assert reply.startswith("452 4.2.2")

    assert in_office(tmp_path, story, backup=backup).intake.taken == []


def test_an_unknown_recipient_is_asked_about_while_the_client_waits(tmp_path: Path) -> None:
    backup = Backup(DOMAIN, recipients=(LearnedRecipients(),))

    async def story(office: Office) -> None:
        client = office.call()
        for knowledge, code in (
            (Knowledge.KNOWN, "250 2.1.5"),
            (Knowledge.UNKNOWN, "550 5.1.1"),
            (Knowledge.UNREACHABLE, "451 4.4.3"),
        ):
            office.knowledge = knowledge
            assert (await client.say(ENVELOPE))[-1].startswith(code)

    in_office(tmp_path, story, backup=replace(backup, unknown=Unknown.DEFER))


LEARNS = Backup(DOMAIN, recipients=(Mailbox.parse("anna@example.net"), LearnedRecipients()))
TWO = b"MAIL FROM:<a@s.example> SIZE=2000\r\nRCPT TO:<anna@example.net>\r\nRCPT TO:<bert@example.net>\r\n"


def test_a_message_for_a_known_and_an_unverified_recipient_is_one_and_says_which_is_which(
    tmp_path: Path,
) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        assert (await client.say(b"EHLO c.example\r\n" + TWO))[-1].startswith("250 2.1.5")
        await client.say(b"DATA\r\n")
        assert (await client.say(BODY + b".\r\n"))[-1].startswith("250 ")

    ((arrival, _),) = in_office(tmp_path, story, backup=LEARNS).intake.taken
    assert [str(one) for one in arrival.envelope.recipients] == ["anna@example.net", "bert@example.net"]
    assert arrival.unverified == {Mailbox.parse("bert@example.net")}
    assert arrival.lane is Lane.RELAY


def test_unverified_recipients_are_put_off_when_their_share_of_the_room_is_full(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        office.intake.unverified = 249_000
        client = office.call()
        replies = await client.say(b"EHLO c.example\r\n" + TWO)
        assert [reply[:9] for reply in replies[-2:]] == ["250 2.1.5", "452 4.2.2"]
        office.intake.unverified = 247_000
        assert (await client.say(b"RCPT TO:<bert@example.net>\r\n"))[-1].startswith("250 2.1.5")

    in_office(tmp_path, story, backup=replace(LEARNS, quota=1_000_000))


def test_one_network_sends_so_many_messages_to_unverified_recipients_in_an_hour(tmp_path: Path) -> None:
    ask = b"MAIL FROM:<>\r\nRCPT TO:<bert@example.net>\r\nRCPT TO:<cleo@example.net>\r\nRSET\r\n"

    async def story(office: Office) -> None:
        for number in range(MESSAGES_PER_HOUR_MAX):
            client = office.call(f"192.0.2.{number % 250}")
            replies = await client.say(b"EHLO c.example\r\n" + ask)
            assert [reply[:3] for reply in replies[-3:]] == ["250", "250", "250"]
            client.hang_up()
        replies = await office.call("192.0.2.251").say(b"EHLO c.example\r\n" + TWO)
        assert [reply[:9] for reply in replies[-2:]] == ["250 2.1.5", "451 4.7.1"]
        replies = await office.call("198.51.100.1").say(b"EHLO c.example\r\n" + TWO)
        assert replies[-1].startswith("250 2.1.5")

    in_office(tmp_path, story, backup=LEARNS)


def test_mail_for_our_own_postmaster_goes_to_the_owner_in_a_lane_of_its_own(tmp_path: Path) -> None:
    """And to this server itself, which looks for complaints in it."""

    async def story(office: Office) -> None:
        client = office.call()
        replies = await client.say(b"EHLO c.example\r\nMAIL FROM:<>\r\nRCPT TO:<postmaster>\r\n")
        assert replies[-1].startswith("250 2.1.5")
        assert (await client.say(b"RCPT TO:<anna@example.net>\r\n"))[-1].startswith("452 4.5.3")
        await client.say(b"DATA\r\n")
        assert (await client.say(BODY + b".\r\n"))[-1].startswith("250 ")

    ((arrival, _),) = in_office(tmp_path, story).intake.taken
    assert arrival.lane is Lane.OWN
    assert [str(one) for one in arrival.envelope.recipients] == ["me@elsewhere.example", f"abuse@{US}"]


def test_mail_to_ourselves_has_one_recipient_and_no_token_of_it_is_logged(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        await client.say(b"EHLO c.example\r\nMAIL FROM:<>\r\n")
        office.knowledge = Knowledge.UNKNOWN
        refused = await client.say(b"RCPT TO:<leave-forged22@mx2.example.net>\r\n")
        assert refused[-1].startswith("550 5.1.1")
        office.knowledge = Knowledge.UNREACHABLE
        later = await client.say(b"RCPT TO:<b-secret22@mx2.example.net>\r\n")
        assert later[-1].startswith("451 4.4.3")
        office.knowledge = Knowledge.KNOWN
        taken = await client.say(b"RCPT TO:<B-Secret22@mx2.example.net>\r\n")
        assert taken[-1].startswith("250 2.1.5")
        second = await client.say(b"RCPT TO:<leave-secret22@mx2.example.net>\r\n")
        assert second[-1].startswith("452 4.5.3")
        await client.say(b"DATA\r\n")
        assert (await client.say(BODY + b".\r\n"))[-1].startswith("250 ")
        # A person forwards our mail to a domain that is backed up here.
        await client.say(b"MAIL FROM:<b-secret22@mx2.example.net>\r\nRCPT TO:<anna@example.net>\r\nDATA\r\n")
        assert (await client.say(BODY + b".\r\n"))[-1].startswith("250 ")

    office = in_office(tmp_path, story)
    arrival, _ = office.intake.taken[0]
    assert arrival.lane is Lane.OWN
    assert arrival.envelope.recipients == (Mailbox.parse("B-Secret22@mx2.example.net"),)
    log = "\n".join(office.lines)
    assert "secret" not in log.lower()
    assert "forged" not in log
    assert "to=leave-*@mx2.example.net" in log
    assert "sender=<b-*@mx2.example.net>" in log


def test_bare_newlines_are_mended_or_refused_as_the_owner_says(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        await client.say(ENVELOPE + b"DATA\r\n")
        await client.say(b"Subject: x\n\nbody\n.\nMAIL FROM:<evil@example.org>\r\n.\r\n")

    office = in_office(tmp_path, story)
    ((arrival, _),) = office.intake.taken
    body = content_of(arrival).partition(b"Subject:")[2]
    assert body == b" x\r\n\r\nbody\r\n.\r\nMAIL FROM:<evil@example.org>\r\n"
    assert any(line.startswith("normalized ") for line in office.lines)
    refusing = Receive(bare_newlines=BareNewlines.REFUSE)
    assert in_office(tmp_path, story, receive=refusing).intake.taken == []


def test_a_client_with_too_many_connections_is_told_so(tmp_path: Path) -> None:
    receive = Receive(connections_per_client=2)

    async def story(office: Office) -> None:
        first, second = office.call(), office.call()
        third = office.call()
        assert third.wire.out.startswith(b"421 4.7.0")
        assert third.wire.closed
        assert office.call("192.0.2.78").wire.out.startswith(b"220 ")
        third.protocol.connection_lost(None)
        first.hang_up()
        assert office.call().wire.out.startswith(b"220 ")
        assert not second.wire.closed

    in_office(tmp_path, story, receive=receive)


def test_when_a_successor_listens_clients_stay_until_they_leave_and_are_refused_nothing_for_good(
    tmp_path: Path,
) -> None:
    """They are spoken to as before: only the settings behind a refusal are no longer in force."""

    async def story(office: Office) -> None:
        idle, busy = office.call(), office.call()
        await busy.say(ENVELOPE + b"DATA\r\n")
        handing = asyncio.get_running_loop().create_task(office.listener.hand_over())
        await asyncio.sleep(10)
        assert office.listener.doors == ()
        replies = await busy.say(BODY + b".\r\n")
        assert [reply[:3] for reply in replies] == ["250"]
        await idle.say(b"EHLO a\r\nMAIL FROM:<>\r\n")
        [reply] = await idle.say(b"RCPT TO:<me@another.example>\r\n")
        assert reply.startswith("451 4.3.2 Settings have changed")
        assert [reply[:3] for reply in await idle.say(b"RCPT TO:<me@example.net>\r\n")] == ["250"]
        for client in (idle, busy):
            assert not client.wire.closed
            assert not handing.done()
            client.hang_up()
        await handing

    office = in_office(tmp_path, story)
    assert len(office.intake.taken) == 1
    assert office.intake.refused == []


def test_a_client_that_never_leaves_is_waited_for_no_longer_than_an_hour(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        handing = asyncio.get_running_loop().create_task(office.listener.hand_over())
        for _ in range(13):
            assert not handing.done()
            await client.say(b"EHLO client.example\r\n")
            await asyncio.sleep(290)
        await handing
        assert not client.wire.closed

    in_office(tmp_path, story, seconds_max=4000)


def test_when_the_service_ends_a_message_under_way_is_still_taken(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        idle, busy = office.call(), office.call()
        await busy.say(ENVELOPE + b"DATA\r\n")
        draining = asyncio.get_running_loop().create_task(office.listener.drain())
        await asyncio.sleep(0)
        assert idle.wire.out.endswith(b"421 4.3.2 Service is closing; try again soon\r\n")
        assert idle.wire.closed
        replies = await busy.say(BODY + b".\r\n")
        assert [reply[:3] for reply in replies] == ["250", "421"]
        for client in (idle, busy):
            client.protocol.connection_lost(None)
        await draining

    assert len(in_office(tmp_path, story).intake.taken) == 1


def test_an_endless_pipeline_is_not_read_while_an_answer_is_awaited(tmp_path: Path) -> None:
    backup = Backup(DOMAIN, recipients=(LearnedRecipients(),))

    async def story(office: Office) -> None:
        client = office.call()
        await client.say(b"EHLO c.example\r\nMAIL FROM:<>\r\n")
        client.protocol.data_received(b"RCPT TO:<anna@example.net>\r\n")
        for _ in range(100):
            client.protocol.data_received(b"NOOP\r\n" * 200)
        assert not client.wire.reading
        await client.settle()
        assert client.wire.reading

    in_office(tmp_path, story, backup=backup)


@pytest.mark.parametrize(
    ("behind", "codes"),
    [
        (b"QUIT\r\n", ["250", "221"]),
        (b"", ["250"]),
        (b"MAIL FROM:<>\r\nRCPT TO:<anna@example.net>\r\n", ["250", "250", "250"]),
    ],
)
def test_a_client_that_ends_its_sending_with_the_dot_gets_every_answer(
    tmp_path: Path, behind: bytes, codes: list[str]
) -> None:
    async def story(office: Office) -> None:
        office.intake.slow = asyncio.Event()
        client = office.call()
        await client.say(ENVELOPE + b"DATA\r\n")
        client.wire.out = b""
        client.protocol.data_received(BODY + b".\r\n" + behind)
        assert client.end_sending()
        assert not client.wire.is_closing()
        office.intake.slow.set()
        await client.settle()
        assert [line[:3] for line in client.wire.out.decode().splitlines()] == codes
        assert client.wire.closed

    assert len(in_office(tmp_path, story).intake.taken) == 1


def test_a_large_body_that_ends_with_the_connection_is_answered_too(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        await client.say(ENVELOPE + b"DATA\r\n")
        await client.say((b"x" * 998 + b"\r\n") * 200)
        client.wire.out = b""
        client.protocol.data_received(b"end\r\n.\r\nQUIT\r\n")
        assert client.end_sending()
        while not client.wire.closed:
            await asyncio.sleep(0.001)
        assert [line[:3] for line in client.wire.out.decode().splitlines()] == ["250", "221"]

    assert len(in_office(tmp_path, story).intake.taken) == 1


def test_a_recipient_is_still_asked_about_when_the_client_has_said_its_last(tmp_path: Path) -> None:
    backup = Backup(DOMAIN, recipients=(LearnedRecipients(),))

    async def story(office: Office) -> None:
        office.knowledge = Knowledge.UNKNOWN
        client = office.call()
        client.protocol.data_received(ENVELOPE + b"RCPT TO:<bert@example.net>\r\nQUIT\r\n")
        assert client.end_sending()
        await client.settle()
        assert [line[:3] for line in client.wire.out.decode().splitlines()][-3:] == ["550", "550", "221"]
        assert client.wire.closed

    in_office(tmp_path, story, backup=backup)


@pytest.mark.parametrize("sent", [b"", b"Subject: half\r\n\r\nof it", BODY + b"."])
def test_a_body_without_its_end_is_not_taken_when_the_client_ends_its_sending(
    tmp_path: Path, sent: bytes
) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        await client.say(ENVELOPE + b"DATA\r\n")
        assert await client.say(sent) == []
        assert not client.end_sending()
        client.protocol.connection_lost(None)

    office = in_office(tmp_path, story)
    assert office.intake.taken == []
    assert office.lines[-1] == "lost-connection peer=192.0.2.77 phase=body"


def test_a_client_that_asked_nothing_more_is_parted_from_at_once(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        await client.say(ENVELOPE + b"RCPT TO:<be")
        assert not client.end_sending()
        assert client.wire.closed

    in_office(tmp_path, story)


def test_when_the_service_ends_a_client_that_said_its_last_still_hears_what_became_of_it(
    tmp_path: Path,
) -> None:
    async def story(office: Office) -> None:
        office.intake.slow = asyncio.Event()
        client = office.call()
        await client.say(ENVELOPE + b"DATA\r\n")
        client.wire.out = b""
        client.protocol.data_received(BODY + b".\r\n")
        assert client.end_sending()
        draining = asyncio.get_running_loop().create_task(office.listener.drain())
        await asyncio.sleep(0)
        assert not client.wire.is_closing()
        office.intake.slow.set()
        await client.settle()
        assert [line[:3] for line in client.wire.out.decode().splitlines()] == ["250", "421"]
        assert client.wire.closed
        client.protocol.connection_lost(None)
        await draining

    in_office(tmp_path, story)


def test_while_our_replies_are_not_taken_nothing_is_read_or_done(tmp_path: Path) -> None:
    backup = Backup(DOMAIN, recipients=(LearnedRecipients(),))

    async def story(office: Office) -> None:
        client = office.call()
        await client.say(ENVELOPE.replace(b"anna", b"x"))
        client.protocol.pause_writing()
        assert not client.wire.reading
        assert await client.say(b"RSET\r\nNOOP\r\nQUIT\r\n") == []
        assert client.end_sending()
        assert not client.wire.is_closing()
        client.protocol.resume_writing()
        assert [line[:3] for line in client.wire.out.decode().splitlines()] == ["250", "250", "221"]
        assert client.wire.closed

    in_office(tmp_path, story, backup=backup)


def test_few_replies_are_made_ahead_for_a_client_that_takes_none(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        await client.say(b"EHLO c.example\r\nMAIL FROM:<>\r\n")
        client.wire.deaf = True
        replies = await client.say(b"RCPT TO:<anna@example.net>\r\n" * 20_000)
        assert len(replies) == 100
        assert not client.wire.reading

    in_office(tmp_path, story)


def test_a_client_that_takes_none_of_our_replies_meets_its_time_out(tmp_path: Path) -> None:
    async def story(office: Office) -> None:
        client = office.call()
        await client.say(ENVELOPE)
        client.wire.deaf = True
        await client.say(b"RSET\r\n")
        while not client.wire.closed:
            await asyncio.sleep(0.01)
        assert client.wire.out.endswith(b"421 4.4.2 Nothing was heard for too long\r\n")

    office = in_office(tmp_path, story, receive=Receive(timeout_ms=50))
    assert office.lines[-1] == "lost-connection peer=192.0.2.77 phase=timeout"
