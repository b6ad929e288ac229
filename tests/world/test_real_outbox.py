"""Data written in one turn of the loop leaves at its end in one piece, never later."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from secondpost.mail.address import Endpoint
from secondpost.world.real.net import RealNet
from secondpost.world.real.outbox import GATHERED_OCTETS_MAX

from .conftest import Run
from .test_real_net import ANY, Talker

LARGE = b"x" * (GATHERED_OCTETS_MAX + 1)


class Caller:
    """A client without a loop: what it receives has left by now."""

    def __init__(self, where: Endpoint) -> None:
        self.socket = socket.create_connection((where.host, where.port))
        self.socket.setblocking(False)

    def heard(self) -> bytes | None:
        """The received data; None: nothing. Empty: the peer has closed."""
        try:
            return self.socket.recv(65536)
        except BlockingIOError:
            return None


@asynccontextmanager
async def called(count: int) -> AsyncIterator[tuple[list[Caller], list[asyncio.Transport]]]:
    """`count` clients, and our ends of their connections."""
    talkers: list[Talker] = []

    def answer() -> Talker:
        talkers.append(Talker())
        return talkers[-1]

    door = await RealNet().listen(answer, ANY)
    callers = [Caller(door.endpoint) for _ in range(count)]
    while len(talkers) < count or any(talker.transport is None for talker in talkers):
        await asyncio.sleep(0)
    door.close()
    ours = [talker.transport for talker in talkers if talker.transport is not None]
    try:
        yield callers, ours
    finally:
        for caller, transport in zip(callers, ours, strict=True):
            caller.socket.close()
            transport.abort()
    while not all(talker.is_lost for talker in talkers):
        await asyncio.sleep(0)


async def turn() -> None:
    """Run everything that is due."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


def test_what_all_say_in_one_turn_leaves_at_its_end_each_in_one_piece(run: Run[object]) -> None:
    async def day() -> None:
        async with called(3) as (callers, ours):
            for transport in ours:
                for piece in (b"250 Ok\r\n", b"250 Ok\r\n", b"354 Go ahead\r\n"):
                    transport.write(piece)
            assert [transport.get_write_buffer_size() for transport in ours] == [30, 30, 30]
            assert [caller.heard() for caller in callers] == [None, None, None]
            await turn()
            assert [caller.heard() for caller in callers] == [b"250 Ok\r\n250 Ok\r\n354 Go ahead\r\n"] * 3
            assert [transport.get_write_buffer_size() for transport in ours] == [0, 0, 0]

    run(day())


def test_much_does_not_wait_for_the_end_of_the_turn(run: Run[object]) -> None:
    async def day() -> None:
        async with called(1) as ((caller,), (transport,)):
            transport.write(b"first ")
            transport.write(LARGE)
            assert caller.heard() == b"first " + LARGE

    run(day())


@pytest.mark.parametrize("end", [lambda it: it.close(), lambda it: it.abort(), lambda it: it.write_eof()])
def test_an_end_comes_behind_what_was_said(
    run: Run[object], end: Callable[[asyncio.Transport], None]
) -> None:
    async def day() -> None:
        async with called(1) as ((caller,), (transport,)):
            transport.write(b"221 Bye\r\n")
            end(transport)
            assert caller.heard() == b"221 Bye\r\n"
            while (heard := caller.heard()) is None:
                await asyncio.sleep(0)
            assert heard == b""

    run(day())


def test_what_was_said_to_a_client_that_left_meanwhile_troubles_no_other(run: Run[object]) -> None:
    async def day() -> None:
        troubles: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _loop, trouble: troubles.append(trouble))
        async with called(2) as ((_, other), ours):
            ours[0].abort()
            await turn()
            ours[0].write(b"250 Ok\r\n")
            ours[1].write(b"250 Ok\r\n")
            await turn()
            assert other.heard() == b"250 Ok\r\n"
            assert troubles == []

    run(day())


def test_an_end_behind_a_reset_that_was_not_seen_yet_raises_nothing(run: Run[object]) -> None:
    async def day() -> None:
        async with called(1) as ([caller], [ours]):
            at_once = struct.pack("ii", 1, 0)  # SO_LINGER: close with a reset
            caller.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            caller.socket.close()
            ours.write_eof()

    run(day())


class CancelledInSpeaking(Talker):
    """Cancels its own opening when it has something to say, as a site does that stops."""

    def __init__(self) -> None:
        super().__init__(b"EHLO client.example\r\n")
        self.opening: asyncio.Task[None]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.opening.cancel()
        super().connection_made(transport)


def test_a_connection_whose_opening_was_cancelled_in_mid_sentence_can_be_aborted(run: Run[object]) -> None:
    async def day() -> None:
        net = RealNet()
        door = await net.listen(Talker, ANY)
        talker = CancelledInSpeaking()

        async def open_it() -> None:
            try:
                await net.connect(lambda: talker, door.endpoint, 5.0)
            except asyncio.CancelledError:
                assert talker.transport is not None
                talker.transport.abort()
                raise

        talker.opening = asyncio.create_task(open_it())
        try:
            with pytest.raises(asyncio.CancelledError):
                await talker.opening
        finally:
            door.close()
        await turn()

    run(day())
