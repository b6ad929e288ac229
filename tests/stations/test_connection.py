"""One connection to a peer that reads nothing, or that has closed its sending side."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps

from secondpost.deliver.connection import Connection
from secondpost.deliver.message import ContentUnreadable, InPieces, Job, Prepared
from secondpost.mail.address import NULL_PATH, Domain, Mailbox
from secondpost.mail.delivery import Claimed, DeliveryId
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Hop, TlsDemand
from secondpost.mail.queue_id import QueueId
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import RecipientResult
from secondpost.world.real.net import RealNet
from simulation.clock import Timeline, run

JOB = Job(
    (
        Claimed(
            id=DeliveryId(QueueId(1), 1),
            lane=Lane.RELAY,
            origin=Lane.RELAY,
            sender=NULL_PATH,
            recipient=Mailbox("anna", Domain("example.net")),
            size=1,
            file=None,
            eight_bit=False,
            arrived_ms=0,
            attempts=0,
            first_attempt_ms=None,
            maybe_duplicate=False,
        ),
    )
)
PIECES = 100
PIECE_OCTETS = 64 * 1024


def in_leaping_time(test: Callable[[], Coroutine[object, object, None]]) -> Callable[[], None]:
    """Run a test in virtual time, so that a connection's time-outs take no real time."""

    @wraps(test)
    def ran() -> None:
        timeline = Timeline()
        run(test(), timeline, timeline.loop("deliver"))
        assert timeline.end() == []

    return ran


class Wire(asyncio.Transport):
    """A transport whose peer reads nothing: all that is written stays here."""

    def __init__(self) -> None:
        super().__init__()
        self.unsent = b""
        self.is_closed = False
        self.aborted = asyncio.Event()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.unsent += bytes(data)

    def get_write_buffer_size(self) -> int:
        return len(self.unsent)

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.aborted.set()


class Holding:
    def __init__(self, unreadable: int) -> None:
        self.read = 0  # pieces of the body
        self.unreadable = unreadable  # the piece that cannot be read, counted from 1
        self.broken: list[tuple[Cause, Job | None]] = []

    def connection_ready(self, connection: Connection) -> None:
        return

    def message_done(self, connection: Connection, job: Job, results: tuple[RecipientResult, ...]) -> None:
        return

    def connection_broken(self, connection: Connection, cause: Cause, reply: Reply) -> None:
        self.broken.append((cause, connection.job))

    async def piece(self, offset: int) -> bytes:
        assert offset == self.read * PIECE_OCTETS
        self.read += 1
        if self.read == self.unreadable:
            raise ContentUnreadable("a bad sector")
        return b"x" * PIECE_OCTETS


async def all_rest() -> None:
    """Let every task run as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def in_the_body(unreadable: int = 0) -> tuple[Connection, Wire, Holding]:
    """The state after 354, with a peer that reads nothing further."""
    tasks: set[asyncio.Task[None]] = set()

    def background(work: Coroutine[None, None, None]) -> None:
        tasks.add(asyncio.get_running_loop().create_task(work))

    holding, wire = Holding(unreadable), Wire()
    hop = Hop("mx", ("192.0.2.1",), 25, TlsDemand.NONE)
    connection = Connection(holding, RealNet(), "mx2.example.net", hop, background)
    connection.connection_made(wire)
    connection.data_received(b"220 mx ready\r\n")
    connection.data_received(b"250-mx\r\n250 PIPELINING\r\n")
    connection.send(Prepared(JOB, InPieces(PIECES * PIECE_OCTETS, holding.piece)), holding)
    if unreadable == 0:
        connection.pause_writing()
    connection.data_received(b"250 ok\r\n250 ok\r\n354 go on\r\n")
    await all_rest()
    return connection, wire, holding


@in_leaping_time
async def test_a_large_body_is_read_no_faster_than_the_peer_takes_it() -> None:
    connection, wire, holding = await in_the_body()
    assert holding.read == 1, "the rest waits for the peer"
    connection.resume_writing()
    while not connection.dot_sent:
        await asyncio.sleep(0)
    assert holding.read == PIECES
    assert wire.unsent.endswith(b"x\r\n.\r\n")
    assert wire.unsent.count(b"x") >= PIECES * PIECE_OCTETS


@in_leaping_time
async def test_a_body_that_cannot_be_read_to_its_end_is_given_up_without_its_dot() -> None:
    connection, wire, holding = await in_the_body(unreadable=3)
    await wire.aborted.wait()
    assert holding.broken == [(Cause.UNREADABLE, JOB)]
    assert not connection.dot_sent
    assert b"\r\n.\r\n" not in wire.unsent


@in_leaping_time
async def test_a_peer_that_gives_up_and_does_not_read_is_not_waited_for() -> None:
    connection, wire, holding = await in_the_body()
    connection.data_received(b"421 busy\r\n")
    assert holding.broken == [(Cause.SHUTDOWN, JOB)]
    assert wire.is_closed
    await wire.aborted.wait()


@in_leaping_time
async def test_a_peer_that_ends_its_sending_in_mid_talk_gets_nothing_more() -> None:
    connection, wire, holding = await in_the_body()
    assert not connection.eof_received()
    assert holding.broken == [(Cause.LOST, JOB)]
    assert wire.is_closed
    connection.resume_writing()
    await all_rest()
    assert holding.read == 1
    await wire.aborted.wait()
    connection.connection_lost(None)
    assert len(holding.broken) == 1
