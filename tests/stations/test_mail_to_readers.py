"""Outgoing mail to readers: made ahead, and held before its dot until that is recorded."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import TypeVar

import pytest

from secondpost.deliver.connection import Connection
from secondpost.deliver.marks import Mark
from secondpost.deliver.message import Body, Job, NothingToSend, Prepared
from secondpost.deliver.prepared import MAILS_PER_HOP_MAX, PREPARED_OCTETS_MAX, PreparedMails
from secondpost.mail.address import NULL_PATH, Domain, Mailbox
from secondpost.mail.delivery import Claimed, DeliveryId
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Hop, TlsDemand
from secondpost.mail.queue_id import QueueId
from secondpost.mail.reply import Reply
from secondpost.mail.signed_mail import SignedMail
from secondpost.mail.subscriber import SubscriberId
from secondpost.protocols.smtp.client import RecipientResult
from secondpost.signing.assembly import ReaderKeys
from secondpost.signing.orders import MailSigner, SigningOrder
from secondpost.signing.pool import MAILS_ALONE_MAX, SigningPool
from secondpost.world.ports import WorkLine, WorkshopClosed
from secondpost.world.real.net import RealNet
from tests.stations.test_assembly import KEYS, WITH_WEB, issue, reader

T = TypeVar("T")

SENDER = Mailbox.parse("b-token@mx2.example.net")
DATA = b"Subject: the issue\r\n\r\nHello.\r\n"
SIGNER = MailSigner(KEYS, WITH_WEB)
MAIL = SignedMail(SENDER, "<id@example.net>", DATA, len(DATA))


def job(number: int, size: int = 1) -> Job:
    row = Claimed(
        id=DeliveryId(QueueId(1), number),
        lane=Lane.ISSUES,
        origin=Lane.ISSUES,
        sender=NULL_PATH,
        recipient=Mailbox(f"r{number}", Domain("reader.example")),
        size=size,
        file=None,
        eight_bit=False,
        arrived_ms=0,
        attempts=0,
        first_attempt_ms=None,
        maybe_duplicate=False,
        subscriber=SubscriberId(number),
    )
    return Job((row,))


class Making:
    """Makes mails when allowed."""

    def __init__(self, unreadable: frozenset[int] = frozenset()) -> None:
        self.hops: list[list[int]] = []
        self.may_go_on = asyncio.Event()
        self._unreadable = unreadable

    async def make(self, jobs: Sequence[Job]) -> list[Body | NothingToSend]:
        numbers = [job.first.id.number for job in jobs]
        self.hops.append(numbers)
        await self.may_go_on.wait()
        return [NothingToSend("gone") if number in self._unreadable else MAIL for number in numbers]


async def made_ahead(making: Making, jobs: deque[Job], mails: int) -> tuple[PreparedMails, list[int]]:
    """Prepare mails until everything begun is finished; return the numbers of those that failed."""
    unmade: list[int] = []
    async with asyncio.TaskGroup() as tasks:

        def background(work: Coroutine[None, None, None]) -> None:
            tasks.create_task(work)

        ahead = PreparedMails(
            making.make, background, lambda: None, lambda job, why: unmade.append(job.first.id.number)
        )
        ahead.prepare(jobs, mails)
        assert ahead.next() is None, "nothing is made yet"
        assert ahead.count + len(jobs) == 20, "what is being made counts"
        making.may_go_on.set()
    return ahead, unmade


def numbers(ahead: PreparedMails) -> list[int]:
    found = []
    while (prepared := ahead.next()) is not None:
        found.append(prepared.job.first.id.number)
    return found


async def test_mails_are_made_ahead_a_hop_at_a_time_and_no_more_than_are_wanted() -> None:
    making, jobs = Making(), deque(job(number) for number in range(20))
    ahead, unmade = await made_ahead(making, jobs, MAILS_PER_HOP_MAX + 1)
    assert making.hops == [
        list(range(MAILS_PER_HOP_MAX)),
        list(range(MAILS_PER_HOP_MAX, 2 * MAILS_PER_HOP_MAX)),
    ]
    ahead.prepare(jobs, MAILS_PER_HOP_MAX + 1)
    assert len(making.hops) == 2, "enough are there"
    assert numbers(ahead) == list(range(2 * MAILS_PER_HOP_MAX))
    assert unmade == []


async def test_one_that_cannot_be_made_holds_up_none_beside_it() -> None:
    ahead, unmade = await made_ahead(Making(frozenset({1, 3})), deque(job(n) for n in range(20)), 5)
    assert unmade == [1, 3]
    assert numbers(ahead) == [0, 2, 4, 5, 6, 7]


async def test_what_is_made_can_be_taken_back() -> None:
    ahead, _ = await made_ahead(Making(), deque(job(number) for number in range(20)), 5)
    taken = ahead.take_back(lambda one: one.first.id.number % 2 == 0)
    assert [one.first.id.number for one in taken] == [0, 2, 4, 6]
    assert numbers(ahead) == [1, 3, 5, 7]


async def test_no_more_is_prepared_than_may_be_held() -> None:
    large = deque(job(number, PREPARED_OCTETS_MAX // 10) for number in range(40))
    making = Making()
    making.may_go_on.set()
    async with asyncio.TaskGroup() as tasks:

        def background(work: Coroutine[None, None, None]) -> None:
            tasks.create_task(work)

        ahead = PreparedMails(making.make, background, lambda: None, lambda job, why: None)
        ahead.prepare(large, 40)
    assert ahead.count == 2 * MAILS_PER_HOP_MAX, "two hops full hold more than that"
    assert numbers(ahead) == list(range(2 * MAILS_PER_HOP_MAX))
    async with asyncio.TaskGroup() as tasks:
        ahead.prepare(large, 40)
    assert ahead.count == 2 * MAILS_PER_HOP_MAX, "what was sent is held no more"


async def test_while_relayed_mail_is_on_its_way_one_signer_of_two_stands_back() -> None:
    relays = False
    work = Threads()
    pool = SigningPool(SIGNER, work, None, lambda: relays)
    async with asyncio.TaskGroup() as tasks:
        for _ in "abcdef":
            tasks.create_task(pool.sign(order()))
        await all_rest()
        assert work.begun == 2, "two at once"
        relays = True
        work.finish_one()
        await all_rest()
        assert work.begun == 2, "one stands back"
        work.finish_one()
        await all_rest()
        assert work.begun == 3, "but one always goes on"
        relays = False
        work.finish_one()
        await all_rest()
        assert work.begun == 5, "and both again, in turn"
        while work.unfinished > 0:
            work.finish_one()
            await all_rest()
    assert work.begun == 6


async def test_much_to_make_opens_the_workshop_and_little_does_not() -> None:
    workshop = Shop()
    # Thousands of mails that are not verified: RSA would take seconds.
    only_ed25519 = ReaderKeys(KEYS.signing[1:], KEYS.links, KEYS.addresses)
    quick = MailSigner(only_ed25519, WITH_WEB)
    pool = SigningPool(quick, Threads(at_once=True), workshop, lambda: False)
    for _ in range(MAILS_ALONE_MAX):
        await asyncio.gather(*(pool.sign(order(1)) for _ in range(3)))
    assert workshop.opened == 0, "there was a pause after every third"

    async def one_after_the_other() -> None:
        for _ in range(MAILS_ALONE_MAX // 16):
            await pool.sign(order(8))

    await asyncio.gather(*(one_after_the_other() for _ in range(3)))
    assert workshop.opened > 0


async def test_what_is_made_in_the_workshop_is_what_a_thread_would_make() -> None:
    workshop, work = Shop(places=1), Threads()
    pool = SigningPool(SIGNER, work, workshop, lambda: False)
    made = await asyncio.gather(*(pool.sign(order(3)) for _ in range(5)))
    assert work.begun == 0
    assert workshop.most_at_once == 2, "one in work, one behind it"
    assert made == [SIGNER.sign(order(3))] * 5


async def test_an_order_that_the_workshop_loses_is_made_in_a_thread() -> None:
    work = Threads(at_once=True)
    pool = SigningPool(SIGNER, work, Shop(places=1, loses=True), lambda: False)
    assert await pool.sign(order(2)) == SIGNER.sign(order(2))
    assert work.begun == 1


def order(readers: int = 1) -> tuple[SigningOrder, ...]:
    return (SigningOrder(issue().encode(), tuple(reader(number) for number in range(1, readers + 1))),)


class Threads:
    """The Work port: jobs end when the test allows it, or at once."""

    def __init__(self, at_once: bool = False) -> None:
        self.begun = 0
        self._at_once = at_once
        self._jobs: deque[Callable[[], None]] = deque()

    @property
    def unfinished(self) -> int:
        return len(self._jobs)

    def finish_one(self) -> None:
        self._jobs.popleft()()

    def run(self, job: Callable[[], T]) -> Awaitable[T]:
        self.begun += 1
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.append(lambda: answer.set_result(job()))
        if self._at_once:
            asyncio.get_running_loop().call_soon(self.finish_one)
        return answer

    def line(self, name: str) -> WorkLine:
        raise AssertionError("nobody needs a thread of his own")


class Shop:
    """The Workshop port: makes what is ordered, or loses it."""

    def __init__(self, places: int = 0, loses: bool = False) -> None:
        self.places = places
        self.opened = 0
        self.most_at_once = 0
        self._at_once = 0
        self._loses = loses

    def open(self) -> None:
        self.opened += 1

    async def do(self, order: bytes) -> bytes:
        if self._loses or self.places == 0:
            raise WorkshopClosed
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        await asyncio.sleep(0)
        self._at_once -= 1
        return SIGNER.answer(order)


async def all_rest() -> None:
    """Let every task run as far as it can."""
    for _ in range(3):
        await asyncio.sleep(0)


class Wire(asyncio.Transport):
    """A transport that records what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.is_aborted = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def abort(self) -> None:
        self.is_aborted = True


class Holding:
    def __init__(self) -> None:
        self.done: list[RecipientResult] = []
        self.broken: list[tuple[Cause, Job | None]] = []

    def connection_ready(self, connection: Connection) -> None:
        return

    def message_done(self, connection: Connection, job: Job, results: tuple[RecipientResult, ...]) -> None:
        self.done += results

    def connection_broken(self, connection: Connection, cause: Cause, reply: Reply) -> None:
        self.broken.append((cause, connection.job))


def unwanted(work: Coroutine[None, None, None]) -> None:
    work.close()
    raise AssertionError("no task is needed")


def before_the_body(mark: Mark) -> tuple[Connection, Wire, Holding]:
    """The state after 354."""
    holding, wire = Holding(), Wire()
    hop = Hop("mx", ("192.0.2.1",), 25, TlsDemand.NONE)
    connection = Connection(holding, RealNet(), "mx2.example.net", hop, unwanted)
    connection.connection_made(wire)
    connection.data_received(b"220 mx ready\r\n")
    connection.data_received(b"250-mx\r\n250 PIPELINING\r\n")
    connection.send(Prepared(job(1), MAIL), holding, mark)
    wire.written = b""
    connection.data_received(b"250 ok\r\n250 ok\r\n354 go on\r\n")
    return connection, wire, holding


async def test_the_dot_waits_for_its_mark() -> None:
    mark = Mark()
    connection, wire, holding = before_the_body(mark)
    assert wire.written == b""
    mark.settle(may_send=True)
    assert wire.written == DATA + b".\r\n"
    assert connection.dot_sent
    connection.data_received(b"250 taken\r\n")
    assert [result.reply.code for result in holding.done] == [250]


async def test_a_mark_that_is_there_before_it_is_needed_costs_no_wait() -> None:
    mark = Mark()
    mark.settle(may_send=True)
    _, wire, _ = before_the_body(mark)
    assert wire.written == DATA + b".\r\n"


async def test_without_its_mark_no_dot_is_ever_sent() -> None:
    mark = Mark()
    connection, wire, holding = before_the_body(mark)
    mark.settle(may_send=False)
    assert wire.written == b""
    assert wire.is_aborted
    assert holding.broken == [(Cause.LOST, None)], "the store has settled it: it is nobody's job any more"
    assert not connection.dot_sent


async def test_a_mark_that_comes_after_the_connection_broke_sends_nothing() -> None:
    mark = Mark()
    connection, wire, holding = before_the_body(mark)
    connection.connection_lost(None)
    mark.settle(may_send=True)
    assert wire.written == b""
    assert len(holding.broken) == 1


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


pytestmark = pytest.mark.anyio
