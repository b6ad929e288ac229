"""A closed connection is gone soon, whether the peer reads or not; under both loops."""

import asyncio
from typing import cast

from secondpost.world.closing import close_soon
from secondpost.world.real.net import RealNet

from .conftest import Run
from .test_real_net import ANY, Talker


async def connected(net: RealNet) -> tuple[Talker, asyncio.Transport, asyncio.Transport]:
    """The server, its transport, and the client's transport."""
    server = Talker(b"220\r\n")
    door = await net.listen(lambda: server, ANY)
    client = Talker()
    theirs = await net.connect(lambda: client, door.endpoint, 5)
    await client.until(lambda it: it.heard == b"220\r\n")
    door.close()
    return server, cast("asyncio.Transport", server.transport), theirs


def test_what_a_slow_reader_still_wants_is_sent_before_the_end(run: Run[object]) -> None:
    async def day() -> None:
        server, ours, theirs = await connected(RealNet())
        client = cast("Talker", theirs.get_protocol())
        theirs.pause_reading()
        much = b"x" * 3_000_000
        ours.write(much)
        close_soon(ours)
        assert not server.is_lost
        await asyncio.sleep(0.05)
        theirs.resume_reading()
        await client.until(lambda it: it.is_lost)
        assert client.heard == b"220\r\n" + much
        await server.until(lambda it: it.is_lost)

    run(day())


def test_a_reader_that_never_reads_is_not_waited_for(run: Run[object]) -> None:
    async def day() -> None:
        server, ours, theirs = await connected(RealNet())
        theirs.pause_reading()
        ours.write(b"x" * 3_000_000)
        close_soon(ours, 0.05)
        await server.until(lambda it: it.is_lost)
        theirs.abort()
        await asyncio.sleep(0.01)

    run(day())
