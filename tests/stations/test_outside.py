"""One connection to a peer that takes nothing, or says that it has said its last."""

import asyncio
from collections.abc import Coroutine, Iterator

import pytest

from secondpost.deliver.outside import FLUSH_OCTETS, Connection, Job
from secondpost.mail.address import NULL_PATH, Domain, Mailbox
from secondpost.mail.delivery import Claimed, DeliveryId
from secondpost.mail.envelope import Lane
from secondpost.mail.outcome import Cause
from secondpost.mail.plan import Hop, TlsDemand
from secondpost.mail.queue_id import QueueId
from secondpost.mail.reply import Reply
from secondpost.protocols.smtp.client import Result
from secondpost.world import closing
from secondpost.world.real.net import RealNet

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

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Wire(asyncio.Transport):
    """Its other side takes nothing: all that is written stays here."""

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
    def __init__(self) -> None:
        self.read = 0  # pieces of the body
        self.broken: list[tuple[Cause, Job | None]] = []

    def connection_ready(self, connection: Connection) -> None:
        return

    def message_done(self, connection: Connection, job: Job, results: tuple[Result, ...]) -> None:
        return

    def connection_broken(self, connection: Connection, cause: Cause, reply: Reply) -> None:
        self.broken.append((cause, connection.job))

    def body_pieces(self, job: Job) -> Iterator[bytes]:
        for _ in range(PIECES):
            self.read += 1
            yield b"x" * FLUSH_OCTETS


def no_task(work: Coroutine[None, None, None]) -> None:
    work.close()
    raise AssertionError("no task is needed")


def in_the_body() -> tuple[Connection, Wire, Holding]:
    """The peer has said 354, and takes nothing of what follows."""
    holding, wire = Holding(), Wire()
    hop = Hop("mx", ("192.0.2.1",), 25, TlsDemand.NONE)
    connection = Connection(holding, RealNet(), "mx2.example.net", hop, no_task)
    connection.connection_made(wire)
    connection.data_received(b"220 mx ready\r\n")
    connection.data_received(b"250-mx\r\n250 PIPELINING\r\n")
    connection.send(JOB, holding)
    connection.pause_writing()
    connection.data_received(b"250 ok\r\n250 ok\r\n354 go on\r\n")
    assert holding.read == 1
    return connection, wire, holding


@pytest.fixture(autouse=True)
def _short_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(closing, "CLOSE_SECONDS_MAX", 0.01)


async def test_a_peer_that_gives_up_and_does_not_read_is_not_waited_for() -> None:
    connection, wire, holding = in_the_body()
    connection.data_received(b"421 busy\r\n")
    assert holding.broken == [(Cause.SHUTDOWN, JOB)]
    assert wire.is_closed
    await wire.aborted.wait()


async def test_a_peer_that_ends_its_sending_in_mid_talk_gets_nothing_more() -> None:
    connection, wire, holding = in_the_body()
    assert not connection.eof_received()
    assert holding.broken == [(Cause.LOST, JOB)]
    assert wire.is_closed
    connection.resume_writing()
    assert holding.read == 1
    await wire.aborted.wait()
    connection.connection_lost(None)
    assert len(holding.broken) == 1
